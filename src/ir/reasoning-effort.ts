import type { Effort, Reasoning } from './request.ts';

/** Thinking tokens that an effort stands for where a wire counts tokens; the middle of what vendors' guides suggest. */
const BUDGET: Record<Exclude<Effort, 'none'>, number> = {
  minimal: 1024,
  low: 2048,
  medium: 8192,
  high: 24_576,
  xhigh: 32_768,
  max: 65_536,
};

const ORDER: readonly Effort[] = ['none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

/** Whether a word is one of ours. */
export const isEffort = (word: unknown): word is Effort => ORDER.includes(word as Effort);

/** True when the client wants no thinking. */
export const isOff = (reasoning: Reasoning): boolean =>
  reasoning.enabled === false || reasoning.effort === 'none' || reasoning.budgetTokens === 0;

/** The effort that a client's wish stands for: its own word, or the one whose budget is nearest from above; `undefined`: the model's default. */
export function effortOf(reasoning: Reasoning): Effort | undefined {
  if (isOff(reasoning)) return 'none';
  if (reasoning.effort) return reasoning.effort;
  const budget = reasoning.budgetTokens;
  if (budget === undefined || budget < 0) return undefined;
  return ORDER.find((effort) => effort !== 'none' && budget <= BUDGET[effort]) ?? 'max';
}

/** The thinking budget that a client's wish stands for; 0: none, -1: the model decides. */
export function budgetOf(reasoning: Reasoning): number {
  if (isOff(reasoning)) return 0;
  if (reasoning.budgetTokens !== undefined) return reasoning.budgetTokens;
  return reasoning.effort && reasoning.effort !== 'none' ? BUDGET[reasoning.effort] : -1;
}

/** The word among `allowed` that is nearest to `effort`, the lower one when two are equally near. */
export function nearestEffort(effort: Effort, allowed: readonly string[]): Effort | undefined {
  const at = ORDER.indexOf(effort);
  let best: Effort | undefined;
  for (const word of allowed) {
    if (!isEffort(word) || (word === 'none' && effort !== 'none')) continue;
    if (best === undefined || Math.abs(ORDER.indexOf(word) - at) < Math.abs(ORDER.indexOf(best) - at)) best = word;
  }
  return best;
}
