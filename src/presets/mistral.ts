import { mistralAudioWires } from './audio-wires.ts';
import { bearer } from './auth.ts';
import { embeddingsAt } from './media-wires.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { developerAsSystem, drop, rename } from './quirks.ts';

export const mistral = definePreset({
  id: 'mistral',
  label: 'Mistral AI',
  docs: [
    'https://docs.mistral.ai/api/endpoint/chat',
    'https://docs.mistral.ai/capabilities/reasoning',
    'https://docs.mistral.ai/api/endpoint/fim',
  ],
  env: ['MISTRAL_API_KEY'],
  origin: 'https://api.mistral.ai',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        // Other ids are refused: "Tool call id must be a-z, A-Z, 0-9, with a length of 9".
        toolId: { max: 9, charset: 'word', exact: 9 },
        developerRole: false,
        maxTemperature: 1.5,
        logprobs: false,
        store: false,
        reasoningField: 'none',
        reasoningControl: 'none',
        includeUsage: false,
        chatFields: ['prompt_cache_key'],
        media: { image: 'url-and-bytes', document: 'url', audio: 'url-and-bytes', video: 'none' },
      },
      // Fields that it does not know are refused with 422.
      quirks: [
        developerAsSystem,
        rename('max_completion_tokens', 'max_tokens'),
        rename('seed', 'random_seed'),
        drop(
          'stream_options',
          'store',
          'user',
          'logprobs',
          'top_logprobs',
          'logit_bias',
          'service_tier',
          'modalities',
          'verbosity',
          'prompt_cache_retention',
          'safety_identifier',
        ),
      ],
      mark: 'recorded',
    },
  },
  knows: [
    'mistral-*',
    'ministral-*',
    'magistral-*',
    'codestral-*',
    'devstral-*',
    'pixtral-*',
    'voxtral-*',
    'open-mistral-*',
    'open-mixtral-*',
  ],
  rules: [
    ...forModels(['mistral-small-latest', 'mistral-small-2603*', 'mistral-medium-latest', 'mistral-medium-3.5*'], {
      reasoningControl: 'effort',
      efforts: ['none', 'high'],
    }),
  ],
  models: { path: '/v1/models', shape: 'openai' },
  media: {
    embeddings: embeddingsAt('/v1', { dimensions: 'output_dimension', tokens: false, user: false }),
    moderations: { codec: 'mistral', base: '/v1', models: ['*moderation*'], mark: 'documented' },
    ...mistralAudioWires,
  },
});
