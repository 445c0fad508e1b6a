import type { ClientKey, Snapshot } from '../snapshot.ts';
import { type Meaning, meaningOf } from './expand.ts';
import { matchesAny } from '../glob.ts';
import type { CacheRule } from './route.ts';

/** The route of a call whose answers are kept. */
export interface CachedRoute extends CacheRule {
  /** Calls of one name go the same way: the route, and what its pattern's stars stood for. */
  readonly name: string;
}

/** Names that stand for names, one after another, at most. */
const MAX_HOPS = 10;

const ruleOf = ({ target, stars }: Meaning, ofKey: boolean): CachedRoute | undefined => {
  if (typeof target === 'string' || !target.cache) return undefined;
  // A key's own route is nobody else's, whatever it is called.
  const shared = target.cache.shared && !ofKey;
  return { ttlMs: target.cache.ttlMs, shared, name: JSON.stringify([ofKey, target.name, ...stars]) };
};

/** The route that a name leads to, if answers of it are kept; `undefined` for all others, and for a name that the key may not use. */
export function cachedRoute(
  snapshot: Snapshot,
  { model, platform, key }: { readonly model: string; readonly platform?: string; readonly key: ClientKey },
): CachedRoute | undefined {
  const { routes, models } = key;
  if (snapshot.keepsAnswers !== true && routes?.keepsAnswers !== true) return undefined;
  if (platform !== undefined || (models && !matchesAny(models, model))) return undefined;
  const own = routes && meaningOf(routes, model);
  if (own && typeof own.target !== 'string') return ruleOf(own, true);
  let meaning = meaningOf(snapshot, own ? (own.target as string) : model);
  for (let hop = 0; meaning && typeof meaning.target === 'string' && hop < MAX_HOPS; hop++) meaning = meaningOf(snapshot, meaning.target);
  return meaning && ruleOf(meaning, false);
}
