import { jsonBody, type WholeCodec } from '../codec.ts';
import { restFor } from './rest.ts';
import { readReply } from './results.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

/** Cohere's API v2. https://docs.cohere.com/reference/rerank */
export const cohereRerank: WholeCodec<RerankRequest, RerankReply> = {
  id: 'cohere',
  encode(request, { model, notes }) {
    const { query, documents, topN, maxTokensPerDocument } = request;
    return {
      path: '/rerank',
      body: jsonBody({
        ...restFor('cohere', request, notes),
        model,
        query,
        documents: documents.map(({ text }) => text),
        ...(topN === undefined ? {} : { top_n: topN }),
        ...(maxTokensPerDocument === undefined ? {} : { max_tokens_per_doc: maxTokensPerDocument }),
      }),
    };
  },
  decode: readReply,
};
