import { createHash } from 'node:crypto';
import type { Config } from './config/config.ts';
import { isLoopback } from './config/resolve.ts';
import type { Provider, ProviderSettings } from './presets/preset.ts';
import { compileProvider } from './presets/provider.ts';
import { codecFacts } from './protocols/index.ts';
import { type KeptLists, listOf } from './model-lists.ts';
import { keyHash } from './policy/key-hash.ts';
import { createFacts } from './policy/models/model-facts.ts';
import { createCatalogue } from './presets/catalogue.ts';
import { ruleOf } from './policy/rules.ts';
import { compileModels } from './policy/routes/route.ts';
import type { ClientKey, Snapshot } from './policy/snapshot.ts';

/** What it is sent goes nowhere. */
const SANDBOX: ProviderSettings = { preset: 'sandbox', dataCollection: 'deny' };

/** Members of a provider's settings that hold secrets, none of which changes where calls go. */
const SECRETS = ['key', 'keys', 'headers'] as const;

/** Of all that is configured and decides where calls go. */
function fingerprintOf({ providers, models, defaultModel, keys, sandbox, money }: Config, lists: KeptLists): string {
  const said = JSON.stringify([
    Object.entries(providers).map(([name, settings]) => [name, { ...settings, ...Object.fromEntries(SECRETS.map((one) => [one, null])) }]),
    Object.entries(models),
    defaultModel,
    keys.map(({ name, models: may, routes, ...rest }) => [name, may, routes && Object.entries(routes), ruleOf(rest).rule]),
    sandbox,
    money,
    [...lists].map(([name, { place, at }]) => [name, place, at]),
  ]);
  return createHash('sha256').update(said).digest('base64url').slice(0, 12);
}

/** One for the process: what ships does not change. */
export const catalogue = createCatalogue();

const NO_LISTS: KeptLists = new Map();

/** A snapshot that knows what providers' own lists say. All else stays as it is. */
export function withLists(snapshot: Snapshot, lists: KeptLists, revision: number): Snapshot {
  const { config, providers } = snapshot;
  // Found once: calls by bare ids ask for it.
  const said = new Map([...providers.values()].map((provider) => [provider.name, listOf(lists, provider)?.models]));
  const facts = createFacts({ catalogue: catalogue.said, listOf: ({ name }) => said.get(name), ...config.money });
  return { ...snapshot, revision, fingerprint: fingerprintOf(config, lists), facts };
}

/** Compiles a configuration into what decisions read. Throws where a provider cannot be made of its settings. */
export function compileSnapshot(config: Config, revision: number, lists = NO_LISTS): Snapshot {
  const providers = new Map<string, Provider>();
  for (const [name, settings] of Object.entries(config.providers)) providers.set(name, compileProvider(name, settings, codecFacts));
  const wanted = config.sandbox === 'auto' ? isLoopback(config.server.host) : config.sandbox;
  if (wanted && !providers.has('sandbox')) providers.set('sandbox', compileProvider('sandbox', SANDBOX, codecFacts));
  const keys = new Map<string, ClientKey>();
  for (const { name, value, strict, models, routes, ...rest } of config.keys) {
    const id = keyHash(value);
    const own = routes ? { routes: compileModels(routes) } : {};
    keys.set(id, { id, name, strict: strict ?? false, ...(models ? { models } : {}), ...ruleOf(rest), ...own });
  }
  const { defaultModel } = config;
  const made: Snapshot = {
    revision,
    fingerprint: '',
    config,
    providers,
    keys,
    ...compileModels(config.models),
    ...(defaultModel === undefined ? {} : { defaultModel }),
  };
  return withLists(made, lists, revision);
}
