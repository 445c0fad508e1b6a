// Moments of time, and what falls into them.

/** From when to when, as `performance.now()` has it. */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

/** Milliseconds of a clock that all processes of a machine share. */
export const machineNow = (): number => Number(process.hrtime.bigint()) / 1e6;

/** In order, and those that overlap as one. */
export function inOrder(moments: readonly Moment[]): Moment[] {
  const joined: Moment[] = [];
  for (const one of moments.toSorted((some, other) => some.from - other.from)) {
    const last = joined.at(-1);
    if (last && one.from <= last.to) joined[joined.length - 1] = { from: last.from, to: Math.max(last.to, one.to) };
    else joined.push(one);
  }
  return joined;
}

/** Whether it touches one of these, which are in order. */
export function fallsInto({ from, to }: Moment, moments: readonly Moment[]): boolean {
  let [low, high] = [0, moments.length];
  // The first of them that ends no earlier than this begins.
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((moments[middle]?.to ?? Infinity) < from) low = middle + 1;
    else high = middle;
  }
  const next = moments[low];
  return next !== undefined && next.from <= to;
}
