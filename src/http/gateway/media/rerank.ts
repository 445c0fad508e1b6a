import { badField, isObject, type Json, type JsonObject } from '../../../ir/index.ts';
import type { MediaCall, MediaContext } from '../../../exchange/media/media-exchange.ts';
import { answerMedia } from '../../../exchange/once/answer-media.ts';
import { askedIn } from '../../../exchange/once/request-key.ts';
import { rerank, writeRerank } from '../../../exchange/media/rerank.ts';
import type { RerankDocument, RerankReply, RerankRequest } from '../../../media/rerank/shape.ts';
import { objectAt, optionalBoolean, optionalCount, requiredArray, requiredString, unknownMembers } from '../../../wire/fields.ts';
import type { MediaOperation } from '../endpoints.ts';
import type { GatewayPorts, Visit } from '../visit.ts';
import { fingerprintOf, onlyOnce } from '../idempotency.ts';
import { whileAlive } from '../stay-alive.ts';
import type { MediaEndpoint } from './endpoint.ts';
import { type Fields, mediaCall, readJson } from './read-json.ts';

/** A text, or Jina's object with one. */
const queryOf = (body: JsonObject): string =>
  isObject(body['query']) ? requiredString(body['query'], 'text', 'query') : requiredString(body, 'query');

function readDocument(value: Json, at: string): RerankDocument {
  if (typeof value === 'string') return { text: value };
  const object = objectAt(value, at);
  return { text: requiredString(object, 'text', at), object };
}

/** Documents of one call. */
const MAX_DOCUMENTS = 10_000;

const KNOWN: ReadonlySet<string> = new Set(['model', 'query', 'documents', 'top_n', 'top_k', 'max_tokens_per_doc', 'return_documents']);

function readRequest(body: JsonObject, dialect: NonNullable<RerankRequest['dialect']>): RerankRequest {
  const documents = requiredArray(body, 'documents');
  if (documents.length === 0) throw badField('documents', "Invalid request: 'documents' must hold at least one document");
  if (documents.length > MAX_DOCUMENTS)
    throw badField('documents', `Invalid request: 'documents' holds ${documents.length} documents, at most ${MAX_DOCUMENTS} are taken`);
  // Voyage's word for it is `top_k`.
  const topN = optionalCount(body, 'top_n') ?? optionalCount(body, 'top_k');
  if (topN === 0) throw badField('top_n', "Invalid request: 'top_n' must be at least 1");
  const perDocument = optionalCount(body, 'max_tokens_per_doc');
  return {
    query: queryOf(body),
    rest: unknownMembers(body, KNOWN),
    dialect,
    documents: documents.map((one, index) => readDocument(one, `documents[${index}]`)),
    ...(topN === undefined ? {} : { topN }),
    ...(perDocument === undefined ? {} : { maxTokensPerDocument: perDocument }),
  };
}

/** The reply of `/v1/rerank`: `score` and `relevance_score` say the same, for the clients of either. */
function writeReply(id: string, model: string, request: RerankRequest, reply: RerankReply, withDocuments: boolean): JsonObject {
  const tokens = (reply.usage?.input ?? 0) + (reply.usage?.output ?? 0);
  const searches = reply.searchUnits === undefined ? {} : { search_units: reply.searchUnits };
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
    ...(reply.emulated === true ? { emulated_by: 'embeddings' } : {}),
    usage: { total_tokens: tokens, ...(reply.usage ? { prompt_tokens: reply.usage.input } : {}), ...searches },
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
export const rerankEndpoint: MediaEndpoint = async (visit, operation, request, ports) =>
  answer(visit, operation, await readJson(visit, request), ports);

async function answer(visit: Visit, operation: MediaOperation, body: Fields, ports: GatewayPorts): Promise<void> {
  const asked = readRequest(body.fields, operation.shape === 'cohere' ? 'cohere' : 'classic');
  const call: MediaCall = {
    ...mediaCall(visit, operation, body),
    write: (writing) => writeRerank(writing, asked),
    isRepeatable: true,
    stream: false,
  };
  const withDocuments = optionalBoolean(body.fields, 'return_documents') ?? false;
  const work = async (context: MediaContext): Promise<void> => {
    const reply = await rerank(context, asked);
    const id = ports.newId('rerank-');
    context.reply(operation.shape === 'cohere' ? writeCohere(id, reply) : writeReply(id, context.model, asked, reply, withDocuments));
  };
  const once = (): Promise<unknown> =>
    onlyOnce(visit, ports, {
      fingerprint: () => fingerprintOf(visit, [JSON.stringify(body)]),
      about: { operation: operation.ability, asked: call.model },
      work: (within) => answerMedia(call, within.sink, ports, { meaning: () => [operation.shape, askedIn(body.fields)], work }),
    });
  await whileAlive(visit, 'whole', ports, once);
}
