import { isEffort, type JsonObject, type Reasoning, wordTable } from '../../ir/index.ts';
import { given } from './dialect.ts';
import { optionalBoolean, optionalNumber, optionalObject, optionalString } from '../../wire/fields.ts';

/** Members that say how to think, in the words of one provider or another. They stay in the residue for their own kind. */
export const REASONING_FIELDS = ['reasoning', 'thinking', 'enable_thinking', 'thinking_budget', 'chat_template_kwargs'] as const;

const effortIn = (word: string | undefined): Reasoning => (isEffort(word) ? { effort: word } : {});

const SHOW: Readonly<Record<string, NonNullable<Reasoning['show']>>> = wordTable({
  auto: 'auto',
  concise: 'concise',
  detailed: 'detailed',
});

/** OpenRouter's `reasoning`: https://openrouter.ai/docs/use-cases/reasoning-tokens */
function openrouter(body: JsonObject): Reasoning {
  const from = optionalObject(body, 'reasoning');
  if (!from) return {};
  const at = 'reasoning';
  const summary = SHOW[optionalString(from, 'summary', at) ?? ''];
  return {
    ...given('enabled', optionalBoolean(from, 'enabled', at)),
    ...effortIn(optionalString(from, 'effort', at)),
    ...given('budgetTokens', optionalNumber(from, 'max_tokens', at)),
    ...given('show', optionalBoolean(from, 'exclude', at) === true ? 'none' : summary),
  };
}

/** `thinking: {type}` (DeepSeek, Z.ai, Moonshot, Ark), also with a budget. */
function thinking(body: JsonObject): Reasoning {
  const from = optionalObject(body, 'thinking');
  if (!from) return {};
  const budget = given('budgetTokens', optionalNumber(from, 'budget_tokens', 'thinking'));
  switch (optionalString(from, 'type', 'thinking')) {
    case 'enabled':
      return { enabled: true, ...budget };
    case 'disabled':
      return { enabled: false };
    case 'adaptive':
    case 'auto':
      return { adaptive: true, ...budget };
    default:
      return budget;
  }
}

/** `enable_thinking`, beside the budget (Qwen) or in `chat_template_kwargs` (vLLM, SGLang). */
function switched(body: JsonObject): Reasoning {
  const template = optionalObject(body, 'chat_template_kwargs');
  const inner = template?.['enable_thinking'] ?? template?.['thinking'];
  return {
    ...given('enabled', optionalBoolean(body, 'enable_thinking') ?? (typeof inner === 'boolean' ? inner : undefined)),
    ...given('budgetTokens', optionalNumber(body, 'thinking_budget')),
  };
}

/** Reads every way in which clients of this dialect say how to think; `undefined` when none is used. */
export function decodeReasoning(body: JsonObject): Reasoning | undefined {
  const said = { ...switched(body), ...thinking(body), ...openrouter(body), ...effortIn(optionalString(body, 'reasoning_effort')) };
  return Object.keys(said).length > 0 ? said : undefined;
}
