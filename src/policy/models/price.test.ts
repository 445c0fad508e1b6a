import { describe, expect, it } from 'vitest';
import { costOf, type Expected, type MaxPrice, parseAmount, type Price, USUAL_RATES, within } from './price.ts';

const AMOUNTS: readonly (readonly [string, object | undefined])[] = [
  ['0.27 USD', { amount: 270_000_000, currency: 'USD' }],
  ['2CNY', { amount: 2_000_000_000, currency: 'CNY' }],
  [' 0 USD ', { amount: 0, currency: 'USD' }],
  ['0.000000001 USD', { amount: 1, currency: 'USD' }],
  ['0.0000000001 USD', undefined],
  ['2 EUR', undefined],
  ['2', undefined],
  ['-1 USD', undefined],
  ['1e3 USD', undefined],
  ['', undefined],
];

describe('amounts as they are written', () => {
  it.each(AMOUNTS)('%s', (text, read) => expect(parseAmount(text)).toEqual(read));
});

const USD: Price = { currency: 'USD', input: 1e9, output: 4e9, request: 1e6, long: { above: 1000, input: 2e9 } };
const chat = (input: number, output: number): Expected => ({ operation: 'generate', input, output });

const COSTS: readonly { readonly name: string; readonly price: Price; readonly call: Expected; readonly cost: number | undefined }[] = [
  { name: 'question, answer and request', price: USD, call: chat(1000, 500), cost: 1e6 + 2e6 + 1e6 },
  { name: 'a long question', price: USD, call: chat(2000, 0), cost: 4e6 + 1e6 },
  { name: 'in another currency', price: { currency: 'CNY', input: 7.1e9 }, call: chat(1_000_000, 0), cost: 1e9 },
  { name: 'nothing', price: { currency: 'USD', input: 0, output: 0 }, call: chat(9, 9), cost: 0 },
  { name: 'no price for questions', price: { currency: 'USD', image: 4e7 }, call: chat(9, 9), cost: undefined },
  { name: 'an image', price: { currency: 'USD', image: 4e7, output: 1 }, call: { ...chat(9, 9), operation: 'images' }, cost: 4e7 },
  {
    name: 'an image by tokens',
    price: { currency: 'USD', imageOutput: 4e10 },
    call: { ...chat(9, 9), operation: 'image-edits' },
    cost: 4e7,
  },
  { name: 'a vector has no answer', price: USD, call: { ...chat(1000, 500), operation: 'embeddings' }, cost: 2e6 },
  { name: 'film without a price', price: USD, call: { ...chat(9, 9), operation: 'videos' }, cost: undefined },
];

describe('what a call would cost', () => {
  it.each(COSTS)('$name', ({ price, call, cost }) => {
    const got = costOf(price, call, USUAL_RATES);
    if (cost === undefined || got === undefined) expect(got).toBe(cost);
    else expect(got).toBeCloseTo(cost, 3);
  });
});

const BOUNDS: readonly (readonly [MaxPrice, number, 'yes' | 'no' | 'unknown'])[] = [
  [{ prompt: 1e9, completion: 4e9 }, 9, 'yes'],
  [{ prompt: 1e9 }, 2000, 'no'],
  [{ completion: 3.9e9 }, 9, 'no'],
  [{ request: 9e5 }, 9, 'no'],
  [{ image: 0 }, 9, 'yes'],
  [{}, 9, 'yes'],
];

describe('the most that a caller will pay', () => {
  it.each(BOUNDS)('%o of %i tokens: %s', (most, input, answer) => expect(within(USD, most, chat(input, 9), USUAL_RATES)).toBe(answer));
  it('unknown, where the price does not say', () => {
    expect(within({ currency: 'USD', input: 1 }, { completion: 1 }, chat(9, 9), USUAL_RATES)).toBe('unknown');
  });

  const images: readonly (readonly [string, Omit<Price, 'currency'>, Expected['operation'], 'yes' | 'no' | 'unknown'])[] = [
    ['by the image', { image: 4e7 }, 'images', 'yes'],
    ['dearer', { image: 6e7 }, 'images', 'no'],
    ['by their tokens', { input: 5e9, imageOutput: 4e10 }, 'images', 'unknown'],
    ['and edits', { input: 5e9, imageOutput: 4e10 }, 'image-edits', 'unknown'],
    ['and variations', { input: 5e9, output: 4e10 }, 'image-variations', 'unknown'],
    ['without a price', { input: 5e9 }, 'images', 'unknown'],
    ['of a server of one’s own', { input: 0, output: 0 }, 'images', 'yes'],
    ['by their tokens, of which it is known how many', { imageOutput: 3e10, imageTokens: 1290 }, 'images', 'yes'],
    ['by so many tokens that they are dearer', { output: 4e10, imageTokens: 6240 }, 'images', 'no'],
    ['that nobody asks for', { input: 5e9, imageOutput: 4e10 }, 'embeddings', 'yes'],
  ];
  it.each(images)('images %s', (_name, price, operation, answer) => {
    const expected: Expected = { ...chat(9, 9), operation };
    expect(within({ currency: 'USD', ...price }, { image: 5e7 }, expected, USUAL_RATES)).toBe(answer);
  });

  const inChat: readonly (readonly [string, Omit<Price, 'currency'>, 'yes' | 'no' | 'unknown'])[] = [
    ['by the image', { input: 1, output: 1, image: 6e7 }, 'no'],
    ['by their tokens, of which it is known how many', { input: 1, output: 1, imageOutput: 3e10, imageTokens: 1290 }, 'yes'],
    ['by so many tokens that they are dearer', { input: 1, output: 1, imageOutput: 1.2e11, imageTokens: 2000 }, 'no'],
    ['by nobody knows how many tokens', { input: 1, output: 1, imageOutput: 3e10 }, 'unknown'],
    ['by the tokens of its text', { input: 1, output: 1, imageTokens: 1290 }, 'unknown'],
    ['on a server of one’s own', { input: 0, output: 0 }, 'yes'],
  ];
  it.each(inChat)('images in a chat, %s', (_name, price, answer) => {
    const most = { image: 5e7 };
    const whole: Price = { currency: 'USD', ...price };
    expect(within(whole, most, { ...chat(9, 9), makesImages: true }, USUAL_RATES)).toBe(answer);
    // A chat that makes none does not pay for any.
    expect(within(whole, most, chat(9, 9), USUAL_RATES)).toBe(price.image === undefined ? 'yes' : answer);
  });
});
