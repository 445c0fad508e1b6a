import { describe, expect, it } from 'vitest';
import { type FaultKind, gatewayFault } from '../../ir/index.ts';
import { decodeErrorObject, decodeFault, encodeFault } from '../openai-error.ts';
import { failureOf } from './faults.ts';

const READ: readonly {
  readonly name: string;
  readonly status: number;
  readonly body: string;
  readonly kind: FaultKind;
  readonly message: string;
}[] = [
  {
    name: "OpenAI's",
    status: 400,
    body: '{"error":{"message":"Unsupported parameter","type":"invalid_request_error","param":"temperature","code":null}}',
    kind: 'bad_request',
    message: 'Unsupported parameter',
  },
  {
    name: "xAI's",
    status: 400,
    body: '{"code":"invalid-argument","error":"Incorrect API key"}',
    kind: 'bad_request',
    message: 'Incorrect API key',
  },
  {
    name: 'a quota used up',
    status: 429,
    body: '{"error":{"message":"quota","code":"insufficient_quota"}}',
    kind: 'billing',
    message: 'quota',
  },
  {
    name: "FastAPI's",
    status: 422,
    body: '{"detail":[{"loc":["body","input"],"msg":"missing"}]}',
    kind: 'bad_request',
    message: 'input: missing',
  },
  {
    name: 'an event',
    status: 500,
    body: 'event: error\ndata: {"type":"error","error":{"message":"late"}}\n\n',
    kind: 'internal',
    message: 'late',
  },
  { name: 'a page', status: 502, body: '<html>data: {"error":"x"}</html>', kind: 'upstream', message: 'status 502' },
  { name: 'nothing', status: 503, body: '', kind: 'overloaded', message: 'status 503' },
];

describe('errors of upstreams', () => {
  it.each(READ)('$name', ({ status, body, kind, message }) => {
    const fault = decodeFault(status, body);
    expect(fault).toMatchObject({ kind, status, by: 'upstream' });
    expect(fault.message).toContain(message);
  });

  it('under a success status the word stands for the status', () => {
    expect(decodeErrorObject({ type: 'error', error: { code: 'rate_limit_exceeded', message: 'slow' } })).toMatchObject({
      kind: 'rate_limit',
      status: 429,
    });
    expect(decodeErrorObject({ status: 'failed', error: { code: 'server_error', message: 'broke' } })).toMatchObject({
      kind: 'upstream',
      status: 502,
    });
    // The event as the SDK has it, without an object inside.
    expect(decodeErrorObject({ type: 'error', code: 'server_error', message: 'flat', param: null })).toMatchObject({ message: 'flat' });
  });
});

describe('errors for clients', () => {
  it('wear the envelope', () => {
    const fault = gatewayFault('bad_request', 'no input', { param: 'input', code: 'missing_parameter' });
    expect(encodeFault(fault)).toEqual({
      status: 400,
      body: { error: { message: 'no input', type: 'invalid_request_error', param: 'input', code: 'missing_parameter' } },
    });
  });

  it.each<readonly [FaultKind, string | undefined, string]>([
    ['rate_limit', undefined, 'rate_limit_exceeded'],
    ['billing', undefined, 'insufficient_quota'],
    ['overloaded', undefined, 'server_is_overloaded'],
    ['bad_request', 'context_length_exceeded', 'context_length_exceeded'],
    ['bad_request', 'invalid_type', 'invalid_prompt'],
    ['timeout', 'upstream_idle_timeout', 'server_error'],
  ])('a response that failed for %s (%s) says %s', (kind, code, said) => {
    expect(failureOf(gatewayFault(kind, 'why', code === undefined ? {} : { code }))).toEqual({ code: said, message: 'why' });
  });
});
