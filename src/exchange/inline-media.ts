import { type ChatRequest, type MediaPart, type Part, type TargetFacts } from '../ir/index.ts';
import type { MediaFetcher } from './ports.ts';

/** Media named by a URL that the target cannot fetch itself, and so must be brought along. */
function mustInline(part: MediaPart, facts: TargetFacts): boolean {
  return part.source.type === 'url' && facts.media[part.media] === 'bytes';
}

function* mediaOf(parts: readonly Part[]): Iterable<MediaPart> {
  for (const part of parts) {
    if (part.kind === 'media') yield part;
    else if (part.kind === 'tool-result') yield* mediaOf(part.content);
  }
}

async function inlinePart(part: MediaPart, path: string, fetcher: MediaFetcher, signal: AbortSignal): Promise<MediaPart> {
  if (part.source.type !== 'url') return part;
  const { data, mediaType } = await fetcher.fetch(part.source.url, path, signal);
  return {
    ...part,
    mediaType: mediaType === 'application/octet-stream' ? (part.mediaType ?? mediaType) : mediaType,
    source: { type: 'base64', data: data.toString('base64') },
  };
}

async function inlineParts(
  parts: readonly Part[],
  facts: TargetFacts,
  path: string,
  fetcher: MediaFetcher,
  signal: AbortSignal,
): Promise<readonly Part[]> {
  return Promise.all(
    parts.map(async (part, index): Promise<Part> => {
      const at = `${path}[${index}]`;
      if (part.kind === 'tool-result') return { ...part, content: await inlineParts(part.content, facts, at, fetcher, signal) };
      return part.kind === 'media' && mustInline(part, facts) ? inlinePart(part, at, fetcher, signal) : part;
    }),
  );
}

/** Whether anything must be fetched before the request can be written. */
export function needsInlining(request: ChatRequest, facts: TargetFacts): boolean {
  for (const turn of request.turns) for (const part of mediaOf(turn.parts)) if (mustInline(part, facts)) return true;
  return false;
}

/** The request with remote media fetched (through the egress guard) and put in as bytes. Throws `GatewayError` naming the part. */
export async function inlineMedia(
  request: ChatRequest,
  facts: TargetFacts,
  fetcher: MediaFetcher,
  signal: AbortSignal,
): Promise<ChatRequest> {
  const turns = await Promise.all(
    request.turns.map(async (turn, index) => ({
      ...turn,
      parts: await inlineParts(turn.parts, facts, `messages[${index}].content`, fetcher, signal),
    })),
  );
  return { ...request, turns };
}
