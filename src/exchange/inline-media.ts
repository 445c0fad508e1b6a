import { type ChatRequest, GatewayError, gatewayFault, type MediaPart, type Part, type ProtocolId, type TargetFacts } from '../ir/index.ts';
import type { MediaFetcher } from './ports.ts';

/** Files fetched at once, and bytes of all of them together. */
const AT_ONCE = 6;
const MAX_BYTES = 64 * 1024 * 1024;

type Fetched = Awaited<ReturnType<MediaFetcher['fetch']>>;

/** Media named by a URL that the target cannot fetch itself, and so must be brought along. */
function mustInline(part: MediaPart, facts: TargetFacts): part is MediaPart & { readonly source: { readonly type: 'url' } } {
  return part.source.type === 'url' && facts.media[part.media] === 'bytes';
}

/** Where a dialect's messages stand in its body. */
const PLACES: Readonly<Record<ProtocolId, readonly [string, string]>> = {
  'openai-chat': ['messages', 'content'],
  'openai-responses': ['input', 'content'],
  'anthropic-messages': ['messages', 'content'],
  gemini: ['contents', 'parts'],
  'openai-completions': ['prompt', 'content'],
  'bedrock-converse': ['messages', 'content'],
};

/** Remote media of parts with the path of each. */
function* remoteIn(parts: readonly Part[], path: string, facts: TargetFacts): Iterable<{ readonly url: string; readonly path: string }> {
  for (const [index, part] of parts.entries()) {
    const at = `${path}[${index}]`;
    if (part.kind === 'media' && mustInline(part, facts)) yield { url: part.source.url, path: at };
    else if (part.kind === 'tool-result') yield* remoteIn(part.content, at, facts);
  }
}

function* remoteMedia(
  request: ChatRequest,
  client: ProtocolId,
  facts: TargetFacts,
): Iterable<{ readonly url: string; readonly path: string }> {
  const [turns, content] = PLACES[client];
  for (const [index, turn] of request.turns.entries()) yield* remoteIn(turn.parts, `${turns}[${index}].${content}`, facts);
}

/** Whether anything must be fetched before the request can be written. */
export function needsInlining(request: ChatRequest, facts: TargetFacts): boolean {
  for (const _ of remoteMedia(request, 'openai-chat', facts)) return true;
  return false;
}

/** Fetches each address once, a few at a time. */
async function fetchAll(
  wanted: ReadonlyMap<string, string>,
  fetcher: MediaFetcher,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, Fetched>> {
  const found = new Map<string, Fetched>();
  const queue = wanted.entries();
  let bytes = 0;
  const work = async (): Promise<void> => {
    for (const [url, path] of queue) {
      const got = await fetcher.fetch(url, path, signal);
      bytes += got.data.length;
      if (bytes > MAX_BYTES) {
        const message = `The files that the request names are larger than ${MAX_BYTES / 1024 / 1024} MiB together`;
        throw new GatewayError(gatewayFault('too_large', message, { param: path, code: 'media_too_large' }));
      }
      found.set(url, got);
    }
  };
  await Promise.all(Array.from({ length: Math.min(AT_ONCE, wanted.size) }, work));
  return found;
}

function withBytes(part: Part, facts: TargetFacts, found: ReadonlyMap<string, Fetched>): Part {
  if (part.kind === 'tool-result') return { ...part, content: part.content.map((inner) => withBytes(inner, facts, found)) };
  const got = part.kind === 'media' && mustInline(part, facts) ? found.get(part.source.url) : undefined;
  if (!got || part.kind !== 'media') return part;
  const { data, mediaType } = got;
  return {
    ...part,
    mediaType: mediaType === 'application/octet-stream' ? (part.mediaType ?? mediaType) : mediaType,
    source: { type: 'base64', data: data.toString('base64') },
  };
}

/** The request with remote media fetched (through the egress guard) and put in as bytes. Throws `GatewayError` naming the part. */
export async function inlineMedia(
  request: ChatRequest,
  facts: TargetFacts,
  client: ProtocolId,
  fetcher: MediaFetcher,
  signal: AbortSignal,
): Promise<ChatRequest> {
  const wanted = new Map<string, string>();
  for (const { url, path } of remoteMedia(request, client, facts)) if (!wanted.has(url)) wanted.set(url, path);
  const found = await fetchAll(wanted, fetcher, signal);
  const turns = request.turns.map((turn) => ({ ...turn, parts: turn.parts.map((part) => withBytes(part, facts, found)) }));
  return { ...request, turns };
}
