import {
  type ChatRequest,
  hoistInstructions,
  type MediaPart,
  mergeTurns,
  type Part,
  targetToolId,
  textOf,
  type ToolResultPart,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/*
 * Converse takes user and assistant messages in turn, the user's first, and after each message with calls one with all of
 * their results. https://docs.aws.amazon.com/bedrock/latest/userguide/tool-use-inference-call.html
 */

export interface Prepared {
  readonly instructions: readonly Part[];
  readonly turns: readonly Turn[];
}

/** Instructions between the messages: there is no role for them, so the user says them. */
function placeSystem(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.map((turn, index): Turn => {
    if (turn.name !== undefined) context.notes.add('name', 'dropped', 'Converse has no names of participants');
    if (turn.role === 'user' || turn.role === 'assistant') return { role: turn.role, parts: turn.parts };
    context.notes.add(`messages[${index}].role`, 'moved', 'instructions in mid-conversation stand in a user message');
    return { role: 'user', parts: turn.parts };
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

function missingResult(callId: string, context: TargetContext): ToolResultPart {
  context.notes.add('messages', 'emulated', 'a tool call without a result was given one that says so');
  return { kind: 'tool-result', callId, content: [{ kind: 'text', text: 'There is no result of this call.' }], isError: true };
}

/** A result whose call is not there would be refused: it is told as text. */
function orphan(part: ToolResultPart, context: TargetContext): readonly Part[] {
  context.notes.add('messages', 'approximated', 'a tool result without its call was sent as text');
  const media = part.content.filter((inner) => inner.kind === 'media');
  return [{ kind: 'text', text: `Result of the tool call ${part.callId}:\n${textOf(part.content, '\n')}` }, ...media];
}

/** Gives ids that the target takes, each once: some servers number the calls of every reply from nought. */
function createIds(context: TargetContext): (id: string) => string {
  const rule = context.facts.toolId;
  const used = new Set<string>();
  return (id) => {
    const wanted = targetToolId(id, rule);
    let given = wanted;
    for (let n = 2; used.has(given); n++) given = `${wanted.slice(0, rule.max - 8)}_${n}`;
    used.add(given);
    return given;
  };
}

/** Puts the results of each assistant turn directly after it, in a user turn of their own. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const idFor = createIds(context);
  const waiting = turns.flatMap((turn, at) =>
    turn.parts.flatMap((part) => (part.kind === 'tool-result' ? [{ at, part, taken: false }] : [])),
  );
  const answer = (callId: string, at: number, id: string): ToolResultPart => {
    const found = waiting.find((result) => !result.taken && result.at > at && result.part.callId === callId);
    if (!found) return missingResult(id, context);
    found.taken = true;
    return { ...found.part, callId: id };
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
  const isTaken = (part: Part): boolean => waiting.some((result) => result.taken && result.part === part);
  return paired.flatMap(({ turn, answers }): readonly Turn[] => {
    const parts = turn.parts.flatMap((part) => (part.kind !== 'tool-result' ? [part] : isTaken(part) ? [] : orphan(part, context)));
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
export function prepareTurns(request: ChatRequest, context: TargetContext): Prepared {
  const { instructions, turns } = hoistInstructions(request);
  const media = instructions.filter((part) => part.kind === 'media');
  if (media.length > 0) context.notes.add('system', 'moved', 'media among the instructions stand in the first user message');
  const all: readonly Turn[] = media.length > 0 ? [{ role: 'user', parts: media }, ...turns] : turns;
  const inOrder = mergeTurns(moveMediaOfAssistant(placeSystem(all, context), context));
  return {
    instructions: instructions.filter((part) => part.kind !== 'media'),
    turns: moveMediaOfResults(mergeTurns(pairTools(inOrder, context)), context),
  };
}
