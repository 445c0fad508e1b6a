import { mediaAfterResults, missingResult, orphanResult, type Part, toolResults, type Turn } from '../../ir/index.ts';
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

/** Puts the results of each answer's calls directly after it, in a turn of their own. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = toolResults(turns);
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      const parts = turn.parts.flatMap((part) =>
        part.kind !== 'tool-result' ? [part] : results.isTaken(part) ? [] : orphanResult(part, context.notes),
      );
      return parts.length > 0 || turn.parts.length === 0 ? [{ ...turn, parts }] : [];
    }
    const calls = turn.parts.filter((part) => part.kind === 'tool-call');
    if (calls.length === 0) return [turn];
    return [turn, { role: 'user', parts: calls.map(({ id }) => results.take(id, at)?.part ?? missingResult(id, context.notes)) }];
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
  return joinUsers(mediaAfterResults(pairTools(joinAnswers(placed), context), context));
}
