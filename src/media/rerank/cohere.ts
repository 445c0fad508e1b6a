import { isObject, parseObject } from '../../ir/index.ts';
import { jsonBody, type WholeCodec } from '../codec.ts';
import { readResults } from './results.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

/** Cohere's API v2. https://docs.cohere.com/reference/rerank */
export const cohereRerank: WholeCodec<RerankRequest, RerankReply> = {
  id: 'cohere',
  encode({ query, documents, topN, maxTokensPerDocument }, { model }) {
    return {
      path: '/rerank',
      body: jsonBody({
        model,
        query,
        documents: documents.map(({ text }) => text),
        ...(topN === undefined ? {} : { top_n: topN }),
        ...(maxTokensPerDocument === undefined ? {} : { max_tokens_per_doc: maxTokensPerDocument }),
      }),
    };
  },
  decode({ body }) {
    const reply = parseObject(body.toString('utf8')) ?? {};
    const meta = isObject(reply['meta']) ? reply['meta'] : {};
    const billed = isObject(meta['billed_units']) ? meta['billed_units'] : {};
    const units = billed['search_units'];
    return {
      results: readResults(reply['results'], 'relevance_score'),
      ...(typeof reply['id'] === 'string' ? { id: reply['id'] } : {}),
      ...(typeof units === 'number' ? { searchUnits: units } : {}),
    };
  },
};
