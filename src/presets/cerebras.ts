import { bearer } from './auth.ts';
import { forModels } from './model-rule.ts';
import { definePreset } from './preset.ts';
import { developerAsSystem, drop, onlyFor, thoughtsInTags } from './quirks.ts';

export const cerebras = definePreset({
  id: 'cerebras',
  label: 'Cerebras',
  docs: [
    'https://inference-docs.cerebras.ai/resources/openai',
    'https://inference-docs.cerebras.ai/api-reference/chat-completions',
    'https://inference-docs.cerebras.ai/capabilities/reasoning',
  ],
  env: ['CEREBRAS_API_KEY'],
  origin: 'https://api.cerebras.ai',
  auth: bearer,
  speaks: {
    'openai-chat': {
      base: '/v1',
      facts: {
        developerRole: false,
        maxTemperature: 1.5,
        maxTokensField: 'max_completion_tokens',
        maxStop: 4,
        penalties: false,
        n: false,
        parallelToolCalls: false,
        store: false,
        metadata: false,
        reasoningField: 'reasoning',
        reasoningControl: 'none',
        media: { image: 'none', document: 'none', audio: 'none', video: 'none' },
      },
      quirks: [
        developerAsSystem,
        drop('frequency_penalty', 'presence_penalty', 'logit_bias', 'parallel_tool_calls', 'service_tier'),
        onlyFor(['*glm*'], thoughtsInTags('reasoning')),
      ],
      mark: 'recorded',
    },
    'openai-completions': { base: '/v1', mark: 'documented' },
  },
  knows: ['zai-glm-*', 'gpt-oss-120b', 'qwen-3-*'],
  rules: [
    // Cannot stop thinking.
    ...forModels(['*gpt-oss*'], { reasoningControl: 'effort', efforts: ['low', 'medium', 'high'] }),
    ...forModels(['*glm*'], { reasoningControl: 'effort', efforts: ['none'] }),
  ],
  models: { path: '/v1/models', shape: 'openai' },
});
