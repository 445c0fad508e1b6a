import type { Choice, Part, Stop } from '../ir/index.ts';
import { countText, createTextMeter } from './count-tokens.ts';
import { splitText } from './split-text.ts';

/** Where the first of the stop sequences begins in a text. */
function firstStop(text: string, sequences: readonly string[]): { readonly at: number; readonly sequence: string } | undefined {
  let first: { at: number; sequence: string } | undefined;
  for (const sequence of sequences) {
    const at = sequence === '' ? -1 : text.indexOf(sequence);
    if (at >= 0 && (!first || at < first.at)) first = { at, sequence };
  }
  return first;
}

/** Ends the answer before a stop sequence in its text; thoughts and arguments are not looked at. */
export function stopAt(choice: Choice, sequences: readonly string[]): Choice {
  for (const [index, part] of choice.parts.entries()) {
    const found = part.kind === 'text' ? firstStop(part.text, sequences) : undefined;
    if (!found || part.kind !== 'text') continue;
    const text = part.text.slice(0, found.at);
    const parts = [...choice.parts.slice(0, index), ...(text === '' ? [] : [{ ...part, text }])];
    return { parts, stop: { reason: 'stop-sequence', sequence: found.sequence } };
  }
  return choice;
}

/** As many of a text's pieces as `tokens` pay for. */
function within(text: string, tokens: number): string {
  const meter = createTextMeter();
  let length = 0;
  for (const piece of splitText(text)) {
    if (meter.with(piece) > tokens) break;
    meter.add(piece);
    length += piece.length;
  }
  return text.slice(0, length);
}

const LENGTH: Stop = { reason: 'length' };

/** What one part of an answer costs. */
export const partTokens = (part: Part): number => {
  if (part.kind === 'tool-call') return countText(part.name) + countText(part.argumentsJson);
  return part.kind === 'text' || part.kind === 'refusal' || part.kind === 'reasoning' ? countText(part.text) : 0;
};

/** Ends the answer when its tokens are used up: text in the middle, a call that does not fit as a whole. */
export function limitTokens(choice: Choice, maxTokens: number): Choice {
  const parts: Part[] = [];
  let left = maxTokens;
  for (const part of choice.parts) {
    const cost = partTokens(part);
    if (cost <= left) {
      parts.push(part);
      left -= cost;
      continue;
    }
    if (part.kind === 'text' || part.kind === 'refusal' || part.kind === 'reasoning') {
      const text = within(part.text, left);
      if (text !== '') parts.push({ ...part, text });
    }
    return { parts, stop: LENGTH };
  }
  return choice;
}
