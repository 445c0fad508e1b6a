import { type Part, textOf, type ToolCallPart, type ToolResultPart, type Turn } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/*
 * Brings a conversation of another dialect into the order that this wire asks for: one assistant message per answer, and
 * the results of its calls directly after it. https://platform.openai.com/docs/guides/function-calling?api-mode=chat
 */

/** Where a part stands in a message of this dialect: thoughts, then what was said, then calls. */
function rank(part: Part): number {
  if (part.kind === 'reasoning') return 0;
  return part.kind === 'tool-call' ? 2 : 1;
}

/** Whether two neighbouring turns are one message without changing the order of anything. */
function fits(before: Turn, after: Turn): boolean {
  if (before.role !== 'assistant' || after.role !== 'assistant' || before.name !== after.name) return false;
  const highest = Math.max(...before.parts.map(rank), 0);
  const lowest = Math.min(...after.parts.map(rank), 2);
  return highest === 1 && lowest === 1 ? false : highest <= lowest;
}

function joinAnswers(turns: readonly Turn[]): readonly Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    const last = out.at(-1);
    if (last && fits(last, turn)) out[out.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    else out.push(turn);
  }
  return out;
}

interface Found {
  readonly at: number;
  readonly part: ToolResultPart;
}

/** Results by call id, each with the turn that it stands in, in order. */
function resultsByCall(turns: readonly Turn[]): Map<string, Found[]> {
  const results = new Map<string, Found[]>();
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
  return [{ kind: 'text', text: `Result of the tool call ${part.callId}:\n${textOf(part.content, '\n')}` }, ...media];
}

/** Puts the results of each answer's calls directly after it, in a turn of their own. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = resultsByCall(turns);
  const taken = new Set<ToolResultPart>();
  const resultOf = (call: ToolCallPart, at: number): ToolResultPart => {
    const found = results.get(call.id)?.find((one) => one.at > at && !taken.has(one.part));
    if (!found) return missingResult(call.id, context);
    taken.add(found.part);
    return found.part;
  };
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      const parts = turn.parts.flatMap((part) => (part.kind !== 'tool-result' ? [part] : taken.has(part) ? [] : orphan(part, context)));
      return parts.length > 0 || turn.parts.length === 0 ? [{ ...turn, parts }] : [];
    }
    const calls = turn.parts.filter((part) => part.kind === 'tool-call');
    if (calls.length === 0) return [turn];
    return [turn, { role: 'user', parts: calls.map((call) => resultOf(call, at)) }];
  });
}

/** Media among instructions: they open the conversation, as a user's. */
function moveMediaOfInstructions(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.flatMap((turn): readonly Turn[] => {
    if (turn.role !== 'system' && turn.role !== 'developer') return [turn];
    const media = turn.parts.filter((part) => part.kind === 'media' && part.source.type !== 'text');
    if (media.length === 0) return [turn];
    context.notes.add('messages', 'moved', 'media among the instructions stand in a user message');
    const said = turn.parts.filter((part) => !media.includes(part));
    return [...(said.length > 0 ? [{ ...turn, parts: said }] : []), { role: 'user', parts: media }];
  });
}

/** Media that the model made: assistant messages take none, so they stand in the user message that follows. */
function moveMediaOfAssistant(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.flatMap((turn): readonly Turn[] => {
    const media = turn.role === 'assistant' ? turn.parts.filter((part) => part.kind === 'media') : [];
    if (media.length === 0) return [turn];
    context.notes.add('messages', 'moved', 'media of the assistant stand in the user message that follows');
    const said = turn.parts.filter((part) => part.kind !== 'media');
    return [...(said.length > 0 ? [{ ...turn, parts: said }] : []), { role: 'user', parts: media }];
  });
}

const SEE_BELOW: Part = { kind: 'text', text: 'The result follows in the next message of the user.' };

/** Media of tool results: after the results, as a user's, for targets that take only text there. */
function moveMediaOfResults(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  if (context.facts.mediaInToolResults) return turns;
  return turns.map((turn): Turn => {
    const media: Part[] = [];
    const parts = turn.parts.map((part): Part => {
      const inner = part.kind === 'tool-result' ? part.content.filter((one) => one.kind === 'media' && one.source.type !== 'text') : [];
      if (part.kind !== 'tool-result' || inner.length === 0) return part;
      media.push(...inner);
      const rest = part.content.filter((one) => !inner.includes(one));
      return { ...part, content: rest.length > 0 ? rest : [SEE_BELOW] };
    });
    if (media.length === 0) return turn;
    context.notes.add('messages', 'moved', 'media of tool results stand in a user message after them');
    return { ...turn, parts: [...parts, ...media] };
  });
}

/** What a user says in neighbouring turns is one message: some servers want roles to alternate. Results open a message of their own. */
function joinUsers(turns: readonly Turn[]): readonly Turn[] {
  const out: Turn[] = [];
  for (const turn of turns) {
    const last = out.at(-1);
    const goesOn = last?.role === 'user' && turn.role === 'user' && last.name === turn.name;
    if (goesOn && !turn.parts.some((part) => part.kind === 'tool-result'))
      out[out.length - 1] = { ...last, parts: [...last.parts, ...turn.parts] };
    else out.push(turn);
  }
  return out;
}

/** The conversation in the order that the wire asks for. What had to move is noted. */
export function orderTurns(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const placed = moveMediaOfAssistant(moveMediaOfInstructions(turns, context), context);
  return joinUsers(moveMediaOfResults(pairTools(joinAnswers(placed), context), context));
}
