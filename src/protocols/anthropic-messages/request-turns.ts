import {
  type ChatRequest,
  type Conversation,
  distinctToolIds,
  mediaBesideResults,
  mergeTurns,
  missingResult,
  moveAssistantMedia,
  moveInstructionMedia,
  orphanResult,
  type Part,
  type TargetFacts,
  targetToolId,
  type ToolCallPart,
  type ToolResultPart,
  toolResults,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { isOwn } from './dialect.ts';

/*
 * Brings a conversation into the order that this wire asks for: user and assistant in turn, results of tools first in the
 * message after their calls, media in user messages only. https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
 */

const isSystem = (turn: Turn): boolean => turn.role === 'system' || turn.role === 'developer';

/** Instructions and what stands before the first message; this dialect's own system messages stay where they are. */
function hoist(request: ChatRequest): Conversation {
  const instructions = [...request.instructions];
  let first = 0;
  for (const turn of request.turns) {
    if (!isSystem(turn) || isOwn(turn)) break;
    instructions.push(...turn.parts);
    first++;
  }
  return { instructions, turns: request.turns.slice(first) };
}

/** System messages between the others: kept where the target takes them after a user's, else said by the user. */
function placeSystem(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.map((turn, index) => {
    if (!isSystem(turn) || isOwn(turn)) return turn;
    if (context.facts.midSystem && turns[index - 1]?.role === 'user') return { role: 'system', parts: turn.parts };
    context.notes.add(`messages[${index}].role`, 'moved', 'instructions in mid-conversation stand in a user message');
    return { role: 'user', parts: turn.parts };
  });
}

function withoutNames(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.map((turn) => {
    if (turn.name === undefined) return turn;
    context.notes.add('name', 'dropped', 'Messages has no names of participants');
    const { name: _name, ...bare } = turn;
    return bare;
  });
}

/** Puts the results of each assistant turn directly after it, in a user turn of their own, under ids that the target takes. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = toolResults(turns);
  const idFor = distinctToolIds(context.facts.toolId);
  const resultOf = (call: ToolCallPart, at: number, callId: string): ToolResultPart => {
    const found = results.take(call.id, at);
    if (!found) return missingResult(callId, context.notes);
    if (found.at > at + 1) context.notes.add('messages', 'moved', 'a tool result was brought up to its call');
    return { ...found.part, callId };
  };
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      const parts = turn.parts.flatMap((part) => {
        if (part.kind !== 'tool-result') return [part];
        return results.isTaken(part) ? [] : orphanResult(part, context.notes);
      });
      return [{ ...turn, parts }];
    }
    const answers: Part[] = [];
    const parts = turn.parts.map((part) => {
      if (part.kind !== 'tool-call') return part;
      const id = idFor(part.id);
      answers.push(resultOf(part, at, id));
      return { ...part, id };
    });
    return answers.length === 0
      ? [turn]
      : [
          { ...turn, parts },
          { role: 'user', parts: answers },
        ];
  });
}

/** Ids alone: a request of this dialect's own client is in order, or its faults are the client's. */
function mapIds(turns: readonly Turn[], rule: TargetFacts['toolId']): readonly Turn[] {
  return turns.map((turn) => ({
    ...turn,
    parts: turn.parts.map((part): Part => {
      if (part.kind === 'tool-call') return { ...part, id: targetToolId(part.id, rule) };
      return part.kind === 'tool-result' ? { ...part, callId: targetToolId(part.callId, rule) } : part;
    }),
  }));
}

/** The conversation in the order that the wire asks for, and its instructions. What had to move is noted. */
export function prepareTurns(request: ChatRequest, context: TargetContext): Conversation {
  const { instructions, turns } = moveInstructionMedia(hoist(request), context.notes);
  if (isOwn(request)) {
    const placed = mediaBesideResults(moveAssistantMedia(turns, context.notes), context);
    return { instructions, turns: mapIds(placed, context.facts.toolId) };
  }
  const inOrder = mergeTurns(moveAssistantMedia(withoutNames(placeSystem(turns, context), context), context.notes));
  return { instructions, turns: mediaBesideResults(mergeTurns(pairTools(inOrder, context)), context) };
}
