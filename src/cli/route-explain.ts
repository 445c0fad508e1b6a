import type { Language } from '../config/language.ts';
import { loadConfig } from '../config/load.ts';
import { ABILITIES, type Ability, type ProtocolId } from '../ir/index.ts';
import type { Decision } from '../policy/decide.ts';
import { type MaxPrice, parseAmount } from '../policy/models/price.ts';
import type { Preferences } from '../policy/preferences.ts';
import { explain } from '../policy/explain.ts';
import type { Caller } from '../policy/routes/strategies.ts';
import { type Need, NEEDS } from '../policy/needs.ts';
import { nearestNames } from '../policy/nearest.ts';
import { compileSnapshot } from '../compile-snapshot.ts';
import { dataFolder } from '../config/data-folder.ts';
import { openModelLists } from '../model-lists.ts';
import { type ModelFacts, PLAIN_FACTS } from '../policy/models/model-facts.ts';
import { factsText } from './fact-words.ts';
import type { Snapshot } from '../policy/snapshot.ts';
import { decisionText, inOrder } from './decision-text.ts';
import { loadOptions } from './load-options.ts';
import type { Messages } from './messages.ts';
import { type Args, UsageError } from './parse-args.ts';
import { type CliPorts, EXIT } from './ports.ts';

/** What clients may speak, by the words that people use for it. */
const PROTOCOLS: Readonly<Record<string, ProtocolId>> = {
  'openai-chat': 'openai-chat',
  openai: 'openai-chat',
  chat: 'openai-chat',
  'openai-responses': 'openai-responses',
  responses: 'openai-responses',
  'anthropic-messages': 'anthropic-messages',
  anthropic: 'anthropic-messages',
  messages: 'anthropic-messages',
  gemini: 'gemini',
  'openai-completions': 'openai-completions',
};

const listOf = (value: string | undefined): readonly string[] =>
  (value ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '');

/** One of some words, or a usage error that names the nearest. */
function oneOf<T>(word: string, flag: string, known: Readonly<Record<string, T>>, messages: Messages): T {
  if (Object.hasOwn(known, word)) return known[word] as T;
  throw new UsageError(
    messages.flagWord(flag, word, Object.keys(known).join(messages.comma), nearestNames(word, Object.keys(known), 1)[0]),
  );
}

/** What may be asked of a model. */
const OPERATIONS: Readonly<Record<string, 'generate' | Ability>> = {
  chat: 'generate',
  ...Object.fromEntries(ABILITIES.map((ability) => [ability, ability])),
};

const NEED_WORDS: Readonly<Record<string, Need>> = Object.fromEntries(NEEDS.map((need) => [need, need]));

/** How much goes in, and may come out. */
function countsOf({ tokens, answer }: Args['values'], messages: Messages): { readonly tokens?: number; readonly answer?: number } {
  const counts = Object.entries({ tokens, answer }).flatMap(([flag, value]) => {
    if (value === undefined) return [];
    if (!/^\d{1,9}$/.test(value)) throw new UsageError(messages.flagNumber(`--${flag}`, value));
    return [[flag, Number(value)] as const];
  });
  return Object.fromEntries(counts);
}

function keyOf(name: string | undefined, snapshot: Snapshot, messages: Messages): { readonly key?: string } {
  if (name === undefined) return {};
  const names = Object.fromEntries([...snapshot.keys.values()].map((key) => [key.name, key.name]));
  return { key: oneOf(name, '--key', names, messages) };
}

const REFUSED = { not_found: EXIT.notFound, permission: EXIT.forbidden, bad_request: EXIT.failed } as const;

const SORTS = { price: 'price', throughput: 'throughput', latency: 'latency' } as const;
const COLLECTIONS = { allow: 'allow', deny: 'deny' } as const;
const BOUNDED = { prompt: 'prompt', completion: 'completion', request: 'request', image: 'image' } as const;

/** `prompt=1,completion=2.5`: amounts in USD. */
function maxPriceOf(value: string, messages: Messages): MaxPrice {
  const pairs = listOf(value).map((pair) => {
    const [of = '', amount = ''] = pair.split('=');
    const read = parseAmount(`${amount} USD`);
    if (!read) throw new UsageError(messages.flagAmount('--max-price', pair));
    return [oneOf(of, '--max-price', BOUNDED, messages), read.amount] as const;
  });
  return Object.fromEntries(pairs);
}

/** Providers as a body may name them: by their names here or their kinds, with or without what follows a slash. */
function namedIn(value: string, flag: string, { providers }: Snapshot, messages: Messages): readonly string[] {
  const all = [...providers.values()].flatMap(({ name, preset }) => [name, preset.id]);
  const known = Object.fromEntries(all.map((name) => [name.toLowerCase(), name]));
  const names = listOf(value);
  for (const name of names) oneOf((name.split('/', 1)[0] ?? '').toLowerCase(), flag, known, messages);
  return names;
}

/** What a body would say of providers. */
function prefersOf({ values, on }: Args, snapshot: Snapshot, messages: Messages): { readonly prefers?: Preferences } {
  const named = (['order', 'only', 'ignore'] as const).flatMap((flag) => {
    const value = values[flag];
    return value === undefined ? [] : [[flag, namedIn(value, `--${flag}`, snapshot, messages)] as const];
  });
  const sort = values.sort === undefined ? {} : { sort: oneOf(values.sort, '--sort', SORTS, messages) };
  const most = values['max-price'] === undefined ? {} : { maxPrice: maxPriceOf(values['max-price'], messages) };
  const collection = values['data-collection'];
  const collected = collection === undefined ? {} : { dataCollection: oneOf(collection, '--data-collection', COLLECTIONS, messages) };
  const prefers: Preferences = {
    ...Object.fromEntries(named),
    ...sort,
    ...most,
    ...(on.has('require-parameters') ? { requireParameters: true } : {}),
    ...(on.has('no-fallbacks') ? { allowFallbacks: false } : {}),
    ...collected,
  };
  return Object.keys(prefers).length === 0 ? {} : { prefers };
}

/** Who calls, as far as routes may go by it. */
function callerOf({ session, user, address }: Args['values']): { readonly caller?: Caller } {
  const caller: Caller = {
    ...(session === undefined ? {} : { session }),
    ...(user === undefined ? {} : { user }),
    ...(address === undefined ? {} : { client: address }),
  };
  return Object.keys(caller).length === 0 ? {} : { caller };
}

/** What is known of each candidate. */
function factsOf({ candidates }: Decision, { providers, facts = PLAIN_FACTS }: Snapshot): readonly (readonly [string, ModelFacts])[] {
  return inOrder(candidates).flatMap(({ provider, model, protocol }) => {
    const owner = providers.get(provider);
    return owner ? [[`${provider}/${model}`, facts.of(owner, protocol, model)] as const] : [];
  });
}

/** `pailou route explain MODEL`, or `--request ID`: where a call would go and why, or went. Calls nobody. */
export async function routeExplainCommand(args: Args, ports: CliPorts, messages: Messages, language: Language): Promise<number> {
  const [model] = args.words;
  if (args.values.request !== undefined) {
    const { explainRequest } = await import('./route-explain-request.ts');
    return explainRequest(args.values.request, args, ports, messages, language);
  }
  if (model === undefined) throw new UsageError(messages.wordMissing('MODEL', args.command));
  const { values } = args;
  const protocol = oneOf(values.protocol ?? 'openai-chat', '--protocol', PROTOCOLS, messages);
  const operation = oneOf(values.operation ?? 'chat', '--operation', OPERATIONS, messages);
  const needs = listOf(values.needs).map((word) => oneOf(word, '--needs', NEED_WORDS, messages));
  const counts = countsOf(values, messages);
  const { config } = await loadConfig(loadOptions(args, ports));
  const lists = openModelLists(dataFolder(values.data, ports.env, ports.cwd, ports.home)).read();
  const snapshot = compileSnapshot(config, 1, lists);
  const down = listOf(values.down);
  const providers = Object.fromEntries([...snapshot.providers.keys()].map((name) => [name, name]));
  for (const name of down) oneOf(name.split('/', 1)[0] ?? '', '--down', providers, messages);
  const limited = listOf(values.limited);
  for (const name of limited) oneOf(name.split('/', 1)[0] ?? '', '--limited', providers, messages);
  const decision = explain(snapshot, {
    model,
    protocol,
    operation,
    needs,
    down,
    limited,
    ...(values.models === undefined ? {} : { models: listOf(values.models) }),
    ...(values.platform === undefined ? {} : { platform: oneOf(values.platform, '--platform', providers, messages) }),
    ...callerOf(values),
    ...counts,
    ...prefersOf(args, snapshot, messages),
    ...keyOf(values.key, snapshot, messages),
  });
  const facts = factsOf(decision, snapshot);
  if (args.on.has('json')) ports.stdout.write(`${JSON.stringify({ ...decision, facts: Object.fromEntries(facts) }, undefined, 2)}\n`);
  else ports.stdout.write(decisionText(decision, messages, language));
  if (args.on.has('facts') && !args.on.has('json')) {
    for (const [name, known] of facts) ports.stdout.write(`\n${[name, ...factsText(known, language)].join('\n  ')}\n`);
  }
  return decision.refusal ? REFUSED[decision.refusal.kind] : EXIT.done;
}
