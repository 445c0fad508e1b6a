import type { JsonObject } from '../../../src/ir/index.ts';
import type { RerankReply } from '../../../src/media/rerank/shape.ts';
import type { MediaRefusal, WholeRow } from './media-row.ts';

/** What a wire for reranking is held to. Each is asked for the best two of three documents. */
export interface RerankRow extends WholeRow {
  readonly ability: 'rerank';
  readonly maxTokensPerDocument?: number;
  /** Beside the results, which are the same for all. */
  readonly says: Omit<RerankReply, 'results'>;
}

export const QUERY = 'Which is a river?';
export const DOCUMENTS: readonly string[] = ['bank', 'Yangtze', 'stone'];
export const RESULTS: RerankReply['results'] = [
  { index: 1, score: 0.9 },
  { index: 0, score: 0.25 },
];

const BEARER = { authorization: 'Bearer k' };

const scored = RESULTS.map(({ index, score }) => ({ index, relevance_score: score }));
const echoed: readonly JsonObject[] = scored.map((one) => ({ ...one, document: { text: DOCUMENTS[one.index] ?? '' } }));

const DETAIL: MediaRefusal = { status: 422, body: { detail: 'Too many documents' }, kind: 'bad_request', message: 'Too many documents' };
const MESSAGE: MediaRefusal = { status: 400, body: { message: 'Too many documents' }, kind: 'bad_request', message: 'Too many documents' };
const ERROR: MediaRefusal = {
  status: 400,
  body: { error: { message: 'Too many documents', type: 'invalid_request_error', code: null } },
  kind: 'bad_request',
  message: 'Too many documents',
};

type Short = Pick<RerankRow, 'preset' | 'page' | 'model' | 'url' | 'says' | 'reply'> & Partial<RerankRow>;

/** The family of Cohere's first API; `body` is what differs of it. */
const classic = ({ body, ...row }: Short): RerankRow => ({
  ability: 'rerank',
  headers: BEARER,
  body: { model: row.model, query: QUERY, documents: DOCUMENTS, top_n: 2, return_documents: false, ...body },
  refusal: DETAIL,
  ...row,
});

/** Without `return_documents`. */
const plain = (row: Short): RerankRow => ({ ...classic(row), body: { model: row.model, query: QUERY, documents: DOCUMENTS, top_n: 2 } });

export const RERANK_ROWS: readonly RerankRow[] = [
  {
    ...plain({
      preset: 'cohere',
      page: 'https://docs.cohere.com/reference/rerank',
      model: 'rerank-v4.0-pro',
      url: 'https://api.cohere.ai/v2/rerank',
      reply: { id: '1', results: scored, meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } } },
      says: { id: '1', searchUnits: 1 },
      refusal: MESSAGE,
    }),
    maxTokensPerDocument: 100,
    body: { model: 'rerank-v4.0-pro', query: QUERY, documents: DOCUMENTS, top_n: 2, max_tokens_per_doc: 100 },
  },
  classic({
    preset: 'cohere',
    page: 'https://docs.cohere.com/v1/reference/rerank',
    model: 'rerank-multilingual-v2.0',
    url: 'https://api.cohere.ai/v1/rerank',
    reply: { id: '1', results: echoed, meta: { api_version: { version: '1' }, billed_units: { search_units: 1 } } },
    says: { id: '1', searchUnits: 1 },
    refusal: MESSAGE,
  }),
  classic({
    preset: 'jina',
    page: 'https://jina.ai/reranker/',
    model: 'jina-reranker-v2-base-multilingual',
    url: 'https://api.jina.ai/v1/rerank',
    maxTokensPerDocument: 100,
    notes: 'max_tokens_per_doc;dropped',
    reply: { model: 'jina-reranker-v2-base-multilingual', object: 'list', usage: { total_tokens: 15 }, results: scored },
    says: { model: 'jina-reranker-v2-base-multilingual', usage: { input: 15, output: 0 } },
  }),
  {
    ...classic({
      preset: 'voyage',
      page: 'https://docs.voyageai.com/reference/reranker-api',
      model: 'rerank-2.5',
      url: 'https://api.voyageai.com/v1/rerank',
      reply: { object: 'list', data: scored, model: 'rerank-2.5', usage: { total_tokens: 15 } },
      says: { model: 'rerank-2.5', usage: { input: 15, output: 0 } },
    }),
    body: { model: 'rerank-2.5', query: QUERY, documents: DOCUMENTS, top_k: 2, return_documents: false },
  },
  {
    preset: 'dashscope',
    ability: 'rerank',
    codec: 'dashscope',
    page: 'https://www.alibabacloud.com/help/en/model-studio/text-rerank-api',
    model: 'gte-rerank-v2',
    url: 'https://dashscope-intl.aliyuncs.com/api/v1/services/rerank/text-rerank/text-rerank',
    headers: BEARER,
    body: { model: 'gte-rerank-v2', input: { query: QUERY, documents: DOCUMENTS }, parameters: { return_documents: false, top_n: 2 } },
    reply: { output: { results: scored }, usage: { total_tokens: 15 }, request_id: 'r-1' },
    says: { id: 'r-1', usage: { input: 15, output: 0 } },
    refusal: {
      status: 400,
      body: { code: 'InvalidParameter', message: 'Too many documents', request_id: 'r' },
      kind: 'bad_request',
      message: 'Too many documents',
    },
  },
  plain({
    preset: 'dashscope',
    page: 'https://docs.qwencloud.com/api-reference/rerank/openai-rerank',
    model: 'qwen3-rerank',
    url: 'https://dashscope-intl.aliyuncs.com/compatible-api/v1/reranks',
    reply: { id: '1', object: 'list', model: 'qwen3-rerank', results: echoed, usage: { total_tokens: 15 } },
    says: { id: '1', model: 'qwen3-rerank', usage: { input: 15, output: 0 } },
    refusal: ERROR,
  }),
  classic({
    preset: 'siliconflow',
    page: 'https://docs.siliconflow.com/en/api-reference/rerank/create-rerank',
    model: 'Qwen/Qwen3-Reranker-8B',
    url: 'https://api.siliconflow.com/v1/rerank',
    reply: { id: '1', results: scored, tokens: { input_tokens: 14, output_tokens: 1 } },
    says: { id: '1', usage: { input: 14, output: 1 } },
    refusal: MESSAGE,
  }),
  classic({
    preset: 'zai',
    page: 'https://docs.bigmodel.cn/api-reference/%E6%A8%A1%E5%9E%8B-api/%E6%96%87%E6%9C%AC%E9%87%8D%E6%8E%92%E5%BA%8F',
    settings: { region: 'cn' },
    model: 'rerank',
    url: 'https://open.bigmodel.cn/api/paas/v4/rerank',
    reply: { id: '1', created: 1, request_id: 'r', results: scored, usage: { prompt_tokens: 15, total_tokens: 15 } },
    says: { id: '1', usage: { input: 15, output: 0 } },
    refusal: ERROR,
  }),
  classic({
    preset: 'together',
    page: 'https://docs.together.ai/reference/rerank-1',
    model: 'Salesforce/Llama-Rank-V1',
    url: 'https://api.together.ai/v1/rerank',
    reply: {
      object: 'rerank',
      id: '1',
      model: 'Salesforce/Llama-Rank-V1',
      results: echoed,
      usage: { prompt_tokens: 15, completion_tokens: 2, total_tokens: 17 },
    },
    says: { id: '1', model: 'Salesforce/Llama-Rank-V1', usage: { input: 15, output: 2 } },
    refusal: ERROR,
  }),
  plain({
    preset: 'openrouter',
    page: 'https://openrouter.ai/docs/api/api-reference/rerank/create-rerank',
    model: 'cohere/rerank-v3.5',
    url: 'https://openrouter.ai/api/v1/rerank',
    reply: { id: '1', model: 'rerank-v3.5', provider: 'Cohere', results: echoed, usage: { cost: 0.001, search_units: 1 } },
    says: { id: '1', model: 'rerank-v3.5', searchUnits: 1 },
    refusal: ERROR,
  }),
  {
    preset: 'bedrock',
    ability: 'rerank',
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/rerank-supported.html',
    model: 'cohere.rerank-v3-5:0',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/cohere.rerank-v3-5%3A0/invoke',
    headers: BEARER,
    body: { api_version: 2, query: QUERY, documents: DOCUMENTS, top_n: 2 },
    reply: { results: scored },
    says: {},
    refusal: MESSAGE,
  },
  plain({
    preset: 'vllm',
    page: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#re-rank-api',
    model: 'BAAI/bge-reranker-v2-m3',
    url: 'http://127.0.0.1:8000/v1/rerank',
    reply: { id: '1', model: 'BAAI/bge-reranker-v2-m3', usage: { total_tokens: 15 }, results: echoed },
    says: { id: '1', model: 'BAAI/bge-reranker-v2-m3', usage: { input: 15, output: 0 } },
    refusal: ERROR,
  }),
  classic({
    preset: 'xinference',
    page: 'https://inference.readthedocs.io/en/latest/models/model_abilities/rerank.html',
    model: 'bge-reranker-v2-m3',
    url: 'http://127.0.0.1:9997/v1/rerank',
    reply: { id: '1', results: scored, meta: { api_version: null, billed_units: null, tokens: { input_tokens: 14, output_tokens: 1 } } },
    says: { id: '1', usage: { input: 14, output: 1 } },
  }),
  plain({
    preset: 'llama.cpp',
    page: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md#post-reranking-rerank-documents-according-to-a-given-query',
    model: 'bge-reranker-v2-m3',
    url: 'http://127.0.0.1:8080/v1/rerank',
    reply: { model: 'bge-reranker-v2-m3', object: 'list', usage: { prompt_tokens: 15, total_tokens: 15 }, results: scored },
    says: { model: 'bge-reranker-v2-m3', usage: { input: 15, output: 0 } },
    refusal: ERROR,
  }),
  plain({
    preset: 'localai',
    page: 'https://localai.io/features/reranker/',
    model: 'jina-reranker-v1-base-en',
    url: 'http://127.0.0.1:8080/v1/rerank',
    reply: { model: 'jina-reranker-v1-base-en', usage: { total_tokens: 15, prompt_tokens: 15 }, results: echoed },
    says: { model: 'jina-reranker-v1-base-en', usage: { input: 15, output: 0 } },
    refusal: ERROR,
  }),
  plain({
    preset: 'gpustack',
    page: 'https://docs.gpustack.ai/latest/user-guide/rerank-api/',
    model: 'bge-reranker-v2-m3',
    url: 'http://127.0.0.1:80/v1/rerank',
    reply: { model: 'bge-reranker-v2-m3', object: 'list', results: echoed, usage: { prompt_tokens: 15, total_tokens: 15 } },
    says: { model: 'bge-reranker-v2-m3', usage: { input: 15, output: 0 } },
    refusal: ERROR,
  }),
  classic({
    preset: 'openai-compatible',
    page: 'https://jina.ai/reranker/',
    settings: { baseUrl: 'http://127.0.0.1:9000/v1' },
    model: 'any',
    url: 'http://127.0.0.1:9000/v1/rerank',
    reply: {
      results: [
        { index: 1, score: 0.9 },
        { index: 0, score: 0.25 },
      ],
    },
    says: {},
  }),
];
