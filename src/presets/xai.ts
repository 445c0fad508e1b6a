import { xaiAudioWires } from './audio-wires.ts';
import { bearer } from './auth.ts';
import { xaiImageWires } from './image-wires.ts';
import { embeddingsAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { xaiVideoWires } from './video-wires.ts';

export const xai = definePreset({
  id: 'xai',
  label: 'xAI',
  docs: ['https://docs.x.ai/docs/api-reference', 'https://docs.x.ai/docs/guides/reasoning', 'https://docs.x.ai/docs/guides/responses-api'],
  env: ['XAI_API_KEY', 'GROK_API_KEY'],
  origin: 'https://api.x.ai',
  regions: { us: 'https://us-east-1.api.x.ai', eu: 'https://eu-west-1.api.x.ai' },
  auth: bearer,
  speaks: {
    // First: only here reasoning can be sent back, encrypted.
    'openai-responses': {
      base: '/v1',
      facts: {
        developerRole: true,
        encryptedReasoning: true,
        efforts: ['none', 'low', 'medium', 'high'],
        hostedTools: ['web-search', 'code-execution', 'file-search', 'mcp'],
      },
      mark: 'recorded',
    },
    'openai-chat': {
      base: '/v1',
      facts: {
        developerRole: true,
        maxTokensField: 'max_completion_tokens',
        store: false,
        metadata: false,
        reasoningField: 'none',
        efforts: ['none', 'low', 'medium', 'high'],
        media: { image: 'url-and-bytes', document: 'none', audio: 'none', video: 'none' },
      },
      mark: 'recorded',
    },
  },
  knows: ['grok-*'],
  rules: [
    // Models that reason refuse these.
    ...forModels(['grok-3-mini*', 'grok-4*', 'grok-code*', 'grok-build*'], { penalties: false, maxStop: 0 }),
    ...forModels(['grok-*non-reasoning*'], { penalties: true, maxStop: 4, reasoningControl: 'none' }),
    ...forModels(
      [
        'grok-2*',
        'grok-3',
        'grok-3-fast*',
        'grok-beta',
        'grok-vision*',
        'grok-4',
        'grok-4-0709',
        'grok-4-fast*',
        'grok-4-1*',
        'grok-4.20*',
        'grok-code*',
      ],
      { reasoningControl: 'none' },
    ),
    ...forModels(['grok-3-mini*'], { efforts: ['low', 'high'] }),
    ...forModels(['grok-4.5*'], { efforts: ['low', 'medium', 'high'] }),
  ],
  models: { path: '/v1/models', shape: 'openai' },
  media: {
    ...xaiImageWires,
    ...xaiVideoWires,
    embeddings: embeddingsAt('/v1'),
    ...xaiAudioWires,
  },
});
