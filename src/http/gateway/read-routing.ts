import { badField, type GatewayError, isObject, type JsonObject, kindOf } from '../../ir/index.ts';
import type { Routing } from '../../exchange/call.ts';
import { parseBody } from '../../exchange/write-request.ts';
import type { MaxPrice } from '../../policy/models/price.ts';
import type { Preferences } from '../../policy/preferences.ts';
import type { Provider } from '../../presets/preset.ts';
import { splitModelVerb } from './paths.ts';
import type { Visit } from './visit.ts';
import { checkedModel, scanBody, type ScannedBody } from './read-call.ts';

/** Names in one list at most. */
const MAX_NAMES = 32;
/** Characters of a name at most. */
const MAX_NAME = 512;

const wrong = (name: string, right: string, found: unknown): GatewayError =>
  badField(name, `Invalid request: '${name}' must be ${right}, not ${kindOf(found)}`);

function namesOf(value: unknown, name: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  if (!Array.isArray(value) || !value.every((one) => typeof one === 'string')) throw wrong(name, 'a list of names', value);
  if (value.some((one) => one.length > MAX_NAME)) throw badField(name, `Invalid request: '${name}' holds a name that none has`);
  if (value.length > MAX_NAMES) throw badField(name, `Invalid request: '${name}' may hold ${MAX_NAMES} names at most`);
  return value;
}

function flagIn(value: unknown, name: string): boolean | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'boolean') throw wrong(name, 'true or false', value);
  return value;
}

/** Members of `provider` that are followed here. */
const FOLLOWED = new Set([
  'order',
  'only',
  'ignore',
  'sort',
  'max_price',
  'require_parameters',
  'allow_fallbacks',
  'data_collection',
  'zdr',
]);

const SORTS = ['latency', 'throughput', 'price'] as const;

/** How to sort, as a word or as `{ by }`; `undefined`: not said, or by what is not known here. */
function sortIn(sort: unknown): Preferences['sort'] {
  const by = isObject(sort) ? sort['by'] : sort;
  return SORTS.find((one) => one === by);
}

/** What amounts in `max_price` are for: tokens by the million, requests and images each, in USD as numbers or as text. */
const BOUNDED = ['prompt', 'completion', 'request', 'image'] as const;
/** More than anything costs. */
const MAX_USD = 1_000_000;

function maxPriceIn(value: unknown): MaxPrice | undefined {
  if (value === undefined || value === null) return undefined;
  if (!isObject(value)) throw wrong('provider.max_price', 'an object', value);
  const most: { [B in (typeof BOUNDED)[number]]?: number } = {};
  for (const of of BOUNDED) {
    const said = value[of];
    if (said === undefined || said === null) continue;
    const amount = typeof said === 'string' && said.trim() !== '' ? Number(said) : said;
    if (typeof amount !== 'number' || !(amount >= 0)) throw wrong(`provider.max_price.${of}`, 'an amount in USD', said);
    most[of] = Math.round(Math.min(amount, MAX_USD) * 1e9);
  }
  return most;
}

/** OpenRouter's `provider` object (https://openrouter.ai/docs/guides/routing/provider-selection), as far as it can be followed here. */
function readPreferences(provider: JsonObject): Preferences {
  const order = namesOf(provider['order'], 'provider.order');
  const only = namesOf(provider['only'], 'provider.only');
  const ignore = namesOf(provider['ignore'], 'provider.ignore');
  const requireParameters = flagIn(provider['require_parameters'], 'provider.require_parameters');
  const allowFallbacks = flagIn(provider['allow_fallbacks'], 'provider.allow_fallbacks');
  const sort = sortIn(provider['sort']);
  const maxPrice = maxPriceIn(provider['max_price']);
  const keepsNothing = flagIn(provider['zdr'], 'provider.zdr') === true || provider['data_collection'] === 'deny';
  return {
    ...(order ? { order } : {}),
    ...(only ? { only } : {}),
    ...(ignore ? { ignore } : {}),
    ...(sort ? { sort } : {}),
    ...(maxPrice ? { maxPrice } : {}),
    ...(requireParameters === undefined ? {} : { requireParameters }),
    ...(allowFallbacks === undefined ? {} : { allowFallbacks }),
    ...(keepsNothing ? { dataCollection: 'deny' } : {}),
  };
}

/** Members of `provider` that nothing here follows. */
function ignoredIn(provider: JsonObject): readonly string[] {
  const { sort } = provider;
  const other = Object.keys(provider).filter((name) => !FOLLOWED.has(name) && provider[name] !== null);
  return [...other.slice(0, 8), ...(sort === undefined || sort === null || sortIn(sort) ? [] : ['sort'])].map((name) => `provider.${name}`);
}

const pinnedIn = ({ path, snapshot }: Pick<Visit, 'path' | 'snapshot'>): Provider | undefined =>
  path.platform === undefined ? undefined : snapshot.providers.get(path.platform);

/**
 * Takes out of a body what it says of where to go: OpenRouter's `provider` and `models`. They mean the same here for any
 * provider, and those that do not know them would refuse them. A provider that knows them is left to them where the path names it.
 */
export function takeRouting(
  body: JsonObject,
  visit: Pick<Visit, 'path' | 'snapshot'>,
): { readonly fields: JsonObject; readonly routing?: Routing } {
  if (body['provider'] === undefined && body['models'] === undefined) return { fields: body };
  if (pinnedIn(visit)?.preset.readsPreferences === true) return { fields: body };
  const { provider, models, ...rest } = body;
  // In a dialect whose path names the model, the body needs none: the first of the list would contradict the path.
  const inPath = splitModelVerb(visit.path.endpoint)?.model;
  if (provider !== undefined && provider !== null && !isObject(provider)) throw wrong('provider', 'an object', provider);
  const named = (namesOf(models, 'models') ?? []).map(checkedModel);
  const model = inPath ?? rest['model'] ?? named[0];
  const others = named.filter((name) => name !== model);
  const wants = provider ?? undefined;
  return {
    fields: model === undefined || inPath !== undefined ? rest : { ...rest, model },
    routing: {
      asks: { ...(others.length > 0 ? { models: others } : {}), ...(wants ? { prefers: readPreferences(wants) } : {}) },
      ignored: wants ? ignoredIn(wants) : [],
      ...(wants ? { provider: wants } : {}),
    },
  };
}

/** As `takeRouting`, for a body that was looked over only: it is parsed where it holds such words. */
export function readRouting(
  scanned: ScannedBody,
  visit: Pick<Visit, 'path' | 'snapshot'>,
  wanted?: ReadonlySet<string>,
): { readonly scanned: ScannedBody; readonly routing?: Routing } {
  const { values, depth } = scanned.scan;
  if (!values.has('provider') && !values.has('models')) return { scanned };
  const { fields, routing } = takeRouting(parseBody(scanned.body), visit);
  return routing ? { scanned: scanBody(Buffer.from(JSON.stringify(fields)), depth + 1, wanted), routing } : { scanned };
}
