import { compatibleAudioWires } from './audio-wires.ts';
import { bearer, header } from './auth.ts';
import { claudeRules } from './claude-models.ts';
import { geminiRules } from './gemini-models.ts';
import { geminiImageWires, openaiCopyImageWires } from './image-wires.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { openaiRules } from './openai-models.ts';
import { definePreset } from './preset.ts';
import { openaiCopyVideoWires } from './video-wires.ts';

/** For any server that has no preset of its own: the operator gives its address. */

export const openaiCompatible = definePreset({
  id: 'openai-compatible',
  label: 'Any server of the OpenAI protocols',
  docs: ['https://platform.openai.com/docs/api-reference/chat'],
  env: [],
  keyOptional: true,
  origin: '',
  auth: bearer,
  speaks: {
    'openai-chat': { base: '/v1', facts: { store: false, metadata: false, strictTools: false }, mark: 'recorded' },
    'openai-responses': { base: '/v1', optional: true, facts: { store: false }, mark: 'recorded' },
    'openai-completions': { base: '/v1', mark: 'recorded' },
    'anthropic-messages': { base: '/v1', optional: true, mark: 'recorded' },
  },
  knows: [],
  rules: [...openaiRules, ...claudeRules.map((rule) => ({ ...rule, on: 'anthropic-messages' as const }))],
  models: { path: '/v1/models', shape: 'openai' },
  media: {
    ...openaiCopyImageWires,
    embeddings: embeddingsAt('/v1', {}, { mark: 'recorded' }),
    rerank: rerankAt('/v1'),
    moderations: { codec: 'openai', base: '/v1', mark: 'recorded' },
    ...compatibleAudioWires,
    ...openaiCopyVideoWires,
  },
});

export const anthropicCompatible = definePreset({
  id: 'anthropic-compatible',
  label: 'Any server of the Anthropic protocol',
  docs: ['https://platform.claude.com/docs/en/api/messages'],
  env: [],
  keyOptional: true,
  origin: '',
  auth: header('x-api-key'),
  speaks: {
    'anthropic-messages': {
      base: '/v1',
      headers: { 'anthropic-version': '2023-06-01' },
      passHeaders: ['anthropic-*'],
      // Asked for; a server that has none says 404, and the count is made here.
      countTokens: () => '/messages/count_tokens',
      mark: 'recorded',
    },
  },
  knows: [],
  rules: claudeRules,
  models: { path: '/v1/models', shape: 'anthropic' },
});

export const geminiCompatible = definePreset({
  id: 'gemini-compatible',
  label: 'Any server of the Gemini protocol',
  docs: ['https://ai.google.dev/api/generate-content'],
  env: [],
  keyOptional: true,
  origin: '',
  auth: header('x-goog-api-key'),
  speaks: {
    gemini: {
      base: '/v1beta',
      countTokens: (model) => `/models/${encodeURIComponent(model)}:countTokens`,
      countWraps: true,
      modelIn: 'path',
      mark: 'recorded',
    },
  },
  knows: [],
  rules: geminiRules,
  models: { path: '/v1beta/models', shape: 'gemini' },
  media: {
    ...geminiImageWires,
    embeddings: { codec: 'gemini', base: '/v1beta', mark: 'recorded' },
  },
});
