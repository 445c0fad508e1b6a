/** A well mixed 32-bit hash of a text (FNV-1a, finished as MurmurHash3 is). Not for secrets. */
export function hash32(text: string, seed = 0): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A hash as a number above 0 and below 1. */
export const hashUnit = (text: string, seed = 0): number => (hash32(text, seed) + 0.5) / 2 ** 32;

/** What stands for a text where it need only be told apart from others: 64 bits that say nothing of it. */
export const markOf = (text: string): string => hash32(text).toString(36) + hash32(text, 0x9e3779b9).toString(36).padStart(7, '0');
