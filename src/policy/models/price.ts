import type { Ability } from '../../ir/index.ts';

/** The currencies that vendors publish prices in. */
export const CURRENCIES = ['USD', 'CNY'] as const;

/** One of them. */
export type Currency = (typeof CURRENCIES)[number];

/** What is paid for by the million tokens. */
const TOKEN_PRICES = [
  'input',
  'output',
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'reasoning',
  'audioInput',
  'audioOutput',
  'imageInput',
  'imageOutput',
] as const;

/** What is paid for by another measure: a million characters, an image, a second of sound or film, a request. */
const OTHER_PRICES = ['characters', 'image', 'second', 'request'] as const;

/** All that may have a price. */
export const PRICED = [...TOKEN_PRICES, ...OTHER_PRICES] as const;

/** One of them. */
export type Priced = (typeof PRICED)[number];

/** Whole nano-units (10⁻⁹) of a currency, by what they are paid for. What is not there has no price that is known. */
export type Amounts = { readonly [P in Priced]?: number };

/** What a model costs. Prices stay in the currency that they are asked in. */
export interface Price extends Amounts {
  readonly currency: Currency;
  /** Tokens of one image that it makes, at most: of the largest size and the best quality. */
  readonly imageTokens?: number;
  /** Other amounts where a question has more tokens than `above`. */
  readonly long?: Amounts & { readonly above: number };
}

/** How many USD a unit of each currency is worth, for comparing prices. */
export type Rates = { readonly [C in Currency]: number };

/** CNY for one USD, as of November 2025. `money.rates` says another. */
export const CNY_FOR_USD = 7.1;

/** The rates where the operator says nothing. */
export const USUAL_RATES: Rates = { USD: 1, CNY: 1 / CNY_FOR_USD };

const NANO = 1e9;
const MILLION = 1e6;
const MAX_UNITS = 1_000_000;

/** An amount as it is written in configurations, `0.27 USD`: whole nano-units and the currency; `undefined` when it is none. */
export function parseAmount(text: string): { readonly amount: number; readonly currency: Currency } | undefined {
  const [, units = '', currency = ''] = /^(\d{1,7}(?:\.\d{1,9})?) ?(USD|CNY)$/.exec(text.trim()) ?? [];
  const amount = Math.round(Number(units) * NANO);
  if (units === '' || amount > MAX_UNITS * NANO) return undefined;
  return { amount, currency: currency as Currency };
}

/** What a call is expected to be, as far as its price goes. */
export interface Expected {
  readonly operation: 'generate' | Ability;
  /** Tokens of the question. */
  readonly input: number;
  /** Tokens of the answer. */
  readonly output: number;
  /** A chat in whose answer there may be images. */
  readonly makesImages?: boolean;
}

/** The amounts that hold for a question of so many tokens. */
const amountsFor = (price: Price, input: number): Amounts => (price.long && input > price.long.above ? { ...price, ...price.long } : price);

const IMAGE = [
  ['image', 1],
  ['imageOutput', 1000 / MILLION],
  ['output', 1000 / MILLION],
] as const;

const MINUTE = [
  ['second', 60],
  ['audioInput', 600 / MILLION],
  ['input', 600 / MILLION],
] as const;

/** How much of what one call of an ability is taken to be: the first that has a price counts. Only their order among each other matters. */
const USUAL: { readonly [A in Ability]?: readonly (readonly [Priced, number])[] } = {
  images: IMAGE,
  'image-edits': IMAGE,
  'image-variations': IMAGE,
  videos: [['second', 8]],
  speech: [
    ['characters', 500 / MILLION],
    ['audioOutput', 750 / MILLION],
    ['output', 750 / MILLION],
  ],
  transcription: MINUTE,
  translation: MINUTE,
  rerank: [
    ['request', 1],
    ['input', 1000 / MILLION],
  ],
};

/** What a call would cost at a price, in nano-USD; `undefined` where the price says nothing of such a call. For comparing: a fraction of a unit may be left. */
export function costOf(price: Price, { operation, input, output }: Expected, rates: Rates): number | undefined {
  const amounts = amountsFor(price, input);
  const usual = operation === 'generate' ? undefined : USUAL[operation];
  if (usual) {
    const [of, count] = usual.find(([of]) => amounts[of] !== undefined) ?? [];
    return of === undefined || count === undefined ? undefined : (amounts[of] ?? 0) * count * rates[price.currency];
  }
  if (amounts.input === undefined) return undefined;
  const answer = operation === 'generate' ? (amounts.output ?? 0) * output : 0;
  return ((amounts.input * input + answer) / MILLION + (amounts.request ?? 0)) * rates[price.currency];
}

/** The most that a caller will pay, in nano-USD: for a million tokens of question and answer, for a request, for an image. */
export interface MaxPrice {
  readonly prompt?: number;
  readonly completion?: number;
  readonly request?: number;
  readonly image?: number;
}

/**
 * What is paid for an image, where any may come. By tokens that depends on its size and quality: it is known how dear the dearest is where
 * the vendor says how many tokens that has, and where they cost nothing. What a chat pays for its answer's tokens is what text costs.
 */
function imagePrice(price: Price, { operation, input, makesImages }: Expected): number | undefined {
  const { image, imageOutput, output } = amountsFor(price, input);
  if (image !== undefined) return image;
  const isOfImages = operation !== 'generate' && USUAL[operation] === IMAGE;
  if (!isOfImages && makesImages !== true) return 0;
  const token = imageOutput ?? (isOfImages || output === 0 ? output : undefined);
  if (token === undefined || token === 0) return token;
  return price.imageTokens === undefined ? undefined : (token * price.imageTokens) / MILLION;
}

/** Whether a price stays within what a caller will pay; `unknown`: it says nothing of a kind that the caller has bounded. */
export function within(price: Price, most: MaxPrice, expected: Expected, rates: Rates): 'yes' | 'no' | 'unknown' {
  const { input: prompt, output: completion, request = 0 } = amountsFor(price, expected.input);
  const pairs: readonly (readonly [number | undefined, number | undefined])[] = [
    [most.prompt, prompt],
    [most.completion, completion],
    [most.request, request],
    [most.image, imagePrice(price, expected)],
  ];
  let isKnown = true;
  for (const [bound, amount] of pairs) {
    if (bound === undefined) continue;
    if (amount === undefined) isKnown = false;
    else if (amount * rates[price.currency] > bound) return 'no';
  }
  return isKnown ? 'yes' : 'unknown';
}
