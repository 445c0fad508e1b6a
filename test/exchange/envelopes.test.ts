import { describe, expect, it } from 'vitest';
import { type FaultKind, gatewayFault } from '../../src/ir/index.ts';
import { clientCodecs } from '../../src/protocols/index.ts';
import { type Data, DIALECTS } from './dialects.ts';

/** The table of docs/notes-and-errors.md (Errors): status, OpenAI's type, Anthropic's, Gemini's status word. */
const TABLE: readonly (readonly [FaultKind, number, string, string, string])[] = [
  ['bad_request', 400, 'invalid_request_error', 'invalid_request_error', 'INVALID_ARGUMENT'],
  ['authentication', 401, 'authentication_error', 'authentication_error', 'UNAUTHENTICATED'],
  ['billing', 402, 'insufficient_quota', 'billing_error', 'RESOURCE_EXHAUSTED'],
  ['permission', 403, 'permission_error', 'permission_error', 'PERMISSION_DENIED'],
  ['not_found', 404, 'not_found_error', 'not_found_error', 'NOT_FOUND'],
  ['too_large', 413, 'invalid_request_error', 'request_too_large', 'INVALID_ARGUMENT'],
  ['rate_limit', 429, 'rate_limit_error', 'rate_limit_error', 'RESOURCE_EXHAUSTED'],
  ['internal', 500, 'api_error', 'api_error', 'INTERNAL'],
  ['upstream', 502, 'api_error', 'api_error', 'UNAVAILABLE'],
  ['overloaded', 503, 'overloaded_error', 'overloaded_error', 'UNAVAILABLE'],
  ['timeout', 504, 'api_error', 'timeout_error', 'DEADLINE_EXCEEDED'],
];

describe.each(DIALECTS)('the envelope of $id', (dialect) => {
  const codec = clientCodecs.get(dialect.id);
  const own = dialect.id === 'anthropic-messages' ? 3 : dialect.id === 'gemini' ? 4 : 2;

  it.each(TABLE)('%s', (...row) => {
    const [kind, usual] = row;
    const status = kind === 'overloaded' && dialect.id === 'anthropic-messages' ? 529 : usual;
    const wire = codec?.encodeFault(gatewayFault(kind, 'what went wrong', { param: 'messages[0]', code: 'some_code' }), 'req_1');
    expect(wire?.status).toBe(status);
    const body: Data = wire?.body;
    expect(dialect.envelope(body, status)).toMatchObject({ message: 'what went wrong', type: row[own] });
    if (own === 2) expect(body.error).toEqual({ message: 'what went wrong', type: row[2], param: 'messages[0]', code: 'some_code' });
    if (own === 3) expect(body).toEqual({ type: 'error', error: { type: row[3], message: 'what went wrong' }, request_id: 'req_1' });
  });

  it.each(TABLE)('in a stream: %s', (...row) => {
    const frames: Data[] = [];
    codec?.faultFrame(gatewayFault(row[0], 'what went wrong'), 'req_1', (data) => frames.push(JSON.parse(data)));
    expect(dialect.errorIn(frames)).toBe('what went wrong');
    expect(dialect.isFinished(frames)).toBeFalsy();
  });
});
