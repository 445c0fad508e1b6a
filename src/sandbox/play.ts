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

/**
 * One thing that happens in an answer. Without `end` or `break` as its last the answer never ends. `later`: what happens next is
 * still being made; a failure to make it, or the next step, breaks the connection, as a defect would at a provider.
 */
export type Step =
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'head'; readonly status: number; readonly headers: Readonly<Record<string, string>> }
  | { readonly do: 'bytes'; readonly bytes: Buffer }
  | { readonly do: 'later'; readonly steps: () => Promise<Iterable<Step>> }
  | { readonly do: 'end' }
  | { readonly do: 'break'; readonly how: 'cut' | 'reset' };

/**
 * Plays steps into a sink, in their time and no faster than the sink takes them. Nothing happens before the caller has the
 * call in hand, as with a network.
 */
export function play(steps: Iterable<Step>, sink: SandboxSink, setTimer: SetTimer): SandboxCall {
  /** The innermost last. */
  const rest = [steps[Symbol.iterator]()];
  let over = false;
  let blocked = false;
  let cancel: (() => void) | undefined;

  const wait = (ms: number): void => {
    cancel = setTimer(() => {
      cancel = undefined;
      if (!over && !blocked) run();
    }, ms);
  };
  const broken = (): void => {
    if (over) return;
    over = true;
    sink.error('reset');
  };
  const later = (make: () => Promise<Iterable<Step>>): void => {
    cancel = () => undefined;
    make().then((next) => {
      cancel = undefined;
      rest.push(next[Symbol.iterator]());
      if (!over && !blocked) run();
    }, broken);
  };
  /** The next step there is; `undefined` when there is none. */
  const nextStep = (): Step | undefined => {
    for (let inner = rest.at(-1); inner; inner = rest.at(-1)) {
      const next = inner.next();
      if (next.done !== true) return next.value;
      rest.pop();
    }
    return undefined;
  };
  /** Does one step; `false` when the next must not follow at once. */
  const perform = (step: Step): boolean => {
    switch (step.do) {
      case 'wait':
        wait(step.ms);
        return false;
      case 'later':
        later(step.steps);
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
      let step: Step | undefined;
      try {
        step = nextStep();
      } catch {
        return broken();
      }
      if (!step || !perform(step)) return;
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
