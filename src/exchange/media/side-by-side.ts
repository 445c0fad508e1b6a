/** Requests of one call at the same time, where nobody has set a limit. */
export const AT_ONCE = 8;

/**
 * Does work for each item, several at a time, and gives the results in order. The first failure is the failure of all: what
 * runs is told by the signal, what has not begun is left.
 */
export async function sideBySide<Item, Result>(
  items: readonly Item[],
  atOnce: number,
  work: (item: Item, signal: AbortSignal) => Promise<Result>,
): Promise<readonly Result[]> {
  const results: Result[] = [];
  const failed = new AbortController();
  let next = 0;
  const run = async (): Promise<void> => {
    for (let at = next++; at < items.length && !failed.signal.aborted; at = next++) {
      results[at] = await work(items[at] as Item, failed.signal);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, () => run()));
  } catch (error) {
    failed.abort(error);
    throw error;
  }
  return results;
}
