import { badField, type Json, type JsonObject } from '../../../ir/index.ts';
import { runMedia } from '../../../exchange/media/media-exchange.ts';
import { rerank } from '../../../exchange/media/rerank.ts';
import type { RerankDocument, RerankReply, RerankRequest } from '../../../media/rerank/shape.ts';
import { objectAt, optionalBoolean, optionalCount, requiredArray, requiredString } from '../../../wire/fields.ts';
import type { MediaEndpoint } from './index.ts';
import { mediaCall, readJson } from './read-json.ts';

function readDocument(value: Json, at: string): RerankDocument {
  if (typeof value === 'string') return { text: value };
  const object = objectAt(value, at);
  return { text: requiredString(object, 'text', at), object };
}

function readRequest(body: JsonObject): RerankRequest {
  const documents = requiredArray(body, 'documents');
  if (documents.length === 0) throw badField('documents', "Invalid request: 'documents' must hold at least one document");
  const topN = optionalCount(body, 'top_n');
  const perDocument = optionalCount(body, 'max_tokens_per_doc');
  return {
    query: requiredString(body, 'query'),
    documents: documents.map((one, index) => readDocument(one, `documents[${index}]`)),
    ...(topN === undefined ? {} : { topN }),
    ...(perDocument === undefined ? {} : { maxTokensPerDocument: perDocument }),
  };
}

/** The reply of `/v1/rerank`: `score` and `relevance_score` say the same, for the clients of either. */
function writeReply(id: string, model: string, request: RerankRequest, reply: RerankReply, withDocuments: boolean): JsonObject {
  const tokens = (reply.usage?.input ?? 0) + (reply.usage?.output ?? 0);
  return {
    id: reply.id ?? id,
    object: 'list',
    model: reply.model ?? model,
    results: reply.results.map(({ index, score }) => {
      const document = request.documents[index];
      return {
        index,
        score,
        relevance_score: score,
        ...(withDocuments && document ? { document: document.object ?? document.text } : {}),
      };
    }),
    usage: { total_tokens: tokens, ...(reply.usage ? { prompt_tokens: reply.usage.input } : {}) },
  };
}

/** Cohere's own reply. https://docs.cohere.com/reference/rerank */
function writeCohere(id: string, reply: RerankReply): JsonObject {
  const billed = reply.searchUnits === undefined ? { input_tokens: reply.usage?.input ?? 0 } : { search_units: reply.searchUnits };
  return {
    id: reply.id ?? id,
    results: reply.results.map(({ index, score }) => ({ index, relevance_score: score })),
    meta: { api_version: { version: '2' }, billed_units: billed },
  };
}

/** POST /v1/rerank and /v2/rerank. */
export const rerankEndpoint: MediaEndpoint = async (visit, operation, request, ports) => {
  const body = await readJson(visit, request);
  const call = mediaCall(visit, operation, body);
  const asked = readRequest(body);
  const withDocuments = optionalBoolean(body, 'return_documents') ?? false;
  await runMedia(call, visit.sink, ports, async (context) => {
    const reply = await rerank(context, asked);
    const id = ports.newId('rerank-');
    context.reply(operation.shape === 'cohere' ? writeCohere(id, reply) : writeReply(id, context.model, asked, reply, withDocuments));
  });
};
