import { catalogue } from './compile-snapshot.ts';
import { type KeptLists, listOf } from './model-lists.ts';
import type { Provider } from './presets/preset.ts';
import { sandboxModels } from './sandbox/sandbox-models.ts';

/** The ids of a provider's models as far as they are known: of its own list where it gave one, else of what ships. */
export function knownIds(provider: Provider, lists: KeptLists): readonly string[] {
  if (provider.preset.id === 'sandbox') return sandboxModels.map(({ id }) => id.slice(id.indexOf('/') + 1));
  const own = listOf(lists, provider);
  return own ? [...own.models.keys()] : catalogue.ids(provider);
}
