import { bearer, header } from './auth.ts';
import { ANTHROPIC_VERSION, CHAT_LIKE, CHAT_LIKE_QUIRKS, MESSAGES_LIKE, RESPONSES_LIKE } from './chat-like.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { callsTogether } from './quirks.ts';

const NO_MEDIA = { image: 'none', document: 'none', audio: 'none', video: 'none' } as const;
const EFFORTS = ['none', 'low', 'high', 'max'];

export const deepseek = definePreset({
  id: 'deepseek',
  label: 'DeepSeek',
  docs: [
    'https://api-docs.deepseek.com/api/create-chat-completion',
    'https://api-docs.deepseek.com/guides/anthropic_api',
    'https://api-docs.deepseek.com/guides/thinking_mode',
    'https://api-docs.deepseek.com/guides/fim_completion',
    'https://api-docs.deepseek.com/quick_start/pricing',
  ],
  env: ['DEEPSEEK_API_KEY'],
  origin: 'https://api.deepseek.com',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '',
      facts: {
        ...CHAT_LIKE,
        reasoningField: 'reasoning_content',
        thoughtsWithCalls: true,
        reasoningControl: 'thinking-type',
        efforts: ['low', 'high', 'max'],
        output: 'json-object',
        n: false,
        media: NO_MEDIA,
      },
      quirks: CHAT_LIKE_QUIRKS,
      mark: 'recorded',
    },
    'anthropic-messages': {
      base: '/anthropic/v1',
      auth: header('x-api-key'),
      headers: ANTHROPIC_VERSION,
      facts: { ...MESSAGES_LIKE, reasoningControl: 'effort', efforts: EFFORTS, media: NO_MEDIA },
      mark: 'documented',
    },
    'openai-responses': {
      base: '',
      facts: { ...RESPONSES_LIKE, efforts: EFFORTS, media: NO_MEDIA },
      quirks: [callsTogether],
      mark: 'recorded',
    },
    'openai-completions': { base: '/beta', mark: 'documented' },
  },
  knows: ['deepseek-*'],
  rules: [
    // Thinking models refuse a forced choice of tools.
    ...forModels(['deepseek-reasoner*', 'deepseek-v4*', 'deepseek-flash*'], { forcedToolChoice: false, logprobs: false }),
    // Flash reads images from V4.1 on, also under its older name.
    ...forModels(['*vision*', 'deepseek-flash*', 'deepseek-v4-flash*'], { media: { ...NO_MEDIA, image: 'url-and-bytes' } }),
  ],
  models: { path: '/models', shape: 'openai' },
});
