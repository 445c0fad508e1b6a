import { forModels } from './model-rule.ts';
import type { ModelRule } from './preset.ts';

/**
 * Gemini on its own wire: a level from 3 on, a budget in 2.5, no thinking before. https://ai.google.dev/gemini-api/docs/thinking
 */
export const geminiRules: readonly ModelRule[] = [
  ...forModels(['*gemini*'], { reasoningControl: 'level', efforts: ['minimal', 'low', 'medium', 'high'] }, 'gemini'),
  ...forModels(['*gemini-3*'], { geminiToolIds: true }, 'gemini'),
  ...forModels(['*gemini-3-pro*'], { efforts: ['low', 'high'] }, 'gemini'),
  ...forModels(['*gemini-3.1-pro*'], { efforts: ['low', 'medium', 'high'] }, 'gemini'),
  ...forModels(['*gemini-2*', '*gemini-1*', '*gemini-flash-lite-latest*'], { reasoningControl: 'none', efforts: [] }, 'gemini'),
  ...forModels(
    ['*gemini-2.5-pro*'],
    { reasoningControl: 'budget', maxBudgetTokens: 32_768, efforts: ['minimal', 'low', 'medium', 'high'] },
    'gemini',
  ),
  ...forModels(
    ['*gemini-2.5-flash*'],
    { reasoningControl: 'budget', maxBudgetTokens: 24_576, efforts: ['none', 'minimal', 'low', 'medium', 'high'] },
    'gemini',
  ),
  ...forModels(['*gemini-2.5-flash-image*', '*gemini-2.5-*-tts*', '*-image*'], { reasoningControl: 'none', efforts: [] }, 'gemini'),
  ...forModels(['*gemma*'], { reasoningControl: 'none', efforts: [], output: 'none' }, 'gemini'),
];
