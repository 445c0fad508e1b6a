import { isObject, type JsonObject, parseObject } from '../ir/index.ts';
import { matchesAny } from '../policy/glob.ts';
import type { ClientKey, Snapshot } from '../policy/snapshot.ts';
import type { Provider, ProviderWire } from '../presets/preset.ts';
import { fetchWhole } from '../upstream/fetch-whole.ts';
import type { AttemptPorts } from './attempt.ts';

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
}

interface Known {
  readonly at: number;
  readonly models: readonly ListedModel[];
}

const FRESH_MS = 10 * 60_000;
/** A provider that did not answer is asked again soon, but not by every request. */
const RETRY_MS = 30_000;
const WAIT_MS = 4000;
const MAX_BYTES = 8 * 1024 * 1024;
const MAX_MODELS = 5000;

const text = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
const whole = (value: unknown): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? Math.floor(value) : undefined);

/** Reads a provider's list in any of the shapes seen: `data[]`, `models[]`, a bare array. */
export function readModelList(body: string): readonly JsonObject[] {
  const parsed = parseObject(body.trimStart().startsWith('[') ? `{"data":${body}}` : body);
  const list = parsed?.['data'] ?? parsed?.['models'];
  return Array.isArray(list) ? list.filter(isObject).slice(0, MAX_MODELS) : [];
}

function toListed(provider: string, entry: JsonObject): ListedModel | undefined {
  const id = (text(entry['id']) ?? text(entry['name']) ?? text(entry['model']))?.replace(/^models\//, '');
  if (id === undefined) return undefined;
  const created = whole(entry['created']) ?? (Date.parse(text(entry['created_at']) ?? '') / 1000 || 0);
  const input = whole(entry['inputTokenLimit']) ?? whole(entry['context_length']) ?? whole(entry['max_input_tokens']);
  const output = whole(entry['outputTokenLimit']) ?? whole(entry['max_tokens']);
  const displayName = text(entry['displayName']) ?? text(entry['display_name']);
  return {
    id: `${provider}/${id}`,
    ownedBy: provider,
    createdAt: Math.floor(created),
    ...(displayName === undefined ? {} : { displayName }),
    ...(input === undefined ? {} : { inputTokenLimit: input }),
    ...(output === undefined ? {} : { outputTokenLimit: output }),
  };
}

/** Lists what there is. */
export interface ModelLists {
  /** What this key may use: aliases first, then each provider's own list (or only one provider's, by its own ids). */
  list(snapshot: Snapshot, key: ClientKey, platform: string | undefined): Promise<readonly ListedModel[]>;
}

/** Asks providers for their lists when somebody wants one, side by side, and remembers them for a while. A provider that does not answer in time is left out. */
export function createModelLists(ports: AttemptPorts, sandbox: readonly ListedModel[]): ModelLists {
  const known = new Map<string, Known>();

  const ask = async (provider: Provider): Promise<readonly ListedModel[]> => {
    const models = provider.preset.models;
    const wire: ProviderWire | undefined = provider.wires.values().next().value;
    if (!models || !wire) return [];
    const request = {
      origin: wire.origin,
      method: 'GET',
      path: models.path,
      headers: wire.headers,
      body: [],
      timeouts: { connect: WAIT_MS, headers: WAIT_MS, idle: WAIT_MS },
    };
    const extra = wire.sign ? await wire.sign({ ...request }, { now: () => ports.clock.now(), post: ports.post }) : {};
    const answer = await fetchWhole(ports.send, { ...request, headers: { ...wire.headers, ...extra } }, MAX_BYTES, WAIT_MS);
    if (answer.status !== 200) return [];
    return readModelList(answer.body.toString('utf8')).flatMap((entry) => toListed(provider.name, entry) ?? []);
  };
  const listOf = async (provider: Provider): Promise<readonly ListedModel[]> => {
    if (provider.name === 'sandbox') return sandbox;
    const last = known.get(provider.name);
    const now = ports.clock.now();
    if (last && now - last.at < (last.models.length > 0 ? FRESH_MS : RETRY_MS)) return last.models;
    const models = await ask(provider).catch(() => last?.models ?? []);
    known.set(provider.name, { at: now, models });
    return models;
  };
  return {
    async list(snapshot, key, platform) {
      const allowed = (id: string): boolean => key.models === undefined || matchesAny(key.models, id);
      const providers = [...snapshot.providers.values()].filter((provider) => platform === undefined || provider.name === platform);
      const lists = await Promise.all(
        providers.map(async (provider) => {
          const listed = await listOf(provider);
          return listed.filter((model) => provider.exposes(model.id.slice(provider.name.length + 1)));
        }),
      );
      if (platform !== undefined) return lists.flat().map((model) => ({ ...model, id: model.id.slice(platform.length + 1) }));
      const aliases = [...snapshot.aliases.keys()].map((id) => ({ id, ownedBy: 'pailou', createdAt: 0 }));
      return [...aliases, ...lists.flat()].filter((model) => allowed(model.id));
    },
  };
}
