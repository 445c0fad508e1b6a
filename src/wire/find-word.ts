/** Finds the first place of one word in bytes, or -1. */
export type FindWord = (bytes: Buffer) => number;

/** Node looks for needles up to this long by their first byte, as fast as memory can be read; for longer ones byte by byte, fifty times slower. */
const SHORT = 7;
/** Less would be found too often. */
const LEAST = 3;
/** What JSON and prose are made of, the commonest first. */
const COMMON = ' etaoinsr"hldcumfpgwyb_vk,.:-';

/** How seldom a byte is met. */
function rarity(byte: number | undefined): number {
  const at = COMMON.indexOf(String.fromCharCode(byte ?? 0));
  return at < 0 ? COMMON.length : at;
}

/** Where in a word the search begins: at its rarest byte. */
function startOf(word: Buffer): number {
  let best = 0;
  for (let at = 1; at <= word.length - LEAST; at++) if (rarity(word[at]) > rarity(word[best])) best = at;
  return best;
}

/** A search for one word that is made once and used often. `word`: its bytes. */
export function createFindWord(word: Buffer): FindWord {
  const start = startOf(word);
  const core = word.subarray(start, start + SHORT);
  return (bytes) => {
    for (let at = bytes.indexOf(core); at >= 0; at = bytes.indexOf(core, at + 1)) {
      const from = at - start;
      if (from >= 0 && bytes.compare(word, 0, word.length, from, from + word.length) === 0) return from;
    }
    return -1;
  };
}
