import type { IncomingHttpHeaders } from 'node:http';
import { keyHash } from '../../policy/key-hash.ts';
import type { ClientKey, Snapshot } from '../../policy/snapshot.ts';

function* presented(headers: IncomingHttpHeaders, query: URLSearchParams): Iterable<string> {
  const { authorization } = headers;
  if (authorization && /^bearer /i.test(authorization)) yield authorization.slice(7).trim();
  for (const name of ['x-api-key', 'x-goog-api-key', 'api-key']) {
    const value = headers[name];
    if (typeof value === 'string' && value !== '') yield value.trim();
  }
  const inQuery = query.get('key');
  if (inQuery) yield inQuery;
}

/**
 * The key of a call, taken from any of the five places where clients put one (they mix them); the first that is known
 * counts. `missing` and `unknown` are told apart only by the words of the 401.
 */
export function authenticate(snapshot: Snapshot, headers: IncomingHttpHeaders, query: URLSearchParams): ClientKey | 'missing' | 'unknown' {
  let any = false;
  for (const value of presented(headers, query)) {
    any = true;
    const key = snapshot.keys.get(keyHash(value));
    if (key) return key;
  }
  return any ? 'unknown' : 'missing';
}

/** Why a caller is not let in. */
export const UNAUTHENTICATED: Record<'missing' | 'unknown', string> = {
  missing: 'No API key was given. Send it as Authorization: Bearer, x-api-key, x-goog-api-key, api-key or ?key=',
  unknown: 'The API key is not known here. Check it against the keys of this server',
};
