import { localAiAudioWires, vllmAudioWires, xinferenceAudioWires } from './audio-wires.ts';
import type { FactChanges } from '../ir/index.ts';
import { bearer } from './auth.ts';
import { CHAT_LIKE, MESSAGES_LIKE, RESPONSES_LIKE } from './chat-like.ts';
import { openaiCopyImageWires } from './image-wires.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { definePreset, type Preset, type Wire } from './preset.ts';

/** Servers that people run themselves. None needs a key; where one is set it is sent as a bearer. */

const CHAT: FactChanges = {
  ...CHAT_LIKE,
  topK: true,
  reasoningField: 'reasoning_content',
  reasoningControl: 'chat-template',
  efforts: ['none', 'low', 'medium', 'high'],
  // A server on the inside may have no way out to fetch an address.
  media: { image: 'bytes', document: 'none', audio: 'none', video: 'none' },
};
const MESSAGES: FactChanges = { ...MESSAGES_LIKE, media: { image: 'bytes', document: 'none', audio: 'none', video: 'none' } };
const RESPONSES: FactChanges = { ...RESPONSES_LIKE, media: { image: 'bytes', document: 'none', audio: 'none', video: 'none' } };

const chat = (facts: FactChanges = {}, mark: Wire['mark'] = 'documented'): Wire => ({ base: '/v1', facts: { ...CHAT, ...facts }, mark });
const messages = (facts: FactChanges = {}): Wire => ({ base: '/v1', facts: { ...MESSAGES, ...facts }, mark: 'documented' });
const responses = (mark: Wire['mark'] = 'documented'): Wire => ({ base: '/v1', facts: RESPONSES, mark });
const completions = (mark: Wire['mark'] = 'documented'): Wire => ({ base: '/v1', mark });

/** What these have in common. */
const local = (
  port: number,
  rest: Omit<Preset, 'origin' | 'auth' | 'local' | 'knows' | 'env'> & { readonly env?: readonly string[] },
): Preset =>
  definePreset({
    env: [],
    origin: `http://127.0.0.1:${port}`,
    auth: bearer,
    keyOptional: true,
    knows: [],
    rules: forModels(['*gpt-oss*'], { reasoningControl: 'effort', efforts: ['low', 'medium', 'high'] }),
    models: { path: '/v1/models', shape: 'openai' },
    ...rest,
    local: { port, probe: '/v1/models' },
  });

export const ollama = local(11434, {
  id: 'ollama',
  label: 'Ollama',
  docs: [
    'https://docs.ollama.com/api/openai-compatibility',
    'https://docs.ollama.com/api/anthropic-compatibility',
    'https://docs.ollama.com/cloud',
  ],
  env: ['OLLAMA_API_KEY'],
  envRegions: { OLLAMA_API_KEY: 'cloud' },
  regions: { cloud: 'https://ollama.com' },
  speaks: {
    'openai-chat': chat(
      { topK: false, logprobs: false, n: false, forcedToolChoice: false, reasoningField: 'reasoning', reasoningControl: 'effort' },
      'recorded',
    ),
    'openai-responses': responses(),
    'anthropic-messages': messages({ forcedToolChoice: false }),
    'openai-completions': completions(),
  },
  media: {
    embeddings: [
      { codec: 'ollama', base: '', mark: 'recorded' },
      // For clients of OpenAI's dialect, whose bytes pass.
      embeddingsAt('/v1', { base64: false, tokens: false }, { mark: 'recorded' }),
    ],
  },
});

export const vllm = local(8000, {
  id: 'vllm',
  label: 'vLLM',
  docs: [
    'https://docs.vllm.ai/en/latest/serving/openai_compatible_server/',
    'https://docs.vllm.ai/en/latest/serving/integrations/claude_code/',
  ],
  env: ['VLLM_API_KEY'],
  speaks: {
    'openai-chat': chat(
      { strictTools: true, reasoningField: 'reasoning', media: { image: 'bytes', document: 'none', audio: 'bytes', video: 'none' } },
      'recorded',
    ),
    'openai-responses': responses(),
    'anthropic-messages': messages(),
    'openai-completions': completions('recorded'),
  },
  media: {
    embeddings: embeddingsAt('/v1'),
    rerank: rerankAt('/v1', { echoes: false }),
    ...vllmAudioWires,
  },
});

export const sglang = local(30000, {
  id: 'sglang',
  label: 'SGLang',
  docs: ['https://docs.sglang.io/basic_usage/openai_api_completions.html', 'https://docs.sglang.io/basic_usage/openai_api.html'],
  speaks: {
    'openai-chat': chat({ strictTools: true }),
    'anthropic-messages': { ...messages(), optional: true },
    'openai-responses': { ...responses(), optional: true },
    'openai-completions': completions(),
  },
  media: {
    embeddings: embeddingsAt('/v1', { base64: false }),
  },
});

export const llamaCpp = local(8080, {
  id: 'llama.cpp',
  label: 'llama.cpp',
  docs: ['https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md'],
  speaks: {
    'openai-chat': chat({ media: { image: 'bytes', document: 'none', audio: 'bytes', video: 'none' } }),
    'anthropic-messages': { ...messages(), countTokens: () => '/messages/count_tokens' },
    'openai-responses': responses(),
    'openai-completions': completions(),
  },
  media: {
    embeddings: embeddingsAt('/v1'),
    rerank: rerankAt('/v1', { echoes: false }),
  },
});

export const lmStudio = local(1234, {
  id: 'lm-studio',
  label: 'LM Studio',
  docs: ['https://lmstudio.ai/docs/developer/openai-compat', 'https://lmstudio.ai/docs/developer/anthropic-compat'],
  env: ['LM_API_TOKEN', 'LMSTUDIO_API_KEY'],
  speaks: {
    'openai-chat': chat({ reasoningControl: 'effort' }),
    'anthropic-messages': messages(),
    'openai-responses': responses('recorded'),
    'openai-completions': completions(),
  },
  media: {
    embeddings: embeddingsAt('/v1', { base64: false, dimensions: 'none', tokens: false }),
  },
});

export const xinference = local(9997, {
  id: 'xinference',
  label: 'Xinference',
  docs: ['https://inference.readthedocs.io/en/latest/getting_started/using_xinference.html'],
  speaks: { 'openai-chat': chat(), 'openai-completions': completions() },
  media: {
    ...openaiCopyImageWires,
    embeddings: embeddingsAt('/v1', { base64: false, tokens: false }),
    rerank: rerankAt('/v1'),
    ...xinferenceAudioWires,
  },
});

export const gpustack = local(80, {
  id: 'gpustack',
  label: 'GPUStack',
  docs: ['https://docs.gpustack.ai/latest/user-guide/openai-compatible-apis/'],
  env: ['GPUSTACK_API_KEY'],
  speaks: {
    'openai-chat': chat(),
    'anthropic-messages': { ...messages(), optional: true },
    'openai-completions': completions(),
  },
  media: {
    embeddings: embeddingsAt('/v1', { base64: false }),
    rerank: rerankAt('/v1', { echoes: false }),
  },
});

export const localAi = local(8080, {
  id: 'localai',
  label: 'LocalAI',
  docs: ['https://localai.io/docs/features/text-generation/'],
  env: ['LOCALAI_API_KEY'],
  speaks: {
    'openai-chat': chat({ reasoningField: 'reasoning' }),
    'anthropic-messages': messages(),
    'openai-responses': responses(),
    'openai-completions': completions(),
  },
  media: {
    ...openaiCopyImageWires,
    embeddings: embeddingsAt('/v1', { base64: false }),
    rerank: rerankAt('/v1', { echoes: false }),
    ...localAiAudioWires,
  },
});
