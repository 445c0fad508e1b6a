import { type CacheMark, type JsonObject } from '../../ir/index.ts';
import { memberPath, optionalObject, optionalString } from '../../wire/fields.ts';

/** Reads `cache_control` (`{type: "ephemeral", ttl?}`), as OpenRouter and others take it on parts, tools and messages. */
export function readCache(from: JsonObject, at: string): CacheMark | undefined {
  const control = optionalObject(from, 'cache_control', at);
  if (!control) return undefined;
  const ttl = optionalString(control, 'ttl', memberPath(at, 'cache_control'));
  return ttl === undefined ? {} : { ttl };
}

/** The member to spread; nothing when there is no mark. */
export const cacheControl = (mark: CacheMark | undefined): JsonObject =>
  mark ? { cache_control: { type: 'ephemeral', ...(mark.ttl === undefined ? {} : { ttl: mark.ttl }) } } : {};
