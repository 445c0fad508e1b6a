import type { RerankReply, RerankRequest } from '../../media/rerank/shape.ts';
import { rerankCodecs } from '../../media/rerank/index.ts';
import type { MediaContext } from './media-exchange.ts';
import { codecOf, understood } from './whole.ts';

/** Asks the target to rerank; the best first, no more than were asked for. */
export async function rerank(context: MediaContext, request: RerankRequest): Promise<RerankReply> {
  const codec = codecOf(rerankCodecs, context);
  const answer = await context.ask(codec.encode(request, context.target), codec);
  const reply = understood(context, () => codec.decode(answer, request, context.target));
  context.count(reply.usage);
  const results = reply.results.toSorted((a, b) => b.score - a.score).slice(0, request.topN ?? request.documents.length);
  return { ...reply, results };
}
