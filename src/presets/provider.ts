import { createHash } from 'node:crypto';
import { type Ability, DEFAULT_FACTS, type FactChanges, type ProtocolId, type TargetFacts } from '../ir/index.ts';
import { USUAL_RULE } from '../policy/breaker.ts';
import { USUAL_COOLDOWN } from '../policy/cooldown.ts';
import { NO_QUEUE, USUAL_QUEUE } from '../policy/queue.ts';
import { matchesAny, matchGlob } from '../policy/glob.ts';
import type { Minute, MinuteLimits } from '../policy/minute.ts';
import { type RetryRule, USUAL_RETRY } from '../policy/retry.ts';
import { type Place, placeAt, placesUnder, readAddress } from './base-url.ts';
import { presets } from './index.ts';
import type {
  Auth,
  Credential,
  KeyShare,
  MediaWire,
  Preset,
  Provider,
  ProviderMedia,
  ProviderSettings,
  RetrySettings,
  ProviderWire,
  Timeouts,
  Wire,
} from './preset.ts';

const DEFAULT_TIMEOUTS: Timeouts = { connect: 10_000, headers: 300_000, firstToken: 300_000, idle: 120_000, total: 1_800_000 };

/** Models whose facts are remembered for a wire: names come from callers, so there is no end to them. */
const MAX_REMEMBERED = 1000;

type Wires = readonly (readonly [ProtocolId, Wire])[];
type Values = Readonly<Record<string, string>>;

/** Speaks of one provider in messages to the operator. */
const named = (name: string, preset: Preset): string => `Provider '${name}' (preset '${preset.id}')`;

const orEnv = (variables: readonly string[] | undefined): string =>
  variables && variables.length > 0 ? `, for example "\${env:${variables[0]}}"` : '';

function presetOf(name: string, settings: ProviderSettings): Preset {
  const preset = presets.get(settings.preset);
  if (!preset) throw new Error(`Provider '${name}': unknown preset '${settings.preset}'. Known: ${[...presets.keys()].join(', ')}`);
  return preset;
}

/** The protocols that the operator wants of those that the preset has, in the preset's order. */
function wantedWires(name: string, preset: Preset, settings: ProviderSettings): Wires {
  const all = Object.entries(preset.speaks) as [ProtocolId, Wire][];
  const mapped = typeof settings.baseUrl === 'object' ? Object.keys(settings.baseUrl) : undefined;
  for (const asked of [...(settings.protocols ?? []), ...(mapped ?? [])]) {
    if (!all.some(([protocol]) => protocol === asked)) {
      throw new Error(`${named(name, preset)} does not speak '${asked}'. It speaks: ${all.map(([protocol]) => protocol).join(', ')}`);
    }
  }
  const isWanted = ([protocol, wire]: readonly [ProtocolId, Wire]): boolean => {
    if (mapped && !mapped.includes(protocol)) return false;
    if (settings.protocols) return settings.protocols.includes(protocol);
    return mapped !== undefined || wire.optional !== true;
  };
  const wires = all.filter(isWanted);
  if (wires.length === 0 && all.length > 0) throw new Error(`${named(name, preset)}: 'protocols' and 'baseUrl' leave no protocol to speak`);
  return wires;
}

/** What the preset's address needs besides the key, as far as it is given; `region` has a place of its own in the configuration. */
function valuesOf(name: string, preset: Preset, settings: ProviderSettings): Values {
  const values: Record<string, string> = { ...settings.settings };
  if (settings.region !== undefined) values['region'] = settings.region;
  for (const setting of preset.settings ?? []) {
    const value = values[setting.name] ?? setting.default;
    if (value !== undefined && value !== '') values[setting.name] = value.replace(/^https?:\/\//, '').replace(/(?<!\/)\/+$/, '');
  }
  const hasRegion = preset.settings?.some((setting) => setting.name === 'region') ?? false;
  if (settings.region !== undefined && !hasRegion && preset.regions?.[settings.region] === undefined) {
    const known = Object.keys(preset.regions ?? {});
    throw new Error(
      `${named(name, preset)} has no region '${settings.region}'. ${known.length > 0 ? `Known: ${known.join(', ')}` : 'It has none'}`,
    );
  }
  return values;
}

/** Puts settings in the places of a template. Throws naming the setting that is missing and its variable. */
function fill(template: string, values: Values, name: string, preset: Preset): string {
  return template.replaceAll(/\{(\w+)\}/g, (_, key: string) => {
    const value = values[key];
    if (value === undefined || value === '') {
      const setting = preset.settings?.find((one) => one.name === key);
      const place = key === 'region' ? "'region'" : `'settings.${key}'`;
      throw new Error(`${named(name, preset)} needs ${place}${orEnv(setting?.env)}`);
    }
    if (!/^[\w.:-]+$/.test(value)) throw new Error(`${named(name, preset)}: '${key}' may hold letters, digits and . _ - : only`);
    return value;
  });
}

/** The preset's own scheme and host. */
const originOf = (preset: Preset, values: Values): string => preset.regions?.[values['region'] ?? ''] ?? preset.origin;

/** Whether an address is on one of the vendor's own hosts. */
const isOwnHost = (preset: Preset, origin: string): boolean =>
  [preset.origin, ...Object.values(preset.regions ?? {})].some((own) => own !== '' && own === origin);

function placesOf(name: string, preset: Preset, wires: Wires, settings: ProviderSettings, values: Values): ReadonlyMap<ProtocolId, Place> {
  const { baseUrl } = settings;
  const filled = ([protocol, wire]: readonly [ProtocolId, Wire]): [ProtocolId, string] => [protocol, fill(wire.base, values, name, preset)];
  if (typeof baseUrl === 'string') {
    const address = readAddress(baseUrl, `${named(name, preset)}: 'baseUrl'`);
    const bases = new Map((Object.entries(preset.speaks) as [ProtocolId, Wire][]).map(filled));
    return placesUnder(address, bases, isOwnHost(preset, address.origin));
  }
  if (baseUrl) {
    const place = ([protocol, base]: [ProtocolId, string]): [ProtocolId, Place] => {
      const address = readAddress(baseUrl[protocol] ?? '', `${named(name, preset)}: 'baseUrl.${protocol}'`);
      return [protocol, placeAt(address, base)];
    };
    return new Map(wires.map((wire) => place(filled(wire))));
  }
  const own = originOf(preset, values);
  if (own === '') throw new Error(`${named(name, preset)} needs 'baseUrl': the address of the server, as http://host:port`);
  return new Map(
    wires.map((wire) => {
      const [protocol, basePath] = filled(wire);
      return [protocol, { origin: fill(wire[1].origin ?? own, values, name, preset), basePath }];
    }),
  );
}

/** A way to pay, with choices by the form of the key made. */
function authOf(auth: Auth, key: string): Exclude<Auth, { readonly kind: 'by-key' }> {
  return auth.kind === 'by-key' ? authOf(auth.pick(key), key) : auth;
}

function checkKey(name: string, preset: Preset, settings: ProviderSettings): string {
  const key = settings.key?.trim() ?? '';
  if (/[\r\n]/.test(key) && !key.startsWith('{')) throw new Error(`${named(name, preset)}: 'key' holds a line break`);
  const isFree = preset.keyOptional === true || preset.local !== undefined || preset.auth.kind === 'none';
  if (key !== '' || isFree) return key;
  const byHeader = Object.keys(settings.headers ?? {}).some((header) =>
    ['authorization', 'x-api-key', 'api-key'].includes(header.toLowerCase()),
  );
  if (byHeader) return '';
  const variables = preset.env.length > 0 ? preset.env : preset.envPair;
  throw new Error(`${named(name, preset)} needs 'key'${orEnv(variables)}`);
}

function lowerCased(headers: Values | undefined, name: string): Values {
  const out: Record<string, string> = {};
  for (const [header, value] of Object.entries(headers ?? {})) {
    if (/[\r\n]/.test(value)) throw new Error(`Provider '${name}': header '${header}' holds a line break`);
    out[header.toLowerCase()] = value;
  }
  return out;
}

/** Whether a model is among these globs, in any case of letters; one that begins with `!` takes out. */
export function isServed(globs: readonly string[] | undefined, model: string): boolean {
  if (!globs) return true;
  const lower = model.toLowerCase();
  const isIn = (some: readonly string[]): boolean => matchesAny(some, model) || matchesAny(some, lower);
  const wanted = globs.filter((glob) => !glob.startsWith('!'));
  const barred = globs.filter((glob) => glob.startsWith('!')).map((glob) => glob.slice(1));
  return (wanted.length === 0 || isIn(wanted)) && !isIn(barred);
}

/** What is asked for each call about a few models, remembered; clients choose the names, so it is bounded. */
function remembered<T>(ask: (model: string) => T): (model: string) => T {
  const known = new Map<string, T>();
  return (model) => {
    const found = known.get(model);
    if (found !== undefined) return found;
    const said = ask(model);
    if (known.size >= MAX_REMEMBERED) known.clear();
    known.set(model, said);
    return said;
  };
}

function factsReader(preset: Preset, protocol: ProtocolId, wire: Wire, dialect: FactChanges): (model: string) => TargetFacts {
  const usual: TargetFacts = { ...DEFAULT_FACTS, ...dialect, ...wire.facts };
  const rules = (preset.rules ?? []).filter((rule) => rule.on === undefined || rule.on === protocol);
  return remembered((model) => {
    const id = model.toLowerCase();
    return rules.reduce<TargetFacts>((so, rule) => (matchGlob(rule.match, id) ? { ...so, ...rule.facts } : so), usual);
  });
}

interface Making {
  readonly name: string;
  readonly preset: Preset;
  readonly settings: ProviderSettings;
  readonly values: Values;
  readonly credential: Credential;
}

function compileWire(making: Making, protocol: ProtocolId, wire: Wire, place: Place, dialect: FactChanges): ProviderWire {
  const { name, preset, settings, values, credential } = making;
  const auth = authOf(wire.auth ?? preset.auth, credential.key);
  const paid = auth.kind === 'fixed' && credential.key !== '' ? auth.headers(credential.key) : {};
  const base = {
    protocol,
    wire,
    ...place,
    headers: { ...lowerCased(paid, name), ...lowerCased(wire.headers, name), ...lowerCased(settings.headers, name) },
    factsOf: factsReader(preset, protocol, wire, dialect),
    serves: remembered((model: string) => isServed(wire.models, model)),
  };
  if (auth.kind !== 'signed') return base;
  return { ...base, sign: (request, ports) => auth.sign(request, credential, values, ports) };
}

/** The preset's abilities one by one. */
const mediaWires = (preset: Preset): readonly (readonly [Ability, MediaWire])[] =>
  (Object.entries(preset.media ?? {}) as [Ability, MediaWire | readonly MediaWire[]][]).flatMap(([ability, wires]) =>
    [wires].flat().map((wire) => [ability, wire] as const),
  );

/** The root of all of a provider's addresses, where the operator gave one. */
function rootOf(making: Making, bases: ReadonlyMap<number, string>): ReadonlyMap<number, Place> | undefined {
  const { name, preset, settings, values } = making;
  const { baseUrl } = settings;
  if (baseUrl === undefined) return undefined;
  const given = typeof baseUrl === 'string' ? baseUrl : Object.values(baseUrl)[0];
  const address = readAddress(given ?? '', `${named(name, preset)}: 'baseUrl'`);
  const wires = (Object.entries(preset.speaks) as [ProtocolId, Wire][]).map(
    ([id, wire]) => [id, fill(wire.base, values, name, preset)] as const,
  );
  const all = new Map<ProtocolId | number, string>([...wires, ...bases]);
  return placesUnder(address, all, isOwnHost(preset, address.origin)) as ReadonlyMap<number, Place>;
}

function compileMedia(making: Making): readonly ProviderMedia[] {
  const { name, preset, settings, values, credential } = making;
  const wires = mediaWires(preset);
  const bases = new Map(wires.map(([, wire], index) => [index, fill(wire.base, values, name, preset)]));
  const places = rootOf(making, bases);
  return wires.map(([ability, wire], index) => {
    const auth = authOf(wire.auth ?? preset.auth, credential.key);
    const paid = auth.kind === 'fixed' && credential.key !== '' ? auth.headers(credential.key) : {};
    const own = (): Place => ({
      origin: fill(wire.origin ?? originOf(preset, values), values, name, preset),
      basePath: bases.get(index) ?? '',
    });
    const made: ProviderMedia = {
      ability,
      wire,
      ...(places?.get(index) ?? own()),
      headers: { ...lowerCased(paid, name), ...lowerCased(wire.headers, name), ...lowerCased(settings.headers, name) },
      serves: remembered((model) => isServed(wire.models, model)),
    };
    if (auth.kind !== 'signed') return made;
    return { ...made, sign: (request, ports) => auth.sign(request, credential, values, ports) };
  });
}

/** Reranking by embeddings, where the operator wants it: behind the provider's own rerankers. */
function withEmulated({ name, preset, settings }: Making, media: readonly ProviderMedia[]): readonly ProviderMedia[] {
  if (settings.rerank !== 'embeddings') return media;
  const made = media.flatMap((one): readonly ProviderMedia[] =>
    one.ability === 'embeddings' ? [{ ...one, ability: 'rerank', by: 'embeddings' }] : [],
  );
  if (made.length === 0) throw new Error(`${named(name, preset)} has no embeddings for 'rerank' to use`);
  return [...media, ...made];
}

/** The preset's list of models under the operator's address: the first wire's base tells how far that lies below the origin. */
function modelsPathOf(preset: Preset, values: Values, first: ProviderWire | undefined, name: string): { readonly modelsPath?: string } {
  if (!preset.models || !first) return {};
  const path = fill(preset.models.path, values, name, preset);
  const base = fill(first.wire.base, values, name, preset);
  if (base !== '' && path.startsWith(base)) return { modelsPath: first.basePath + path.slice(base.length) };
  const root = first.basePath.endsWith(base) ? first.basePath.slice(0, first.basePath.length - base.length) : '';
  return { modelsPath: root + path };
}

const CHECK_TIMEOUT_MS = 5000;
const CHECK_FAILURES = 3;

/** How a provider is asked whether it is well. */
function checkOf(named: string, { health }: ProviderSettings, modelsPath: string | undefined): Pick<Provider, 'check'> {
  if (typeof health !== 'object') return {};
  const { check: everyMs, timeout: timeoutMs = CHECK_TIMEOUT_MS, failures = CHECK_FAILURES } = health;
  const path = health.path ?? modelsPath;
  if (path === undefined) throw new Error(`${named} needs 'health.path', for example /health: it has no list of models to ask for`);
  return { check: { everyMs, timeoutMs, failures, path, isOwnPath: health.path !== undefined } };
}

/** What it takes in a minute as a whole. */
function minutesOf(name: string, { rpm, tpm }: ProviderSettings): Pick<Provider, 'minutes'> {
  const minute = minuteOf(name, `Provider '${name}'`, { rpm, tpm });
  return minute ? { minutes: [minute] } : {};
}

function minuteOf(
  place: string,
  title: string,
  { rpm, tpm }: { readonly [L in keyof MinuteLimits]: MinuteLimits[L] | undefined },
): Minute | undefined {
  if (rpm === undefined && tpm === undefined) return undefined;
  return { place, title, ...(rpm === undefined ? {} : { rpm }), ...(tpm === undefined ? {} : { tpm }) };
}

/** The same provider with what one of its keys takes: the narrower first. */
function limited(made: Provider, { concurrency, rpm, tpm }: KeyShare): Provider {
  const minute = minuteOf(made.credential, `A key of provider '${made.name}'`, { rpm, tpm });
  return {
    ...made,
    ...(concurrency === undefined ? {} : { keyConcurrency: concurrency }),
    ...(minute ? { minutes: [minute, ...(made.minutes ?? [])] } : {}),
  };
}

/** Who may wait for room at it. */
function queueOf({ queue }: ProviderSettings): Pick<Provider, 'queue'> {
  if (queue === undefined || queue === 'off') return queue ? { queue: NO_QUEUE } : {};
  const { calls = USUAL_QUEUE.calls, wait = USUAL_QUEUE.waitMs } = queue;
  // No caller may take all of the line for itself, however short it is, where nothing else is said.
  const { perCaller = Math.ceil((calls * USUAL_QUEUE.perCaller) / USUAL_QUEUE.calls) } = queue;
  return { queue: { calls, perCaller, waitMs: wait } };
}

/** How its breakers act. */
function breakerOf({ breaker }: ProviderSettings): Pick<Provider, 'breaker'> {
  if (breaker === undefined || breaker === 'off') return breaker ? { breaker } : {};
  const { failures = USUAL_RULE.failures, wait = USUAL_RULE.firstMs, longest = USUAL_RULE.longestMs } = breaker;
  return { breaker: { failures, firstMs: wait, longestMs: Math.max(wait, longest) } };
}

/** How long its keys are set aside. */
function setAsideOf({ setAside }: ProviderSettings): Pick<Provider, 'setAside'> {
  if (setAside === undefined || setAside === 'off') return setAside ? { setAside } : {};
  const { wait = USUAL_COOLDOWN.firstMs, longest = USUAL_COOLDOWN.longestMs, retryAfter = USUAL_COOLDOWN.believedMs } = setAside;
  return { setAside: { firstMs: wait, longestMs: Math.max(wait, longest), believedMs: retryAfter } };
}

/** How calls are sent again to it. */
function retryOf({ retries }: ProviderSettings): Pick<Provider, 'retry'> {
  if (retries === undefined) return {};
  const written: RetrySettings = typeof retries === 'number' ? { times: retries } : retries;
  const { times, wait = USUAL_RETRY.firstMs, longest = USUAL_RETRY.longestMs } = written;
  const { retryAfter = USUAL_RETRY.askedMs, within = USUAL_RETRY.quickMs } = written;
  const rule: RetryRule = { firstMs: wait, longestMs: Math.max(wait, longest), askedMs: retryAfter, quickMs: within };
  return { retry: times === undefined ? rule : { ...rule, times } };
}

/**
 * Makes a provider of its configuration. `codecFacts` are a dialect's own facts, over the defaults and under the preset's.
 * Throws an `Error` for the operator, naming the setting and its usual variable, where something is missing or wrong.
 */
export function compileProvider(name: string, settings: ProviderSettings, codecFacts: CodecFacts): Provider {
  const { keys, ...rest } = settings;
  if (!keys) return compileOne(name, settings, codecFacts);
  checkKeys(name, settings, keys);
  const credentials = keys.map((share) => {
    const { value, weight = 1 } = share;
    const provider = limited(compileOne(name, { ...rest, key: value }, codecFacts), share);
    return { id: provider.credential, weight, provider };
  });
  const [first] = credentials;
  if (!first) throw new Error(`Provider '${name}': 'keys' holds no key`);
  return { ...first.provider, ...(credentials.length > 1 ? { credentials } : {}) };
}

type CodecFacts = (protocol: ProtocolId) => FactChanges;

function checkKeys(name: string, { key }: ProviderSettings, keys: readonly KeyShare[]): void {
  if (key !== undefined) throw new Error(`Provider '${name}': 'keys' and 'key' are both given, one of them is meant`);
  const values = keys.map(({ value }) => value.trim());
  if (values.includes('')) throw new Error(`Provider '${name}': 'keys' holds an empty value`);
  if (new Set(values).size < values.length) throw new Error(`Provider '${name}': 'keys' holds the same value twice`);
}

/** Another key, address or header is another credential: what is held against one is not held against the other. */
function credentialId(name: string, { preset, baseUrl, key, region, headers }: ProviderSettings): string {
  const digest = createHash('sha256').update(JSON.stringify([preset, baseUrl, key, region, headers]));
  return `${name}#${digest.digest('base64url').slice(0, 16)}`;
}

function compileOne(name: string, settings: ProviderSettings, codecFacts: CodecFacts): Provider {
  const preset = presetOf(name, settings);
  const wires = wantedWires(name, preset, settings);
  const values = valuesOf(name, preset, settings);
  const making: Making = { name, preset, settings, values, credential: { key: checkKey(name, preset, settings) } };
  const places = placesOf(name, preset, wires, settings, values);
  const compiled = new Map<ProtocolId, ProviderWire>();
  for (const [protocol, wire] of wires) {
    const place = places.get(protocol);
    if (place) compiled.set(protocol, compileWire(making, protocol, wire, place, codecFacts(protocol)));
  }
  const expose = settings.expose ?? ['*'];
  const listed = modelsPathOf(preset, values, compiled.values().next().value, name);
  return {
    name,
    preset,
    // Servers that only share a protocol open no seals of each other.
    maker: preset.sealMaker ?? (preset.origin === '' ? `${preset.id}:${name}` : preset.id),
    wires: compiled,
    media: withEmulated(making, compileMedia(making)),
    settings,
    values,
    credential: credentialId(name, settings),
    timeouts: { ...DEFAULT_TIMEOUTS, ...settings.timeouts },
    ...listed,
    ...minutesOf(name, settings),
    ...queueOf(settings),
    ...breakerOf(settings),
    ...setAsideOf(settings),
    ...retryOf(settings),
    ...checkOf(named(name, preset), settings, listed.modelsPath),
    exposes: remembered((model) => matchesAny(expose, model)),
    knows: remembered((model) => matchesAny(preset.knows, model)),
  };
}
