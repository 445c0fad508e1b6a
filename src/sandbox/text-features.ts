import { checksum } from './seals.ts';

/** English words that say little of what a text is about. */
const QUIET = new Set(
  `a an the and or but if of to in on at by for from with without into onto over under about as is are was were be been being am do
  does did has have had can could will would shall should may might must not no nor so than then that this these those there here it
  its he she they them his her their our your my we you i me us what which who whom whose when where why how all any some each every
  very just only also too more most much many few up down out off again once`.split(/\s+/),
);

/** Endings that are left off, the longest first, and what a stem must still have. */
const ENDINGS: readonly (readonly [ending: string, becomes: string, least: number])[] = [
  ['ization', 'ize', 2],
  ['ational', 'ate', 2],
  ['fulness', '', 3],
  ['iness', 'y', 2],
  ['ments', '', 3],
  ['ingly', '', 3],
  ['ation', 'ate', 3],
  ['ment', '', 3],
  ['ness', '', 3],
  ['able', '', 3],
  ['ings', '', 3],
  ['ies', 'y', 2],
  ['ied', 'y', 2],
  ['ing', '', 3],
  ['ers', '', 3],
  ['est', '', 3],
  ['es', '', 3],
  ['ed', '', 3],
  ['er', '', 3],
  ['ly', '', 3],
  ['s', '', 3],
];

/** A word without its ending: `swimming` and `swims` are one. */
function stemOf(word: string): string {
  for (const [ending, becomes, least] of ENDINGS) {
    if (word.endsWith(ending) && word.length - ending.length >= least && !word.endsWith('ss')) {
      const stem = word.slice(0, -ending.length) + becomes;
      return stem.replace(/([b-df-hj-np-tv-z])\1$/, '$1').replace(/e$/, '');
    }
  }
  return word.replace(/e$/, '');
}

/** Chinese characters that say little. */
const QUIET_HAN = new Set('的了在是我你他她它们这那有和与及或也都就不很被把吗呢吧啊个一上下里中要会能可以对为从到着过给让');

/** Something that a text holds, and how much it says. */
interface Feature {
  readonly name: string;
  readonly weight: number;
}

function* pieces(word: string, size: number, weight: number, mark: string): Iterable<Feature> {
  for (let at = 0; at + size <= word.length; at++) yield { name: mark + word.slice(at, at + size), weight };
}

/** A word, its stem, and runs of its letters: what is spelt alike is a little alike. */
function* wordFeatures(word: string): Iterable<Feature> {
  if (QUIET.has(word)) {
    yield { name: `q${word}`, weight: 0.1 };
    return;
  }
  yield { name: `w${stemOf(word)}`, weight: 1 };
  if (word.length >= 4) yield* pieces(`<${word}>`, 3, 0.9 / word.length, '3');
}

/** Chinese, which has no spaces: characters, and neighbours. */
function* hanFeatures(run: readonly string[]): Iterable<Feature> {
  for (const [at, char] of run.entries()) {
    yield { name: `h${char}`, weight: QUIET_HAN.has(char) ? 0.1 : 0.6 };
    const next = run[at + 1];
    if (next !== undefined && !QUIET_HAN.has(char) && !QUIET_HAN.has(next)) yield { name: `h${char}${next}`, weight: 0.8 };
  }
}

function* textFeatures(text: string): Iterable<Feature> {
  for (const [run] of text
    .normalize('NFKC')
    .toLowerCase()
    .matchAll(/\p{sc=Han}+|[\p{L}\p{N}]+/gu)) {
    if (/^\p{sc=Han}/u.test(run)) yield* hanFeatures([...run]);
    // A word of letters may run into Chinese.
    else for (const [word] of run.matchAll(/[^\p{sc=Han}]+/gu)) yield* wordFeatures(word);
  }
}

function* tokenFeatures(tokens: readonly number[]): Iterable<Feature> {
  for (const token of tokens) yield { name: `#${token}`, weight: 1 };
}

/** A unit vector of hashed features: texts that speak of the same in like words are near each other. */
export function vectorOf(input: string | readonly number[], dimensions: number): readonly number[] {
  const sums = Array.from({ length: dimensions }, () => 0);
  const add = (hash: number, weight: number): void => {
    const at = hash % dimensions;
    sums[at] = (sums[at] ?? 0) + (hash & 0x8000_0000 ? -weight : weight);
  };
  for (const { name, weight } of typeof input === 'string' ? textFeatures(input) : tokenFeatures(input)) {
    // Two places each: features that meet in one of them do not in the other.
    add(Number.parseInt(checksum(name), 16), weight);
    add(Number.parseInt(checksum(`${name}'`), 16), weight);
  }
  const length = Math.hypot(...sums);
  // A text without words still has a direction.
  if (length === 0) sums[0] = 1;
  return sums.map((sum) => Math.fround(sum / (length || 1)));
}
