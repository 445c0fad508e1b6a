import type { JsonObject, ProtocolId } from '../../src/ir/index.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';

/*
 * What each wire of each preset is held to: the exact address and headers of a request, an answer in the provider's own
 * shape and what it says, and one of its errors. `docs/providers.md` lists what has a row here, and nothing else. The
 * bodies of the requests are beside, in `wire-bodies.json`.
 */

/** What an answer says, in words that all dialects share. */
export interface Said {
  readonly text?: string;
  readonly reasoning?: string;
  readonly calls?: readonly string[];
  readonly stop: string;
  readonly input: number;
  readonly output: number;
}

export interface Answer {
  readonly reply: JsonObject;
  readonly said: Said;
}

export interface Refusal {
  readonly status: number;
  readonly body: JsonObject | string;
  readonly kind: string;
  readonly message: string;
}

export interface WireRow {
  readonly preset: string;
  readonly protocol: ProtocolId;
  /** The vendor's page that was read for it. */
  readonly page: string;
  readonly settings?: Omit<Partial<ProviderSettings>, 'preset' | 'protocols'>;
  readonly model: string;
  readonly url: string;
  /** Where a streamed call has another address. */
  readonly streamUrl?: string;
  /** All headers but `content-type`; `sent` ones of a signature by their names only. */
  readonly headers: Readonly<Record<string, string>>;
  readonly answer: Answer;
  readonly refusal: Refusal;
}

// — Answers —

const CHAT_USAGE = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 };
const CHAT_SAID = { text: 'Nothing.', reasoning: 'Let me look.', stop: 'stop', input: 11, output: 7 };

const chat = (message: JsonObject, more: JsonObject = {}, finish: JsonObject = {}): JsonObject => ({
  id: 'chatcmpl-1',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: 'm-1',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Nothing.', ...message }, finish_reason: 'stop', ...finish }],
  usage: CHAT_USAGE,
  ...more,
});

/** As most do: thinking in `reasoning_content`. */
const THINKING: Answer = { reply: chat({ reasoning_content: 'Let me look.' }), said: CHAT_SAID };
/** As vLLM, Groq, Cerebras, Ollama and Together do: in `reasoning`. */
const REASONING: Answer = { reply: chat({ reasoning: 'Let me look.' }), said: CHAT_SAID };
/** Without any, as OpenAI's own chat. */
const PLAIN: Answer = {
  reply: chat({ refusal: null, annotations: [] }, { system_fingerprint: 'fp_1', service_tier: 'default' }, { logprobs: null }),
  said: { text: 'Nothing.', stop: 'stop', input: 11, output: 7 },
};
const CALLING: Answer = {
  reply: chat(
    { content: null, tool_calls: [{ id: 'call_1', type: 'function', function: { name: 'look', arguments: '{"at":3}' } }] },
    {},
    { finish_reason: 'tool_calls' },
  ),
  said: { calls: ['look {"at":3}'], stop: 'tool-calls', input: 11, output: 7 },
};

const RESPONSE: Answer = {
  reply: {
    id: 'resp_1',
    object: 'response',
    created_at: 1_790_000_000,
    status: 'completed',
    model: 'm-1',
    output: [
      { id: 'rs_1', type: 'reasoning', summary: [{ type: 'summary_text', text: 'Let me look.' }] },
      {
        id: 'msg_1',
        type: 'message',
        status: 'completed',
        role: 'assistant',
        content: [{ type: 'output_text', text: 'Nothing.', annotations: [] }],
      },
    ],
    usage: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
  },
  said: CHAT_SAID,
};

const MESSAGE: Answer = {
  reply: {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm-1',
    content: [
      { type: 'thinking', thinking: 'Let me look.', signature: 'c2ln' },
      { type: 'text', text: 'Nothing.' },
    ],
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 11, output_tokens: 7 },
  },
  said: CHAT_SAID,
};

const GENERATED: Answer = {
  reply: {
    candidates: [
      {
        content: { role: 'model', parts: [{ text: 'Let me look.', thought: true }, { text: 'Nothing.' }] },
        finishReason: 'STOP',
        index: 0,
      },
    ],
    usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 4, thoughtsTokenCount: 3, totalTokenCount: 18 },
    modelVersion: 'm-1',
    responseId: 'r-1',
  },
  said: CHAT_SAID,
};

const COMPLETION: Answer = {
  reply: {
    id: 'cmpl-1',
    object: 'text_completion',
    created: 1_790_000_000,
    model: 'm-1',
    choices: [{ index: 0, text: ' there', finish_reason: 'stop', logprobs: null }],
    usage: CHAT_USAGE,
  },
  said: { text: ' there', stop: 'stop', input: 11, output: 7 },
};

// — Errors —

const SLOW = 'Slow down';

/** `{"error":{"message","type","param","code"}}`, as OpenAI and most after it. */
const openaiError = (more: JsonObject = {}): Refusal => ({
  status: 429,
  body: { error: { message: SLOW, type: 'rate_limit_exceeded', param: null, code: 'rate_limit_exceeded', ...more } },
  kind: 'rate_limit',
  message: SLOW,
});
const anthropicError: Refusal = {
  status: 429,
  body: { type: 'error', error: { type: 'rate_limit_error', message: SLOW }, request_id: 'req_1' },
  kind: 'rate_limit',
  message: SLOW,
};
const googleError: Refusal = {
  status: 429,
  body: { error: { code: 429, message: SLOW, status: 'RESOURCE_EXHAUSTED', details: [] } },
  kind: 'rate_limit',
  message: SLOW,
};
/** `{"object":"error","message","type","code"}`, as vLLM before 0.10 and what is built on it. */
const bareError: Refusal = {
  status: 404,
  body: { object: 'error', message: 'The model `m` does not exist.', type: 'NotFoundError', param: null, code: 404 },
  kind: 'not_found',
  message: 'The model `m` does not exist.',
};
const awsError: Refusal = { status: 429, body: { message: SLOW }, kind: 'rate_limit', message: SLOW };

// — Rows —

const BEARER = { authorization: 'Bearer k' };
const VERSIONED = { 'anthropic-version': '2023-06-01' };
const NO_KEY = { key: '' };
const SIGNED = { authorization: 'sent', 'x-amz-content-sha256': 'sent', 'x-amz-date': 'sent' };

type Rest = Omit<WireRow, 'preset' | 'protocol'>;
type Short = Pick<Rest, 'page' | 'model' | 'url'> & Partial<Rest>;

const row =
  (protocol: ProtocolId, usual: Pick<Rest, 'headers' | 'answer' | 'refusal'>) =>
  (preset: string, rest: Short): WireRow => ({ preset, protocol, ...usual, ...rest });

const chatRow = row('openai-chat', { headers: BEARER, answer: THINKING, refusal: openaiError() });
const responsesRow = row('openai-responses', { headers: BEARER, answer: RESPONSE, refusal: openaiError() });
const messagesRow = row('anthropic-messages', { headers: { ...BEARER, ...VERSIONED }, answer: MESSAGE, refusal: anthropicError });
const geminiRow = row('gemini', { headers: { 'x-goog-api-key': 'k' }, answer: GENERATED, refusal: googleError });
const completionsRow = row('openai-completions', { headers: BEARER, answer: COMPLETION, refusal: openaiError() });

const MAKERS: readonly WireRow[] = [
  responsesRow('openai', {
    page: 'https://platform.openai.com/docs/api-reference/responses/create',
    model: 'gpt-5.6',
    url: 'https://api.openai.com/v1/responses',
  }),
  chatRow('openai', {
    page: 'https://platform.openai.com/docs/api-reference/chat/create',
    model: 'gpt-4o',
    url: 'https://api.openai.com/v1/chat/completions',
    answer: PLAIN,
    refusal: { ...openaiError({ type: 'insufficient_quota', code: 'insufficient_quota' }), kind: 'billing' },
  }),
  completionsRow('openai', {
    page: 'https://platform.openai.com/docs/api-reference/completions/create',
    model: 'gpt-3.5-turbo-instruct',
    url: 'https://api.openai.com/v1/completions',
  }),
  messagesRow('anthropic', {
    page: 'https://platform.claude.com/docs/en/api/messages',
    model: 'claude-sonnet-4-5',
    url: 'https://api.anthropic.com/v1/messages',
    headers: { 'x-api-key': 'k', ...VERSIONED },
  }),
  geminiRow('gemini', {
    page: 'https://ai.google.dev/api/generate-content',
    model: 'gemini-3-flash-preview',
    url: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash-preview:generateContent',
    streamUrl: 'https://generativelanguage.googleapis.com/v1beta/models/gemini-3-flash-preview:streamGenerateContent?alt=sse',
    refusal: {
      status: 400,
      body: {
        error: {
          code: 400,
          message: 'API key not valid. Please pass a valid API key.',
          status: 'INVALID_ARGUMENT',
          details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID', domain: 'googleapis.com' }],
        },
      },
      kind: 'authentication',
      message: 'API key not valid. Please pass a valid API key.',
    },
  }),
  chatRow('deepseek', {
    page: 'https://api-docs.deepseek.com/api/create-chat-completion',
    model: 'deepseek-v4-flash',
    url: 'https://api.deepseek.com/chat/completions',
    answer: {
      reply: chat(
        { reasoning_content: 'Let me look.' },
        {
          usage: {
            ...CHAT_USAGE,
            prompt_cache_hit_tokens: 8,
            prompt_cache_miss_tokens: 3,
            completion_tokens_details: { reasoning_tokens: 4 },
          },
        },
      ),
      said: CHAT_SAID,
    },
    refusal: {
      status: 402,
      body: { error: { message: 'Insufficient Balance', type: 'unknown_error', param: null, code: 'invalid_request_error' } },
      kind: 'billing',
      message: 'Insufficient Balance',
    },
  }),
  messagesRow('deepseek', {
    page: 'https://api-docs.deepseek.com/guides/anthropic_api',
    model: 'deepseek-v4-flash',
    url: 'https://api.deepseek.com/anthropic/v1/messages',
    headers: { 'x-api-key': 'k', ...VERSIONED },
  }),
  responsesRow('deepseek', {
    page: 'https://api-docs.deepseek.com/guides/thinking_mode',
    model: 'deepseek-v4-flash',
    url: 'https://api.deepseek.com/responses',
  }),
  completionsRow('deepseek', {
    page: 'https://api-docs.deepseek.com/guides/fim_completion',
    model: 'deepseek-chat',
    url: 'https://api.deepseek.com/beta/completions',
  }),
  chatRow('moonshot', {
    page: 'https://platform.kimi.ai/docs/api/overview',
    model: 'kimi-k3',
    url: 'https://api.moonshot.ai/v1/chat/completions',
    refusal: {
      status: 400,
      body: { error: { message: 'invalid temperature: only 1 is allowed for this model', type: 'invalid_request_error' } },
      kind: 'bad_request',
      message: 'invalid temperature: only 1 is allowed for this model',
    },
  }),
  messagesRow('moonshot', {
    page: 'https://platform.kimi.ai/docs/guide/claude-code-kimi',
    settings: { region: 'cn' },
    model: 'kimi-k2.6',
    url: 'https://api.moonshot.cn/anthropic/v1/messages',
    headers: BEARER,
  }),
  responsesRow('moonshot', {
    page: 'https://platform.kimi.ai/docs/api/responses',
    model: 'kimi-k3',
    url: 'https://api.moonshot.ai/v1/responses',
  }),
  chatRow('zai', {
    page: 'https://docs.z.ai/api-reference/llm/chat-completion',
    model: 'glm-5.3',
    url: 'https://api.z.ai/api/paas/v4/chat/completions',
    refusal: { status: 429, body: { error: { code: '1302', message: SLOW } }, kind: 'rate_limit', message: SLOW },
  }),
  messagesRow('zai', {
    page: 'https://docs.z.ai/scenario-example/develop-tools/claude',
    settings: { region: 'cn' },
    model: 'glm-4.7',
    url: 'https://open.bigmodel.cn/api/anthropic/v1/messages',
  }),
  chatRow('dashscope', {
    page: 'https://www.alibabacloud.com/help/en/model-studio/compatibility-of-openai-with-dashscope',
    model: 'qwen3-max',
    url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/chat/completions',
  }),
  messagesRow('dashscope', {
    page: 'https://www.alibabacloud.com/help/en/model-studio/anthropic-api-messages',
    settings: { region: 'cn' },
    model: 'qwen3-max',
    url: 'https://dashscope.aliyuncs.com/apps/anthropic/v1/messages',
    headers: { 'x-api-key': 'k', ...VERSIONED },
  }),
  responsesRow('dashscope', {
    page: 'https://help.aliyun.com/en/model-studio/qwen-api-via-openai-responses',
    model: 'qwen3-max',
    url: 'https://dashscope-intl.aliyuncs.com/compatible-mode/v1/responses',
  }),
  messagesRow('minimax', {
    page: 'https://platform.minimax.io/docs/api-reference/text-chat-anthropic',
    model: 'MiniMax-M3',
    url: 'https://api.minimax.io/anthropic/v1/messages',
  }),
  chatRow('minimax', {
    page: 'https://platform.minimax.io/docs/api-reference/text-openai-api',
    settings: { region: 'cn' },
    model: 'MiniMax-M3',
    url: 'https://api.minimaxi.com/v1/chat/completions',
  }),
  responsesRow('minimax', {
    page: 'https://platform.minimax.io/docs/api-reference/responses-create',
    model: 'MiniMax-M3',
    url: 'https://api.minimax.io/v1/responses',
  }),
  chatRow('hunyuan', {
    page: 'https://cloud.tencent.com/document/product/1729/111007',
    model: 'hunyuan-2.0-thinking-20251109',
    url: 'https://api.hunyuan.cloud.tencent.com/v1/chat/completions',
  }),
  messagesRow('hunyuan', {
    page: 'https://cloud.tencent.com/document/product/1729/127293',
    model: 'hunyuan-2.0-thinking-20251109',
    url: 'https://api.hunyuan.cloud.tencent.com/anthropic/v1/messages',
    headers: { 'x-api-key': 'k', ...VERSIONED },
  }),
  chatRow('stepfun', {
    page: 'https://platform.stepfun.com/docs/zh/api-reference/chat/chat-completion-create',
    model: 'step-3.7-flash',
    url: 'https://api.stepfun.ai/v1/chat/completions',
    answer: REASONING,
  }),
  messagesRow('stepfun', {
    page: 'https://platform.stepfun.ai/docs/en/api-reference/chat/messages-create',
    settings: { region: 'cn' },
    model: 'step-3.7-flash',
    url: 'https://api.stepfun.com/v1/messages',
  }),
  responsesRow('xai', {
    page: 'https://docs.x.ai/docs/guides/responses-api',
    model: 'grok-4.5',
    url: 'https://api.x.ai/v1/responses',
    refusal: {
      status: 400,
      body: { code: 'invalid-argument', error: 'Incorrect API key provided. You can obtain an API key from https://console.x.ai.' },
      kind: 'bad_request',
      message: 'Incorrect API key provided. You can obtain an API key from https://console.x.ai.',
    },
  }),
  chatRow('xai', {
    page: 'https://docs.x.ai/docs/api-reference',
    model: 'grok-4.3',
    url: 'https://api.x.ai/v1/chat/completions',
  }),
  chatRow('mistral', {
    page: 'https://docs.mistral.ai/api/endpoint/chat',
    model: 'mistral-small-latest',
    url: 'https://api.mistral.ai/v1/chat/completions',
    answer: {
      reply: chat({
        content: [
          { type: 'thinking', thinking: [{ type: 'text', text: 'Let me look.' }] },
          { type: 'text', text: 'Nothing.' },
        ],
        tool_calls: null,
      }),
      said: CHAT_SAID,
    },
    refusal: { status: 401, body: { detail: 'Invalid API Key' }, kind: 'authentication', message: 'Invalid API Key' },
  }),
  chatRow('cohere', {
    page: 'https://docs.cohere.com/docs/compatibility-api',
    model: 'command-a-03-2025',
    url: 'https://api.cohere.ai/compatibility/v1/chat/completions',
    answer: PLAIN,
    refusal: { status: 404, body: { id: 'e-1', message: "model 'm' not found" }, kind: 'not_found', message: "model 'm' not found" },
  }),
];

const CLOUDS: readonly WireRow[] = [
  responsesRow('azure-openai', {
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/api-version-lifecycle',
    settings: { settings: { resource: 'arch' } },
    model: 'gpt-5.1',
    url: 'https://arch.openai.azure.com/openai/v1/responses',
    headers: { 'api-key': 'k' },
  }),
  chatRow('azure-openai', {
    page: 'https://learn.microsoft.com/azure/ai-foundry/openai/reference',
    settings: { settings: { resource: 'arch', apiVersion: '2024-10-21' } },
    model: 'gpt-4o',
    url: 'https://arch.openai.azure.com/openai/deployments/gpt-4o/chat/completions?api-version=2024-10-21',
    headers: { 'api-key': 'k' },
    answer: {
      reply: chat(
        { refusal: null },
        { prompt_filter_results: [{ prompt_index: 0, content_filter_results: {} }] },
        { content_filter_results: {} },
      ),
      said: PLAIN.said,
    },
    refusal: {
      status: 404,
      body: { error: { code: 'DeploymentNotFound', message: 'The API deployment for this resource does not exist.' } },
      kind: 'not_found',
      message: 'The API deployment for this resource does not exist.',
    },
  }),
  messagesRow('azure-openai', {
    page: 'https://platform.claude.com/docs/en/build-with-claude/claude-in-microsoft-foundry',
    settings: { settings: { resource: 'arch' } },
    model: 'claude-opus-4-8',
    url: 'https://arch.services.ai.azure.com/anthropic/v1/messages',
    headers: { 'x-api-key': 'k', ...VERSIONED },
  }),
  geminiRow('vertex', {
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference',
    settings: { settings: { project: 'arch' } },
    model: 'gemini-2.5-flash',
    url: 'https://aiplatform.googleapis.com/v1/projects/arch/locations/global/publishers/google/models/gemini-2.5-flash:generateContent',
    streamUrl:
      'https://aiplatform.googleapis.com/v1/projects/arch/locations/global/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
  }),
  messagesRow('vertex', {
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/claude/use-claude',
    settings: { region: 'us-east5', settings: { project: 'arch' } },
    model: 'claude-sonnet-4-5@20250929',
    url: 'https://us-east5-aiplatform.googleapis.com/v1/projects/arch/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5%4020250929:rawPredict',
    streamUrl:
      'https://us-east5-aiplatform.googleapis.com/v1/projects/arch/locations/us-east5/publishers/anthropic/models/claude-sonnet-4-5%4020250929:streamRawPredict',
    headers: { 'x-goog-api-key': 'k' },
    refusal: googleError,
  }),
  chatRow('vertex', {
    page: 'https://cloud.google.com/vertex-ai/generative-ai/docs/partner-models/grok/capabilities/reasoning',
    settings: { settings: { project: 'arch' } },
    model: 'xai/grok-4.1-fast-reasoning',
    url: 'https://aiplatform.googleapis.com/v1/projects/arch/locations/global/endpoints/openapi/chat/completions',
    headers: { 'x-goog-api-key': 'k' },
    answer: PLAIN,
    refusal: googleError,
  }),
  messagesRow('bedrock', {
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-messages-api.html',
    settings: { key: 'AKID:secret', region: 'eu-west-1' },
    model: 'eu.anthropic.claude-opus-4-8',
    url: 'https://bedrock-runtime.eu-west-1.amazonaws.com/anthropic/v1/messages',
    headers: { ...VERSIONED, ...SIGNED },
    refusal: awsError,
  }),
  responsesRow('bedrock', {
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-responses-api.html',
    model: 'openai.gpt-5.6-luna',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/responses',
  }),
  chatRow('bedrock', {
    page: 'https://docs.aws.amazon.com/bedrock/latest/userguide/inference-chat-completions.html',
    model: 'openai.gpt-oss-120b-1:0',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/openai/v1/chat/completions',
    answer: REASONING,
  }),
  {
    preset: 'bedrock',
    protocol: 'bedrock-converse',
    page: 'https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html',
    settings: { key: 'AKID:secret' },
    model: 'us.amazon.nova-2-lite-v1:0',
    url: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-2-lite-v1%3A0/converse',
    streamUrl: 'https://bedrock-runtime.us-east-1.amazonaws.com/model/us.amazon.nova-2-lite-v1%3A0/converse-stream',
    headers: SIGNED,
    answer: {
      reply: {
        output: {
          message: {
            role: 'assistant',
            content: [{ reasoningContent: { reasoningText: { text: 'Let me look.' } } }, { text: 'Nothing.' }],
          },
        },
        stopReason: 'end_turn',
        usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 },
        metrics: { latencyMs: 90 },
      },
      said: CHAT_SAID,
    },
    refusal: awsError,
  },
  chatRow('openrouter', {
    page: 'https://openrouter.ai/docs/api/reference/overview',
    model: 'anthropic/claude-haiku-4.5',
    url: 'https://openrouter.ai/api/v1/chat/completions',
    answer: {
      reply: chat(
        {
          reasoning: 'Let me look.',
          reasoning_details: [{ type: 'reasoning.text', text: 'Let me look.', signature: 'c2ln', format: 'anthropic-claude-v1', index: 0 }],
        },
        { provider: 'Anthropic' },
        { native_finish_reason: 'stop' },
      ),
      said: CHAT_SAID,
    },
    refusal: {
      status: 429,
      body: { error: { code: 429, message: SLOW, metadata: { provider_name: 'Google', raw: 'busy' } }, user_id: 'u_1' },
      kind: 'rate_limit',
      message: SLOW,
    },
  }),
  responsesRow('openrouter', {
    page: 'https://openrouter.ai/docs/api/reference/responses/overview',
    model: 'openai/gpt-5.4-nano',
    url: 'https://openrouter.ai/api/v1/responses',
  }),
  messagesRow('openrouter', {
    page: 'https://openrouter.ai/docs/guides/coding-agents/claude-code-integration',
    model: 'anthropic/claude-sonnet-4.6',
    url: 'https://openrouter.ai/api/v1/messages',
    headers: BEARER,
  }),
  chatRow('volcengine', {
    page: 'https://www.volcengine.com/docs/82379/1494384',
    model: 'doubao-seed-1-8-251228',
    url: 'https://ark.cn-beijing.volces.com/api/v3/chat/completions',
    refusal: {
      status: 404,
      body: {
        error: {
          code: 'InvalidEndpointOrModel.NotFound',
          message: 'The model or endpoint ep-1 does not exist.',
          param: '',
          type: 'NotFound',
        },
      },
      kind: 'not_found',
      message: 'The model or endpoint ep-1 does not exist.',
    },
  }),
  responsesRow('volcengine', {
    page: 'https://www.volcengine.com/docs/82379/1569618',
    settings: { region: 'intl' },
    model: 'seed-1-8-251228',
    url: 'https://ark.ap-southeast.bytepluses.com/api/v3/responses',
  }),
  messagesRow('volcengine', {
    page: 'https://www.volcengine.com/docs/82379/1928262',
    model: 'doubao-seed-2.0-code',
    url: 'https://ark.cn-beijing.volces.com/api/coding/v1/messages',
  }),
  chatRow('siliconflow', {
    page: 'https://docs.siliconflow.cn/docs/api/chat-completions-post',
    settings: { region: 'cn' },
    model: 'deepseek-ai/DeepSeek-V4-Flash',
    url: 'https://api.siliconflow.cn/v1/chat/completions',
    refusal: {
      status: 400,
      body: { code: 20012, message: 'Model does not exist.', data: null },
      kind: 'bad_request',
      message: 'Model does not exist.',
    },
  }),
  messagesRow('siliconflow', {
    page: 'https://api-docs.siliconflow.cn/docs/api/messages-post',
    model: 'zai-org/GLM-5.2',
    url: 'https://api.siliconflow.com/v1/messages',
  }),
  chatRow('qianfan', {
    page: 'https://cloud.baidu.com/doc/qianfan-api/s/3m7of64lb',
    model: 'ernie-5.0-thinking',
    url: 'https://qianfan.baidubce.com/v2/chat/completions',
    refusal: {
      status: 401,
      body: { error: { code: 'invalid_iam_token', message: 'IAM Certification failed', type: 'invalid_request_error' }, id: 'as-1' },
      kind: 'authentication',
      message: 'IAM Certification failed',
    },
  }),
  responsesRow('qianfan', {
    page: 'https://cloud.baidu.com/doc/qianfan-api/s/vmhejnuy8',
    model: 'ernie-5.0-thinking',
    url: 'https://qianfan.baidubce.com/v2/responses',
  }),
  chatRow('groq', {
    page: 'https://console.groq.com/docs/openai',
    model: 'openai/gpt-oss-120b',
    url: 'https://api.groq.com/openai/v1/chat/completions',
    answer: { reply: chat({ reasoning: 'Let me look.' }, { x_groq: { id: 'req_1' } }), said: CHAT_SAID },
    refusal: {
      status: 400,
      body: {
        error: {
          message: 'Tool choice is required, but model did not call a tool',
          type: 'invalid_request_error',
          code: 'tool_use_failed',
          failed_generation: 'perhaps',
        },
      },
      kind: 'bad_request',
      message: 'Tool choice is required, but model did not call a tool',
    },
  }),
  responsesRow('groq', {
    page: 'https://console.groq.com/docs/responses-api',
    model: 'openai/gpt-oss-20b',
    url: 'https://api.groq.com/openai/v1/responses',
  }),
  chatRow('cerebras', {
    page: 'https://inference-docs.cerebras.ai/api-reference/chat-completions',
    model: 'zai-glm-4.7',
    url: 'https://api.cerebras.ai/v1/chat/completions',
    answer: REASONING,
    refusal: {
      status: 404,
      body: { message: 'Model m does not exist.', type: 'not_found_error', param: 'model', code: 'model_not_found' },
      kind: 'not_found',
      message: 'Model m does not exist.',
    },
  }),
  completionsRow('cerebras', {
    page: 'https://inference-docs.cerebras.ai/api-reference/completions',
    model: 'gpt-oss-120b',
    url: 'https://api.cerebras.ai/v1/completions',
  }),
  chatRow('together', {
    page: 'https://docs.together.ai/docs/openai-api-compatibility',
    model: 'moonshotai/Kimi-K2.6',
    url: 'https://api.together.ai/v1/chat/completions',
    answer: REASONING,
    refusal: { ...openaiError(), body: { id: 'o-1', error: { message: SLOW, type: 'invalid_request_error', param: null, code: null } } },
  }),
  completionsRow('together', {
    page: 'https://docs.together.ai/reference/completions-1',
    model: 'meta-llama/Meta-Llama-3-70B',
    url: 'https://api.together.ai/v1/completions',
  }),
  chatRow('fireworks', {
    page: 'https://docs.fireworks.ai/tools-sdks/openai-compatibility',
    model: 'accounts/fireworks/models/deepseek-v4',
    url: 'https://api.fireworks.ai/inference/v1/chat/completions',
    refusal: openaiError({ object: 'error', code: 'rate_limit_exceeded' }),
  }),
  messagesRow('fireworks', {
    page: 'https://docs.fireworks.ai/api-reference/anthropic-messages',
    model: 'accounts/fireworks/models/glm-5p2',
    url: 'https://api.fireworks.ai/inference/v1/messages',
  }),
  responsesRow('fireworks', {
    page: 'https://docs.fireworks.ai/api-reference/post-responses',
    model: 'accounts/fireworks/models/gpt-oss-120b',
    url: 'https://api.fireworks.ai/inference/v1/responses',
  }),
  completionsRow('fireworks', {
    page: 'https://docs.fireworks.ai/api-reference/post-completions',
    model: 'accounts/fireworks/models/llama-v3p1-8b',
    url: 'https://api.fireworks.ai/inference/v1/completions',
  }),
  chatRow('deepinfra', {
    page: 'https://deepinfra.com/docs/openai_api',
    model: 'deepseek-ai/DeepSeek-V4',
    url: 'https://api.deepinfra.com/v1/openai/chat/completions',
    refusal: { status: 404, body: { detail: { error: 'Model is not available' } }, kind: 'not_found', message: 'Model is not available' },
  }),
  messagesRow('deepinfra', {
    page: 'https://docs.deepinfra.com/api-reference/chat-completions/anthropic-messages',
    model: 'deepseek-ai/DeepSeek-V4',
    url: 'https://api.deepinfra.com/anthropic/v1/messages',
  }),
  responsesRow('deepinfra', {
    page: 'https://docs.deepinfra.com/api-reference/responses/openai-responses',
    model: 'deepseek-ai/DeepSeek-V4',
    url: 'https://api.deepinfra.com/v1/responses',
  }),
  completionsRow('deepinfra', {
    page: 'https://deepinfra.com/docs/openai_api',
    model: 'meta-llama/Meta-Llama-3-70B',
    url: 'https://api.deepinfra.com/v1/openai/completions',
  }),
  chatRow('perplexity', {
    page: 'https://docs.perplexity.ai/api-reference/chat-completions-post',
    model: 'sonar-reasoning-pro',
    url: 'https://api.perplexity.ai/chat/completions',
    answer: {
      reply: chat({}, { citations: ['https://example.com/a'], search_results: [{ title: 'A', url: 'https://example.com/a' }] }),
      said: PLAIN.said,
    },
    refusal: {
      status: 401,
      body: { error: { message: 'Invalid API key provided.', type: 'invalid_api_key', code: 401 } },
      kind: 'authentication',
      message: 'Invalid API key provided.',
    },
  }),
  chatRow('nvidia', {
    page: 'https://docs.api.nvidia.com/nim/reference/llm-apis',
    model: 'nvidia/llama-3.3-nemotron-super-49b-v1.5',
    url: 'https://integrate.api.nvidia.com/v1/chat/completions',
    refusal: {
      status: 404,
      body: { status: 404, title: 'Not Found', detail: "Function 'f': Not found for account 'a'" },
      kind: 'not_found',
      message: "Function 'f': Not found for account 'a'",
    },
  }),
  chatRow('github-models', {
    page: 'https://docs.github.com/rest/models/inference',
    model: 'openai/gpt-4.1',
    url: 'https://models.github.ai/inference/chat/completions',
    headers: { ...BEARER, accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
    answer: PLAIN,
    refusal: {
      status: 400,
      body: { error: { code: 'unknown_model', message: 'Unknown model: m', details: 'Unknown model: m' } },
      kind: 'bad_request',
      message: 'Unknown model: m',
    },
  }),
  chatRow('huggingface', {
    page: 'https://huggingface.co/docs/inference-providers/tasks/chat-completion',
    model: 'deepseek-ai/DeepSeek-R1',
    url: 'https://router.huggingface.co/v1/chat/completions',
    answer: { reply: chat({ reasoning_content: 'Let me look.', tool_calls: [] }), said: CHAT_SAID },
    refusal: {
      status: 401,
      body: { error: 'Invalid username or password.' },
      kind: 'authentication',
      message: 'Invalid username or password.',
    },
  }),
  responsesRow('huggingface', {
    page: 'https://huggingface.co/docs/inference-providers/guides/responses-api',
    model: 'openai/gpt-oss-120b:groq',
    url: 'https://router.huggingface.co/v1/responses',
  }),
  messagesRow('huggingface', {
    page: 'https://huggingface.co/docs/inference-providers/integrations/claude-code',
    model: 'zai-org/GLM-5.2',
    url: 'https://router.huggingface.co/v1/messages',
  }),
  chatRow('cloudflare', {
    page: 'https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/',
    settings: { settings: { account: 'acc1' } },
    model: '@cf/openai/gpt-oss-120b',
    url: 'https://api.cloudflare.com/client/v4/accounts/acc1/ai/v1/chat/completions',
    refusal: {
      status: 401,
      body: { success: false, errors: [{ code: 10_000, message: 'Authentication error' }], messages: [], result: null },
      kind: 'authentication',
      message: '401',
    },
  }),
  responsesRow('cloudflare', {
    page: 'https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/',
    settings: { settings: { account: 'acc1' } },
    model: '@cf/openai/gpt-oss-120b',
    url: 'https://api.cloudflare.com/client/v4/accounts/acc1/ai/v1/responses',
  }),
  messagesRow('databricks', {
    page: 'https://docs.databricks.com/aws/en/machine-learning/model-serving/query-anthropic-messages',
    settings: { settings: { host: 'https://adb-1.2.azuredatabricks.net/' } },
    model: 'databricks-claude-sonnet-4-5',
    url: 'https://adb-1.2.azuredatabricks.net/serving-endpoints/anthropic/v1/messages',
  }),
  chatRow('databricks', {
    page: 'https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference',
    settings: { settings: { host: 'adb-1.2.azuredatabricks.net' } },
    model: 'databricks-gpt-oss-120b',
    url: 'https://adb-1.2.azuredatabricks.net/serving-endpoints/chat/completions',
    answer: PLAIN,
    refusal: {
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: 'The given endpoint does not exist.' },
      kind: 'not_found',
      message: 'The given endpoint does not exist.',
    },
  }),
];

const SERVERS: readonly WireRow[] = [
  chatRow('ollama', {
    page: 'https://docs.ollama.com/api/openai-compatibility',
    settings: NO_KEY,
    model: 'qwen3:8b',
    url: 'http://127.0.0.1:11434/v1/chat/completions',
    headers: {},
    answer: REASONING,
    refusal: {
      status: 404,
      body: { error: { message: "model 'qwen3:8b' not found", type: 'not_found_error', param: null, code: null } },
      kind: 'not_found',
      message: "model 'qwen3:8b' not found",
    },
  }),
  responsesRow('ollama', {
    page: 'https://docs.ollama.com/api/openai-compatibility',
    settings: { region: 'cloud' },
    model: 'gpt-oss:120b',
    url: 'https://ollama.com/v1/responses',
  }),
  messagesRow('ollama', {
    page: 'https://docs.ollama.com/api/anthropic-compatibility',
    settings: NO_KEY,
    model: 'qwen3:8b',
    url: 'http://127.0.0.1:11434/v1/messages',
    headers: {},
  }),
  completionsRow('ollama', {
    page: 'https://docs.ollama.com/api/openai-compatibility',
    settings: NO_KEY,
    model: 'codellama:7b',
    url: 'http://127.0.0.1:11434/v1/completions',
    headers: {},
  }),
  chatRow('vllm', {
    page: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/',
    settings: NO_KEY,
    model: 'Qwen/Qwen3-8B',
    url: 'http://127.0.0.1:8000/v1/chat/completions',
    headers: {},
    answer: REASONING,
    refusal: bareError,
  }),
  responsesRow('vllm', {
    page: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/',
    model: 'openai/gpt-oss-20b',
    url: 'http://127.0.0.1:8000/v1/responses',
  }),
  messagesRow('vllm', {
    page: 'https://docs.vllm.ai/en/latest/serving/integrations/claude_code/',
    settings: NO_KEY,
    model: 'Qwen/Qwen3-8B',
    url: 'http://127.0.0.1:8000/v1/messages',
    headers: {},
  }),
  completionsRow('vllm', {
    page: 'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/',
    settings: NO_KEY,
    model: 'facebook/opt-125m',
    url: 'http://127.0.0.1:8000/v1/completions',
    headers: {},
  }),
  chatRow('sglang', {
    page: 'https://docs.sglang.io/basic_usage/openai_api_completions.html',
    settings: NO_KEY,
    model: 'Qwen/Qwen3-8B',
    url: 'http://127.0.0.1:30000/v1/chat/completions',
    headers: {},
    refusal: bareError,
  }),
  completionsRow('sglang', {
    page: 'https://docs.sglang.io/basic_usage/openai_api_completions.html',
    settings: NO_KEY,
    model: 'Qwen/Qwen3-8B',
    url: 'http://127.0.0.1:30000/v1/completions',
    headers: {},
  }),
  chatRow('llama.cpp', {
    page: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
    settings: NO_KEY,
    model: 'qwen3-8b.gguf',
    url: 'http://127.0.0.1:8080/v1/chat/completions',
    headers: {},
    refusal: {
      status: 503,
      body: { error: { code: 503, message: 'Loading model', type: 'unavailable_error' } },
      kind: 'overloaded',
      message: 'Loading model',
    },
  }),
  messagesRow('llama.cpp', {
    page: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
    settings: NO_KEY,
    model: 'qwen3-8b.gguf',
    url: 'http://127.0.0.1:8080/v1/messages',
    headers: {},
  }),
  responsesRow('llama.cpp', {
    page: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
    settings: NO_KEY,
    model: 'qwen3-8b.gguf',
    url: 'http://127.0.0.1:8080/v1/responses',
    headers: {},
  }),
  completionsRow('llama.cpp', {
    page: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md',
    settings: NO_KEY,
    model: 'qwen3-8b.gguf',
    url: 'http://127.0.0.1:8080/v1/completions',
    headers: {},
  }),
  chatRow('lm-studio', {
    page: 'https://lmstudio.ai/docs/developer/openai-compat',
    model: 'qwen/qwen3-8b',
    url: 'http://127.0.0.1:1234/v1/chat/completions',
    refusal: { status: 404, body: { error: 'Model m not found' }, kind: 'not_found', message: 'Model m not found' },
  }),
  messagesRow('lm-studio', {
    page: 'https://lmstudio.ai/docs/developer/anthropic-compat',
    model: 'qwen/qwen3-8b',
    url: 'http://127.0.0.1:1234/v1/messages',
    headers: BEARER,
  }),
  responsesRow('lm-studio', {
    page: 'https://lmstudio.ai/docs/developer/openai-compat',
    model: 'openai/gpt-oss-20b',
    url: 'http://127.0.0.1:1234/v1/responses',
  }),
  completionsRow('lm-studio', {
    page: 'https://lmstudio.ai/docs/developer/openai-compat',
    model: 'qwen/qwen3-8b',
    url: 'http://127.0.0.1:1234/v1/completions',
  }),
  chatRow('xinference', {
    page: 'https://inference.readthedocs.io/en/latest/getting_started/using_xinference.html',
    settings: NO_KEY,
    model: 'qwen3',
    url: 'http://127.0.0.1:9997/v1/chat/completions',
    headers: {},
    answer: CALLING,
    refusal: {
      status: 400,
      body: { detail: '[address=127.0.0.1:1] Model not found, uid: qwen3' },
      kind: 'bad_request',
      message: '[address=127.0.0.1:1] Model not found, uid: qwen3',
    },
  }),
  completionsRow('xinference', {
    page: 'https://inference.readthedocs.io/en/latest/getting_started/using_xinference.html',
    settings: NO_KEY,
    model: 'qwen3',
    url: 'http://127.0.0.1:9997/v1/completions',
    headers: {},
  }),
  chatRow('gpustack', {
    page: 'https://docs.gpustack.ai/latest/user-guide/openai-compatible-apis/',
    settings: { baseUrl: 'http://gpus.example' },
    model: 'qwen3',
    url: 'http://gpus.example/v1/chat/completions',
    refusal: {
      status: 404,
      body: { code: 404, reason: 'NotFound', message: 'Model not found' },
      kind: 'not_found',
      message: 'Model not found',
    },
  }),
  completionsRow('gpustack', {
    page: 'https://docs.gpustack.ai/latest/user-guide/openai-compatible-apis/',
    settings: { baseUrl: 'http://gpus.example' },
    model: 'qwen3',
    url: 'http://gpus.example/v1/completions',
  }),
  chatRow('localai', {
    page: 'https://localai.io/docs/features/text-generation/',
    settings: NO_KEY,
    model: 'qwen3-8b',
    url: 'http://127.0.0.1:8080/v1/chat/completions',
    headers: {},
    answer: REASONING,
    refusal: {
      status: 500,
      body: { error: { code: 500, message: 'could not load model', type: '' } },
      kind: 'internal',
      message: 'could not load model',
    },
  }),
  messagesRow('localai', {
    page: 'https://localai.io/docs/features/text-generation/',
    settings: NO_KEY,
    model: 'qwen3-8b',
    url: 'http://127.0.0.1:8080/v1/messages',
    headers: {},
  }),
  responsesRow('localai', {
    page: 'https://localai.io/docs/features/text-generation/',
    settings: NO_KEY,
    model: 'qwen3-8b',
    url: 'http://127.0.0.1:8080/v1/responses',
    headers: {},
  }),
  completionsRow('localai', {
    page: 'https://localai.io/docs/features/text-generation/',
    settings: NO_KEY,
    model: 'qwen3-8b',
    url: 'http://127.0.0.1:8080/v1/completions',
    headers: {},
  }),
  chatRow('openai-compatible', {
    page: 'https://platform.openai.com/docs/api-reference/chat',
    settings: { baseUrl: 'https://llm.example/team/v1/', headers: { 'X-Team': 'arch' } },
    model: 'anything',
    url: 'https://llm.example/team/v1/chat/completions',
    headers: { ...BEARER, 'x-team': 'arch' },
    answer: CALLING,
    refusal: { status: 502, body: '<html>Bad gateway</html>', kind: 'upstream', message: '502' },
  }),
  responsesRow('openai-compatible', {
    page: 'https://platform.openai.com/docs/api-reference/responses/create',
    settings: { baseUrl: 'https://llm.example' },
    model: 'anything',
    url: 'https://llm.example/v1/responses',
  }),
  completionsRow('openai-compatible', {
    page: 'https://platform.openai.com/docs/api-reference/completions/create',
    settings: { baseUrl: 'https://llm.example' },
    model: 'anything',
    url: 'https://llm.example/v1/completions',
  }),
  messagesRow('openai-compatible', {
    page: 'https://platform.claude.com/docs/en/api/messages',
    settings: { baseUrl: 'https://llm.example' },
    model: 'anything',
    url: 'https://llm.example/v1/messages',
    headers: BEARER,
  }),
  messagesRow('anthropic-compatible', {
    page: 'https://platform.claude.com/docs/en/api/messages',
    settings: { baseUrl: 'https://llm.example/anthropic' },
    model: 'claude-opus-4-6',
    url: 'https://llm.example/anthropic/v1/messages',
    headers: { 'x-api-key': 'k', ...VERSIONED },
  }),
  geminiRow('gemini-compatible', {
    page: 'https://ai.google.dev/api/generate-content',
    settings: { baseUrl: 'https://llm.example/google' },
    model: 'gemini-2.5-pro',
    url: 'https://llm.example/google/v1beta/models/gemini-2.5-pro:generateContent',
    streamUrl: 'https://llm.example/google/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse',
  }),
];

export const WIRE_ROWS: readonly WireRow[] = [...MAKERS, ...CLOUDS, ...SERVERS];
