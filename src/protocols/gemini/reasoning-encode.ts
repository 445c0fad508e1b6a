import { budgetOf, effortOf, isOff, type JsonObject, nearestEffort, type Reasoning } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/** The least that a model which cannot stop thinking is asked for. https://ai.google.dev/gemini-api/docs/thinking#set-budget */
const LEAST_BUDGET = 128;

function level(reasoning: Reasoning, context: TargetContext): JsonObject {
  const { facts, notes } = context;
  // To think, and no more said: as much as the API itself has them think.
  const effort = effortOf(reasoning) ?? (reasoning.enabled || reasoning.adaptive ? 'high' : undefined);
  if (effort === undefined) return {};
  const word =
    effort === 'none' && !facts.efforts.includes('none') ? nearestEffort('minimal', facts.efforts) : nearestEffort(effort, facts.efforts);
  if (word === undefined) {
    notes.add('reasoning.effort', 'dropped', 'the target takes no effort');
    return {};
  }
  if (word !== effort) notes.add('reasoning.effort', 'approximated', `'${effort}' became '${word}'`);
  else if (reasoning.budgetTokens !== undefined) notes.add('reasoning.budget', 'approximated', `the model takes a level: '${word}'`);
  return { thinkingLevel: word.toUpperCase() };
}

function budget(reasoning: Reasoning, context: TargetContext): JsonObject {
  const { facts, notes } = context;
  const wanted = budgetOf(reasoning);
  if (isOff(reasoning) && !facts.efforts.includes('none')) {
    notes.add('reasoning.effort', 'approximated', 'the model cannot stop thinking: it was asked for as little as it takes');
    return { thinkingBudget: LEAST_BUDGET };
  }
  if (wanted > facts.maxBudgetTokens)
    notes.add('reasoning.budget', 'approximated', `the most that the model takes is ${facts.maxBudgetTokens}`);
  return { thinkingBudget: Math.min(wanted, facts.maxBudgetTokens) };
}

/** How much, as this dialect's own client said it. */
const asSaid = ({ budgetTokens, effort }: Reasoning): JsonObject => ({
  ...(budgetTokens === undefined ? {} : { thinkingBudget: budgetTokens }),
  ...(effort === undefined ? {} : { thinkingLevel: effort.toUpperCase() }),
});

/** `thinkingConfig` for a client's wish; `undefined` where nothing is to be said. */
export function encodeReasoning(reasoning: Reasoning | undefined, own: boolean, context: TargetContext): JsonObject | undefined {
  if (!reasoning) return undefined;
  if (own) {
    const { show } = reasoning;
    return { ...asSaid(reasoning), ...(show === undefined ? {} : { includeThoughts: show !== 'none' }) };
  }
  if (context.facts.reasoningControl === 'none') {
    if (!isOff(reasoning)) context.notes.add('reasoning', 'dropped', 'the model does not think');
    return undefined;
  }
  const amount = context.facts.reasoningControl === 'budget' ? budget(reasoning, context) : level(reasoning, context);
  const shown = isOff(reasoning) || reasoning.show === 'none' ? {} : { includeThoughts: true };
  const config = { ...amount, ...shown };
  return Object.keys(config).length > 0 ? config : undefined;
}
