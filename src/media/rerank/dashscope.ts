import { jsonBody, type WholeCodec } from '../codec.ts';
import { restFor } from './rest.ts';
import { readReply } from './results.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

/** DashScope's own. https://www.alibabacloud.com/help/en/model-studio/text-rerank-api */
export const dashscopeRerank: WholeCodec<RerankRequest, RerankReply> = {
  id: 'dashscope',
  encode(request, { model, notes }) {
    const { query, documents, topN, maxTokensPerDocument } = request;
    restFor('dashscope', request, notes);
    if (maxTokensPerDocument !== undefined) notes.add('max_tokens_per_doc', 'dropped', 'the target has no such member');
    return {
      path: '/services/rerank/text-rerank/text-rerank',
      body: jsonBody({
        model,
        input: { query, documents: documents.map(({ text }) => text) },
        parameters: { return_documents: false, ...(topN === undefined ? {} : { top_n: topN }) },
      }),
    };
  },
  decode: readReply,
};
