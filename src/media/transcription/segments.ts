import type { Segment, Transcript } from './shape.ts';

/** A subtitle: two lines of some 42 characters, at most seven seconds. */
const MAX_CHARS = 84;
const MAX_SECONDS = 7;
const PAUSE_SECONDS = 0.8;

const joins = (before: string, word: string): string =>
  before === '' || /^\s/.test(word) || /\s$/.test(before) || /^[\p{P}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u.test(word)
    ? ''
    : ' ';

function mustEnd(one: Segment, next: Segment): boolean {
  return (
    next.speaker !== one.speaker ||
    next.start - one.end > PAUSE_SECONDS ||
    next.end - one.start > MAX_SECONDS ||
    one.text.length + next.text.length > MAX_CHARS ||
    /[.!?。！？]["')\]”’]?\s*$/.test(one.text)
  );
}

/** Words as sentences: cut where somebody else speaks, at pauses, at the ends of sentences, and where a subtitle is full. */
function segmentsOf(words: readonly Segment[]): readonly Segment[] {
  const segments: Segment[] = [];
  for (const word of words) {
    const last = segments.at(-1);
    if (!last || mustEnd(last, word)) segments.push(word);
    else segments[segments.length - 1] = { ...last, text: last.text + joins(last.text, word.text) + word.text, end: word.end };
  }
  return segments;
}

/** The segments of a transcript: the provider's, or made of its words. */
export const segmentsIn = ({ segments, words }: Transcript): readonly Segment[] | undefined =>
  segments && segments.length > 0 ? segments : words && words.length > 0 ? segmentsOf(words) : segments;
