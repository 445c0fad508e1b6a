import type { Language } from '../config/language.ts';
import type { FactSource, Known, ModelFacts } from '../policy/models/model-facts.ts';
import type { Price, Priced } from '../policy/models/price.ts';
import { NEEDS } from '../policy/needs.ts';
import { modelMessagesIn } from './messages-models.ts';

const NANO = 1e9;

/** An amount as configurations write it: `0.27 USD`; `-` where none is known. */
export const amountText = (price: Price | undefined, of: Priced): string =>
  price?.[of] === undefined ? '-' : `${Number((price[of] / NANO).toFixed(9))} ${price.currency}`;

/** What a model is known to do beyond text. */
export const abilitiesText = ({ abilities }: ModelFacts): string =>
  NEEDS.filter((need) => abilities[need]?.value === true).join(',') || '-';

/** The day at the end of where something stands. */
const dayOf = ({ where = '' }: Known<unknown>): string => / (\d{4}-\d\d-\d\d)$/.exec(where)?.[0] ?? '';

/** Who says what is known of price and length, each once, and as of when: `catalogue 2026-09-23`. */
export function sourcesText({ price, context }: ModelFacts): string {
  const from = [price, context].flatMap((known) => (known ? [known.from + dayOf(known)] : []));
  return [...new Set(from)].join(',') || '-';
}

/** With who said it, and where that stands: `2 USD in (catalogue, https://…, 2026-09-23)`. */
const told = (text: string, { from, where }: Known<unknown>): string => `${text} (${from}${where === undefined ? '' : `, ${where}`})`;

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
    price && priced !== undefined ? `${words.price}: ${told(priced, price)}` : `${words.price}: ${words.unknown}`,
    ...(context ? [`${words.fits}: ${context.value.toLocaleString('en')} (${context.from})`] : []),
    ...(output ? [`${words.answers}: ${output.value.toLocaleString('en')} (${output.from})`] : []),
    ...(lacks.length > 0 ? [`${words.cannot}: ${lacks.join('; ')}`] : []),
  ];
}
