import { openrouterAudioWires } from './audio-wires.ts';
import { bearer } from './auth.ts';
import { openrouterImageWires } from './image-wires.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { definePreset } from './preset.ts';
import { rename } from './quirks.ts';

export const openrouter = definePreset({
  id: 'openrouter',
  label: 'OpenRouter',
  docs: [
    'https://openrouter.ai/docs/api/reference/overview',
    'https://openrouter.ai/docs/api/reference/responses/overview',
    'https://openrouter.ai/docs/guides/coding-agents/claude-code-integration',
    'https://openrouter.ai/docs/guides/best-practices/reasoning-tokens',
    'https://openrouter.ai/docs/guides/best-practices/prompt-caching',
  ],
  env: ['OPENROUTER_API_KEY'],
  origin: 'https://openrouter.ai',
  regions: { eu: 'https://eu.openrouter.ai' },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/api/v1',
      facts: {
        topK: true,
        reasoningField: 'reasoning_details',
        reasoningControl: 'openrouter',
        cacheControl: true,
        store: false,
        media: { image: 'url-and-bytes', document: 'url-and-bytes', audio: 'bytes', video: 'none' },
      },
      passHeaders: ['http-referer', 'x-title', 'x-openrouter-*'],
      quirks: [rename('max_completion_tokens', 'max_tokens')],
      mark: 'recorded',
    },
    'openai-responses': {
      base: '/api/v1',
      facts: { encryptedReasoning: true, store: false, hostedTools: ['web-search'] },
      mark: 'recorded',
    },
    'anthropic-messages': {
      base: '/api/v1',
      facts: { hostedTools: ['web-search'] },
      passHeaders: ['anthropic-*', 'x-openrouter-*'],
      mark: 'documented',
    },
  },
  knows: [
    'anthropic/*',
    'openai/*',
    'google/*',
    'meta-llama/*',
    'mistralai/*',
    'deepseek/*',
    'qwen/*',
    'x-ai/*',
    'z-ai/*',
    'moonshotai/*',
    'openrouter/*',
  ],
  models: { path: '/api/v1/models', shape: 'openai' },
  readsPreferences: true,
  media: {
    ...openrouterImageWires,
    embeddings: embeddingsAt('/api/v1', {}, { mark: 'recorded' }),
    rerank: rerankAt('/api/v1', { echoes: false }, { mark: 'recorded' }),
    ...openrouterAudioWires,
  },
});
