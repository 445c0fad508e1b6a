import type { Config } from './config/config.ts';
import { isLoopback } from './config/resolve.ts';
import type { Provider, ProviderSettings } from './presets/preset.ts';
import { compileProvider } from './presets/provider.ts';
import { codecFacts } from './protocols/index.ts';
import { keyHash } from './policy/key-hash.ts';
import { compileModels } from './policy/routes/route.ts';
import type { ClientKey, Snapshot } from './policy/snapshot.ts';

const SANDBOX: ProviderSettings = { preset: 'sandbox' };

/** Compiles a configuration into what decisions read. Throws where a provider cannot be made of its settings. */
export function compileSnapshot(config: Config, revision: number): Snapshot {
  const providers = new Map<string, Provider>();
  for (const [name, settings] of Object.entries(config.providers)) providers.set(name, compileProvider(name, settings, codecFacts));
  const wanted = config.sandbox === 'auto' ? isLoopback(config.server.host) : config.sandbox;
  if (wanted && !providers.has('sandbox')) providers.set('sandbox', compileProvider('sandbox', SANDBOX, codecFacts));
  const keys = new Map<string, ClientKey>();
  for (const { name, value, strict, models, routes } of config.keys) {
    const id = keyHash(value);
    const own = routes ? { routes: compileModels(routes) } : {};
    keys.set(id, { id, name, strict: strict ?? false, ...(models ? { models } : {}), ...own });
  }
  const { defaultModel } = config;
  return { revision, config, providers, keys, ...compileModels(config.models), ...(defaultModel === undefined ? {} : { defaultModel }) };
}
