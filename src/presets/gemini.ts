import { geminiAudioWires } from './audio-wires.ts';
import { bearer, header } from './auth.ts';
import { geminiRules } from './gemini-models.ts';
import { googleImageWires } from './image-wires.ts';
import { embeddingsAt } from './media-wires.ts';
import { definePreset } from './preset.ts';
import { geminiVideoWires } from './video-wires.ts';

export const gemini = definePreset({
  id: 'gemini',
  label: 'Google Gemini',
  docs: ['https://ai.google.dev/api/generate-content', 'https://ai.google.dev/api/tokens', 'https://ai.google.dev/gemini-api/docs/openai'],
  env: ['GEMINI_API_KEY', 'GOOGLE_API_KEY', 'GOOGLE_GENERATIVE_AI_API_KEY'],
  origin: 'https://generativelanguage.googleapis.com',
  auth: header('x-goog-api-key'),
  speaks: {
    gemini: {
      base: '/v1beta',
      facts: { hostedTools: ['web-search', 'web-fetch', 'code-execution'] },
      countTokens: (model) => `/models/${encodeURIComponent(model)}:countTokens`,
      countWraps: true,
      modelIn: 'path',
      mark: 'recorded',
    },
    // For embeddings only: a chat goes better through its own protocol, since most clients of the compatible one do not
    // send back the thought signatures that newer models insist on.
    'openai-chat': {
      base: '/v1beta/openai',
      models: ['*embedding*'],
      auth: bearer,
      mark: 'recorded',
    },
  },
  knows: ['gemini-*', 'gemma-*', 'learnlm-*', 'imagen-*', 'veo-*'],
  rules: geminiRules,
  models: { path: '/v1beta/models', shape: 'gemini' },
  media: {
    embeddings: [
      { codec: 'gemini', base: '/v1beta', mark: 'recorded' },
      // For clients of OpenAI's dialect, whose bytes pass.
      embeddingsAt('/v1beta/openai', { base64: false, tokens: false, user: false }, { auth: bearer }),
    ],
    ...googleImageWires,
    ...geminiVideoWires,
    ...geminiAudioWires('/v1beta'),
  },
});
