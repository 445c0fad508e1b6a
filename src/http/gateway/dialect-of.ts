import type { ProtocolId } from '../../ir/index.ts';
import { type Dialect, geminiOperation, type Operation } from './endpoints.ts';
import { beginningOf, type ParsedPath } from './paths.ts';

/** First words of endpoints that only one vendor's clients call. */
const WORDS: ReadonlyMap<string, ProtocolId> = new Map([
  ['messages', 'anthropic-messages'],
  ['responses', 'openai-responses'],
]);

/** Versions of paths that only one vendor's clients call. */
const VERSIONS: ReadonlyMap<string, Dialect> = new Map<string, Dialect>([
  ['v1beta', { protocol: 'gemini' }],
  ['v1beta1', { protocol: 'gemini' }],
  ['v2', { protocol: 'openai-chat', shape: 'cohere' }],
]);

const isGoogle = (headers: Readonly<Record<string, unknown>>, query: URLSearchParams): boolean =>
  headers['x-goog-api-key'] !== undefined || headers['x-goog-api-client'] !== undefined || query.has('key');

/**
 * In whose words a client is answered: in those of what it asks for, and where that does not say, by what only one vendor's clients
 * send. `path`: `undefined` where `target`, which it was read from, cannot be read; what of it can be says who asked all the same.
 */
export function dialectOf(
  operation: Operation,
  path: ParsedPath | undefined,
  target: string,
  headers: Readonly<Record<string, unknown>>,
): Dialect {
  if ('protocol' in operation && operation.protocol !== undefined) return operation as Dialect;
  if (headers['anthropic-version'] !== undefined) return { protocol: 'anthropic-messages' };
  const { endpoint, query, version = '' } = path ?? beginningOf(target);
  const word = WORDS.get(endpoint.split('/', 1)[0] ?? '');
  if (word) return { protocol: word };
  const known = VERSIONS.get(version);
  if (known) return known;
  const asksGemini = isGoogle(headers, query) || (!path && geminiOperation(endpoint, query) !== undefined);
  return { protocol: asksGemini ? 'gemini' : 'openai-chat' };
}
