import { type Json, type Part, type Stop, type StopReason, wordTable } from '../../ir/index.ts';

/** https://docs.claude.com/en/docs/build-with-claude/handling-stop-reasons */
const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  end_turn: 'stop',
  max_tokens: 'length',
  stop_sequence: 'stop-sequence',
  tool_use: 'tool-calls',
  pause_turn: 'pause',
  // The conversation stands summed up, and goes on when it is sent back.
  compaction: 'pause',
  refusal: 'refusal',
  model_context_window_exceeded: 'context-exceeded',
});

/** Reads `stop_reason` and `stop_sequence`. Unknown words are `other`, with the word kept. */
export function decodeStop(reason: Json | undefined, sequence: Json | undefined): Stop {
  if (typeof reason !== 'string') return { reason: 'other' };
  return { reason: REASONS[reason] ?? 'other', raw: reason, ...(typeof sequence === 'string' ? { sequence } : {}) };
}

const WORDS: Readonly<Record<StopReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  'tool-calls': 'tool_use',
  'stop-sequence': 'stop_sequence',
  'content-filter': 'refusal',
  refusal: 'refusal',
  pause: 'pause_turn',
  'context-exceeded': 'model_context_window_exceeded',
  'malformed-tool-call': 'end_turn',
  other: 'end_turn',
};

/** What a reply holds that its stop reason must agree with, whatever the upstream called it. */
export interface Held {
  readonly toolCall: boolean;
  readonly refusal: boolean;
}

/** What the parts of a reply say of how it ended. */
export const heldBy = (parts: readonly Part[]): Held => ({
  toolCall: parts.some((part) => part.kind === 'tool-call'),
  refusal: parts.some((part) => part.kind === 'refusal'),
});

/** The word for a client; this dialect's own, as it came. Clients run tools only after `tool_use`, so a plain stop with calls in the reply is that. */
export function encodeStopReason(stop: Stop, held: Held): string {
  if (stop.raw !== undefined && stop.raw in REASONS) return stop.raw;
  if (stop.reason === 'stop' || stop.reason === 'other') {
    if (held.toolCall) return 'tool_use';
    if (held.refusal) return 'refusal';
  }
  return WORDS[stop.reason];
}
