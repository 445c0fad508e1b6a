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

/** Where an answer stands. */
interface Playing {
  readonly sink: SandboxSink;
  readonly setTimer: SetTimer;
  /** What is still to happen, the innermost last. */
  readonly rest: Iterator<Step>[];
  over: boolean;
  /** The sink takes nothing until it says so. */
  blocked: boolean;
  /** Something is waited for; takes that back. */
  cancel: (() => void) | undefined;
}

/** What was waited for has come. */
function goOn(playing: Playing): void {
  playing.cancel = undefined;
  if (!playing.over && !playing.blocked) run(playing);
}

function wait(playing: Playing, ms: number): void {
  playing.cancel = playing.setTimer(() => goOn(playing), ms);
}

function broken(playing: Playing): void {
  if (playing.over) return;
  playing.over = true;
  playing.sink.error('reset');
}

function later(playing: Playing, make: () => Promise<Iterable<Step>>): void {
  playing.cancel = () => undefined;
  make().then(
    (next) => {
      playing.rest.push(next[Symbol.iterator]());
      goOn(playing);
    },
    () => broken(playing),
  );
}

/** The next step there is; `undefined` when there is none. */
function nextStep({ rest }: Playing): Step | undefined {
  for (let inner = rest.at(-1); inner; inner = rest.at(-1)) {
    const next = inner.next();
    if (next.done !== true) return next.value;
    rest.pop();
  }
  return undefined;
}

/** Does one step; `false` when the next must not follow at once. */
function perform(playing: Playing, step: Step): boolean {
  const { sink } = playing;
  switch (step.do) {
    case 'wait':
      wait(playing, step.ms);
      return false;
    case 'later':
      later(playing, step.steps);
      return false;
    case 'head':
      sink.head(step.status, step.headers);
      return !playing.over;
    case 'bytes':
      playing.blocked = !sink.body(step.bytes);
      return !playing.over && !playing.blocked;
    case 'end':
      playing.over = true;
      sink.end();
      return false;
    case 'break':
      playing.over = true;
      sink.error(step.how);
      return false;
  }
}

function run(playing: Playing): void {
  for (;;) {
    let step: Step | undefined;
    try {
      step = nextStep(playing);
    } catch {
      return broken(playing);
    }
    if (!step || !perform(playing, step)) return;
  }
}

function abort(playing: Playing): void {
  playing.over = true;
  playing.cancel?.();
}

function resume(playing: Playing): void {
  if (playing.over || !playing.blocked) return;
  playing.blocked = false;
  if (!playing.cancel) run(playing);
}

/**
 * Plays steps into a sink, in their time and no faster than the sink takes them. Nothing happens before the caller has the
 * call in hand, as with a network.
 */
export function play(steps: Iterable<Step>, sink: SandboxSink, setTimer: SetTimer): SandboxCall {
  const playing: Playing = { sink, setTimer, rest: [steps[Symbol.iterator]()], over: false, blocked: false, cancel: undefined };
  wait(playing, 0);
  return {
    abort: () => abort(playing),
    resume: () => resume(playing),
  };
}
