import type { FactChanges } from '../ir/index.ts';
import { forModels } from './model-rule.ts';
import type { ModelRule } from './preset.ts';

/** What models that reason refuse: sampling, penalties, log probabilities, stop sequences. */
const REASONING: FactChanges = {
  sampling: false,
  penalties: false,
  logprobs: false,
  maxStop: 0,
  developerRole: true,
  reasoningControl: 'effort',
  maxTokensField: 'max_completion_tokens',
  chatFields: ['verbosity', 'prompt_cache_key', 'custom_tools'],
};

const NO_REASONING: FactChanges = { reasoningControl: 'none', sampling: true, penalties: true, logprobs: true, maxStop: 4 };

/**
 * OpenAI's models, by any cloud's spelling (`openai/gpt-5`, `openai.gpt-5.6-luna`, dated). Newest first, as a model that is
 * not listed yet is taken for one of them; older ones follow.
 * https://platform.openai.com/docs/guides/reasoning · https://platform.openai.com/docs/guides/latest-model
 */
export const openaiRules: readonly ModelRule[] = [
  ...forModels(['*gpt-5*', '*gpt-6*'], { ...REASONING, efforts: ['none', 'low', 'medium', 'high', 'xhigh'] }),
  ...forModels(['*gpt-5?1*'], { efforts: ['none', 'low', 'medium', 'high'] }),
  ...forModels(['*gpt-5?1-codex-max*'], { efforts: ['none', 'low', 'medium', 'high', 'xhigh'] }),
  ...forModels(['*gpt-5', '*gpt-5-2025*', '*gpt-5-mini*', '*gpt-5-nano*'], { efforts: ['minimal', 'low', 'medium', 'high'] }),
  ...forModels(['*gpt-5-codex*'], { efforts: ['low', 'medium', 'high'] }),
  ...forModels(['*gpt-5-pro*'], { efforts: ['high'] }),
  ...forModels(['*gpt-5?2-pro*', '*gpt-5?4-pro*', '*gpt-5?5-pro*'], { efforts: ['medium', 'high', 'xhigh'] }),
  ...forModels(['*gpt-5-chat*', '*gpt-5?1-chat*', '*gpt-5?2-chat*', '*gpt-5?3-chat*'], { reasoningControl: 'none' }),
  ...forModels(['o1*', '*/o1*', 'o3*', '*/o3*', 'o4*', '*/o4*', '*codex-mini*'], {
    ...REASONING,
    efforts: ['low', 'medium', 'high'],
    parallelToolCalls: false,
  }),
  ...forModels(['o1-mini*', '*/o1-mini*', 'o1-preview*', '*/o1-preview*'], { developerRole: false, reasoningControl: 'none' }),
  ...forModels(['*gpt-4*', '*gpt-3.5*', '*chatgpt-4o*', '*gpt-audio*'], NO_REASONING),
  ...forModels(['*gpt-4o-2024-05-13*', '*gpt-4-turbo*', '*gpt-4-1106*', '*gpt-4-0125*', '*gpt-3.5*'], {
    output: 'json-object',
    strictTools: false,
  }),
  ...forModels(['*gpt-4', '*gpt-4-0613*', '*gpt-4-0314*', '*gpt-4-32k*'], { output: 'none', strictTools: false }),
];
