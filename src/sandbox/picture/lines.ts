import { glyphOf } from './font.ts';

/** Marks that do not begin a line. */
const CLOSING = /^[,.;:!?)\]}»”’、。，．；：！？）】》」』…%]$/u;
const WIDE = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\u3000-\u303f\uff00-\uffef]/u;

/** Text as it is drawn: composed, without what has no dots of its own. */
export const drawable = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/\r\n?/g, '\n')
    .replace(/\t/g, '  ')
    .replace(/[^\P{C}\n]|\p{Mn}|\p{Me}/gu, '');

/** Width of a text in dots. */
export const textWidth = (text: string): number => [...text].reduce((sum, char) => sum + glyphOf(char).width, 0);

/** Where a line may end: words with the spaces before them, each wide character by itself. */
function wordsOf(line: string): readonly string[] {
  const words: string[] = [];
  let open = '';
  for (const char of line) {
    const startsNew = WIDE.test(char) || WIDE.test([...open].at(-1) ?? '') || (char === ' ' && open.trim() !== '');
    if (startsNew && open !== '' && !CLOSING.test(char)) {
      words.push(open);
      open = '';
    }
    open += char;
  }
  return open === '' ? words : [...words, open];
}

/** A word in pieces that fit. */
function broken(word: string, width: number): readonly string[] {
  const pieces: string[] = [];
  let open = '';
  for (const char of word) {
    if (open !== '' && textWidth(open + char) > width) {
      pieces.push(open);
      open = '';
    }
    open += char;
  }
  return [...pieces, open];
}

/** Breaks drawable text into lines of at most `width` dots (never less than one character). */
export function wrapText(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const paragraph of text.split('\n')) {
    let line = '';
    for (const word of wordsOf(paragraph)) {
      if (textWidth(line + word) <= width) {
        line += word;
        continue;
      }
      if (line !== '') lines.push(line);
      const pieces = broken(word.trimStart(), width);
      lines.push(...pieces.slice(0, -1));
      line = pieces.at(-1) ?? '';
    }
    lines.push(line);
  }
  return lines;
}

/** A text as large as it fits into a box. */
export interface FittedText {
  readonly lines: readonly string[];
  readonly scale: number;
  readonly lineHeight: number;
}

const heightOf = (scale: number): number => Math.ceil(scale * 16 * 1.2);

/** The largest letters with which the text fits; what does not fit in the smallest ends in an ellipsis. `undefined`: not even one letter. */
export function fitText(text: string, width: number, height: number, largest: number): FittedText | undefined {
  for (let scale = largest; scale >= 1; scale--) {
    const lineHeight = heightOf(scale);
    const room = Math.floor(height / lineHeight);
    if (room < 1 || width < 16 * scale) continue;
    // A letter takes eight dots or more: what cannot fit is not tried.
    if (scale > 1 && text.length * 8 * scale > (room + 1) * width) continue;
    const lines = wrapText(text, Math.floor(width / scale));
    if (lines.length <= room) return { lines, scale, lineHeight };
    if (scale === 1) return { lines: [...lines.slice(0, room - 1), ellipsis(lines[room - 1] ?? '')], scale, lineHeight };
  }
  return undefined;
}

const ellipsis = (line: string): string => `${[...line].slice(0, -2).join('')}…`;
