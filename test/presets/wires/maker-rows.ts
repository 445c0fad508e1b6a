import {
  BEARER,
  CHAT_SAID,
  CHAT_USAGE,
  PLAIN,
  REASONING,
  SLOW,
  VERSIONED,
  chat,
  chatRow,
  completionsRow,
  geminiRow,
  messagesRow,
  openaiError,
  responsesRow,
  type WireRow,
} from './wire-row.ts';

/** Makers of models, at their own addresses. */
export const MAKERS: readonly WireRow[] = [
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
