import { jsonBody, type WholeCodec } from '../codec.ts';
import { restFor } from './rest.ts';
import { readReply } from './results.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

/** Cohere's rerankers on Amazon Bedrock. https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-cohere-rerank.html */
export const bedrockRerank: WholeCodec<RerankRequest, RerankReply> = {
  id: 'bedrock',
  encode(request, { model, notes }) {
    const { query, documents, topN, maxTokensPerDocument } = request;
    restFor('bedrock', request, notes);
    return {
      path: `/model/${encodeURIComponent(model)}/invoke`,
      body: jsonBody({
        api_version: 2,
        query,
        documents: documents.map(({ text }) => text),
        ...(topN === undefined ? {} : { top_n: topN }),
        ...(maxTokensPerDocument === undefined ? {} : { max_tokens_per_doc: maxTokensPerDocument }),
      }),
    };
  },
  decode: readReply,
};
