import { expect, it } from 'vitest';
import { GatewayError } from './fault.ts';
import { leftByTurns } from '../../test/fakes/small-collections.ts';
import { createKeptText, ownText, TextBlocks } from './kept-text.ts';

it.each([
  { name: 'nothing', pieces: [] },
  { name: 'a word', pieces: ['word'] },
  { name: 'many small pieces', pieces: Array.from({ length: 5000 }, (_, at) => String(at)) },
  { name: 'pieces longer than a block', pieces: ['a'.repeat(3000), '', 'b'.repeat(5000), 'c'] },
  { name: 'characters that are cut in two', pieces: Array.from({ length: 2000 }, () => ['\ud83d', '\ude00']).flat() },
  { name: 'half a character at the end', pieces: ['x'.repeat(1023), '\ud83d'] },
])('what was added is what is kept: $name', ({ pieces }) => {
  const kept = createKeptText();
  for (const piece of pieces) kept.add(piece);
  expect(kept.text()).toBe(pieces.join(''));
  expect(kept.length()).toBe(pieces.join('').length);
});

it.each(['', 'plain', '"quoted" \\ \n\u0000\u2028', '牌楼', '\ud83d', '\ude00\ud83d'])('a text of its own says the same: %j', (text) => {
  expect(ownText(text)).toBe(text);
});

it('a text is kept up to 64 Mi characters', () => {
  const kept = createKeptText();
  const piece = 'x'.repeat(2 ** 20);
  for (let mebi = 0; mebi < 64; mebi++) kept.add(piece);
  expect(() => kept.add('xx'.repeat(512))).toThrow(GatewayError);
});

it('leaves nothing of the pieces that became a block, however old it has grown before', () => {
  const blocks = new TextBlocks();
  const left = leftByTurns(50, (turn) => {
    for (let piece = 0; piece < 4; piece++) blocks.add(`${turn} ${piece} ${'x'.repeat(1000)}`);
  });
  // Of a turn that stays there is a piece at least.
  expect(left).toBeLessThan(500);
});
