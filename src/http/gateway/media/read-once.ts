/**
 * Reads something large when it is first asked for, and again only after the turn of the event loop has ended: several that look at it in
 * a row share one reading, and nothing of it is held while an answer is waited for.
 */
export function readOnce<T extends object>(read: () => T): () => T {
  let held: WeakRef<T> | undefined;
  return () => {
    const still = held?.deref();
    if (still) return still;
    const made = read();
    held = new WeakRef(made);
    return made;
  };
}
