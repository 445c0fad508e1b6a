import { jsonBody, type MediaTarget, type WholeCodec } from '../codec.ts';
import { restFor } from './rest.ts';
import { readReply } from './results.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

/*
 * What Cohere's API v1 began and many took over: Jina, Voyage, SiliconFlow, Together, OpenRouter, vLLM, Xinference and others.
 * https://docs.cohere.com/v1/reference/rerank
 *
 * Options of a preset:
 *   path     where it is below the base, if not at `/rerank`
 *   topN     the member that says how many are wanted, if not `top_n`
 *   echoes   false: has no `return_documents`
 */

const pathOf = ({ options }: MediaTarget): string => String(options['path'] ?? '/rerank');

/** The family of Cohere's first API. */
export const classicRerank: WholeCodec<RerankRequest, RerankReply> = {
  id: 'classic',
  encode(request, target) {
    const { query, documents, topN, maxTokensPerDocument } = request;
    const { model, options, notes } = target;
    if (maxTokensPerDocument !== undefined) notes.add('max_tokens_per_doc', 'dropped', 'the target has no such member');
    return {
      path: pathOf(target),
      body: jsonBody({
        ...restFor('classic', request, notes),
        model,
        query,
        documents: documents.map(({ text }) => text),
        ...(topN === undefined ? {} : { [String(options['topN'] ?? 'top_n')]: topN }),
        // The documents are here already.
        ...(options['echoes'] === false ? {} : { return_documents: false }),
      }),
    };
  },
  decode: readReply,
};
