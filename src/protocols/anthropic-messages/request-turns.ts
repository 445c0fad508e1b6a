import {
  type ChatRequest,
  type MediaPart,
  mergeTurns,
  type Part,
  type TargetFacts,
  targetToolId,
  textOf,
  type ToolCallPart,
  type ToolResultPart,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { isOwn } from './dialect.ts';

/*
 * Brings a conversation into the order that this wire asks for: user and assistant in turn, results of tools first in the
 * message after their calls, media in user messages only. https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use
 */

export interface Prepared {
  /** What goes into `system`. */
  readonly instructions: readonly Part[];
  readonly turns: readonly Turn[];
}

const isSystem = (turn: Turn): boolean => turn.role === 'system' || turn.role === 'developer';

/** Instructions and what stands before the first message; this dialect's own system messages stay where they are. */
function hoist(request: ChatRequest): Prepared {
  const instructions = [...request.instructions];
  let first = 0;
  for (const turn of request.turns) {
    if (!isSystem(turn) || isOwn(turn)) break;
    instructions.push(...turn.parts);
    first++;
  }
  return { instructions, turns: request.turns.slice(first) };
}

/** `system` holds text only: media among the instructions open the conversation. */
function moveMediaOfInstructions({ instructions, turns }: Prepared, context: TargetContext): Prepared {
  const media = instructions.filter((part) => part.kind === 'media');
  if (media.length === 0) return { instructions, turns };
  context.notes.add('system', 'moved', 'media among the instructions stand in the first user message');
  return { instructions: instructions.filter((part) => part.kind !== 'media'), turns: [{ role: 'user', parts: media }, ...turns] };
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

/** Media that the model made: assistant messages hold none, so they open the next user message. */
function moveMediaOfAssistant(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.flatMap((turn): readonly Turn[] => {
    const media = turn.role === 'assistant' ? turn.parts.filter((part): part is MediaPart => part.kind === 'media') : [];
    if (media.length === 0) return [turn];
    context.notes.add('messages', 'moved', 'media of the assistant stand in the user message that follows');
    return [
      { ...turn, parts: turn.parts.filter((part) => part.kind !== 'media') },
      { role: 'user', parts: media },
    ];
  });
}

/** Results by call id, each with the turn that it stands in, in order. */
function resultsByCall(turns: readonly Turn[]): Map<string, { readonly at: number; readonly part: ToolResultPart }[]> {
  const results = new Map<string, { readonly at: number; readonly part: ToolResultPart }[]>();
  turns.forEach((turn, at) => {
    for (const part of turn.parts) {
      if (part.kind !== 'tool-result') continue;
      const queue = results.get(part.callId);
      if (queue) queue.push({ at, part });
      else results.set(part.callId, [{ at, part }]);
    }
  });
  return results;
}

/** Ids that the target takes, each once: some servers number the calls of every reply from nought. */
function createIds(rule: TargetFacts['toolId']): (id: string) => string {
  const used = new Set<string>();
  return (id) => {
    const wanted = targetToolId(id, rule);
    let given = wanted;
    for (let n = 2; used.has(given); n++) given = `${wanted.slice(0, rule.max - 8)}_${n}`;
    used.add(given);
    return given;
  };
}

const NO_RESULT = 'There is no result of this call.';

function missingResult(callId: string, context: TargetContext): ToolResultPart {
  context.notes.add('messages', 'emulated', 'a tool call without a result was given one that says so');
  return { kind: 'tool-result', callId, content: [{ kind: 'text', text: NO_RESULT }], isError: true };
}

/** A result whose call is not there would be refused: it is told as text. */
function orphan(part: ToolResultPart, context: TargetContext): readonly Part[] {
  context.notes.add('messages', 'approximated', 'a tool result without its call was sent as text');
  const media = part.content.filter((inner) => inner.kind === 'media');
  return [{ kind: 'text', text: `Result of the tool call ${part.callId}:\n${textOf(part.content, '\n')}` }, ...media];
}

/** Puts the results of each assistant turn directly after it, in a user turn of their own, under ids that the target takes. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = resultsByCall(turns);
  const taken = new Set<ToolResultPart>();
  const idFor = createIds(context.facts.toolId);
  const resultOf = (call: ToolCallPart, at: number, callId: string): ToolResultPart => {
    const queue = results.get(call.id) ?? [];
    const next = queue.findIndex((result) => result.at > at);
    const [found] = next < 0 ? [] : queue.splice(0, next + 1).slice(next);
    if (!found) return missingResult(callId, context);
    taken.add(found.part);
    if (found.at > at + 1) context.notes.add('messages', 'moved', 'a tool result was brought up to its call');
    return { ...found.part, callId };
  };
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      const parts = turn.parts.flatMap((part) => {
        if (part.kind !== 'tool-result') return [part];
        return taken.has(part) ? [] : orphan(part, context);
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

/** Media of tool results beside them, for targets that take text there only. */
function moveMediaOfResults(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  if (context.facts.mediaInToolResults) return turns;
  return turns.map((turn) => {
    const media: Part[] = [];
    const parts = turn.parts.map((part) => {
      if (part.kind !== 'tool-result' || !part.content.some((inner) => inner.kind === 'media')) return part;
      media.push(...part.content.filter((inner) => inner.kind === 'media'));
      return { ...part, content: part.content.filter((inner) => inner.kind !== 'media') };
    });
    if (media.length === 0) return turn;
    context.notes.add('messages', 'moved', 'media of tool results stand beside them');
    const after = parts.findLastIndex((part) => part.kind === 'tool-result') + 1;
    return { ...turn, parts: [...parts.slice(0, after), ...media, ...parts.slice(after)] };
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
export function prepareTurns(request: ChatRequest, context: TargetContext): Prepared {
  const { instructions, turns } = moveMediaOfInstructions(hoist(request), context);
  if (isOwn(request)) {
    const placed = moveMediaOfResults(moveMediaOfAssistant(turns, context), context);
    return { instructions, turns: mapIds(placed, context.facts.toolId) };
  }
  const inOrder = mergeTurns(moveMediaOfAssistant(withoutNames(placeSystem(turns, context), context), context));
  return { instructions, turns: moveMediaOfResults(mergeTurns(pairTools(inOrder, context)), context) };
}
