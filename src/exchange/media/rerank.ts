import type { Notes } from '../../ir/index.ts';
import type { EmbeddingInput } from '../../media/embeddings/shape.ts';
import { cosine } from '../../media/rerank/cosine.ts';
import { rerankCodecs } from '../../media/rerank/index.ts';
import { restFor } from '../../media/rerank/rest.ts';
import type { RerankReply, RerankRequest } from '../../media/rerank/shape.ts';
import { embed } from './embeddings.ts';
import type { MediaContext } from './media-exchange.ts';
import { codecOf, understood } from './whole.ts';
import type { Writing } from './writing.ts';

/** Asks the target's reranker. */
async function ask(context: MediaContext, request: RerankRequest): Promise<RerankReply> {
  const codec = codecOf(rerankCodecs, context);
  const answer = await context.ask(codec.encode(request, context.target), codec);
  const reply = understood(context, () => codec.decode(answer, request, context.target));
  context.count(reply.usage);
  return reply;
}

/** Embeddings know nothing of what rerankers may be told. */
function loseAll(request: RerankRequest, notes: Notes): void {
  restFor('embeddings', request, notes);
  if (request.maxTokensPerDocument !== undefined) notes.add('max_tokens_per_doc', 'dropped', 'the target has no such member');
}

/** Writes for a target what `rerank` would ask it, so that it is known what it refuses or loses. */
export function writeRerank(writing: Writing, request: RerankRequest): void {
  if (writing.media.by === 'embeddings') return loseAll(request, writing.notes);
  // Documents are all alike.
  codecOf(rerankCodecs, writing).encode({ ...request, documents: request.documents.slice(0, 1) }, writing.target);
}

/** Orders documents by how alike their embeddings are to the query's. */
async function compare(context: MediaContext, request: RerankRequest): Promise<RerankReply> {
  const { query, documents } = request;
  const { notes } = context;
  loseAll(request, notes);
  notes.add('model', 'emulated', 'no reranker was asked: scores are cosine similarities of embeddings');
  const inputs: readonly EmbeddingInput[] = [
    { content: { kind: 'text', text: query }, wish: { task: 'query' }, at: 'query' },
    ...documents.map(({ text }, index): EmbeddingInput => {
      return { content: { kind: 'text', text }, wish: { task: 'document' }, at: `documents[${index}]` };
    }),
  ];
  const names = { inputs: 'documents', task: 'model', title: 'model', dimensions: 'model' };
  const { vectors, ...reply } = await embed(context, { inputs, names, base64: false, implied: true });
  const [first = [], ...rest] = vectors;
  return { ...reply, emulated: true, results: rest.map((vector, index) => ({ index, score: cosine(first, vector) })) };
}

/** Asks the target to rerank; the best first, no more than were asked for. */
export async function rerank(context: MediaContext, request: RerankRequest): Promise<RerankReply> {
  const reply = await (context.media.by === 'embeddings' ? compare(context, request) : ask(context, request));
  const results = reply.results.toSorted((a, b) => b.score - a.score || a.index - b.index);
  return { ...reply, results: results.slice(0, request.topN ?? request.documents.length) };
}
