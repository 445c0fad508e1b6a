import { bearer } from './auth.ts';
import { CHAT_LIKE, MESSAGES_LIKE, RESPONSES_LIKE } from './chat-like.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { clamp, developerAsSystem, dropWord, onlyFor, whereAbove } from './quirks.ts';

const MEDIA = { image: 'bytes', document: 'none', audio: 'none', video: 'none' } as const;

export const moonshot = definePreset({
  id: 'moonshot',
  label: 'Moonshot AI (Kimi)',
  docs: [
    'https://platform.kimi.ai/docs/api/overview',
    'https://platform.kimi.ai/docs/api/models-overview',
    'https://platform.kimi.ai/docs/guide/use-kimi-k2-thinking-model',
    'https://platform.kimi.ai/docs/guide/agent-support',
  ],
  env: ['MOONSHOT_API_KEY', 'KIMI_API_KEY'],
  origin: 'https://api.moonshot.ai',
  regions: { intl: 'https://api.moonshot.ai', cn: 'https://api.moonshot.cn' },
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        maxTemperature: 1,
        maxTokensField: 'max_completion_tokens',
        maxStop: 5,
        reasoningField: 'reasoning_content',
        thoughtsWithCalls: true,
        reasoningControl: 'thinking-type',
        efforts: [],
        chatFields: ['prompt_cache_key'],
        forcedToolChoice: false,
        media: MEDIA,
      },
      quirks: [
        developerAsSystem,
        dropWord('reasoning_effort', 'none'),
        onlyFor(['moonshot-*', 'kimi-k2-*', 'kimi-latest*'], clamp('temperature', 0, 1)),
        // Near 0 all answers would be one, which is refused.
        whereAbove('n', 1, onlyFor(['moonshot-*', 'kimi-k2-*', 'kimi-latest*'], clamp('temperature', 0.3, 1))),
      ],
      mark: 'recorded',
    },
    'anthropic-messages': { base: '/anthropic/v1', facts: { ...MESSAGES_LIKE, media: MEDIA }, mark: 'documented' },
    'openai-responses': { base: '/v1', facts: { ...RESPONSES_LIKE, forcedToolChoice: false, media: MEDIA }, mark: 'documented' },
  },
  knows: ['kimi-*', 'moonshot-*'],
  rules: [
    // These think always; K3 takes an effort, the others none. Sampling is fixed from K2.5 on.
    ...forModels(['kimi-k2.5*', 'kimi-k2.6*', 'kimi-k2.7*', 'kimi-k3*'], { sampling: false, penalties: false, n: false }),
    ...forModels(['kimi-k3*'], { reasoningControl: 'effort', efforts: ['low', 'high', 'max'] }),
    ...forModels(['kimi-k2.7-code*', 'kimi-k2-thinking*', 'moonshot-*', 'kimi-k2-0*', 'kimi-k2-turbo*', 'kimi-latest*'], {
      reasoningControl: 'none',
    }),
  ],
  models: { path: '/v1/models', shape: 'openai' },
});
