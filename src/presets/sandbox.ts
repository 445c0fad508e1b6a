import { embeddingsAt, rerankAt } from './media-wires.ts';
import { definePreset, type MediaWire } from './preset.ts';

/** Where requests for the built-in provider are addressed; never dialled, the sender knows it. */
export const SANDBOX_ORIGIN = 'http://sandbox.invalid';

/** OpenAI's endpoints for the models of a glob. */
const media = (models: string, options: NonNullable<MediaWire['options']> = {}): MediaWire => ({
  codec: 'openai',
  base: '/v1',
  models: [models],
  options,
  mark: 'recorded',
});

/** The built-in provider, called over the same four wires as any other. */
export const sandboxPreset = definePreset({
  id: 'sandbox',
  label: 'Sandbox',
  docs: ['docs/sandbox.md'],
  env: [],
  origin: SANDBOX_ORIGIN,
  auth: { kind: 'none' },
  speaks: {
    'openai-chat': { base: '/v1', mark: 'recorded', facts: { developerRole: true, topK: true } },
    'openai-responses': { base: '/v1', mark: 'recorded', countTokens: () => '/responses/input_tokens' },
    'anthropic-messages': { base: '/v1', mark: 'recorded', countTokens: () => '/messages/count_tokens' },
    gemini: { base: '/v1beta', mark: 'recorded', countTokens: (model) => `/models/${encodeURIComponent(model)}:countTokens` },
    'openai-completions': { base: '/v1', mark: 'recorded' },
  },
  media: {
    embeddings: [
      embeddingsAt('/v1', {}, { models: ['*embed*'], mark: 'recorded' }),
      { codec: 'gemini', base: '/v1beta', models: ['*embed*'], mark: 'recorded' },
    ],
    rerank: rerankAt('/v1', {}, { models: ['*rerank*'], mark: 'recorded' }),
    speech: media('*speech*', { events: true, formats: 'mp3 wav pcm' }),
    transcription: media('*transcribe*'),
    translation: media('*transcribe*'),
    images: media('*image*', { sizes: 'any', stream: true }),
    'image-edits': media('*image*', { sizes: 'any', stream: true }),
    'image-variations': media('*image*', { sizes: 'any' }),
    videos: media('*video*', { references: 8, remixReferences: 8 }),
  },
  knows: [],
});
