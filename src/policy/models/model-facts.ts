import type { ProtocolId } from '../../ir/index.ts';
import type { Provider } from '../../presets/preset.ts';
import { matchGlob } from '../glob.ts';
import { type AbilitySettings, type Need, NEEDS } from '../needs.ts';
import { spellingsOf } from './spelling.ts';
import { type Price, type Rates, USUAL_RATES } from './price.ts';

/** Who says something of a model, in rising order: the preset, the catalogue that ships, the provider's own list, the operator. */
export type FactSource = 'preset' | 'catalogue' | 'list' | 'operator';

/**
 * How well a price is known: read on the vendor's own `page`; by a public `table` that gathers vendors' prices; or `unverified`: written down, and found
 * in neither.
 */
export const CERTAINTIES = ['page', 'table', 'unverified'] as const;

/** One of `CERTAINTIES`. */
export type Certainty = (typeof CERTAINTIES)[number];

/** What one of them says. */
export interface Said extends AbilitySettings {
  /** Tokens of the longest answer. */
  readonly output?: number;
  readonly price?: Price;
  /** How well the price is known, where somebody says so. */
  readonly known?: Certainty;
  /** Where that stands, and as of when: `https://…, 2026-09-23`. */
  readonly where?: string;
}

/** Something that is known, and who said it last. */
export interface Known<T> {
  readonly value: T;
  readonly from: FactSource;
  readonly where?: string;
  /** How well, where that is said: of prices that ship. */
  readonly known?: Certainty;
}

/** All that is known of a provider's model. */
export interface ModelFacts {
  readonly context?: Known<number>;
  readonly output?: Known<number>;
  readonly price?: Known<Price>;
  readonly abilities: { readonly [N in Need]?: Known<boolean> };
}

/** Where facts come from besides the provider and its settings. */
export interface FactPorts {
  /** What ships with the program. */
  readonly catalogue?: (provider: Provider, model: string) => Said | undefined;
  /** The list that a provider gave last, by its ids. */
  readonly listOf?: (provider: Provider) => ReadonlyMap<string, Said> | undefined;
  readonly rates?: Rates;
}

/** What is known of models: what decisions read. */
export interface Facts {
  of(provider: Provider, protocol: ProtocolId | undefined, model: string): ModelFacts;
  /** Whether the provider's own list has the id. */
  lists(provider: Provider, model: string): boolean;
  /** Whether the provider has given a list that has the id in no spelling: with another date, without one. */
  lacks(provider: Provider, model: string): boolean;
  readonly rates: Rates;
}

/** Models remembered for a provider: names come from callers, so there is no end to them. */
const MAX_REMEMBERED = 1000;

/** Where nothing is paid for tokens: a server of the operator's own. */
const FREE: Price = { currency: 'USD', input: 0, output: 0 };

/** What a preset and its wire say. What a wire cannot carry, no model behind it can do. */
function presetsWord(provider: Provider, protocol: ProtocolId | undefined, model: string): Said {
  const facts = protocol === undefined ? undefined : provider.wires.get(protocol)?.factsOf(model);
  const free = provider.preset.local || provider.preset.auth?.kind === 'none' ? { price: FREE } : {};
  if (!facts) return free;
  return {
    ...free,
    vision: facts.media.image !== 'none',
    files: facts.media.document !== 'none',
    audio: facts.media.audio !== 'none',
    video: facts.media.video !== 'none',
    structured: facts.output === 'json-schema',
    reasoning: facts.reasoningControl !== 'none',
  };
}

/** What others say of a model that its wire cannot carry does not help: then the preset's word stays. */
function carried(said: Said | undefined, wire: Said): Said | undefined {
  if (!said) return undefined;
  const cannot = NEEDS.filter((need) => wire[need] === false && said[need] === true);
  return cannot.length === 0 ? said : { ...said, ...Object.fromEntries(cannot.map((need) => [need, undefined])) };
}

/** What the operator says, over everything: `models` over the older `abilities`, later patterns over earlier ones. */
function operatorsWord({ settings }: Provider, model: string): Said {
  let said: Said = settings.speech === undefined ? {} : { audioOutput: true };
  for (const table of [settings.abilities, settings.models]) {
    for (const [glob, words] of Object.entries(table ?? {})) if (matchGlob(glob, model)) said = { ...said, ...words };
  }
  return said;
}

/** Puts what several say together: the later one counts, fact by fact. */
function gather(words: readonly (readonly [FactSource, Said | undefined])[]): ModelFacts {
  const abilities: { [N in Need]?: Known<boolean> } = {};
  const rest: { context?: Known<number>; output?: Known<number>; price?: Known<Price> } = {};
  for (const [from, said] of words) {
    if (!said) continue;
    const known = <T>(value: T): Known<T> => ({ value, from, ...(said.where === undefined ? {} : { where: said.where }) });
    for (const need of NEEDS) if (said[need] !== undefined) abilities[need] = known(said[need]);
    if (said.context !== undefined) rest.context = known(said.context);
    if (said.output !== undefined) rest.output = known(said.output);
    if (said.price) rest.price = { ...known(said.price), ...(said.known === undefined ? {} : { known: said.known }) };
  }
  return { ...rest, abilities };
}

/** An id without what does not tell one model from another. */
const barest = (id: string): string => spellingsOf(id).at(-1) ?? id;

/** Makes a reader of facts. It remembers what it was asked, so that a call costs a look-up. */
export function createFacts({ catalogue, listOf, rates = USUAL_RATES }: FactPorts = {}): Facts {
  const remembered = new WeakMap<Provider, Map<string, ModelFacts>>();
  const spelt = new WeakMap<ReadonlyMap<string, Said>, ReadonlySet<string>>();
  const find = (provider: Provider, protocol: ProtocolId | undefined, model: string): ModelFacts => {
    const wire = presetsWord(provider, protocol, model);
    return gather([
      ['preset', wire],
      ['catalogue', carried(catalogue?.(provider, model), wire)],
      ['list', carried(listOf?.(provider)?.get(model), wire)],
      ['operator', operatorsWord(provider, model)],
    ]);
  };
  return {
    rates,
    lists: (provider, model) => listOf?.(provider)?.has(model) ?? false,
    lacks(provider, model) {
      const list = listOf?.(provider);
      if (!list) return false;
      const known = spelt.get(list) ?? new Set([...list.keys()].map(barest));
      spelt.set(list, known);
      return !known.has(barest(model));
    },
    of(provider, protocol, model) {
      const known = remembered.get(provider) ?? new Map<string, ModelFacts>();
      remembered.set(provider, known);
      const key = `${protocol ?? ''}\u0000${model}`;
      const facts = known.get(key) ?? find(provider, protocol, model);
      if (known.size >= MAX_REMEMBERED) known.clear();
      known.set(key, facts);
      return facts;
    },
  };
}

/** Where a snapshot brings none: what presets and the operator say. */
export const PLAIN_FACTS: Facts = createFacts();
