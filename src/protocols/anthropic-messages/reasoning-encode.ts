import {
  budgetOf,
  type ChatRequest,
  type Effort,
  effortOf,
  isObject,
  isOff,
  type JsonObject,
  nearestEffort,
  type Reasoning,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/** The least that `budget_tokens` may be. https://docs.claude.com/en/docs/build-with-claude/extended-thinking */
const MIN_BUDGET = 1024;
/** What to let a model think that is told a budget, when the client only said that it shall think. */
const USUAL_BUDGET = 8192;

/** What a request says of thinking and effort. */
export interface EncodedReasoning {
  readonly thinking?: JsonObject;
  readonly effort?: string;
  readonly maxTokens: number;
}

interface Wish {
  readonly request: ChatRequest;
  readonly reasoning: Reasoning;
  readonly own: boolean;
  readonly maxTokens: number;
}

const display = (reasoning: Reasoning): JsonObject =>
  reasoning.show === undefined ? {} : { display: reasoning.show === 'none' ? 'omitted' : 'summarized' };

function effortWord(effort: Effort | undefined, context: TargetContext): { readonly effort?: string } {
  if (effort === undefined || effort === 'none') return {};
  const word = nearestEffort(effort, context.facts.efforts);
  if (word === undefined) {
    context.notes.add('reasoning.effort', 'dropped', 'the target takes no effort');
    return {};
  }
  if (word !== effort) context.notes.add('reasoning.effort', 'approximated', `'${effort}' became '${word}'`);
  return { effort: word };
}

function off({ reasoning, own, maxTokens }: Wish, context: TargetContext): EncodedReasoning {
  const { facts, notes } = context;
  if (own) return { thinking: { type: 'disabled' }, ...effortWord(reasoning.effort, context), maxTokens };
  if (facts.efforts.includes('none')) return { thinking: { type: 'disabled' }, maxTokens };
  notes.add('reasoning.effort', 'approximated', 'the model cannot stop thinking: it was asked for as little as it takes');
  const least = nearestEffort('minimal', facts.efforts);
  return { ...(least === undefined ? {} : { effort: least }), maxTokens };
}

function adaptive({ reasoning, maxTokens }: Wish, context: TargetContext): EncodedReasoning {
  const { budgetTokens } = reasoning;
  if (budgetTokens !== undefined && budgetTokens > 0) {
    context.notes.add('thinking.budget_tokens', 'approximated', 'the model takes an effort, not a budget');
  }
  return { thinking: { type: 'adaptive', ...display(reasoning) }, ...effortWord(effortOf(reasoning), context), maxTokens };
}

/** The budget that fits under `max_tokens`, an answer's room left where there is one; `undefined`: none does. */
function fit(budget: number, maxTokens: number): number | undefined {
  if (maxTokens <= MIN_BUDGET) return undefined;
  return Math.max(MIN_BUDGET, Math.min(budget, maxTokens - MIN_BUDGET));
}

function budget(wish: Wish, context: TargetContext): EncodedReasoning {
  const { request, reasoning, own, maxTokens } = wish;
  const { facts, notes } = context;
  const thinking = (budget_tokens: number): JsonObject => ({ type: 'enabled', budget_tokens, ...display(reasoning) });
  const effort = own ? effortWord(reasoning.effort, context) : {};
  const said = budgetOf(reasoning);
  if (own && reasoning.budgetTokens !== undefined && request.maxOutputTokens !== undefined) {
    return { thinking: thinking(said), ...effort, maxTokens };
  }
  if (reasoning.adaptive) notes.add('thinking', 'approximated', 'the model takes a budget, it does not choose one');
  const wanted = Math.max(MIN_BUDGET, Math.min(said < 0 ? USUAL_BUDGET : said, facts.maxBudgetTokens));
  if (reasoning.budgetTokens === undefined && said > facts.maxBudgetTokens)
    notes.add('reasoning.effort', 'approximated', `the most that the target thinks is ${facts.maxBudgetTokens} tokens`);
  // Thinking counts against the maximum: where the client named none, the answer keeps its usual room.
  if (request.maxOutputTokens === undefined) return { thinking: thinking(wanted), ...effort, maxTokens: wanted + facts.defaultMaxTokens };
  const fitting = fit(wanted, maxTokens);
  if (fitting === undefined) {
    notes.add('reasoning', 'dropped', `max_tokens leaves no room to think: a budget is at least ${MIN_BUDGET}`);
    return { ...effort, maxTokens };
  }
  if (reasoning.budgetTokens !== undefined && fitting !== said) {
    notes.add('reasoning.budget', 'approximated', `the budget became ${fitting}, below max_tokens`);
  }
  return { thinking: thinking(fitting), ...effort, maxTokens };
}

/** Whether the wish is to think, and not only how much, or what to show of it. */
const wantsThinking = ({ reasoning, own }: Wish): boolean =>
  reasoning.enabled === true ||
  reasoning.adaptive === true ||
  reasoning.budgetTokens !== undefined ||
  (!own && reasoning.effort !== undefined);

function write(wish: Wish, context: TargetContext): EncodedReasoning {
  const { reasoning, maxTokens } = wish;
  const control = context.facts.reasoningControl;
  if (control === 'none') {
    if (!isOff(reasoning)) context.notes.add('reasoning', 'dropped', 'the target does not think');
    return { maxTokens };
  }
  // This dialect's own client means by a bare effort how much to write, thinking or not.
  if (wish.own && reasoning.effort === 'none') return { maxTokens };
  if (isOff(reasoning)) return off(wish, context);
  if (control === 'effort') return { ...effortWord(effortOf(reasoning), context), maxTokens };
  if (!wantsThinking(wish)) return { ...effortWord(reasoning.effort, context), maxTokens };
  return control === 'adaptive' ? adaptive(wish, context) : budget(wish, context);
}

/** Writes `thinking`, the effort, and the `max_tokens` that goes with them. */
export function encodeReasoning(request: ChatRequest, own: boolean, context: TargetContext): EncodedReasoning {
  const maxTokens = request.maxOutputTokens ?? context.facts.defaultMaxTokens;
  const { reasoning } = request;
  return reasoning ? write({ request, reasoning, own, maxTokens }, context) : { maxTokens };
}

const blocksOf = (message: JsonObject | undefined): readonly JsonObject[] => {
  const content = message?.['content'];
  return Array.isArray(content) ? content.filter(isObject) : [];
};

const holds = (message: JsonObject, type: string): boolean => blocksOf(message).some((block) => block['type'] === type);

/**
 * Whether the conversation stands in the middle of a tool cycle whose first assistant message does not begin with
 * thinking. With a thinking budget the API refuses that ("a final `assistant` message must start with a thinking block");
 * adaptive thinking takes it. https://docs.claude.com/en/docs/build-with-claude/extended-thinking#preserving-thinking-blocks
 */
export function cycleWithoutThinking(messages: readonly JsonObject[]): boolean {
  const last = messages.findLast((message) => message['role'] !== 'system');
  if (!last || last['role'] !== 'user' || !holds(last, 'tool_result')) return false;
  const asked = messages.findLastIndex((message) => message['role'] === 'user' && !holds(message, 'tool_result'));
  const first = messages.slice(asked + 1).find((message) => message['role'] === 'assistant');
  const type = blocksOf(first)[0]?.['type'];
  return type !== 'thinking' && type !== 'redacted_thinking';
}
