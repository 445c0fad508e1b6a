import { mediaAfterResults, missingResult, orphanResult, type ToolResultPart, toolResults, type Turn } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/*
 * Brings a conversation of another dialect into what this wire takes: every call with its result after it, and media in
 * user messages and results only. https://platform.openai.com/docs/guides/function-calling
 */

/** Where this wire has its conversation. */
const FIELD = 'input';

/** Gives calls without a result one, after the turn that they stand in, and tells results without a call as text. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = toolResults(turns);
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      const parts = turn.parts.flatMap((part) =>
        part.kind !== 'tool-result' || results.isTaken(part) ? [part] : orphanResult(part, context.notes, { field: FIELD }),
      );
      return [{ ...turn, parts }];
    }
    const missing: ToolResultPart[] = [];
    for (const part of turn.parts)
      if (part.kind === 'tool-call' && !results.take(part.id, at)) missing.push(missingResult(part.id, context.notes, FIELD));
    return missing.length > 0 ? [turn, { role: 'user', parts: missing }] : [turn];
  });
}

/** Media among instructions, or that the model made: in a user's message. */
function moveMedia(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.flatMap((turn): readonly Turn[] => {
    if (turn.role === 'user') return [turn];
    const media = turn.parts.filter((part) => part.kind === 'media' && part.source.type !== 'text');
    if (media.length === 0) return [turn];
    context.notes.add(FIELD, 'moved', 'media of the assistant and among instructions stand in a user message');
    const said = turn.parts.filter((part) => !media.includes(part));
    return [...(said.length > 0 ? [{ ...turn, parts: said }] : []), { role: 'user', parts: media }];
  });
}

/** The conversation as the wire takes it. What had to move is noted. */
export const orderTurns = (turns: readonly Turn[], context: TargetContext): readonly Turn[] =>
  mediaAfterResults(pairTools(moveMedia(turns, context), context), context, FIELD);
