import type { IncomingHttpHeaders } from 'node:http';
import type { OutHeaders } from '../../exchange/client-sink.ts';

/** What browser code may read of our replies. */
const EXPOSED =
  'x-request-id, x-pailou-request-id, x-pailou-served-by, x-pailou-attempts, x-pailou-overhead-ms, x-pailou-notes, x-pailou-count, x-pailou-cache, age, idempotent-replayed, retry-after, request-id';

function allowedOrigin(origin: string, allowed: readonly string[]): string | undefined {
  if (allowed.includes('*')) return '*';
  return allowed.includes(origin) ? origin : undefined;
}

/** Headers that let a browser's page read a reply; none without an `Origin`. Keys travel in headers, never in cookies, so any page may be allowed. */
export function corsHeaders(headers: IncomingHttpHeaders, allowed: readonly string[]): OutHeaders {
  const { origin } = headers;
  const granted = origin === undefined ? undefined : allowedOrigin(origin, allowed);
  if (granted === undefined) return {};
  return {
    'access-control-allow-origin': granted,
    'access-control-expose-headers': EXPOSED,
    ...(granted === '*' ? {} : { vary: 'origin' }),
  };
}

/** The answer to a preflight. */
export function preflightHeaders(headers: IncomingHttpHeaders, allowed: readonly string[]): OutHeaders {
  const asked = headers['access-control-request-headers'];
  return {
    ...corsHeaders(headers, allowed),
    'access-control-allow-methods': 'GET, POST, DELETE, OPTIONS, HEAD',
    'access-control-allow-headers':
      typeof asked === 'string' && /^[\w\-, ]{0,2000}$/.test(asked) ? asked : 'authorization, content-type, x-api-key',
    'access-control-max-age': '86400',
  };
}
