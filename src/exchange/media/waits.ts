/** How long a call has waited for others: what waits side by side counts once. */
export interface Waits {
  /** A wait begins; gives what ends it, of which the first time counts. */
  begin(): () => void;
  during<T>(work: Promise<T>): Promise<T>;
  /** Milliseconds until now. */
  ms(): number;
}

/** It has not waited yet. `monotonic`: milliseconds of a clock that never goes back. */
export function createWaits(monotonic: () => number): Waits {
  let running = 0;
  let since = 0;
  let before = 0;
  const begin = (): (() => void) => {
    if (running++ === 0) since = monotonic();
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      if (--running === 0) before += monotonic() - since;
    };
  };
  return {
    begin,
    during: (work) => work.finally(begin()),
    ms: () => before + (running > 0 ? monotonic() - since : 0),
  };
}
