import { forModels } from './model-rule.ts';
import type { ModelRule } from './preset.ts';

const OLDEST = ['*claude-2*', '*claude-instant*', '*claude-3-haiku*', '*claude-3-sonnet*', '*claude-3-opus*', '*claude-3?5*'];
/** Claude 4, whose names have no minor version but perhaps a date. */
const FOUR = ['opus', 'sonnet'].flatMap((name) => [
  `*claude-${name}-4`,
  `*claude-${name}-4-0`,
  `*claude-${name}-4-2025*`,
  `*claude-${name}-4@*`,
]);
const BUDGET = ['*claude-3*', ...FOUR, '*claude-opus-4?1*', '*claude-opus-4?5*', '*claude-sonnet-4?5*', '*claude-haiku-4?5*'];

const EFFORTS = ['low', 'medium', 'high', 'xhigh', 'max'];

/**
 * Claude, by any cloud's spelling of its names (`us.anthropic.claude-…-v1:0`, `claude-…@20250929`, `anthropic/claude-opus-4.7`).
 * The newest models' ways come first, so that one that is not listed yet is taken for one of them.
 * https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking
 * https://platform.claude.com/docs/en/models/opus-5-5/migration-guide
 */
export const claudeRules: readonly ModelRule[] = [
  ...forModels(['*claude*'], {
    sampling: false,
    topK: false,
    reasoningControl: 'adaptive',
    efforts: EFFORTS,
    midSystem: true,
    defaultMaxTokens: 16_384,
  }),
  // Here thinking can be switched off; Fable, Mythos and the later 5.5 always think.
  ...forModels(['*claude-opus-4?7*', '*claude-opus-4?8*', '*claude-opus-5*', '*claude-sonnet-5*', '*claude-haiku-5*'], {
    efforts: ['none', ...EFFORTS],
  }),
  ...forModels(['*claude-opus-5?5*', '*claude-sonnet-5?5*'], { efforts: EFFORTS }),
  ...forModels(['*claude-opus-5?5*', '*claude-fable-5?1*', '*claude-mythos-5?1*'], { forcedToolChoice: false }),
  ...forModels(['*claude-opus-4?7*'], { midSystem: false }),
  ...forModels(['*claude-opus-4?6*', '*claude-sonnet-4?6*'], {
    sampling: true,
    topK: true,
    efforts: ['none', 'low', 'medium', 'high', 'max'],
    midSystem: false,
  }),
  ...forModels([...OLDEST, ...BUDGET], {
    sampling: true,
    topK: true,
    reasoningControl: 'budget',
    efforts: ['none', 'low', 'medium', 'high'],
    midSystem: false,
    defaultMaxTokens: 8192,
  }),
  ...forModels([...OLDEST, ...FOUR], { temperatureWithTopP: true }),
  ...forModels(OLDEST, { reasoningControl: 'none', defaultMaxTokens: 4096 }),
];
