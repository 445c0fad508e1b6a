import { createHash } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { ChatRequest, JsonObject, Part, Turn } from '../../ir/index.ts';
import { matchesAny } from '../../policy/glob.ts';
import type { CachedRoute } from '../../policy/routes/cached-route.ts';
import type { Call } from '../call.ts';

/** Values in a dialect's own words, and JSON Schemas: the order of their members may matter to a model, so it is kept. */
const AS_WRITTEN: ReadonlySet<string> = new Set([
  'parameters',
  'schema',
  'format',
  'residue',
  'native',
  'json',
  'value',
  'userLocation',
  'unknown',
]);

/** Members of a request that say how an answer is written, who it is for, and where it is kept: no model sees them. */
const UNSEEN: ReadonlySet<string> = new Set(['model', 'stream', 'includeUsage', 'user', 'metadata', 'store', 'promptCacheKey']);

/** The same, of members that only one dialect has: who it is for, and how long a provider's own cache keeps it. */
const UNSEEN_ELSEWHERE: ReadonlySet<string> = new Set(['safety_identifier', 'session_id', 'client_metadata', 'prompt_cache_retention']);

/** Marks for a provider's own cache: they change what an answer costs, not the answer. */
const MARK = 'cache';

/** The same value with the members of our own objects in one order, whichever decoder made them. */
function ordered(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([name, member]) => name !== MARK && member !== undefined);
  members.sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, AS_WRITTEN.has(name) ? member : ordered(member)]));
}

/** Results of tools, each in a turn of its own, as some dialects have it; in others they stand together, with what is said beside them. */
function apart(turn: Turn): readonly Turn[] {
  const { parts } = turn;
  if (turn.residue || parts.length < 2 || !parts.some(({ kind }) => kind === 'tool-result')) return [turn];
  const groups: Part[][] = [];
  for (const part of parts) {
    const last = groups.at(-1);
    if (last && part.kind !== 'tool-result' && last[0]?.kind !== 'tool-result') last.push(part);
    else groups.push([part]);
  }
  return groups.map((group) => ({ ...turn, parts: group }));
}

/** What a request asks for, without how its answer is to be written, and without what no model sees. */
function asked(request: ChatRequest): unknown {
  const { instructions, turns, n, residue, ...rest } = request;
  const unknown = Object.entries(residue ?? {}).flatMap(([dialect, members]) => {
    const left = Object.entries(members).filter(([name]) => !UNSEEN_ELSEWHERE.has(name));
    return left.length > 0 ? [[dialect, Object.fromEntries(left)]] : [];
  });
  // Dialects differ in where instructions stand: before the turns, or as the first of them.
  const first: readonly Turn[] = instructions.length > 0 ? [{ role: 'system', parts: instructions }] : [];
  const seen = Object.fromEntries(Object.entries(rest).filter(([name]) => !UNSEEN.has(name)));
  return ordered({ ...seen, unknown, turns: [...first, ...turns].flatMap(apart), ...(n === undefined || n === 1 ? {} : { n }) });
}

/** Names of headers in which a dialect's clients ask for something; versions of which there is only one are no wish. */
const isWish = (name: string): boolean => (name.startsWith('anthropic-') && name !== 'anthropic-version') || name === 'openai-beta';

/** Headers that may change what an answer is, by the dialect that knows them. */
function wishesIn(headers: IncomingHttpHeaders, client: string): readonly string[] {
  const wishes: string[] = [];
  for (const name in headers) {
    const value = isWish(name) ? headers[name] : undefined;
    if (typeof value === 'string') wishes.push(`${client} ${name}: ${value}`);
  }
  return wishes.toSorted();
}

/** Of bodies besides chat: the route says the model, and who it is for changes no answer. */
const BESIDE: ReadonlySet<string> = new Set(['model', 'user']);

/** What a body asks for, besides chat, in whatever order its members stand. */
export const askedIn = (body: JsonObject): unknown =>
  Object.entries(body)
    .filter(([name, value]) => !BESIDE.has(name) && value !== null)
    .toSorted(([a], [b]) => (a < b ? -1 : 1));

/** Who asks where, as far as an answer depends on it. */
type Asker = Pick<Call, 'snapshot' | 'key' | 'strict' | 'headers' | 'client'> & { readonly routing?: Call['routing'] };

/**
 * What of a key says where its calls may go: its rule, and which of the other names that a body brings it may use. Keys share answers,
 * but none is given what a provider that it must not use has made.
 */
function boundsOf({ rule, models }: Asker['key'], routing: Asker['routing']): unknown {
  const regions = rule?.regions ? [...new Set(rule.regions)].toSorted() : null;
  const names = routing?.asks.models?.filter((name) => models === undefined || matchesAny(models, name)) ?? null;
  return [regions, rule?.dataCollection === 'deny', names];
}

/** A whole SHA-256 of who asks, where, and for what (`meaning`, JSON). Equal ones get equal answers. */
export function answerKey({ snapshot, key, strict, headers, client, routing }: Asker, route: CachedRoute, meaning: unknown): string {
  const owner = route.shared ? null : key.id;
  // Answers of another configuration are not given again, unless all that matters to where calls go is as it was.
  const asks = [routing?.asks ?? null, routing?.provider ?? null];
  const where = [snapshot.fingerprint, route.name, owner, boundsOf(key, routing), strict, ...asks];
  return createHash('sha256')
    .update(JSON.stringify([...where, wishesIn(headers, client.id)]))
    .update('\n')
    .update(JSON.stringify(meaning))
    .digest('base64url');
}

/** The key of a chat call: the same in every protocol that says the same. */
export const chatKey = (call: Call, route: CachedRoute, request: ChatRequest): string => answerKey(call, route, asked(request));
