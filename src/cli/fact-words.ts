import type { Language } from '../config/language.ts';
import type { Certainty, FactSource, Known, ModelFacts } from '../policy/models/model-facts.ts';
import type { Amounts, Price, Priced } from '../policy/models/price.ts';
import { type Need, NEEDS } from '../policy/needs.ts';
import { type ModelMessages, modelMessagesIn } from './messages-models.ts';

const NANO = 1e9;

/** An amount as configurations write it: `0.27 USD`. */
const amountIn = (amount: number, { currency }: Price): string => `${Number((amount / NANO).toFixed(9))} ${currency}`;

/** An amount of a price; `-` where none is known. */
export const amountText = (price: Price | undefined, of: Priced): string => (price?.[of] === undefined ? '-' : amountIn(price[of], price));

const keysOf = <K extends string>(words: Readonly<Record<K, string>>): readonly K[] => Object.keys(words) as K[];

/** What an answer costs: by tokens, or else by what is paid instead: `0.04 USD/image`. */
export function outputText(price: Price | undefined, { shortUnits }: ModelMessages): string {
  const unit = keysOf(shortUnits).find((of) => price?.[of] !== undefined);
  // Only where nothing is paid by tokens: what is paid on top of them is in the facts of the model.
  return price && unit && price.input === undefined && price.output === undefined
    ? amountText(price, unit) + shortUnits[unit]
    : amountText(price, 'output');
}

/** `2 USD in, 10 USD out`. */
const tokensText = (amounts: Amounts, price: Price, { tokens, comma }: ModelMessages): string =>
  keysOf(tokens)
    .flatMap((of) => (amounts[of] === undefined ? [] : [`${amountIn(amounts[of], price)} ${tokens[of]}`]))
    .join(comma);

/** All of a price: by tokens, by something else, and for long questions. */
function priceText(price: Price, words: ModelMessages): string {
  const { units, semicolon } = words;
  const byTokens = tokensText(price, price, words);
  const byOthers = keysOf(units).flatMap((of) => (price[of] === undefined ? [] : [`${amountText(price, of)} ${units[of]}`]));
  const long = price.long && words.above(price.long.above.toLocaleString('en'), tokensText(price.long, price, words));
  return [...(byTokens === '' ? [] : [words.perTokens(byTokens)]), ...byOthers, ...(long === undefined ? [] : [long])].join(semicolon);
}

/** Whether somebody says that a model can do this. A preset speaks of what its wire carries: only of schemas, which nobody else tells of, is that taken for the model's own. */
const isSaid = (need: Need, known: Known<boolean> | undefined): boolean =>
  known?.value === true && (known.from !== 'preset' || need === 'structured');

/** What a model is known to do beyond text. */
export const abilitiesText = ({ abilities }: ModelFacts): string => NEEDS.filter((need) => isSaid(need, abilities[need])).join(',') || '-';

/** The day at the end of where something stands. */
const dayOf = ({ where = '' }: Known<unknown>): string => / (\d{4}-\d\d-\d\d)$/.exec(where)?.[0] ?? '';

/** What is put behind a source that does not know its price for sure. */
const MARKS: { readonly [C in Certainty]: string } = { page: '', table: '~', unverified: '?' };

/** Who says what is known of price and length, each once, and as of when: `catalogue~ 2026-09-23`, with a mark where a price was not read on a page. */
export function sourcesText({ price, context }: ModelFacts, { sources }: ModelMessages): string {
  // The same list may say both: then the mark of its price stands behind it.
  const isOne = price && context && price.from === context.from && price.where === context.where;
  const from = [price, isOne ? undefined : context].flatMap((known) =>
    known ? [sources[known.from] + MARKS[known.known ?? 'page'] + dayOf(known)] : [],
  );
  return [...new Set(from)].join(',') || '-';
}

/** Whether its price is not known for sure: then a legend says what the marks mean. */
export const isMarked = (facts: ModelFacts | undefined): boolean => MARKS[facts?.price?.known ?? 'page'] !== '';

/** With who said it, how well that is known and where it can be checked. */
function told(text: string, { from, where, known }: Known<unknown>, words: ModelMessages): string {
  const by = words.sources[from];
  if (where === undefined) return words.said(text, by);
  return words.said(text, `${by}${words.comma}${known === undefined ? where : words[known](where)}`);
}

/** What is known of a model, for people: its price, how much fits, what it cannot do, each with who says so. */
export function factsText({ price, context, output, abilities }: ModelFacts, language: Language): readonly string[] {
  const words = modelMessagesIn(language);
  const bySource = new Map<FactSource, string[]>();
  for (const need of NEEDS) {
    const known = abilities[need];
    if (known?.value === false) bySource.set(known.from, [...(bySource.get(known.from) ?? []), need]);
  }
  const lacks = [...bySource].map(([from, needs]) => words.said(needs.join(','), words.sources[from]));
  const line = (name: string, text: string): string => name + words.colon + text;
  const count = ({ value, from }: Known<number>): string => words.said(value.toLocaleString('en'), words.sources[from]);
  return [
    line(words.price, price ? told(priceText(price.value, words), price, words) : words.unknown),
    ...(context ? [line(words.fits, count(context))] : []),
    ...(output ? [line(words.answers, count(output))] : []),
    ...(lacks.length > 0 ? [line(words.cannot, lacks.join(words.semicolon))] : []),
  ];
}
