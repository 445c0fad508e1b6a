import { describe, expect, it } from 'vitest';
import { type FaultKind, gatewayFault } from '../../ir/index.ts';
import { decodeErrorEvent, decodeFault, encodeFault } from './faults.ts';

describe('an error body of an upstream', () => {
  it.each([
    {
      name: "Anthropic's own, with details",
      status: 400,
      body: '{"type":"error","error":{"type":"invalid_request_error","message":"No such thread","details":{"error_code":"thread_not_found"}},"request_id":"req_1"}',
      is: { kind: 'bad_request', message: 'No such thread', rawType: 'invalid_request_error', details: { error_code: 'thread_not_found' } },
    },
    {
      name: 'overloaded',
      status: 529,
      body: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}',
      is: { kind: 'overloaded', status: 529 },
    },
    {
      name: 'a word under another status',
      status: 500,
      body: '{"type":"error","error":{"type":"overloaded_error","message":"x"}}',
      is: { kind: 'overloaded', status: 500 },
    },
    {
      name: 'an account with nothing left to spend',
      status: 400,
      body: '{"type":"error","error":{"type":"invalid_request_error","message":"Your credit balance is too low to access the API. Please buy."}}',
      is: { kind: 'billing', status: 400 },
    },
    {
      name: 'the same words in what a caller wrote',
      status: 400,
      body: '{"type":"error","error":{"type":"invalid_request_error","message":"tools.0.name: \'Your credit balance is too low\' is no name"}}',
      is: { kind: 'bad_request', status: 400 },
    },
    {
      name: "OpenAI's, of a server that is like the API",
      status: 401,
      body: '{"error":{"message":"Bad key","type":"authentication_error","code":"invalid_api_key","param":null}}',
      is: { kind: 'authentication', message: 'Bad key', code: 'invalid_api_key' },
    },
    {
      name: "Google's, of Vertex, in a list",
      status: 403,
      body: '[{"error":{"code":403,"message":"Denied","status":"PERMISSION_DENIED"}}]',
      is: { kind: 'permission', message: 'Denied', code: '403' },
    },
    {
      name: "AWS's, of Bedrock",
      status: 429,
      body: '{"__type":"ThrottlingException","message":"Slow down"}',
      is: { kind: 'rate_limit', message: 'Slow down', rawType: 'ThrottlingException' },
    },
    { name: 'a detail', status: 422, body: '{"detail":[{"loc":["body"],"msg":"Field required"}]}', is: { kind: 'bad_request' } },
    {
      name: 'a page of a proxy',
      status: 502,
      body: '<html><h1>Bad gateway</h1></html>',
      is: { kind: 'upstream', message: 'The upstream answered with status 502 and no message' },
    },
    { name: 'nothing', status: 504, body: '', is: { kind: 'timeout', message: 'The upstream answered with status 504 and no message' } },
    { name: 'a text in JSON', status: 503, body: '"later"', is: { kind: 'overloaded', message: 'later' } },
  ])('$name', ({ status, body, is }) => expect(decodeFault(status, body)).toMatchObject({ status, by: 'upstream', ...is }));
});

describe('an error event in a stream', () => {
  it.each<[string, FaultKind, number]>([
    ['overloaded_error', 'overloaded', 529],
    ['rate_limit_error', 'rate_limit', 429],
    ['api_error', 'upstream', 500],
    ['invalid_request_error', 'bad_request', 400],
    ['of_tomorrow', 'upstream', 500],
  ])('%s', (type, kind, status) =>
    expect(decodeErrorEvent({ type: 'error', error: { type, message: 'x' } })).toMatchObject({ kind, status, rawType: type }),
  );
});

describe('an error for a client', () => {
  it.each<[FaultKind, number, string]>([
    ['bad_request', 400, 'invalid_request_error'],
    ['authentication', 401, 'authentication_error'],
    ['billing', 402, 'billing_error'],
    ['permission', 403, 'permission_error'],
    ['not_found', 404, 'not_found_error'],
    ['too_large', 413, 'request_too_large'],
    ['rate_limit', 429, 'rate_limit_error'],
    ['internal', 500, 'api_error'],
    ['upstream', 502, 'api_error'],
    ['overloaded', 529, 'overloaded_error'],
    ['timeout', 504, 'timeout_error'],
  ])('%s', (kind, status, type) => {
    expect(encodeFault(gatewayFault(kind, 'Why.'), 'req_1')).toEqual({
      status,
      body: { type: 'error', error: { type, message: 'Why.' }, request_id: 'req_1' },
    });
  });

  it("keeps the upstream's status and word where they agree with its kind", () => {
    const fault = decodeFault(422, '{"type":"error","error":{"type":"invalid_request_error","message":"x"}}');
    expect(encodeFault(fault, '')).toEqual({
      status: 422,
      body: { type: 'error', error: { type: 'invalid_request_error', message: 'x' } },
    });
  });
});
