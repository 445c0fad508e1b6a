import { minimaxAudioWires } from './audio-wires.ts';
import { bearer } from './auth.ts';
import { ANTHROPIC_VERSION, CHAT_LIKE, MESSAGES_LIKE, RESPONSES_LIKE } from './chat-like.ts';
import { definePreset } from './preset.ts';
import { minimaxVideoWires } from './video-wires.ts';
import { developerAsSystem } from './quirks.ts';

const NO_MEDIA = { image: 'none', document: 'none', audio: 'none', video: 'none' } as const;

export const minimax = definePreset({
  id: 'minimax',
  label: 'MiniMax',
  docs: [
    'https://platform.minimax.io/docs/api-reference/text-chat-anthropic',
    'https://platform.minimax.io/docs/api-reference/text-openai-api',
    'https://platform.minimax.io/docs/api-reference/responses-create',
  ],
  env: ['MINIMAX_API_KEY'],
  origin: 'https://api.minimax.io',
  regions: { intl: 'https://api.minimax.io', cn: 'https://api.minimaxi.com' },
  auth: bearer,
  speaks: {
    // First: here thinking comes in blocks of its own; in chat it stands between tags in the text.
    'anthropic-messages': {
      base: '/anthropic/v1',
      headers: ANTHROPIC_VERSION,
      facts: { ...MESSAGES_LIKE, topK: false, maxStop: 0, media: NO_MEDIA },
      mark: 'documented',
    },
    'openai-chat': {
      base: '/v1',
      facts: {
        ...CHAT_LIKE,
        maxTemperature: 1,
        maxTokensField: 'max_completion_tokens',
        penalties: false,
        logprobs: false,
        n: false,
        reasoningField: 'reasoning_details',
        reasoningControl: 'none',
        media: NO_MEDIA,
      },
      quirks: [developerAsSystem],
      mark: 'documented',
    },
    'openai-responses': { base: '/v1', facts: { ...RESPONSES_LIKE, media: NO_MEDIA }, mark: 'documented' },
  },
  knows: ['MiniMax-*', 'minimax-*', 'abab*', 'speech-0*', 'speech-2*'],
  models: { path: '/v1/models', shape: 'openai' },
  media: { ...minimaxAudioWires, ...minimaxVideoWires },
});
