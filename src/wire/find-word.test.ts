import { expect, it } from 'vitest';
import { createFindWord } from './find-word.ts';

const WORDS = ['"n"', '"model"', '"max_completion_tokens"', '"frequency_penalty"', 'aaaa', 'e e e e e e e', 'pailou_seal:'];
const TEXTS = [
  '',
  '"',
  '{"n":1}',
  '{"max_completion_token":1,"max_completion_tokens":2}',
  'frequency_penalty"frequency_penalty"',
  'aaabaaaa',
  'e e e e e e f e e e e e e e',
  'ailou_seal:pailou_seal',
  'pailou_seal:',
  '牌楼"model"',
];

it.each(WORDS)('%s is found where it first stands, and nowhere else', (word) => {
  const find = createFindWord(Buffer.from(word));
  for (const text of TEXTS) {
    const bytes = Buffer.from(text);
    expect(find(bytes), text).toBe(bytes.indexOf(word));
    // A piece of a larger buffer is not looked beyond.
    expect(find(Buffer.from(word + text + word).subarray(word.length, word.length + bytes.length)), text).toBe(bytes.indexOf(word));
  }
});
