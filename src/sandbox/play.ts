/** Runs something after some milliseconds; the result takes that back. */
export type SetTimer = (run: () => void, ms: number) => () => void;

/** Where the bytes of an answer go. */
export interface SandboxSink {
  head(status: number, headers: Readonly<Record<string, string>>): void;
  /** More bytes; `false`: wait for `resume`. */
  body(chunk: Buffer): boolean;
  end(): void;
  /** The connection broke. `cut`: closed, `reset`: torn down. */
  error(kind: 'cut' | 'reset'): void;
}

/** An answer under way. */
export interface SandboxCall {
  /** Ends it: the sink hears nothing more. */
  abort(): void;
  /** The sink can take more. */
  resume(): void;
}

/** One thing that happens in an answer. Without `end` or `break` as its last the answer never ends. */
export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'head'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly do: 'bytes'; readonly bytes: Buffer }
  | { readonly do: 'end' }
  | { readonly do: 'break'; readonly how: 'cut' | 'reset' };

/**
 * Plays steps into a sink, in their time and no faster than the sink takes them. Nothing happens before the caller has the
 * call in hand, as with a network.
 */
export function play(steps: Iterable<Step>, sink: SandboxSink, setTimer: SetTimer): SandboxCall {
  const rest = steps[Symbol.iterator]();
  let over = false;
  let blocked = false;
  let cancel: (() => void) | undefined;

  const wait = (ms: number): void => {
    cancel = setTimer(() => {
      cancel = undefined;
      if (!over && !blocked) run();
    }, ms);
  };
  /** Does one step; `false` when the next must not follow at once. */
  const perform = (step: Step): boolean => {
    switch (step.do) {
      case 'wait':
        wait(step.ms);
        return false;
      case 'head':
        sink.head(step.status, step.headers);
        return !over;
      case 'bytes':
        blocked = !sink.body(step.bytes);
        return !over && !blocked;
      case 'end':
        over = true;
        sink.end();
        return false;
      case 'break':
        over = true;
        sink.error(step.how);
        return false;
    }
  };
  const run = (): void => {
    for (;;) {
      const next = rest.next();
      if (next.done === true || !perform(next.value)) return;
    }
  };

  wait(0);
  return {
    abort() {
      over = true;
      cancel?.();
    },
    resume() {
      if (over || !blocked) return;
      blocked = false;
      if (!cancel) run();
    },
  };
}
