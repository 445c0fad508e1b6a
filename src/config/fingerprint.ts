import { createHash } from 'node:crypto';

/** Tells whether files hold what they held: of their contents, in order; `undefined` for one that is not there. */
export function fingerprintOf(contents: readonly (Buffer | undefined)[]): string {
  const hash = createHash('sha256');
  // Lengths keep what stands in one file apart from what stands in the next.
  for (const one of contents) hash.update(one === undefined ? 'none;' : `${one.length};`).update(one ?? '');
  return hash.digest('hex');
}
