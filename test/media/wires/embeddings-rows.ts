import type { JsonObject } from '../../../src/ir/index.ts';
import type { EmbeddingWish } from '../../../src/media/embeddings/shape.ts';
import type { MediaRefusal, WholeRow } from './media-row.ts';

/** What a wire for embeddings is held to. */
export interface EmbeddingsRow extends WholeRow {
  readonly ability: 'embeddings';
  readonly texts: readonly string[];
  readonly wish: EmbeddingWish;
  readonly base64?: boolean;
  readonly user?: string;
  readonly vectors: readonly (readonly number[])[];
  /** Tokens that the reply counts. */
  readonly input?: number;
}

const TWO = {
  texts: ['river', 'bank'],
  vectors: [
    [0.5, -0.25],
    [1, 0.125],
  ],
};
const ONE = { texts: ['river'], vectors: [[0.5, -0.25]] };

const BEARER = { authorization: 'Bearer k' };

/** OpenAI's reply, the second vector first: places go by `index`. */
const OPENAI_REPLY = {
  object: 'list',
  data: [
    { object: 'embedding', index: 1, embedding: [1, 0.125] },
    { object: 'embedding', index: 0, embedding: [0.5, -0.25] },
  ],
  model: 'm-1',
  usage: { prompt_tokens: 5, total_tokens: 5 },
};

const OPENAI_REFUSAL: MediaRefusal = {
  status: 404,
  body: { error: { message: 'The model does not exist', type: 'invalid_request_error', param: null, code: 'model_not_found' } },
  kind: 'not_found',
  message: 'The model does not exist',
};

type Short = Pick<EmbeddingsRow, 'preset' | 'page' | 'model' | 'url' | 'body'> & Partial<EmbeddingsRow>;

/** A provider of OpenAI's dialect; what its body is beside model and input. */
const openai = ({ body, ...row }: Short): EmbeddingsRow => ({
  ability: 'embeddings',
  codec: 'openai',
  headers: BEARER,
  ...TWO,
  wish: { dimensions: 2 },
  body: { model: row.model, input: ['river', 'bank'], ...body },
  reply: OPENAI_REPLY,
  input: 5,
  refusal: OPENAI_REFUSAL,
  ...row,
});

const SELF_HOSTED = { headers: BEARER } as const;

const OPENAI_LIKE: readonly EmbeddingsRow[] = [
  openai({
    preset: 'openai',
    page: 'https://platform.openai.com/docs/api-reference/embeddings/create',
    model: 'text-embedding-3-small',
    url: 'https://api.openai.com/v1/embeddings',
    user: 'u-1',
    base64: true,
    body: { dimensions: 2, encoding_format: 'base64', user: 'u-1' },
    reply: {
      ...OPENAI_REPLY,
      data: [
        { object: 'embedding', index: 0, embedding: 'AAAAPwAAgL4=' },
        { object: 'embedding', index: 1, embedding: 'AACAPwAAAD4=' },
      ],
    },
  }),
  openai({
    preset: 'azure-openai',
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference#embeddings',
    settings: { settings: { resource: 'mine' } },
    model: 'my-embeddings',
    url: 'https://mine.openai.azure.com/openai/v1/embeddings',
    headers: { 'api-key': 'k' },
    body: { dimensions: 2 },
    refusal: {
      status: 404,
      body: { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } },
      kind: 'not_found',
      message: 'The API deployment for this resource does not exist.',
    },
  }),
  openai({
    preset: 'azure-openai',
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference#embeddings',
    settings: { settings: { resource: 'mine', apiVersion: '2024-10-21' } },
    model: 'my-embeddings',
    url: 'https://mine.openai.azure.com/openai/deployments/my-embeddings/embeddings?api-version=2024-10-21',
    headers: { 'api-key': 'k' },
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'gemini',
    page: 'https://ai.google.dev/gemini-api/docs/openai#embeddings',
    model: 'gemini-embedding-001',
    url: 'https://generativelanguage.googleapis.com/v1beta/openai/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'openrouter',
    page: 'https://openrouter.ai/docs/api/api-reference/embeddings/create-embeddings',
    model: 'openai/text-embedding-3-small',
    url: 'https://openrouter.ai/api/v1/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'zai',
    page: 'https://docs.bigmodel.cn/api-reference/%E6%A8%A1%E5%9E%8B-api/%E6%96%87%E6%9C%AC%E5%B5%8C%E5%85%A5',
    settings: { region: 'cn' },
    model: 'embedding-3',
    url: 'https://open.bigmodel.cn/api/paas/v4/embeddings',
    base64: true,
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'dashscope',
    page: 'https://www.alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api',
    model: 'text-embedding-v4',
    url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'volcengine',
    page: 'https://www.volcengine.com/docs/82379/1521766',
    model: 'doubao-embedding-large-text-240915',
    url: 'https://ark.cn-beijing.volces.com/api/v3/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'siliconflow',
    page: 'https://docs.siliconflow.com/en/api-reference/embeddings/create-embeddings',
    model: 'Qwen/Qwen3-Embedding-8B',
    url: 'https://api.siliconflow.com/v1/embeddings',
    user: 'u-1',
    base64: true,
    body: { dimensions: 2, encoding_format: 'base64' },
    notes: 'user;dropped',
  }),
  openai({
    preset: 'hunyuan',
    page: 'https://cloud.tencent.com/document/product/1729/111007',
    model: 'hunyuan-embedding',
    url: 'https://api.hunyuan.cloud.tencent.com/v1/embeddings',
    wish: {},
    body: {},
  }),
  openai({
    preset: 'qianfan',
    page: 'https://cloud.baidu.com/doc/qianfan-api/s/Fm7u3ropn',
    model: 'embedding-v1',
    url: 'https://qianfan.baidubce.com/v2/embeddings',
    wish: {},
    body: {},
  }),
  openai({
    preset: 'xai',
    page: 'https://docs.x.ai/docs/api-reference#create-embeddings',
    model: 'v1',
    url: 'https://api.x.ai/v1/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'mistral',
    page: 'https://docs.mistral.ai/api/endpoint/embeddings',
    model: 'codestral-embed',
    url: 'https://api.mistral.ai/v1/embeddings',
    body: { output_dimension: 2 },
    refusal: {
      status: 422,
      body: { detail: [{ loc: ['body', 'input'], msg: 'Field required' }] },
      kind: 'bad_request',
      message: 'input: Field required',
    },
  }),
  openai({
    preset: 'together',
    page: 'https://docs.together.ai/reference/embeddings-2',
    model: 'intfloat/multilingual-e5-large-instruct',
    url: 'https://api.together.ai/v1/embeddings',
    wish: {},
    base64: true,
    body: {},
  }),
  openai({
    preset: 'fireworks',
    page: 'https://docs.fireworks.ai/api-reference/creates-an-embedding-vector-representing-the-input-text',
    model: 'nomic-ai/nomic-embed-text-v1.5',
    url: 'https://api.fireworks.ai/inference/v1/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'deepinfra',
    page: 'https://deepinfra.com/docs/advanced/embeddings',
    model: 'Qwen/Qwen3-Embedding-8B',
    url: 'https://api.deepinfra.com/v1/openai/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'perplexity',
    page: 'https://docs.perplexity.ai/api-reference/embeddings-post',
    model: 'pplx-embed-v1-0.6b',
    url: 'https://api.perplexity.ai/v1/embeddings',
    base64: true,
    body: { dimensions: 2 },
    reply: {
      ...OPENAI_REPLY,
      data: [
        { object: 'embedding', index: 0, embedding: 'fwA=' },
        { object: 'embedding', index: 1, embedding: '/4A=' },
      ],
    },
    vectors: [
      [127, 0],
      [-1, -128],
    ],
  }),
  openai({
    preset: 'jina',
    page: 'https://jina.ai/embeddings/',
    model: 'jina-embeddings-v4',
    url: 'https://api.jina.ai/v1/embeddings',
    wish: { dimensions: 2, task: 'query' },
    base64: true,
    body: { dimensions: 2, embedding_type: 'base64', task: 'retrieval.query' },
    refusal: {
      status: 422,
      body: { detail: 'Input text exceeds maximum length' },
      kind: 'bad_request',
      message: 'Input text exceeds maximum length',
    },
  }),
  openai({
    preset: 'voyage',
    page: 'https://docs.voyageai.com/reference/embeddings-api',
    model: 'voyage-3.5',
    url: 'https://api.voyageai.com/v1/embeddings',
    wish: { dimensions: 2, task: 'document' },
    body: { output_dimension: 2, input_type: 'document' },
    reply: { ...OPENAI_REPLY, usage: { total_tokens: 5 } },
    refusal: {
      status: 400,
      body: { detail: 'Model voyage-0 is not supported.' },
      kind: 'bad_request',
      message: 'Model voyage-0 is not supported.',
    },
  }),
  openai({
    preset: 'nvidia',
    page: 'https://docs.nvidia.com/nim/nemo-retriever/text-embedding/latest/reference.html',
    model: 'nvidia/nv-embedqa-e5-v5',
    url: 'https://integrate.api.nvidia.com/v1/embeddings',
    wish: { task: 'query' },
    body: { input_type: 'query' },
  }),
  openai({
    preset: 'cloudflare',
    page: 'https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/',
    settings: { settings: { account: 'acc' } },
    model: '@cf/baai/bge-large-en-v1.5',
    url: 'https://api.cloudflare.com/client/v4/accounts/acc/ai/v1/embeddings',
    wish: {},
    body: {},
  }),
  openai({
    preset: 'databricks',
    page: 'https://docs.databricks.com/aws/en/machine-learning/model-serving/query-embedding-models',
    settings: { settings: { host: 'dbc-1.cloud.databricks.com' } },
    model: 'databricks-gte-large-en',
    url: 'https://dbc-1.cloud.databricks.com/serving-endpoints/embeddings',
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'github-models',
    page: 'https://docs.github.com/rest/models/embeddings',
    model: 'openai/text-embedding-3-small',
    url: 'https://models.github.ai/inference/embeddings',
    headers: { ...BEARER, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'ollama',
    page: 'https://docs.ollama.com/api/openai-compatibility',
    model: 'nomic-embed-text',
    url: 'http://127.0.0.1:11434/v1/embeddings',
    ...SELF_HOSTED,
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'lm-studio',
    page: 'https://lmstudio.ai/docs/developer/openai-compat/embeddings',
    model: 'text-embedding-nomic-embed-text-v1.5',
    url: 'http://127.0.0.1:1234/v1/embeddings',
    ...SELF_HOSTED,
    wish: {},
    body: {},
  }),
  openai({
    preset: 'llama.cpp',
    page: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md#post-v1embeddings-openai-compatible-embeddings-api',
    model: 'bge-m3',
    url: 'http://127.0.0.1:8080/v1/embeddings',
    ...SELF_HOSTED,
    base64: true,
    wish: {},
    body: { encoding_format: 'base64' },
  }),
  openai({
    preset: 'vllm',
    page: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/#embeddings-api',
    model: 'BAAI/bge-m3',
    url: 'http://127.0.0.1:8000/v1/embeddings',
    ...SELF_HOSTED,
    base64: true,
    body: { dimensions: 2, encoding_format: 'base64' },
  }),
  openai({
    preset: 'sglang',
    page: 'https://docs.sglang.io/basic_usage/openai_api_embeddings.html',
    model: 'Alibaba-NLP/gte-Qwen2-1.5B-instruct',
    url: 'http://127.0.0.1:30000/v1/embeddings',
    ...SELF_HOSTED,
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'localai',
    page: 'https://localai.io/features/embeddings/',
    model: 'bert-embeddings',
    url: 'http://127.0.0.1:8080/v1/embeddings',
    ...SELF_HOSTED,
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'xinference',
    page: 'https://inference.readthedocs.io/en/latest/models/model_abilities/embed.html',
    model: 'bge-m3',
    url: 'http://127.0.0.1:9997/v1/embeddings',
    ...SELF_HOSTED,
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'gpustack',
    page: 'https://docs.gpustack.ai/latest/user-guide/openai-compatible-apis/',
    model: 'bge-m3',
    url: 'http://127.0.0.1:80/v1/embeddings',
    ...SELF_HOSTED,
    body: { dimensions: 2 },
  }),
  openai({
    preset: 'openai-compatible',
    page: 'https://platform.openai.com/docs/api-reference/embeddings/create',
    settings: { baseUrl: 'http://127.0.0.1:9000/v1' },
    model: 'any',
    url: 'http://127.0.0.1:9000/v1/embeddings',
    body: { dimensions: 2 },
  }),
];

const GEMINI_REFUSAL: MediaRefusal = {
  status: 404,
  body: { error: { code: 404, message: 'models/x is not found', status: 'NOT_FOUND' } },
  kind: 'not_found',
  message: 'models/x is not found',
};

const gemini = (row: Pick<EmbeddingsRow, 'preset' | 'page' | 'settings' | 'url' | 'model'>): EmbeddingsRow => ({
  ability: 'embeddings',
  codec: 'gemini',
  headers: { 'x-goog-api-key': 'k' },
  ...TWO,
  wish: { dimensions: 2, task: 'document', title: 'Geography' },
  body: {
    requests: TWO.texts.map((text) => ({
      model: `models/${row.model}`,
      content: { parts: [{ text }] },
      taskType: 'RETRIEVAL_DOCUMENT',
      title: 'Geography',
      outputDimensionality: 2,
    })),
  },
  reply: { embeddings: TWO.vectors.map((values) => ({ values })), usageMetadata: { promptTokenCount: 5 } },
  input: 5,
  refusal: GEMINI_REFUSAL,
  ...row,
});

const VERTEX = 'https://europe-west4-aiplatform.googleapis.com/v1/projects/mine/locations/europe-west4/publishers/google/models';
const ON_VERTEX = { settings: { region: 'europe-west4', settings: { project: 'mine' } }, headers: { 'x-goog-api-key': 'k' } } as const;

const predicted = (vectors: readonly (readonly number[])[]): JsonObject => ({
  predictions: vectors.map((values) => ({ embeddings: { values, statistics: { token_count: 2, truncated: false } } })),
  metadata: { billableCharacterCount: 9 },
});

const SIGNED = { authorization: 'Bearer k' };
const BEDROCK = 'https://bedrock-runtime.us-east-1.amazonaws.com/model';
const BEDROCK_REFUSAL: MediaRefusal = {
  status: 400,
  body: { message: 'Malformed input request' },
  kind: 'bad_request',
  message: 'Malformed input request',
};

const OTHERS: readonly EmbeddingsRow[] = [
  gemini({
    preset: 'gemini',
    page: 'https://ai.google.dev/api/embeddings',
    model: 'gemini-embedding-001',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-embedding-001:batchEmbedContents',
  }),
  gemini({
    preset: 'gemini-compatible',
    page: 'https://ai.google.dev/api/embeddings',
    settings: { baseUrl: 'http://127.0.0.1:9001' },
    model: 'any',
    url: 'http://127.0.0.1:9001/v1beta/models/any:batchEmbedContents',
  }),
  {
    preset: 'vertex',
    ability: 'embeddings',
    codec: 'gemini',
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-multimodal-embeddings',
    ...ON_VERTEX,
    model: 'gemini-embedding-2',
    url: `${VERTEX}/gemini-embedding-2:embedContent`,
    ...ONE,
    wish: { dimensions: 2, task: 'query' },
    body: { content: { parts: [{ text: 'river' }] }, embedContentConfig: { taskType: 'RETRIEVAL_QUERY', outputDimensionality: 2 } },
    reply: { embedding: { values: [0.5, -0.25] }, usageMetadata: { promptTokenCount: 2 } },
    input: 2,
    refusal: GEMINI_REFUSAL,
  },
  {
    preset: 'vertex',
    ability: 'embeddings',
    codec: 'vertex',
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api',
    ...ON_VERTEX,
    model: 'text-embedding-005',
    url: `${VERTEX}/text-embedding-005:predict`,
    ...TWO,
    wish: { dimensions: 2, task: 'document', title: 'Geography' },
    body: {
      instances: TWO.texts.map((content) => ({ content, task_type: 'RETRIEVAL_DOCUMENT', title: 'Geography' })),
      parameters: { outputDimensionality: 2 },
    },
    reply: predicted(TWO.vectors),
    input: 4,
    refusal: GEMINI_REFUSAL,
  },
  {
    preset: 'vertex',
    ability: 'embeddings',
    codec: 'vertex',
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/embeddings/get-text-embeddings',
    ...ON_VERTEX,
    model: 'gemini-embedding-001',
    url: `${VERTEX}/gemini-embedding-001:predict`,
    ...ONE,
    wish: {},
    body: { instances: [{ content: 'river' }] },
    reply: predicted(ONE.vectors),
    input: 2,
    refusal: GEMINI_REFUSAL,
  },
  {
    preset: 'cohere',
    ability: 'embeddings',
    page: 'https://docs.cohere.com/reference/embed',
    model: 'embed-v4.0',
    url: 'https://api.cohere.ai/v2/embed',
    headers: BEARER,
    ...TWO,
    wish: { dimensions: 2 },
    body: { model: 'embed-v4.0', texts: TWO.texts, input_type: 'search_document', embedding_types: ['float'], output_dimension: 2 },
    reply: { id: '1', embeddings: { float: TWO.vectors }, texts: TWO.texts, meta: { billed_units: { input_tokens: 5 } } },
    input: 5,
    notes: 'input_type;approximated',
    refusal: { status: 404, body: { id: '1', message: "model 'x' not found" }, kind: 'not_found', message: "model 'x' not found" },
  },
  {
    preset: 'bedrock',
    ability: 'embeddings',
    codec: 'cohere',
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html',
    model: 'cohere.embed-v4:0',
    url: `${BEDROCK}/cohere.embed-v4%3A0/invoke`,
    headers: SIGNED,
    ...TWO,
    wish: { task: 'query' },
    body: { texts: TWO.texts, input_type: 'search_query', embedding_types: ['float'] },
    reply: { id: '1', embeddings: { float: TWO.vectors }, response_type: 'embeddings_by_type' },
    replyHeaders: { 'x-amzn-bedrock-input-token-count': '5' },
    input: 5,
    refusal: BEDROCK_REFUSAL,
  },
  {
    preset: 'bedrock',
    ability: 'embeddings',
    codec: 'titan',
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html',
    model: 'amazon.titan-embed-text-v2:0',
    url: `${BEDROCK}/amazon.titan-embed-text-v2%3A0/invoke`,
    headers: SIGNED,
    ...ONE,
    wish: { dimensions: 2, task: 'query' },
    body: { inputText: 'river', dimensions: 2 },
    reply: { embedding: [0.5, -0.25], inputTextTokenCount: 2, embeddingsByType: { float: [0.5, -0.25] } },
    input: 2,
    notes: 'input_type;dropped',
    refusal: BEDROCK_REFUSAL,
  },
  {
    preset: 'bedrock',
    ability: 'embeddings',
    codec: 'titan',
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html',
    model: 'amazon.titan-embed-g1-text-02',
    url: `${BEDROCK}/amazon.titan-embed-g1-text-02/invoke`,
    headers: SIGNED,
    ...ONE,
    wish: {},
    body: { inputText: 'river' },
    reply: { embedding: [0.5, -0.25], inputTextTokenCount: 2 },
    input: 2,
    refusal: BEDROCK_REFUSAL,
  },
  {
    preset: 'ollama',
    ability: 'embeddings',
    codec: 'ollama',
    page: 'https://docs.ollama.com/api/embed',
    model: 'nomic-embed-text',
    url: 'http://127.0.0.1:11434/api/embed',
    headers: BEARER,
    ...TWO,
    wish: { dimensions: 2 },
    body: { model: 'nomic-embed-text', input: TWO.texts, dimensions: 2 },
    reply: { model: 'nomic-embed-text', embeddings: TWO.vectors, total_duration: 1, load_duration: 1, prompt_eval_count: 5 },
    input: 5,
    refusal: {
      status: 404,
      body: { error: 'model "x" not found, try pulling it first' },
      kind: 'not_found',
      message: 'model "x" not found, try pulling it first',
    },
  },
  {
    preset: 'dashscope',
    ability: 'embeddings',
    codec: 'dashscope',
    page: 'https://www.alibabacloud.com/help/en/model-studio/text-embedding-synchronous-api',
    model: 'text-embedding-v4',
    url: 'https://dashscope-intl.aliyuncs.com/api/v1/services/embeddings/text-embedding/text-embedding',
    headers: BEARER,
    ...TWO,
    wish: { dimensions: 2, task: 'query' },
    body: { model: 'text-embedding-v4', input: { texts: TWO.texts }, parameters: { dimension: 2, text_type: 'query' } },
    reply: {
      output: { embeddings: TWO.vectors.map((embedding, at) => ({ embedding, text_index: at })).toReversed() },
      usage: { total_tokens: 5 },
      request_id: 'r',
    },
    input: 5,
    refusal: {
      status: 400,
      body: { code: 'InvalidParameter', message: 'The dimension is not supported', request_id: 'r' },
      kind: 'bad_request',
      message: 'The dimension is not supported',
    },
  },
];

export const EMBEDDINGS_ROWS: readonly EmbeddingsRow[] = [...OPENAI_LIKE, ...OTHERS];
