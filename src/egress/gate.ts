/** Runs work as soon as there is room for it. */
export type Gate = <T>(work: () => Promise<T>) => Promise<T>;

/** Lets so many run at once, so many wait, and turns the others away. */
export function createGate(most: { readonly running: number; readonly waiting: number }, turnedAway: () => Error): Gate {
  let running = 0;
  const waiting: (() => void)[] = [];
  const enter = (): Promise<void> => {
    if (running < most.running) {
      running += 1;
      return Promise.resolve();
    }
    if (waiting.length >= most.waiting) return Promise.reject(turnedAway());
    return new Promise((resolve) => waiting.push(resolve));
  };
  const leave = (): void => {
    // The place goes to the next as it is.
    const next = waiting.shift();
    if (next) next();
    else running -= 1;
  };
  return async (work) => {
    await enter();
    try {
      return await work();
    } finally {
      leave();
    }
  };
}
