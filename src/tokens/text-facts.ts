/** What of a text its tokens depend on; vendors weigh these differently. */
export interface TextFacts {
  readonly tokens: number;
  /** Digits beyond the first of each group of three: models that read digit by digit spend a token on each. */
  readonly digits: number;
  /** ASCII punctuation. */
  readonly marks: number;
  /** Line breaks. */
  readonly lines: number;
  /** Characters of Chinese, Japanese and Korean. */
  readonly wide: number;
  /** Other characters beyond ASCII. */
  readonly foreign: number;
}

/** Longer runs of one kind of character are cut: merging a run takes time by the square of its length. */
const MAX_RUN = 192;
/** Pieces of this size are counted one after another. */
const MAX_PIECE = 32 * 1024;

type Kind = 'space' | 'digit' | 'letter' | 'mark' | 'wide' | 'foreign';

function kindOf(code: number): Kind {
  if (code <= 0x20) return 'space';
  if (code < 0x80) {
    if (code >= 0x30 && code <= 0x39) return 'digit';
    return (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) ? 'letter' : 'mark';
  }
  // CJK punctuation, kana, ideographs, Hangul, full-width forms.
  return (code >= 0x3000 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7af) || (code >= 0xf900 && code <= 0xfaff) || code >= 0xff00
    ? 'wide'
    : 'foreign';
}

const isLowSurrogate = (code: number): boolean => code >= 0xdc00 && code <= 0xdfff;

/** Reads a text once: counts by kind, and hands its pieces, none of which takes long to merge, to a tokenizer. */
export function readText(text: string, countTokens: (piece: string) => number): TextFacts {
  const counts: Record<Kind, number> = { space: 0, digit: 0, letter: 0, mark: 0, wide: 0, foreign: 0 };
  let tokens = 0;
  let lines = 0;
  let digits = 0;
  let from = 0;
  let run = 0;
  let before: Kind | undefined;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    const kind = kindOf(code);
    counts[kind]++;
    if (code === 10) lines++;
    run = kind === before ? run + 1 : 1;
    if (kind === 'digit' && run % 3 !== 1) digits++;
    before = kind;
    const isLong = run > MAX_RUN || (at - from >= MAX_PIECE && run === 1 && kind === 'space');
    if (isLong && !isLowSurrogate(code)) {
      tokens += countTokens(text.slice(from, at));
      from = at;
      run = 1;
    }
  }
  tokens += countTokens(text.slice(from));
  return { tokens, digits, marks: counts.mark, lines, wide: counts.wide, foreign: counts.foreign };
}

/** Facts of no text at all. */
export const NO_FACTS: TextFacts = { tokens: 0, digits: 0, marks: 0, lines: 0, wide: 0, foreign: 0 };

/** Facts of two texts together. */
export const addFacts = (a: TextFacts, b: TextFacts): TextFacts => ({
  tokens: a.tokens + b.tokens,
  digits: a.digits + b.digits,
  marks: a.marks + b.marks,
  lines: a.lines + b.lines,
  wide: a.wide + b.wide,
  foreign: a.foreign + b.foreign,
});
