/**
 * Matches a glob of literal text and `*` (any run of characters, also none). Linear: each literal is searched once, from
 * where the last one ended. Returns what the stars stood for, or `undefined`.
 */
export function matchGlob(glob: string, text: string): readonly string[] | undefined {
  const pieces = glob.split('*');
  const first = pieces[0] as string;
  if (pieces.length === 1) return glob === text ? [] : undefined;
  const last = pieces[pieces.length - 1] as string;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) return undefined;
  const stars: string[] = [];
  let at = first.length;
  const end = text.length - last.length;
  for (const piece of pieces.slice(1, -1)) {
    const found = text.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return undefined;
    stars.push(text.slice(at, found));
    at = found + piece.length;
  }
  stars.push(text.slice(at, end));
  return stars;
}

/** Whether any of the globs matches. */
export const matchesAny = (globs: readonly string[], text: string): boolean => globs.some((glob) => matchGlob(glob, text) !== undefined);

/** A target with its stars filled by what the pattern's stars stood for, in order; a target without stars is as it is. */
export function fillStars(target: string, stars: readonly string[]): string {
  let next = 0;
  return target.replaceAll('*', () => stars[next++] ?? '');
}
