import { groqAudioWires } from './audio-wires.ts';
import { bearer } from './auth.ts';
import { RESPONSES_LIKE } from './chat-like.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { drop, onlyFor, renameValue } from './quirks.ts';

export const groq = definePreset({
  id: 'groq',
  label: 'Groq',
  docs: ['https://console.groq.com/docs/openai', 'https://console.groq.com/docs/reasoning', 'https://console.groq.com/docs/responses-api'],
  env: ['GROQ_API_KEY'],
  origin: 'https://api.groq.com',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/openai/v1',
      facts: {
        developerRole: true,
        maxTokensField: 'max_completion_tokens',
        maxStop: 4,
        logprobs: false,
        n: false,
        store: false,
        metadata: false,
        reasoningField: 'reasoning',
        reasoningControl: 'none',
        media: { image: 'url-and-bytes', document: 'none', audio: 'none', video: 'none' },
      },
      quirks: [
        drop('logprobs', 'top_logprobs', 'logit_bias'),
        onlyFor(
          ['*qwen3*'],
          renameValue('reasoning_effort', { minimal: 'default', low: 'default', medium: 'default', high: 'default', xhigh: 'default' }),
        ),
        onlyFor(['*gpt-oss*'], renameValue('reasoning_effort', { none: 'low', minimal: 'low', xhigh: 'high', max: 'high' })),
      ],
      mark: 'recorded',
    },
    'openai-responses': { base: '/openai/v1', facts: { ...RESPONSES_LIKE, efforts: ['low', 'medium', 'high'] }, mark: 'documented' },
  },
  knows: [
    'llama-3.1-8b-instant',
    'llama-3.3-70b-versatile',
    'openai/gpt-oss-*',
    'groq/*',
    'meta-llama/llama-4-*',
    'whisper-large-v3*',
    'canopylabs/orpheus-*',
  ],
  rules: [
    ...forModels(['*gpt-oss*'], { reasoningControl: 'effort', efforts: ['low', 'medium', 'high'] }),
    // `none` switches thinking off; every other word means `default`, by the quirk.
    ...forModels(['*qwen3*'], { reasoningControl: 'effort', efforts: ['none', 'high'] }),
    ...forModels(['*llama*', '*kimi-k2*', '*compound*'], { output: 'json-object' }),
    ...forModels(['*llama-4*', '*kimi-k2*'], { output: 'json-schema' }),
  ],
  models: { path: '/openai/v1/models', shape: 'openai' },
  media: groqAudioWires,
});
