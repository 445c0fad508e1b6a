/** Edits (put in, taken out, changed) between two words, given up beyond `limit`. */
function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    let least = i;
    for (let j = 1; j <= b.length; j++) {
      const cost = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1));
      next.push(cost);
      if (cost < least) least = cost;
    }
    if (least > limit) return limit + 1;
    row = next;
  }
  return row[b.length] as number;
}

/** Up to `count` of the names that look most like what was asked for; names that hold the word (or are held by it) count as near. */
export function nearestNames(asked: string, names: Iterable<string>, count = 3): readonly string[] {
  const word = asked.slice(0, 100).toLowerCase();
  const limit = Math.max(2, Math.floor(word.length / 3));
  const scored: { name: string; score: number }[] = [];
  for (const name of new Set(names)) {
    const other = name.slice(0, 100).toLowerCase();
    const tail = other.slice(other.indexOf('/') + 1);
    const inside = word.length > 2 && (other.includes(word) || (tail.length > 2 && word.includes(tail))) ? 1 : Number.POSITIVE_INFINITY;
    const score = Math.min(distance(word, other, limit), distance(word, tail, limit), inside);
    if (score <= limit) scored.push({ name, score });
  }
  return scored
    .sort((a, b) => a.score - b.score)
    .slice(0, count)
    .map((one) => one.name);
}
