import {
  budgetOf,
  type ChatRequest,
  DEFAULT_FACTS,
  type Effort,
  effortOf,
  isOff,
  type JsonObject,
  nearestEffort,
  type Reasoning,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { residueOf } from './dialect.ts';
import { REASONING_FIELDS } from './reasoning-decode.ts';

const noteEffort = (from: Effort, to: string, context: TargetContext): void => {
  if (from !== to) context.notes.add('reasoning.effort', 'approximated', `'${from}' became '${to}'`);
};

/** The target's word for an effort; `undefined`: the model's default, or the target has no words. */
function effortWord(reasoning: Reasoning, context: TargetContext): Effort | undefined {
  const effort = effortOf(reasoning);
  if (effort === undefined) return undefined;
  const { efforts } = context.facts;
  // A model that cannot stop is asked for as little as it takes.
  const word = effort === 'none' && !efforts.includes('none') ? nearestEffort('minimal', efforts) : nearestEffort(effort, efforts);
  if (word === undefined) context.notes.add('reasoning.effort', 'dropped', 'the target takes no effort');
  else noteEffort(effort, word, context);
  return word;
}

function noteBudget(reasoning: Reasoning, context: TargetContext): void {
  if (reasoning.budgetTokens !== undefined && reasoning.budgetTokens > 0)
    context.notes.add('reasoning.budget', 'approximated', 'the target takes an effort, not a budget');
}

function byEffort(reasoning: Reasoning, context: TargetContext): JsonObject {
  noteBudget(reasoning, context);
  // Who asks for thoughts gets some, also from a model that by itself gives none.
  const asked: Reasoning = reasoning.enabled === true && effortOf(reasoning) === undefined ? { ...reasoning, effort: 'medium' } : reasoning;
  const word = effortWord(asked, context);
  return word === undefined ? {} : { reasoning_effort: word };
}

/** https://openrouter.ai/docs/use-cases/reasoning-tokens */
function byOpenrouter(reasoning: Reasoning, context: TargetContext): JsonObject {
  const exclude = reasoning.show === 'none' ? { exclude: true } : {};
  if (isOff(reasoning)) return { reasoning: { enabled: false } };
  if (reasoning.effort === undefined && reasoning.budgetTokens !== undefined && reasoning.budgetTokens > 0) {
    return { reasoning: { max_tokens: Math.min(reasoning.budgetTokens, context.facts.maxBudgetTokens), ...exclude } };
  }
  const word = effortWord(reasoning, context);
  return { reasoning: { ...(word === undefined ? { enabled: true } : { effort: word }), ...exclude } };
}

/** Whether the wish is to think, and not only what to show of it. */
const wantsThought = (reasoning: Reasoning): boolean =>
  reasoning.enabled === true || reasoning.adaptive === true || reasoning.effort !== undefined || reasoning.budgetTokens !== undefined;

/** `thinking: {type}`. A preset that lists efforts says that the wire takes a `reasoning_effort` beside it. */
function byThinkingType(reasoning: Reasoning, context: TargetContext): JsonObject {
  if (isOff(reasoning)) return { thinking: { type: 'disabled' } };
  if (!wantsThought(reasoning)) return {};
  noteBudget(reasoning, context);
  const { efforts } = context.facts;
  const graded = efforts.length > 0 && efforts.length < DEFAULT_FACTS.efforts.length;
  if (!graded && reasoning.effort !== undefined) context.notes.add('reasoning.effort', 'approximated', 'the target thinks or does not');
  const word = graded ? effortWord(reasoning, context) : undefined;
  return { thinking: { type: 'enabled' }, ...(word === undefined ? {} : { reasoning_effort: word }) };
}

function byEnableThinking(reasoning: Reasoning, context: TargetContext): JsonObject {
  if (isOff(reasoning)) return { enable_thinking: false };
  if (!wantsThought(reasoning)) return {};
  const budget = budgetOf(reasoning);
  if (budget <= 0) return { enable_thinking: true };
  if (reasoning.budgetTokens === undefined)
    context.notes.add('reasoning.effort', 'approximated', 'the target takes a budget, not an effort');
  return { enable_thinking: true, thinking_budget: Math.min(budget, context.facts.maxBudgetTokens) };
}

function byTemplate(reasoning: Reasoning, context: TargetContext): JsonObject {
  if (!isOff(reasoning) && !wantsThought(reasoning)) return {};
  if (!isOff(reasoning) && (reasoning.effort !== undefined || (reasoning.budgetTokens ?? 0) > 0))
    context.notes.add('reasoning.effort', 'approximated', 'the target thinks or does not');
  return { chat_template_kwargs: { enable_thinking: !isOff(reasoning) } };
}

/** Claude behind a wire of this dialect. */
function byBudget(reasoning: Reasoning, context: TargetContext): JsonObject {
  if (isOff(reasoning)) return { thinking: { type: 'disabled' } };
  if (!wantsThought(reasoning)) return {};
  const budget = budgetOf(reasoning);
  return {
    thinking: { type: 'enabled', budget_tokens: Math.max(1024, Math.min(budget < 0 ? 8192 : budget, context.facts.maxBudgetTokens)) },
  };
}

function write(reasoning: Reasoning, context: TargetContext): JsonObject {
  switch (context.facts.reasoningControl) {
    case 'effort':
    case 'level':
      return byEffort(reasoning, context);
    case 'openrouter':
      return byOpenrouter(reasoning, context);
    case 'thinking-type':
      return byThinkingType(reasoning, context);
    case 'enable-thinking':
      return byEnableThinking(reasoning, context);
    case 'chat-template':
      return byTemplate(reasoning, context);
    case 'budget':
      return byBudget(reasoning, context);
    case 'adaptive':
      return isOff(reasoning) ? { thinking: { type: 'disabled' } } : { thinking: { type: 'adaptive' }, ...byEffort(reasoning, context) };
    case 'none':
      if (!isOff(reasoning)) context.notes.add('reasoning', 'dropped', 'the target does not think');
      return {};
  }
}

/** Writes how to think. A client of this dialect that used its provider's own words has them in its residue: they go as they are. */
export function encodeReasoning(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { reasoning } = request;
  if (!reasoning) return {};
  const rest = residueOf(request);
  if (!own) return write(reasoning, context);
  if (REASONING_FIELDS.some((field) => rest[field] !== undefined) || context.facts.reasoningControl === 'none')
    return reasoning.effort === undefined || rest['reasoning'] !== undefined ? {} : { reasoning_effort: reasoning.effort };
  return write(reasoning, context);
}
