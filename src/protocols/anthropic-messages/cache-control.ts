import { type CacheMark, isObject, type Json, type JsonObject } from '../../ir/index.ts';
import { memberPath, optionalObject, optionalString } from '../../wire/fields.ts';

/** How many cache breakpoints a request may have. https://docs.claude.com/en/docs/build-with-claude/prompt-caching */
export const MAX_CACHE_MARKS = 4;

/** The mark on a client's object, if it has one. */
export function readCacheControl(from: JsonObject, at: string): { readonly cache?: CacheMark } {
  const control = optionalObject(from, 'cache_control', at);
  if (!control) return {};
  const ttl = optionalString(control, 'ttl', memberPath(at, 'cache_control'));
  return { cache: ttl === undefined ? {} : { ttl } };
}

/** The mark as this dialect writes it. */
export const cacheControl = (cache: CacheMark | undefined): { readonly cache_control?: JsonObject } =>
  cache ? { cache_control: { type: 'ephemeral', ...(cache.ttl === undefined ? {} : { ttl: cache.ttl }) } } : {};

/** Where marks stand, in the order in which the prefix is cached: tools, system, messages, the whole request last. */
const MARKED = ['tools', 'system', 'messages'] as const;

function countMarks(value: Json | undefined): number {
  if (Array.isArray(value)) return (value as readonly Json[]).reduce<number>((sum, item) => sum + countMarks(item), 0);
  if (!isObject(value)) return 0;
  const inside = Array.isArray(value['content']) ? countMarks(value['content']) : 0;
  return inside + (value['cache_control'] ? 1 : 0);
}

/** The value without its first `state.excess` marks. */
function stripMarks(value: Json, state: { excess: number }): Json {
  if (state.excess === 0) return value;
  if (Array.isArray(value)) return (value as readonly Json[]).map((item) => stripMarks(item, state));
  if (!isObject(value)) return value;
  const content = value['content'];
  const out = Array.isArray(content) ? { ...value, content: stripMarks(content, state) } : value;
  if (!out['cache_control'] || state.excess === 0) return out;
  state.excess--;
  const { cache_control: _mark, ...rest } = out;
  return rest;
}

/** The body with its last `keep` cache marks; `stripped` says how many went. The earliest go: a later one covers their prefix. */
export function limitCacheMarks(body: JsonObject, keep: number): { readonly body: JsonObject; readonly stripped: number } {
  const whole = body['cache_control'] ? 1 : 0;
  const total = whole + MARKED.reduce((sum, key) => sum + countMarks(body[key]), 0);
  if (total <= keep) return { body, stripped: 0 };
  const state = { excess: total - keep };
  const out: Record<string, Json | undefined> = { ...body };
  for (const key of MARKED) {
    const value = body[key];
    if (value !== undefined) out[key] = stripMarks(value, state);
  }
  if (state.excess > 0) delete out['cache_control'];
  return { body: out, stripped: total - keep };
}
