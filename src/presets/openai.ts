import { openaiAudioWires } from './audio-wires.ts';
import { bearer } from './auth.ts';
import { openaiImageWires } from './image-wires.ts';
import { embeddingsAt } from './media-wires.ts';
import { openaiRules } from './openai-models.ts';
import { definePreset } from './preset.ts';
import { openaiVideoWires } from './video-wires.ts';

/** Models that are called in chat only. */
const CHAT_ONLY = ['!*-audio*', '!*search-preview*'];

export const openai = definePreset({
  id: 'openai',
  label: 'OpenAI',
  docs: [
    'https://platform.openai.com/docs/api-reference/responses/create',
    'https://platform.openai.com/docs/api-reference/chat/create',
    'https://platform.openai.com/docs/guides/migrate-to-responses',
  ],
  env: ['OPENAI_API_KEY'],
  origin: 'https://api.openai.com',
  regions: { eu: 'https://eu.api.openai.com', us: 'https://us.api.openai.com' },
  auth: bearer,
  speaks: {
    // First: from GPT-5.4 on chat refuses tools together with reasoning, and it never gives reasoning back.
    'openai-responses': {
      base: '/v1',
      models: CHAT_ONLY,
      facts: { developerRole: true, encryptedReasoning: true, hostedTools: ['web-search', 'code-execution', 'image-generation'] },
      passHeaders: ['openai-*', 'x-client-request-id', 'idempotency-key'],
      // https://platform.openai.com/docs/api-reference/responses/input-tokens
      countTokens: () => '/responses/input_tokens',
      mark: 'recorded',
    },
    'openai-chat': {
      base: '/v1',
      models: ['!*-pro', '!*-pro-*', '!*codex*', '!*deep-research*'],
      facts: {
        // The limit of older chat models; newer ones take 64.
        toolId: { max: 40, charset: 'any' },
        developerRole: true,
        maxTokensField: 'max_completion_tokens',
        maxStop: 4,
        reasoningField: 'none',
        chatFields: ['prompt_cache_key'],
      },
      passHeaders: ['openai-*', 'x-client-request-id', 'idempotency-key'],
      mark: 'recorded',
    },
    'openai-completions': { base: '/v1', facts: { maxStop: 4 }, mark: 'recorded' },
  },
  knows: [
    'gpt-*',
    'o1',
    'o1-*',
    'o3',
    'o3-*',
    'o4-*',
    'chatgpt-*',
    'codex-mini-*',
    'computer-use-*',
    'sora-*',
    'dall-e-*',
    'text-embedding-*',
    'omni-moderation-*',
    'text-moderation-*',
    'tts-*',
    'whisper-*',
    'davinci-002',
    'babbage-002',
  ],
  rules: openaiRules,
  models: { path: '/v1/models', shape: 'openai' },
  media: {
    embeddings: embeddingsAt('/v1', {}, { mark: 'recorded' }),
    moderations: { codec: 'openai', base: '/v1', models: ['*moderation*'], mark: 'recorded' },
    ...openaiImageWires,
    ...openaiAudioWires,
    ...openaiVideoWires,
  },
});
