/** Longest piece in code points, for text that has no spaces. */
const LONGEST = 48;

const PIECE = new RegExp(
  `\\s*(?:[\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}]{1,2}\\p{P}*|[^\\s\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}]{1,${LONGEST}})|\\s+$`,
  'gu',
);

/** Cuts text as a model would send it: a word with the space before it, or two characters of Chinese. The pieces joined are the text. */
export const splitText = (text: string): readonly string[] => text.match(PIECE) ?? [];

/** Cuts the JSON text of a call's arguments into short pieces, never within a character. */
export const splitJson = (text: string): readonly string[] => text.match(/[\s\S]{1,12}/gu) ?? [];
