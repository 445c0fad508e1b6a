import { forModels } from './model-rule.ts';
import type { ModelRule } from './preset.ts';

/** Models with open weights as most servers and clouds run them; their own makers' presets say more. */
export const openModelRules: readonly ModelRule[] = [
  ...forModels(['*gpt-oss*'], { reasoningControl: 'effort', efforts: ['low', 'medium', 'high'] }),
  ...forModels(['*llama*', '*mixtral*', '*gemma*', '*phi-*', '*-instruct*', '*coder*'], { reasoningControl: 'none' }),
  // They want it wherever they run.
  ...forModels(['*deepseek*', '*kimi*', '*glm-*'], { thoughtsWithCalls: true }, 'openai-chat'),
];
