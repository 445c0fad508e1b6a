import type { Language } from '../config/language.ts';
import type { Certainty, FactSource, Known, ModelFacts } from '../policy/models/model-facts.ts';
import type { Price, Priced } from '../policy/models/price.ts';
import { NEEDS } from '../policy/needs.ts';
import { type ModelMessages, modelMessagesIn } from './messages-models.ts';

const NANO = 1e9;

/** An amount as configurations write it: `0.27 USD`; `-` where none is known. */
export const amountText = (price: Price | undefined, of: Priced): string =>
  price?.[of] === undefined ? '-' : `${Number((price[of] / NANO).toFixed(9))} ${price.currency}`;

/** What a model is known to do beyond text. */
export const abilitiesText = ({ abilities }: ModelFacts): string =>
  NEEDS.filter((need) => abilities[need]?.value === true).join(',') || '-';

/** The day at the end of where something stands. */
const dayOf = ({ where = '' }: Known<unknown>): string => / (\d{4}-\d\d-\d\d)$/.exec(where)?.[0] ?? '';

/** What is put behind a source that does not know its price for sure. */
const MARKS: { readonly [C in Certainty]: string } = { page: '', table: '~', unverified: '?' };

/** Who says what is known of price and length, each once, and as of when: `catalogue~ 2026-09-23`, with a mark where a price was not read on a page. */
export function sourcesText({ price, context }: ModelFacts): string {
  const named = [price, context].flatMap((known) => (known ? [[known.from + dayOf(known), known] as const] : []));
  // Marked with how the price is known, also where the same list says the length.
  const sources = new Map(named.toReversed());
  return [...new Set(named.map(([name]) => name))].map((name) => withMark(name, sources.get(name)?.known)).join(',') || '-';
}

const withMark = (name: string, known: Certainty | undefined): string =>
  known === undefined ? name : name.replace(/^\S+/, (source) => source + MARKS[known]);

/** Whether some price of these is not known for sure: then a legend says what the marks mean. */
export const isMarked = (facts: ModelFacts | undefined): boolean => MARKS[facts?.price?.known ?? 'page'] !== '';

/** With who said it, how well that is known and where it can be checked. */
function told(text: string, { from, where, known }: Known<unknown>, words: ModelMessages): string {
  if (where === undefined) return `${text} (${from})`;
  return `${text} (${from}, ${known === undefined ? where : words[known](where)})`;
}

/** What is known of a model, for people: its price, how much fits, what it cannot do, each with who says so. */
export function factsText({ price, context, output, abilities }: ModelFacts, language: Language): readonly string[] {
  const words = modelMessagesIn(language);
  const { value } = price ?? {};
  const priced = value && `${amountText(value, 'input')} ${words.in}, ${amountText(value, 'output')} ${words.out}`;
  const bySource = new Map<FactSource, string[]>();
  for (const need of NEEDS) {
    const known = abilities[need];
    if (known?.value === false) bySource.set(known.from, [...(bySource.get(known.from) ?? []), need]);
  }
  const lacks = [...bySource].map(([from, needs]) => `${needs.join(',')} (${from})`);
  return [
    price && priced !== undefined ? `${words.price}: ${told(priced, price, words)}` : `${words.price}: ${words.unknown}`,
    ...(context ? [`${words.fits}: ${context.value.toLocaleString('en')} (${context.from})`] : []),
    ...(output ? [`${words.answers}: ${output.value.toLocaleString('en')} (${output.from})`] : []),
    ...(lacks.length > 0 ? [`${words.cannot}: ${lacks.join('; ')}`] : []),
  ];
}
