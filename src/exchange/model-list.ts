import { isObject, type JsonObject, parseObject } from '../ir/index.ts';
import { decide } from '../policy/decide.ts';
import { matchesAny } from '../policy/glob.ts';
import { PLAIN_FACTS, type Said } from '../policy/models/model-facts.ts';
import { forbidden } from '../policy/rules.ts';
import type { ClientKey, Snapshot } from '../policy/snapshot.ts';
import type { Preset, Provider, ProviderWire } from '../presets/preset.ts';
import { fetchWhole } from '../upstream/fetch-whole.ts';
import type { Signals } from '../policy/signals.ts';
import type { AttemptPorts } from './attempt.ts';
import type { ExchangePorts } from './exchange.ts';
import { listedFacts } from './listed-facts.ts';

/** A model that a caller may name. */
export interface ListedModel {
  /** The name to call it by: an alias, or `provider/model`. */
  readonly id: string;
  readonly ownedBy: string;
  readonly displayName?: string;
  /** Seconds since 1970; 0 where nobody said. */
  readonly createdAt: number;
  readonly inputTokenLimit?: number;
  readonly outputTokenLimit?: number;
  /** What the model can be called for, in Google's words, where its provider says so. */
  readonly methods?: readonly string[];
}

interface Known {
  readonly at: number;
  readonly models: readonly ListedModel[];
}

type Shape = NonNullable<Preset['models']>['shape'];

const FRESH_MS = 10 * 60_000;
/** A provider that did not answer is asked again soon, but not by every request. */
const RETRY_MS = 30_000;
const WAIT_MS = 4000;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_MODELS = 5000;
const MAX_PAGES = 10;
const MAX_ID = 512;
/** Later than any model: what is more was said in milliseconds. */
const MAX_SECONDS = 9_999_999_999;

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const whole = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.floor(value) : undefined;

/** How each vendor is asked for as much as it gives at once, and for the rest. */
const PAGING: { readonly [S in Shape]: { readonly query: string; readonly next?: (page: JsonObject) => string | undefined } } = {
  openai: { query: '' },
  ollama: { query: '' },
  // https://platform.claude.com/docs/en/api/models-list
  anthropic: {
    query: 'limit=1000',
    next: (page) =>
      page['has_more'] === true && text(page['last_id']) ? `after_id=${encodeURIComponent(String(page['last_id']))}` : undefined,
  },
  // https://ai.google.dev/api/models#method:-models.list
  gemini: { query: 'pageSize=1000', next: (page) => token(page, 'nextPageToken', 'pageToken') },
  // https://docs.cohere.com/reference/list-models
  cohere: { query: 'page_size=1000', next: (page) => token(page, 'next_page_token', 'page_token') },
};

function token(page: JsonObject, from: string, to: string): string | undefined {
  const value = text(page[from]);
  return value === undefined ? undefined : `${to}=${encodeURIComponent(value)}`;
}

/** A page of a provider's list as an object: a bare array (GitHub's catalog) is its `data`. */
const readPage = (body: string): JsonObject | undefined => parseObject(body.trimStart().startsWith('[') ? `{"data":${body}}` : body);

/** The entries of a page in any of the shapes seen: `data[]`, `models[]`. */
function entriesOf(page: JsonObject): readonly JsonObject[] {
  const list = page['data'] ?? page['models'];
  return Array.isArray(list) ? list.filter(isObject).slice(0, MAX_MODELS) : [];
}

function createdAt(entry: JsonObject): number {
  const said = whole(entry['created']);
  if (said !== undefined) return said > MAX_SECONDS ? Math.min(MAX_SECONDS, Math.floor(said / 1000)) : said;
  const date = Date.parse(text(entry['created_at']) ?? text(entry['modified_at']) ?? '');
  return Number.isNaN(date) ? 0 : Math.min(MAX_SECONDS, Math.max(0, Math.floor(date / 1000)));
}

/** An id that could be sent back in a path or a body. */
function idOf(entry: JsonObject): string | undefined {
  const id = (text(entry['id']) ?? text(entry['name']) ?? text(entry['model']))?.replace(/^models\//, '');
  return id === undefined || id === '' || id.length > MAX_ID || /\p{Cc}/u.test(id) ? undefined : id;
}

function toListed(provider: string, id: string, entry: JsonObject): ListedModel {
  const input = whole(entry['inputTokenLimit']) ?? whole(entry['context_length']) ?? whole(entry['max_input_tokens']);
  const output = whole(entry['outputTokenLimit']) ?? whole(entry['max_tokens']);
  const displayName = text(entry['displayName']) ?? text(entry['display_name']);
  const methods = entry['supportedGenerationMethods'];
  return {
    id: `${provider}/${id}`,
    ownedBy: provider,
    createdAt: createdAt(entry),
    ...(displayName === undefined ? {} : { displayName }),
    ...(input === undefined ? {} : { inputTokenLimit: input }),
    ...(output === undefined ? {} : { outputTokenLimit: output }),
    ...(Array.isArray(methods) ? { methods: methods.filter((one) => typeof one === 'string') } : {}),
  };
}

/** Lists what there is. */
export interface ModelLists {
  /** What this key may use: aliases first, then each provider's own list (or only one provider's, by its own ids). */
  list(snapshot: Snapshot, key: ClientKey, platform: string | undefined): Promise<readonly ListedModel[]>;
}

/** What asking needs of the world. */
export type ListPorts = Pick<AttemptPorts, 'send' | 'clock' | 'post'>;

async function askPage(wire: ProviderWire, path: string, ports: ListPorts): Promise<JsonObject | undefined> {
  const request = {
    origin: wire.origin,
    method: 'GET',
    path,
    headers: wire.headers,
    body: [],
    timeouts: { connect: WAIT_MS, headers: WAIT_MS, idle: WAIT_MS },
  };
  const extra = wire.sign ? await wire.sign({ ...request }, { now: () => ports.clock.now(), post: ports.post }) : {};
  const answer = await fetchWhole(ports.send, { ...request, headers: { ...wire.headers, ...extra } }, MAX_BYTES, WAIT_MS);
  return answer.status === 200 ? readPage(answer.body.toString('utf8')) : undefined;
}

/** A provider's list by its ids. */
interface Entries {
  readonly entries: ReadonlyMap<string, JsonObject>;
  /** No page of it failed. */
  readonly isWhole: boolean;
}

/** A provider's list, page by page; what was read stays when a later page fails. */
async function askEntries(provider: Provider, ports: ListPorts): Promise<Entries> {
  const { models } = provider.preset;
  const wire: ProviderWire | undefined = provider.wires.values().next().value;
  const found = new Map<string, JsonObject>();
  if (!models || !wire) return { entries: found, isWhole: true };
  const { query, next } = PAGING[models.shape];
  const path = provider.modelsPath ?? models.path;
  let more: string | undefined = '';
  for (let page = 0; page < MAX_PAGES && more !== undefined && found.size < MAX_MODELS; page++) {
    const asked = [query, more].filter((part) => part !== '').join('&');
    const answer = await askPage(wire, asked === '' ? path : `${path}?${asked}`, ports).catch(() => undefined);
    if (!answer) return { entries: found, isWhole: false };
    for (const entry of entriesOf(answer)) {
      const id = idOf(entry);
      if (id !== undefined && found.size < MAX_MODELS) found.set(id, entry);
    }
    const following: string | undefined = next?.(answer);
    more = following === more ? undefined : following;
  }
  return { entries: found, isWhole: true };
}

/** What a list says of each model; of one that did not come whole nothing is said, as what is missing would seem to be gone. */
const factsIn = ({ entries, isWhole }: Entries): ReadonlyMap<string, Said> =>
  new Map(isWhole ? [...entries].map(([id, entry]) => [id, listedFacts(entry)]) : []);

/** Asks a provider for its list, and reads what that says of each model; empty where it gives none, or not all of it. The sandbox has none to ask for. */
export const askModelFacts = async (provider: Provider, ports: ListPorts): Promise<ReadonlyMap<string, Said>> =>
  factsIn(await askEntries(provider, ports));

/** A model with its limits, where its provider's list does not say them and they are known otherwise. */
function withLimits(model: ListedModel, provider: Provider, { facts = PLAIN_FACTS }: Snapshot): ListedModel {
  if (model.inputTokenLimit !== undefined && model.outputTokenLimit !== undefined) return model;
  const { context, output } = facts.of(provider, undefined, model.id.slice(provider.name.length + 1));
  return {
    ...(context ? { inputTokenLimit: context.value } : {}),
    ...(output ? { outputTokenLimit: output.value } : {}),
    ...model,
  };
}

/** An alias with the facts of the model that it leads to; nothing where the key's own rule leaves nothing of it. */
function listAlias(
  alias: string,
  snapshot: Snapshot,
  key: ClientKey,
  signals: Signals,
  listed: ReadonlyMap<string, ListedModel>,
): ListedModel | undefined {
  const { candidates } = decide(snapshot, { model: alias, protocol: 'openai-chat', operation: 'generate', key }, signals);
  const chosen = candidates.find((one) => one.verdict === 'chosen');
  if (!chosen && key.rule) return undefined;
  const target = chosen && listed.get(`${chosen.provider}/${chosen.model}`);
  return { createdAt: 0, ...target, id: alias, ownedBy: 'pailou' };
}

/** Asks providers for their lists when somebody wants one, side by side, and remembers them for a while. A provider that does not answer in time is left out. `onList`: hears of each list that was asked for. */
export function createModelLists(
  ports: Pick<ExchangePorts, keyof AttemptPorts | 'signals' | 'trying'>,
  sandbox: readonly ListedModel[],
  onList: (provider: Provider, said: ReadonlyMap<string, Said>) => void = () => undefined,
): ModelLists {
  // By provider as it was configured: another address or key is another list.
  const known = new WeakMap<Provider, Known>();
  const asking = new WeakMap<Provider, Promise<readonly ListedModel[]>>();

  const refresh = async (provider: Provider): Promise<readonly ListedModel[]> => {
    const asked = await askEntries(provider, ports);
    onList(provider, factsIn(asked));
    const fresh = [...asked.entries].map(([id, entry]) => toListed(provider.name, id, entry));
    const models = fresh.length > 0 ? fresh : (known.get(provider)?.models ?? []);
    known.set(provider, { at: fresh.length > 0 ? ports.clock.now() : ports.clock.now() - FRESH_MS + RETRY_MS, models });
    asking.delete(provider);
    return models;
  };
  const listOf = (provider: Provider): Promise<readonly ListedModel[]> => {
    if (provider.preset.id === 'sandbox')
      return Promise.resolve(sandbox.map((model) => ({ ...model, id: `${provider.name}${model.id.slice(model.id.indexOf('/'))}` })));
    const last = known.get(provider);
    if (last && ports.clock.now() - last.at < FRESH_MS) return Promise.resolve(last.models);
    const running = asking.get(provider) ?? refresh(provider);
    asking.set(provider, running);
    return running;
  };
  return {
    async list(snapshot, key, platform) {
      const allowed = ({ id }: ListedModel): boolean => key.models === undefined || matchesAny(key.models, id);
      const mayUse = (provider: Provider): boolean => key.rule === undefined || forbidden(provider, key.rule) === undefined;
      const asked = [...snapshot.providers.values()].filter(({ name }) => platform === undefined || name === platform);
      const providers = asked.filter(mayUse);
      const lists = await Promise.all(
        providers.map(async (provider) => {
          const listed = await listOf(provider);
          const exposed = listed.filter((model) => provider.exposes(model.id.slice(provider.name.length + 1)));
          return exposed.map((model) => withLimits(model, provider, snapshot));
        }),
      );
      const all = lists.flat();
      // Under a platform's path a model is called, and a key is asked, by the provider's own id.
      if (platform !== undefined) return all.map((model) => ({ ...model, id: model.id.slice(platform.length + 1) })).filter(allowed);
      const byId = new Map(all.map((model) => [model.id, model]));
      const names = new Set([...(key.routes?.aliases.keys() ?? []), ...snapshot.aliases.keys()]);
      ports.trying.health.refresh();
      // Where names lead now: the heaviest of those by weight, what is out left out.
      const now = { ...ports.signals.read(), random: 0 };
      const aliases = [...names].flatMap((alias) => listAlias(alias, snapshot, key, now, byId) ?? []);
      return [...aliases, ...all].filter(allowed);
    },
  };
}
