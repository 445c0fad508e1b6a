import { expect, it } from 'vitest';
import { createHeldAnswers } from './held-answer.ts';

const PIECE = Buffer.alloc(64 * 2 ** 20);

it('one answer has its bound, and all of one try together', () => {
  const next = createHeldAnswers();
  const fill = (pieces: number): void => {
    const held = next();
    for (let count = 0; count < pieces; count++) held.add(PIECE);
  };
  expect(() => fill(4)).not.toThrow();
  expect(() => fill(4)).not.toThrow();
  expect(() => fill(1)).toThrow('more than can be held');
  const alone = createHeldAnswers()();
  for (let count = 0; count < 4; count++) alone.add(PIECE);
  expect(() => alone.add(Buffer.from('x'))).toThrow('more than can be held');
});
