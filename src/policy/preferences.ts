import type { Provider } from '../presets/preset.ts';
import type { MaxPrice } from './models/price.ts';

/** What a caller says of providers, in OpenRouter's words (`provider` in a body). */
export interface Preferences {
  readonly order?: readonly string[];
  readonly only?: readonly string[];
  readonly ignore?: readonly string[];
  /** The quickest first token, the most tokens a second, or the lowest price first. */
  readonly sort?: 'latency' | 'throughput' | 'price';
  /** What costs more, or may, is out. */
  readonly maxPrice?: MaxPrice;
  /** Nothing that was asked for may be lost: targets that lack any of it are out, alone or not. */
  readonly requireParameters?: boolean;
  /** `false`: the first one or none. */
  readonly allowFallbacks?: boolean;
  /** `deny`: only providers that the operator says keep nothing. */
  readonly dataCollection?: 'allow' | 'deny';
}

/** Whether a provider is meant: by its name here, or by its kind; `deepinfra/turbo` is `deepinfra`. */
function isMeant(provider: Provider, names: readonly string[]): boolean {
  return placeOf(provider, names) >= 0;
}

function placeOf(provider: Provider, names: readonly string[]): number {
  const own = new Set([provider.name.toLowerCase(), provider.preset.id]);
  return names.findIndex((name) => own.has((name.split('/', 1)[0] ?? '').toLowerCase()));
}

/** A provider that understands these words itself is told them, and chooses among its own. */
export const choosesItself = (provider: Provider): boolean => provider.preset.readsPreferences === true;

/** Why a caller does not want a provider; `undefined` when it does. */
export function unwanted(provider: Provider, wants: Preferences): 'provider_filter' | 'data_retention' | undefined {
  if (choosesItself(provider)) return undefined;
  if (wants.only && !isMeant(provider, wants.only)) return 'provider_filter';
  if (wants.ignore && isMeant(provider, wants.ignore)) return 'provider_filter';
  if (wants.dataCollection === 'deny' && provider.settings.dataCollection !== 'deny') return 'data_retention';
  return undefined;
}

/** Where in the caller's order a provider stands; those that are not named come last. */
export function rankOf(provider: Provider, wants: Preferences): number {
  const place = wants.order ? placeOf(provider, wants.order) : -1;
  return place < 0 ? Number.MAX_SAFE_INTEGER : place;
}
