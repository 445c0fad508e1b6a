import { describe, expect, it } from 'vitest';
import { base64Of, inOrder, listed, numbersOf, vectorOf } from './vectors.ts';

describe('base64 of vectors', () => {
  const numbers = [0, -0, 1, -1, 0.1, 1e-45, 3.4028234663852886e38, -1.17549435e-38, 1 / 3];
  const bytes = Buffer.alloc(numbers.length * 4);
  for (const [at, value] of numbers.entries()) bytes.writeFloatLE(value, at * 4);

  it('is float32, the low byte first', () => expect(base64Of(numbers)).toBe(bytes.toString('base64')));
  it('comes back to the bit', () => {
    const read = numbersOf(bytes.toString('base64'));
    expect(read.every((value, at) => Object.is(value, Math.fround(numbers[at] ?? Number.NaN)))).toBe(true);
    expect(base64Of(read)).toBe(bytes.toString('base64'));
  });
  it('is not touched where it came so', () => expect(base64Of('AACAPw==')).toBe('AACAPw=='));
});

describe('what is a vector', () => {
  it.each([[[1, 2]], ['AACAPw=='], ['AACAPwAAAEA=']])('%j', (value) => expect(vectorOf(value)).toEqual(value));
  it.each([[[]], [''], ['AAA='], ['AACAPwAA'], ['not base64!!'], [['1']], [[null]], [null], [{}], [undefined], ['AACAPw']])(
    'not %j',
    (value) => expect(() => vectorOf(value)).toThrow(),
  );
});

describe('vectors of several inputs', () => {
  const at = (index: number): { index: number; vector: number[] } => ({ index, vector: [index] });
  it('stand where their index says', () => expect(inOrder([at(2), at(0), at(1)], 3)).toEqual([[0], [1], [2]]));
  it.each([
    ['one is missing', [at(0)]],
    ['one is there twice', [at(0), at(0)]],
    ['one is of no input', [at(0), at(2)]],
    ['one is before all', [at(0), at(-1)]],
    ['one is between', [at(0), at(0.5)]],
    ['one is too many', [at(0), at(1), at(1)]],
  ])('are none where %s', (_name, found) => expect(() => inOrder(found, 2)).toThrow());
  it.each([[undefined], [[]], [[[1]]], [[[1], [2], [3]]], [{}]])('are not %j', (list) => expect(() => listed(list, 2)).toThrow());
});
