import {
  type ChatRequest,
  type Conversation,
  distinctToolIds,
  hoistInstructions,
  mergeTurns,
  missingResult,
  moveAssistantMedia,
  moveInstructionMedia,
  orphanResult,
  type Part,
  type ToolResultPart,
  toolResults,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/*
 * Converse takes user and assistant messages in turn, the user's first, and after each message with calls one with all of
 * their results. https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html
 */

/** Instructions between the messages: there is no role for them, so the user says them. */
function placeSystem(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.map((turn, index): Turn => {
    if (turn.name !== undefined) context.notes.add('name', 'dropped', 'Converse has no names of participants');
    if (turn.role === 'user' || turn.role === 'assistant') return { role: turn.role, parts: turn.parts };
    context.notes.add(`messages[${index}].role`, 'moved', 'instructions in mid-conversation stand in a user message');
    return { role: 'user', parts: turn.parts };
  });
}

/** Puts the results of each assistant turn directly after it, in a user turn of their own. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const idFor = distinctToolIds(context.facts.toolId);
  const results = toolResults(turns);
  const answer = (callId: string, at: number, id: string): ToolResultPart => {
    const found = results.take(callId, at);
    return found ? { ...found.part, callId: id } : missingResult(id, context.notes);
  };
  const paired = turns.map((turn, at) => {
    const answers: Part[] = [];
    if (turn.role !== 'assistant') return { turn, answers };
    const parts = turn.parts.map((part) => {
      if (part.kind !== 'tool-call') return part;
      const id = idFor(part.id);
      answers.push(answer(part.id, at, id));
      return { ...part, id };
    });
    return { turn: { ...turn, parts }, answers };
  });
  return paired.flatMap(({ turn, answers }): readonly Turn[] => {
    const parts = turn.parts.flatMap((part) =>
      part.kind !== 'tool-result' ? [part] : results.isTaken(part) ? [] : orphanResult(part, context.notes),
    );
    return [{ ...turn, parts }, ...(answers.length > 0 ? [{ role: 'user' as const, parts: answers }] : [])];
  });
}

/** Media of tool results beside them, for models that take text there only. */
function moveMediaOfResults(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  if (context.facts.mediaInToolResults) return turns;
  return turns.map((turn) => {
    const media = turn.parts.flatMap((part) => (part.kind === 'tool-result' ? part.content.filter((inner) => inner.kind === 'media') : []));
    if (media.length === 0) return turn;
    context.notes.add('messages', 'moved', 'media of tool results stand beside them');
    const parts = turn.parts.map((part) =>
      part.kind === 'tool-result' ? { ...part, content: part.content.filter((inner) => inner.kind !== 'media') } : part,
    );
    return { ...turn, parts: [...parts, ...media] };
  });
}

/** The conversation in the order that the wire asks for, and its instructions. What had to move is noted. */
export function prepareTurns(request: ChatRequest, context: TargetContext): Conversation {
  const { instructions, turns } = moveInstructionMedia(hoistInstructions(request), context.notes);
  const inOrder = mergeTurns(moveAssistantMedia(placeSystem(turns, context), context.notes));
  return { instructions, turns: moveMediaOfResults(mergeTurns(pairTools(inOrder, context)), context) };
}
