import { type ChatRequest, type JsonObject, wordTable } from '../ir/index.ts';
import type { TargetContext } from './protocol.ts';

/** Whose a request is and what it is filed under, as both of OpenAI's protocols say it. */

/** Other dialects' words for tiers. */
const TIERS: Readonly<Record<string, string>> = wordTable({
  default: 'default',
  standard_only: 'default',
  standard: 'default',
  flex: 'flex',
  priority: 'priority',
});

/** How one of the two protocols differs. */
export interface Account {
  /** The protocol as notes name it. */
  readonly wire: string;
  /** `store` as it is written; `undefined`: left out. */
  readonly store: boolean | undefined;
}

/** Writes `user`, `metadata`, `service_tier`, `store` and `prompt_cache_key`; what the target does not take is noted. */
export function encodeAccount(request: ChatRequest, own: boolean, { facts, notes }: TargetContext, { wire, store }: Account): JsonObject {
  const { user, metadata, serviceTier, promptCacheKey } = request;
  const takes = own || facts.metadata;
  if (user !== undefined && !takes) notes.add('user', 'dropped', 'the target does not take it');
  // `metadata` goes with stored answers, and those are kept by whoever the client speaks to.
  if (metadata && !own && Object.keys(metadata).length > 0) notes.add('metadata', 'dropped', `${wire} takes it with stored answers only`);
  const tier = serviceTier === undefined || own ? serviceTier : TIERS[serviceTier];
  if (serviceTier !== undefined && serviceTier !== 'auto' && tier === undefined)
    notes.add('service_tier', 'dropped', `${wire} has no tier '${serviceTier}'`);
  const keyed = own || facts.chatFields?.includes('prompt_cache_key');
  if (promptCacheKey !== undefined && !keyed) notes.add('prompt_cache_key', 'dropped', 'the target does not take it');
  return {
    ...(user !== undefined && takes ? { user } : {}),
    ...(metadata && own ? { metadata } : {}),
    ...(tier === undefined ? {} : { service_tier: tier }),
    ...(store === undefined ? {} : { store }),
    ...(promptCacheKey !== undefined && keyed ? { prompt_cache_key: promptCacheKey } : {}),
  };
}
