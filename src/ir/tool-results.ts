import type { Notes } from './note.ts';
import type { Part, ToolResultPart } from './part.ts';
import type { Turn } from './request.ts';
import type { TargetFacts } from './target.ts';
import { textOf } from './turns.ts';

/*
 * What every wire needs that wants each call's result right after it, and that takes less in a result than others do.
 */

/** A result, and the turn that it stands in. */
export interface PlacedResult {
  readonly at: number;
  readonly part: ToolResultPart;
}

/** The results of a conversation, each handed out once. */
export interface ToolResults {
  /** The first result for a call that stands after the call's own turn; `undefined` where there is none. Calls are asked for in the order of their turns. */
  take(callId: string, at: number): PlacedResult | undefined;
  isTaken(part: ToolResultPart): boolean;
}

/** Collects the results of a conversation by call id: several of one id are kept in order, as some servers number the calls of every reply from nought. */
export function toolResults(turns: readonly Turn[]): ToolResults {
  const waiting = new Map<string, PlacedResult[]>();
  const taken = new Set<ToolResultPart>();
  turns.forEach((turn, at) => {
    for (const part of turn.parts) {
      if (part.kind !== 'tool-result') continue;
      const queue = waiting.get(part.callId);
      if (queue) queue.push({ at, part });
      else waiting.set(part.callId, [{ at, part }]);
    }
  });
  return {
    take(callId, at) {
      const queue = waiting.get(callId) ?? [];
      const next = queue.findIndex((result) => result.at > at);
      const found = next < 0 ? undefined : queue.splice(0, next + 1)[next];
      if (found) taken.add(found.part);
      return found;
    },
    isTaken: (part) => taken.has(part),
  };
}

/** Stands in for the result that a call lacks, which is noted under `field`. */
export function missingResult(callId: string, notes: Notes, field = 'messages'): ToolResultPart {
  notes.add(field, 'emulated', 'a tool call without a result was given one that says so');
  return { kind: 'tool-result', callId, content: [{ kind: 'text', text: 'There is no result of this call.' }], isError: true };
}

/** A result whose call is not there would be refused: it is told as text, its media beside it, which is noted under `field`. */
export function orphanResult(part: ToolResultPart, notes: Notes, { field = 'messages', separator = '\n' } = {}): readonly Part[] {
  notes.add(field, 'approximated', 'a tool result without its call was sent as text');
  const media = part.content.filter((inner) => inner.kind === 'media');
  return [{ kind: 'text', text: `Result of the tool call ${part.callId}:\n${textOf(part.content, separator)}` }, ...media];
}

/** What moving media asks of a target's context. */
interface MediaContext {
  readonly facts: TargetFacts;
  readonly notes: Notes;
}

/** Media of tool results beside them, in the same message, for targets that take text there only. */
export function mediaBesideResults(turns: readonly Turn[], { facts, notes }: MediaContext): readonly Turn[] {
  if (facts.mediaInToolResults) return turns;
  return turns.map((turn) => {
    const media: Part[] = [];
    const parts = turn.parts.map((part) => {
      if (part.kind !== 'tool-result' || !part.content.some((inner) => inner.kind === 'media')) return part;
      media.push(...part.content.filter((inner) => inner.kind === 'media'));
      return { ...part, content: part.content.filter((inner) => inner.kind !== 'media') };
    });
    if (media.length === 0) return turn;
    notes.add('messages', 'moved', 'media of tool results stand beside them');
    const after = parts.findLastIndex((part) => part.kind === 'tool-result') + 1;
    return { ...turn, parts: [...parts.slice(0, after), ...media, ...parts.slice(after)] };
  });
}

const SEE_BELOW: Part = { kind: 'text', text: 'The result follows in the next message of the user.' };

/** Media of tool results after them, as a user's, for targets that take text there only and whose results are messages of their own. */
export function mediaAfterResults(turns: readonly Turn[], { facts, notes }: MediaContext, field = 'messages'): readonly Turn[] {
  if (facts.mediaInToolResults) return turns;
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
    notes.add(field, 'moved', 'media of tool results stand in a user message after them');
    return { ...turn, parts: [...parts, ...media] };
  });
}
