import type { KeptLists } from './model-lists.ts';
import { listOf, placeOf } from './model-lists.ts';
import type { Said } from './policy/models/model-facts.ts';
import type { Snapshot } from './policy/snapshot.ts';
import type { Provider } from './presets/preset.ts';

/** Asks a provider for its list, by its own ids; nothing where it did not give one. */
export type AskList = (provider: Provider) => Promise<ReadonlyMap<string, Said>>;

/** What came of asking one provider. */
export interface SyncedProvider {
  readonly provider: string;
  /** It gave a list. */
  readonly ok: boolean;
  readonly models: number;
  /** Since the time before; of a first list nothing is new. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** What came of asking all. */
export interface Synced {
  readonly lists: KeptLists;
  readonly providers: readonly SyncedProvider[];
}

/** Asks providers for their lists, side by side, and nobody else. One that gives none keeps what it gave before; lists of providers that are gone go. */
export async function syncModels(
  { providers }: Pick<Snapshot, 'providers'>,
  before: KeptLists,
  ask: AskList,
  now: number,
  isAsked: (name: string) => boolean = () => true,
): Promise<Synced> {
  const lists = new Map([...before].filter(([name]) => providers.has(name)));
  const asked = [...providers.values()].filter((one) => one.preset.models !== undefined && isAsked(one.name));
  const answers = await Promise.all(asked.map(async (provider) => [provider, await ask(provider)] as const));
  const outcomes = answers.map(([provider, models]): SyncedProvider => {
    const kept = listOf(before, provider)?.models;
    if (models.size === 0) return { provider: provider.name, ok: false, models: kept?.size ?? 0, added: [], removed: [] };
    lists.set(provider.name, { place: placeOf(provider), at: now, models });
    return {
      provider: provider.name,
      ok: true,
      models: models.size,
      added: kept ? [...models.keys()].filter((id) => !kept.has(id)) : [],
      removed: kept ? [...kept.keys()].filter((id) => !models.has(id)) : [],
    };
  });
  return { lists, providers: outcomes };
}
