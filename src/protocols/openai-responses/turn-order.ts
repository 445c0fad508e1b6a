import { type Part, textOf, type ToolCallPart, type ToolResultPart, type Turn } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';

/*
 * Brings a conversation of another dialect into what this wire takes: every call with its result after it, and media in
 * user messages and results only. https://platform.openai.com/docs/guides/function-calling
 */

/** Results by call id, in order. */
function resultsByCall(turns: readonly Turn[]): ReadonlyMap<string, readonly { readonly at: number; readonly part: ToolResultPart }[]> {
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

function missingResult(call: ToolCallPart, context: TargetContext): ToolResultPart {
  context.notes.add('input', 'emulated', 'a tool call without a result was given one that says so');
  return { kind: 'tool-result', callId: call.id, content: [{ kind: 'text', text: 'There is no result of this call.' }], isError: true };
}

/** A result whose call is not there would be refused: it is told as text. */
function orphan(part: ToolResultPart, context: TargetContext): readonly Part[] {
  context.notes.add('input', 'approximated', 'a tool result without its call was sent as text');
  const media = part.content.filter((inner) => inner.kind === 'media');
  return [{ kind: 'text', text: `Result of the tool call ${part.callId}:\n${textOf(part.content, '\n')}` }, ...media];
}

/** Gives calls without a result one, after the turn that they stand in, and tells results without a call as text. */
function pairTools(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  const results = resultsByCall(turns);
  const taken = new Set<ToolResultPart>();
  return turns.flatMap((turn, at): readonly Turn[] => {
    if (turn.role !== 'assistant') {
      const parts = turn.parts.flatMap((part) => (part.kind !== 'tool-result' || taken.has(part) ? [part] : orphan(part, context)));
      return [{ ...turn, parts }];
    }
    const missing: ToolResultPart[] = [];
    for (const part of turn.parts) {
      if (part.kind !== 'tool-call') continue;
      const found = results.get(part.id)?.find((one) => one.at > at && !taken.has(one.part));
      if (found) taken.add(found.part);
      else missing.push(missingResult(part, context));
    }
    return missing.length > 0 ? [turn, { role: 'user', parts: missing }] : [turn];
  });
}

/** Media among instructions, or that the model made: in a user's message. */
function moveMedia(turns: readonly Turn[], context: TargetContext): readonly Turn[] {
  return turns.flatMap((turn): readonly Turn[] => {
    if (turn.role === 'user') return [turn];
    const media = turn.parts.filter((part) => part.kind === 'media' && part.source.type !== 'text');
    if (media.length === 0) return [turn];
    context.notes.add('input', 'moved', 'media of the assistant and among instructions stand in a user message');
    const said = turn.parts.filter((part) => !media.includes(part));
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
    context.notes.add('input', 'moved', 'media of tool results stand in a user message after them');
    return { ...turn, parts: [...parts, ...media] };
  });
}

/** The conversation as the wire takes it. What had to move is noted. */
export const orderTurns = (turns: readonly Turn[], context: TargetContext): readonly Turn[] =>
  moveMediaOfResults(pairTools(moveMedia(turns, context), context), context);
