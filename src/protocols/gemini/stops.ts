import { type Stop, type StopReason, wordTable } from '../../ir/index.ts';

/** `FinishReason` by number, for servers that were asked for enums as integers. https://github.com/googleapis/googleapis, google/ai/generativelanguage/v1beta/generative_service.proto */
const BY_NUMBER: readonly string[] = [
  'FINISH_REASON_UNSPECIFIED',
  'STOP',
  'MAX_TOKENS',
  'SAFETY',
  'RECITATION',
  'OTHER',
  'LANGUAGE',
  'BLOCKLIST',
  'PROHIBITED_CONTENT',
  'SPII',
  'MALFORMED_FUNCTION_CALL',
  'IMAGE_SAFETY',
];

const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  STOP: 'stop',
  MAX_TOKENS: 'length',
  SAFETY: 'content-filter',
  RECITATION: 'content-filter',
  LANGUAGE: 'content-filter',
  BLOCKLIST: 'content-filter',
  PROHIBITED_CONTENT: 'content-filter',
  SPII: 'content-filter',
  IMAGE_SAFETY: 'content-filter',
  IMAGE_PROHIBITED_CONTENT: 'content-filter',
  IMAGE_RECITATION: 'content-filter',
  MODEL_ARMOR: 'content-filter',
  MALFORMED_FUNCTION_CALL: 'malformed-tool-call',
  UNEXPECTED_TOOL_CALL: 'malformed-tool-call',
});

/** The word for a finish reason, which may have come as a number; `undefined` when there is none yet. */
export function finishWord(value: unknown): string | undefined {
  if (typeof value === 'number') return value === 0 ? undefined : (BY_NUMBER[value] ?? `FINISH_REASON_${value}`);
  return typeof value === 'string' && value !== '' && value !== 'FINISH_REASON_UNSPECIFIED' ? value : undefined;
}

/** Google says STOP when functions are to be called, too. */
export function stopOf(word: string, calls: boolean): Stop {
  const reason = REASONS[word] ?? 'other';
  return { reason: reason === 'stop' && calls ? 'tool-calls' : reason, raw: word };
}

const WORDS: Record<StopReason, string> = {
  stop: 'STOP',
  length: 'MAX_TOKENS',
  'tool-calls': 'STOP',
  'stop-sequence': 'STOP',
  'content-filter': 'SAFETY',
  refusal: 'SAFETY',
  pause: 'STOP',
  'context-exceeded': 'MAX_TOKENS',
  'malformed-tool-call': 'MALFORMED_FUNCTION_CALL',
  other: 'OTHER',
};

/** Words of this dialect are in capitals. */
const OWN_WORD = /^[A-Z][A-Z_]+$/;

/** The finish reason to tell a client: Google's own word where it came from Google. */
export function finishReason({ reason, raw }: Stop): string {
  if (raw === undefined) return WORDS[reason];
  const known = REASONS[raw];
  if (known === reason || (known === 'stop' && reason === 'tool-calls')) return raw;
  return reason === 'other' && OWN_WORD.test(raw) ? raw : WORDS[reason];
}
