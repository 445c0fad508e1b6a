import { type ChatRequest, hoistInstructions, mergeTurns, type Part, textOf, type ToolResultPart, type Turn } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { isOwn } from './dialect.ts';

/*
 * Brings a conversation into the order that this wire asks for: the results of calls, all of them, directly after the turn
 * that made them. https://ai.google.dev/gemini-api/docs/function-calling
 */

export interface Prepared {
  /** What goes into `systemInstruction`. */
  readonly instructions: readonly Part[];
  readonly turns: readonly Turn[];
}

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

/** `systemInstruction` holds text only: media among the instructions open the conversation. */
function moveMedia({ instructions, turns }: Prepared, context: TargetContext): Prepared {
  const media = instructions.filter((part) => part.kind === 'media');
  if (media.length === 0) return { instructions, turns };
  context.notes.add('system', 'moved', 'media among the instructions stand in the first user message');
  return { instructions: instructions.filter((part) => part.kind !== 'media'), turns: [{ role: 'user', parts: media }, ...turns] };
}

interface Placed {
  readonly at: number;
  readonly part: ToolResultPart;
}

/** Results by call id, in order: some servers number the calls of every reply from nought. */
function resultsByCall(turns: readonly Turn[]): Map<string, Placed[]> {
  const results = new Map<string, Placed[]>();
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

function missingResult(callId: string, context: TargetContext): ToolResultPart {
  context.notes.add('messages', 'emulated', 'a tool call without a result was given one that says so');
  return { kind: 'tool-result', callId, content: [{ kind: 'text', text: 'There is no result of this call.' }], isError: true };
}

/** A result whose call is not there would be refused: it is told as text. */
function orphan(part: ToolResultPart, context: TargetContext): readonly Part[] {
  context.notes.add('messages', 'approximated', 'a tool result without its call was sent as text');
  const media = part.content.filter((inner) => inner.kind === 'media');
  return [{ kind: 'text', text: `Result of the tool call ${part.callId}:\n${textOf(part.content)}` }, ...media];
}

/** Puts the results of each turn's calls directly after it. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = resultsByCall(turns);
  const taken = new Set<Part>();
  const resultOf = (callId: string, at: number): ToolResultPart => {
    const queue = results.get(callId) ?? [];
    const next = queue.findIndex((result) => result.at > at);
    const found = next < 0 ? undefined : queue.splice(0, next + 1)[next];
    if (!found) return missingResult(callId, context);
    taken.add(found.part);
    return found.part;
  };
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      return [{ ...turn, parts: turn.parts.flatMap((part) => restOf(part, taken, context)) }];
    }
    const calls = turn.parts.filter((part) => part.kind === 'tool-call');
    if (calls.length === 0) return [turn];
    return [turn, { role: 'user', parts: calls.map((call) => resultOf(call.id, at)) }];
  });
}

const restOf = (part: Part, taken: ReadonlySet<Part>, context: TargetContext): readonly Part[] =>
  part.kind !== 'tool-result' ? [part] : taken.has(part) ? [] : orphan(part, context);

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

const OPENING = '(The conversation begins with the assistant.)';

/** A turn that calls functions must follow one of the user's. */
function openWithUser(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const [first] = turns;
  if (first?.role !== 'assistant' || !first.parts.some((part) => part.kind === 'tool-call')) return turns;
  context.notes.add('messages', 'emulated', 'a first user message that says that the assistant begins');
  return [{ role: 'user', parts: [{ kind: 'text', text: OPENING }] }, ...turns];
}

/** A request of instructions alone: the API wants contents, so they are it. */
function atLeastOne({ instructions, turns }: Prepared, context: TargetContext): Prepared {
  if (instructions.length === 0 || turns.some((turn) => turn.parts.length > 0)) return { instructions, turns };
  context.notes.add('system', 'moved', 'the instructions stand in a user message, since there was no other');
  return { instructions: [], turns: [{ role: 'user', parts: instructions }] };
}

/** The conversation in the order that the wire asks for, and its instructions. What had to move is noted. */
export function prepareTurns(request: ChatRequest, context: TargetContext): Prepared {
  const { instructions, turns } = moveMedia(hoistInstructions(request), context);
  const placed = placeSystem(turns, context);
  if (isOwn(request)) return { instructions, turns: moveMediaOfResults(placed, context) };
  const paired = mergeTurns(pairTools(mergeTurns(placed), context));
  return atLeastOne({ instructions, turns: openWithUser(moveMediaOfResults(paired, context), context) }, context);
}
