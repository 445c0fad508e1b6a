import { isObject, type JsonObject, type Part, type Stop, type StopReason, wordTable } from '../../ir/index.ts';
import { str } from './dialect.ts';

/** Words of `incomplete_details.reason`. Others are `other`, with the word kept. */
const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  max_output_tokens: 'length',
  max_tokens: 'length',
  max_messages: 'length',
  content_filter: 'content-filter',
  // Some copies of the API say so where the window is full.
  context_length_exceeded: 'context-exceeded',
});

/** Reads how a response ended: its `status`, and why where that is `incomplete`. Calls of the client's tools end a turn without a word of their own. */
export function decodeStop(response: JsonObject, toolCall: boolean): Stop {
  const status = str(response['status']);
  const { incomplete_details: details } = response;
  const word = isObject(details) ? str(details['reason']) : '';
  if (word !== '' || status === 'incomplete') return { reason: REASONS[word] ?? 'other', raw: word === '' ? status : word };
  if (status === 'completed' || status === '')
    return { reason: toolCall ? 'tool-calls' : 'stop', ...(status === '' ? {} : { raw: status }) };
  return { reason: 'other', raw: status };
}

/** Whether parts hold a call that the client is to run. */
export const hasCall = (parts: readonly Part[]): boolean => parts.some((part) => part.kind === 'tool-call');

/** How a response ended. */
export interface End {
  readonly status: 'completed' | 'incomplete';
  readonly incomplete_details: { readonly reason: string } | null;
}

const COMPLETED: End = { status: 'completed', incomplete_details: null };
const LENGTH: End = { status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } };
const FILTER: End = { status: 'incomplete', incomplete_details: { reason: 'content_filter' } };

const ENDS: Readonly<Record<StopReason, End>> = {
  stop: COMPLETED,
  'tool-calls': COMPLETED,
  'stop-sequence': COMPLETED,
  pause: COMPLETED,
  'malformed-tool-call': COMPLETED,
  other: COMPLETED,
  length: LENGTH,
  'context-exceeded': LENGTH,
  'content-filter': FILTER,
  refusal: FILTER,
};

/** `status` and `incomplete_details` for a client. `own`: a provider of this dialect said the word, and it goes on. */
export function encodeStop({ reason, raw }: Stop, own: boolean): End {
  if (own && reason === 'other' && raw !== undefined) return { status: 'incomplete', incomplete_details: { reason: raw } };
  return ENDS[reason];
}

/** States of a response that is not over: told instead of an end where a whole response is (one that runs in the background). */
const UNENDED: ReadonlySet<string> = new Set(['queued', 'in_progress', 'cancelled']);

/** The state of a response that is not over; `undefined` when it is. */
export const unended = ({ reason, raw }: Stop): string | undefined =>
  reason === 'other' && raw !== undefined && UNENDED.has(raw) ? raw : undefined;
