import { createCollector, GatewayError, gatewayFault, isObject, type JsonObject, type Reply } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { createChunkReader } from './chunk-reader.ts';
import { objects } from './dialect.ts';
import { decodeErrorObject, isError } from './faults.ts';

/**
 * Reads a whole reply: the one response, or `{chunks: […]}` of a stream that came as a JSON array. Throws `GatewayError` when
 * the body is an error, or is no reply. One response reads as a stream of one chunk, so both forms mean the same.
 */
export function decodeReply(body: JsonObject, context: SourceContext): Reply {
  const collector = createCollector();
  const reader = createChunkReader(context, (event) => collector.event(event));
  for (const chunk of Array.isArray(body['chunks']) ? objects(body['chunks']) : [body]) {
    if (isError(chunk)) throw new GatewayError(decodeErrorObject(chunk));
    if (isObject(chunk)) reader.chunk(chunk);
  }
  if (!reader.hasBegun()) {
    throw new GatewayError(
      gatewayFault('upstream', 'The upstream answered with something that is no generated content', { code: 'upstream_bad_reply' }),
    );
  }
  reader.end();
  return collector.result().reply;
}
