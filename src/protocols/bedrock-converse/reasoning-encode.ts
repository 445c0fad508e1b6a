import { budgetOf, type ChatRequest, effortOf, isOff, type JsonObject, nearestEffort, type Reasoning } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/** Fields of the model's own, beside what all models share; and the maximum that goes with them. */
export interface EncodedReasoning {
  readonly fields: JsonObject;
  readonly maxTokens?: number;
  /** The model thinks: sampling is then left out where it does not go together. */
  readonly thinking: boolean;
}

const MIN_BUDGET = 1024;
const USUAL_BUDGET = 8192;

function effortWord(reasoning: Reasoning, context: TargetContext): string | undefined {
  const effort = effortOf(reasoning);
  if (effort === undefined) return undefined;
  const word = nearestEffort(effort, context.facts.efforts);
  if (word === undefined) context.notes.add('reasoning.effort', 'dropped', 'the model takes no effort');
  else if (word !== effort) context.notes.add('reasoning.effort', 'approximated', `'${effort}' became '${word}'`);
  return word;
}

/** Claude's `thinking` with a budget. https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-extended-thinking.html */
function budget(request: ChatRequest, reasoning: Reasoning, context: TargetContext): EncodedReasoning {
  const { facts, notes } = context;
  const said = budgetOf(reasoning);
  const wanted = Math.max(MIN_BUDGET, Math.min(said < 0 ? USUAL_BUDGET : said, facts.maxBudgetTokens));
  const { maxOutputTokens } = request;
  if (maxOutputTokens !== undefined && maxOutputTokens <= MIN_BUDGET) {
    notes.add('reasoning', 'dropped', `max_tokens leaves no room to think: a budget is at least ${MIN_BUDGET}`);
    return { fields: {}, thinking: false };
  }
  const budget_tokens = maxOutputTokens === undefined ? wanted : Math.max(MIN_BUDGET, Math.min(wanted, maxOutputTokens - MIN_BUDGET));
  // Thinking counts against the maximum: where the client named none, the answer keeps its usual room.
  const maxTokens = maxOutputTokens === undefined ? { maxTokens: budget_tokens + facts.defaultMaxTokens } : {};
  return { fields: { thinking: { type: 'enabled', budget_tokens } }, ...maxTokens, thinking: true };
}

/** Claude's adaptive thinking. https://docs.aws.amazon.com/bedrock/latest/userguide/claude-messages-adaptive-thinking.html */
function adaptive(reasoning: Reasoning, context: TargetContext): EncodedReasoning {
  const effort = effortWord(reasoning, context);
  const fields = { thinking: { type: 'adaptive' }, ...(effort === undefined ? {} : { output_config: { effort } }) };
  return { fields, thinking: true };
}

/** Nova's levels. https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function level(reasoning: Reasoning, context: TargetContext): EncodedReasoning {
  const effort = effortWord(reasoning, context) ?? 'medium';
  return { fields: { reasoningConfig: { type: 'enabled', maxReasoningEffort: effort } }, thinking: effort === 'high' };
}

function off(context: TargetContext): EncodedReasoning {
  const { facts, notes } = context;
  if (facts.reasoningControl === 'level') return { fields: { reasoningConfig: { type: 'disabled' } }, thinking: false };
  if (facts.reasoningControl === 'effort' || !facts.efforts.includes('none')) {
    const least = nearestEffort('minimal', facts.efforts);
    notes.add('reasoning.effort', 'approximated', 'the model cannot stop thinking: it was asked for as little as it takes');
    const word = facts.reasoningControl === 'effort' ? { reasoning_effort: least } : { output_config: { effort: least } };
    return { fields: least === undefined ? {} : word, thinking: true };
  }
  // A budget is off unless it is asked for; adaptive thinking may be on by itself.
  return { fields: facts.reasoningControl === 'adaptive' ? { thinking: { type: 'disabled' } } : {}, thinking: false };
}

/** Writes how much to think into `additionalModelRequestFields`, as the model's maker words it. */
export function encodeReasoning(request: ChatRequest, context: TargetContext): EncodedReasoning {
  const { reasoning } = request;
  const control = context.facts.reasoningControl;
  if (!reasoning) return { fields: {}, thinking: false };
  if (control === 'none') {
    if (!isOff(reasoning)) context.notes.add('reasoning', 'dropped', 'the model does not think');
    return { fields: {}, thinking: false };
  }
  if (isOff(reasoning)) return off(context);
  if (control === 'budget') return budget(request, reasoning, context);
  if (control === 'adaptive') return adaptive(reasoning, context);
  if (control === 'level') return level(reasoning, context);
  const effort = effortWord(reasoning, context);
  return { fields: effort === undefined ? {} : { reasoning_effort: effort }, thinking: true };
}
