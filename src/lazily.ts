/** Something that is made with its first use. */
export interface Lazy<T> {
  (): Promise<T>;
  /** Gives it up where it was made or is being made. */
  ifMade(end: (made: T) => unknown): Promise<void>;
}

/** Makes something with its first use, once; where that failed, a use that comes a while later tries again. */
export function lazily<T>(make: () => Promise<T>, retryAfterMs = 5000): Lazy<T> {
  let made: Promise<T> | undefined;
  const get = (): Promise<T> => {
    if (made) return made;
    const making = make();
    made = making;
    making.catch(() => setTimeout(() => (made = undefined), retryAfterMs).unref());
    return making;
  };
  const ifMade = async (end: (made: T) => unknown): Promise<void> => {
    const found = await made?.catch(() => undefined);
    if (found !== undefined) await end(found);
  };
  return Object.assign(get, { ifMade });
}
