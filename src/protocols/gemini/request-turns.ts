import {
  type ChatRequest,
  type Conversation,
  hoistInstructions,
  mediaBesideResults,
  mergeTurns,
  missingResult,
  moveInstructionMedia,
  orphanResult,
  type Part,
  type ToolResults,
  toolResults,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { isOwn } from './dialect.ts';

/*
 * Brings a conversation into the order that this wire asks for: the results of calls, all of them, directly after the turn
 * that made them. https://ai.google.dev/gemini-api/docs/function-calling
 */

/** System messages between the others are said by the user. */
function placeSystem(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.map((turn, index) => {
    if (turn.name !== undefined) context.notes.add('name', 'dropped', 'Gemini has no names of participants');
    const { name: _name, ...bare } = turn;
    if (turn.role !== 'system' && turn.role !== 'developer') return bare;
    context.notes.add(`messages[${index}].role`, 'moved', 'instructions in mid-conversation stand in a user message');
    return { role: 'user', parts: turn.parts };
  });
}

/** Puts the results of each turn's calls directly after it. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = toolResults(turns);
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      return [{ ...turn, parts: turn.parts.flatMap((part) => restOf(part, results, context)) }];
    }
    const calls = turn.parts.filter((part) => part.kind === 'tool-call');
    if (calls.length === 0) return [turn];
    return [turn, { role: 'user', parts: calls.map(({ id }) => results.take(id, at)?.part ?? missingResult(id, context.notes)) }];
  });
}

/** What stays where it is. The texts of a result are one here, as they are in a result that has its call. */
const restOf = (part: Part, results: ToolResults, { notes }: TargetContext): readonly Part[] =>
  part.kind !== 'tool-result' ? [part] : results.isTaken(part) ? [] : orphanResult(part, notes, { separator: '' });

const OPENING = '(The conversation begins with the assistant.)';

/** A turn that calls functions must follow one of the user's. */
function openWithUser(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const [first] = turns;
  if (first?.role !== 'assistant' || !first.parts.some((part) => part.kind === 'tool-call')) return turns;
  context.notes.add('messages', 'emulated', 'a first user message that says that the assistant begins');
  return [{ role: 'user', parts: [{ kind: 'text', text: OPENING }] }, ...turns];
}

/** A request of instructions alone: the API wants contents, so they are it. */
function atLeastOne({ instructions, turns }: Conversation, context: TargetContext): Conversation {
  if (instructions.length === 0 || turns.some((turn) => turn.parts.length > 0)) return { instructions, turns };
  context.notes.add('system', 'moved', 'the instructions stand in a user message, since there was no other');
  return { instructions: [], turns: [{ role: 'user', parts: instructions }] };
}

/** The conversation in the order that the wire asks for, and its instructions. What had to move is noted. */
export function prepareTurns(request: ChatRequest, context: TargetContext): Conversation {
  const { instructions, turns } = moveInstructionMedia(hoistInstructions(request), context.notes);
  const placed = placeSystem(turns, context);
  if (isOwn(request)) return { instructions, turns: mediaBesideResults(placed, context) };
  const paired = mergeTurns(pairTools(mergeTurns(placed), context));
  return atLeastOne({ instructions, turns: openWithUser(mediaBesideResults(paired, context), context) }, context);
}
