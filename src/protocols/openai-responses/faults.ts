import type { Fault, FaultKind, JsonObject } from '../../ir/index.ts';
import { errorOf } from '../openai-error.ts';
import type { WriteFrame } from '../protocol.ts';

/** `error.code` of a response that failed. Codex goes by these: whether to try again, to wait, or to compact. */
const FAILURES: Readonly<Partial<Record<FaultKind, string>>> = {
  bad_request: 'invalid_prompt',
  billing: 'insufficient_quota',
  rate_limit: 'rate_limit_exceeded',
  overloaded: 'server_is_overloaded',
};

/** Codes that mean the same in a response as in an error. */
const KEPT: ReadonlySet<string> = new Set([
  'context_length_exceeded',
  'insufficient_quota',
  'rate_limit_exceeded',
  'invalid_prompt',
  'usage_not_included',
]);

const failureCode = ({ code, kind }: Fault): string => (code !== undefined && KEPT.has(code) ? code : (FAILURES[kind] ?? 'server_error'));

/** The `error` of a response that failed. */
export const failureOf = (fault: Fault): JsonObject => ({ code: failureCode(fault), message: fault.message });

/**
 * An error in a stream that has begun, as OpenAI itself says it: the `error` event, on which SDKs raise, and then
 * `response.failed`, the only failure that Codex understands. Nothing follows. Returns the next sequence number.
 */
export function writeFailure(fault: Fault, response: JsonObject, sequence: number, write: WriteFrame): number {
  const { message, param, code } = errorOf(fault);
  write(JSON.stringify({ type: 'error', code, message, param, error: errorOf(fault), sequence_number: sequence }), 'error');
  write(JSON.stringify({ type: 'response.failed', response, sequence_number: sequence + 1 }), 'response.failed');
  return sequence + 2;
}

/** A response that failed, where nothing else is known of it. */
export const failedResponse = (fault: Fault): JsonObject => ({
  id: '',
  object: 'response',
  created_at: 0,
  status: 'failed',
  error: failureOf(fault),
  incomplete_details: null,
  model: '',
  output: [],
  usage: null,
});

/** The same before any response has begun. */
export const faultFrame = (fault: Fault, _requestId: string, write: WriteFrame): void =>
  void writeFailure(fault, failedResponse(fault), 0, write);
