/** Makes something with its first use, once; where that failed, the next use after a while tries again. */
export function lazily<T>(make: () => Promise<T>, retryAfterMs = 5000): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => {
    if (made) return made;
    const making = make();
    made = making;
    making.catch(() => setTimeout(() => (made = undefined), retryAfterMs).unref());
    return making;
  };
}
