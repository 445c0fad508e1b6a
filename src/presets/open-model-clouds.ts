import { cohereAudioWires, togetherAudioWires } from './audio-wires.ts';
import { bearer } from './auth.ts';
import { ANTHROPIC_VERSION, CHAT_LIKE, CHAT_LIKE_QUIRKS, MESSAGES_LIKE, RESPONSES_LIKE } from './chat-like.ts';
import { claudeRules } from './claude-models.ts';
import { fireworksImageWires, togetherImageWires } from './image-wires.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { openModelRules } from './open-models.ts';
import { openaiRules } from './openai-models.ts';
import { definePreset } from './preset.ts';
import { dropNull } from './quirks.ts';

/** Clouds that run models of many makers behind OpenAI's chat, and differ by data only. */

export const together = definePreset({
  id: 'together',
  label: 'Together AI',
  docs: ['https://docs.together.ai/docs/openai-api-compatibility', 'https://docs.together.ai/reference/chat-completions-1'],
  env: ['TOGETHER_API_KEY', 'TOGETHERAI_API_KEY'],
  origin: 'https://api.together.ai',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        topK: true,
        reasoningField: 'reasoning',
        reasoningControl: 'effort',
        efforts: ['low', 'medium', 'high'],
        media: { image: 'url-and-bytes', document: 'none', audio: 'none', video: 'url-and-bytes' },
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'recorded',
    },
    'openai-completions': { base: '/v1', mark: 'documented' },
  },
  knows: [],
  rules: [
    ...openModelRules,
    ...forModels(['*glm-5.3*'], {
      reasoningField: 'reasoning_content',
      reasoningControl: 'effort',
      efforts: ['low', 'medium', 'high', 'max'],
    }),
  ],
  models: { path: '/v1/models', shape: 'openai' },
  media: {
    ...togetherImageWires,
    embeddings: embeddingsAt('/v1', { dimensions: 'none', base64: false, tokens: false, user: false }, { models: ['!*rank*'] }),
    rerank: rerankAt('/v1', {}, { models: ['*rank*'] }),
    ...togetherAudioWires,
  },
});

export const fireworks = definePreset({
  id: 'fireworks',
  label: 'Fireworks AI',
  docs: [
    'https://docs.fireworks.ai/tools-sdks/openai-compatibility',
    'https://docs.fireworks.ai/api-reference/anthropic-messages',
    'https://docs.fireworks.ai/guides/reasoning',
    'https://docs.fireworks.ai/api-reference/post-responses',
  ],
  env: ['FIREWORKS_API_KEY', 'FIREWORKS_AI_API_KEY'],
  origin: 'https://api.fireworks.ai',
  regions: { us: 'https://us.api.fireworks.ai' },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/inference/v1',
      facts: {
        ...CHAT_LIKE,
        topK: true,
        maxStop: 4,
        reasoningField: 'reasoning_content',
        reasoningControl: 'effort',
        efforts: ['none', 'low', 'medium', 'high', 'xhigh', 'max'],
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
    'anthropic-messages': { base: '/inference/v1', headers: ANTHROPIC_VERSION, facts: MESSAGES_LIKE, mark: 'documented' },
    'openai-responses': { base: '/inference/v1', facts: { ...RESPONSES_LIKE, store: true }, mark: 'documented' },
    'openai-completions': { base: '/inference/v1', mark: 'documented' },
  },
  knows: ['accounts/fireworks/*'],
  rules: forModels(['*llama*', '*mixtral*', '*-instruct*', '*coder*'], { reasoningControl: 'none' }),
  models: { path: '/inference/v1/models', shape: 'openai' },
  media: {
    ...fireworksImageWires,
    embeddings: embeddingsAt('/inference/v1', { base64: false, tokens: false, user: false }),
  },
});

export const deepinfra = definePreset({
  id: 'deepinfra',
  label: 'DeepInfra',
  docs: [
    'https://deepinfra.com/docs/openai_api',
    'https://docs.deepinfra.com/api-reference/chat-completions/anthropic-messages',
    'https://docs.deepinfra.com/api-reference/responses/openai-responses',
  ],
  env: ['DEEPINFRA_API_KEY', 'DEEPINFRA_TOKEN'],
  origin: 'https://api.deepinfra.com',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1/openai',
      facts: {
        ...CHAT_LIKE,
        topK: true,
        reasoningField: 'reasoning_content',
        reasoningControl: 'effort',
        efforts: ['none', 'low', 'medium', 'high'],
      },
      quirks: [...CHAT_LIKE_QUIRKS, dropNull('encoding_format')],
      mark: 'documented',
    },
    'anthropic-messages': { base: '/anthropic/v1', headers: ANTHROPIC_VERSION, facts: MESSAGES_LIKE, mark: 'documented' },
    'openai-responses': { base: '/v1', facts: RESPONSES_LIKE, mark: 'documented' },
    'openai-completions': { base: '/v1/openai', mark: 'documented' },
  },
  knows: [],
  rules: openModelRules,
  models: { path: '/v1/openai/models', shape: 'openai' },
  media: {
    embeddings: embeddingsAt('/v1/openai', { base64: false, tokens: false }),
  },
});

export const nvidia = definePreset({
  id: 'nvidia',
  label: 'NVIDIA NIM',
  docs: [
    'https://docs.api.nvidia.com/nim/reference/llm-apis',
    'https://docs.nvidia.com/nim/large-language-models/latest/api-reference.html',
  ],
  env: ['NVIDIA_API_KEY', 'NGC_API_KEY'],
  origin: 'https://integrate.api.nvidia.com',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        reasoningField: 'reasoning_content',
        reasoningControl: 'chat-template',
        efforts: ['none', 'low', 'medium', 'high'],
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
  },
  knows: ['nvidia/*'],
  rules: openModelRules,
  models: { path: '/v1/models', shape: 'openai' },
  media: {
    embeddings: embeddingsAt('/v1', { task: 'nvidia', tokens: false }),
  },
});

export const githubModels = definePreset({
  id: 'github-models',
  label: 'GitHub Models',
  docs: [
    'https://docs.github.com/rest/models/inference',
    'https://docs.github.com/github-models/use-github-models/prototyping-with-ai-models',
  ],
  env: ['GITHUB_MODELS_TOKEN', 'GITHUB_TOKEN'],
  origin: 'https://models.github.ai',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/inference',
      headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' },
      facts: { ...CHAT_LIKE, reasoningField: 'none', reasoningControl: 'none', maxStop: 4 },
      mark: 'documented',
    },
  },
  knows: [],
  rules: [...openModelRules, ...openaiRules],
  models: { path: '/catalog/models', shape: 'openai' },
  media: {
    embeddings: embeddingsAt(
      '/inference',
      {},
      { headers: { accept: 'application/vnd.github+json', 'x-github-api-version': '2022-11-28' } },
    ),
  },
});

export const huggingface = definePreset({
  id: 'huggingface',
  label: 'Hugging Face Inference Providers',
  docs: [
    'https://huggingface.co/docs/inference-providers/tasks/chat-completion',
    'https://huggingface.co/docs/inference-providers/guides/responses-api',
    'https://huggingface.co/docs/inference-providers/integrations/claude-code',
  ],
  env: ['HF_TOKEN', 'HUGGINGFACE_API_KEY', 'HUGGINGFACEHUB_API_TOKEN'],
  origin: 'https://router.huggingface.co',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        reasoningField: 'reasoning_content',
        reasoningControl: 'effort',
        efforts: ['low', 'medium', 'high'],
        maxStop: 4,
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'recorded',
    },
    'openai-responses': { base: '/v1', facts: RESPONSES_LIKE, mark: 'documented' },
    'anthropic-messages': { base: '/v1', headers: ANTHROPIC_VERSION, facts: MESSAGES_LIKE, mark: 'documented' },
  },
  knows: [],
  rules: openModelRules,
  models: { path: '/v1/models', shape: 'openai' },
});

export const cloudflare = definePreset({
  id: 'cloudflare',
  label: 'Cloudflare Workers AI',
  docs: ['https://developers.cloudflare.com/workers-ai/configuration/open-ai-compatibility/'],
  env: ['CLOUDFLARE_API_TOKEN', 'CLOUDFLARE_API_KEY'],
  settings: [{ name: 'account', env: ['CLOUDFLARE_ACCOUNT_ID'] }],
  origin: 'https://api.cloudflare.com',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/client/v4/accounts/{account}/ai/v1',
      facts: {
        ...CHAT_LIKE,
        n: false,
        logprobs: false,
        reasoningField: 'reasoning_content',
        reasoningControl: 'effort',
        efforts: ['low', 'medium', 'high'],
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'documented',
    },
    'openai-responses': { base: '/client/v4/accounts/{account}/ai/v1', models: ['*gpt-oss*'], facts: RESPONSES_LIKE, mark: 'documented' },
  },
  knows: ['@cf/*', '@hf/*'],
  rules: openModelRules,
  media: {
    embeddings: embeddingsAt('/client/v4/accounts/{account}/ai/v1', { dimensions: 'none', base64: false, tokens: false, user: false }),
  },
});

export const databricks = definePreset({
  id: 'databricks',
  label: 'Databricks',
  docs: [
    'https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference',
    'https://docs.databricks.com/aws/en/machine-learning/model-serving/query-anthropic-messages',
  ],
  env: ['DATABRICKS_TOKEN'],
  settings: [{ name: 'host', env: ['DATABRICKS_HOST'] }],
  origin: 'https://{host}',
  auth: bearer,
  speaks: {
    'anthropic-messages': {
      base: '/serving-endpoints/anthropic/v1',
      models: ['*claude*'],
      headers: ANTHROPIC_VERSION,
      mark: 'documented',
    },
    'openai-chat': {
      base: '/serving-endpoints',
      facts: {
        ...CHAT_LIKE,
        topK: true,
        reasoningField: 'none',
        reasoningControl: 'effort',
        efforts: ['low', 'medium', 'high'],
        includeUsage: false,
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'recorded',
    },
  },
  knows: ['databricks-*'],
  rules: [...openModelRules, ...openaiRules, ...claudeRules.map((rule) => ({ ...rule, on: 'anthropic-messages' as const }))],
  media: {
    embeddings: embeddingsAt('/serving-endpoints', { base64: false, tokens: false }),
  },
});

export const perplexity = definePreset({
  id: 'perplexity',
  label: 'Perplexity',
  docs: ['https://docs.perplexity.ai/api-reference/chat-completions-post', 'https://docs.perplexity.ai/docs/agent-api/quickstart'],
  env: ['PERPLEXITY_API_KEY', 'PPLX_API_KEY'],
  origin: 'https://api.perplexity.ai',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '',
      facts: {
        ...CHAT_LIKE,
        topK: true,
        seed: false,
        logprobs: false,
        n: false,
        maxStop: 0,
        parallelToolCalls: false,
        reasoningField: 'none',
        reasoningControl: 'none',
        media: { image: 'url-and-bytes', document: 'url-and-bytes', audio: 'none', video: 'none' },
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'recorded',
    },
  },
  knows: ['sonar', 'sonar-*', 'pplx-embed-*'],
  rules: forModels(['sonar-deep-research*', 'sonar-reasoning*'], {
    reasoningControl: 'effort',
    efforts: ['minimal', 'low', 'medium', 'high'],
  }),
  media: {
    // Vectors are bytes, signed, in base64.
    embeddings: embeddingsAt('/v1', { int8: true, tokens: false, user: false }, { models: ['pplx-embed-*'], batch: 512, mark: 'recorded' }),
  },
});

export const cohere = definePreset({
  id: 'cohere',
  label: 'Cohere',
  docs: ['https://docs.cohere.com/docs/compatibility-api'],
  env: ['COHERE_API_KEY', 'CO_API_KEY'],
  origin: 'https://api.cohere.ai',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/compatibility/v1',
      facts: {
        ...CHAT_LIKE,
        developerRole: true,
        maxTemperature: 1,
        maxStop: 5,
        logprobs: false,
        n: false,
        parallelToolCalls: false,
        reasoningField: 'none',
        reasoningControl: 'none',
      },
      quirks: CHAT_LIKE_QUIRKS.slice(1),
      mark: 'documented',
    },
  },
  knows: ['command-*', 'c4ai-*', 'embed-*', 'rerank-v*', 'rerank-english-*', 'rerank-multilingual-*'],
  rules: forModels(['command-a-reasoning*'], { reasoningControl: 'effort', efforts: ['none', 'high'] }),
  models: { path: '/v1/models', shape: 'cohere' },
  media: {
    embeddings: { codec: 'cohere', base: '/v2', models: ['*embed-*'], mark: 'recorded' },
    rerank: [
      rerankAt('/v1', {}, { models: ['rerank-*-v2.0'], mark: 'recorded' }),
      { codec: 'cohere', base: '/v2', models: ['*rerank-*'], mark: 'recorded' },
    ],
    ...cohereAudioWires,
  },
});
