import { describe, expect, it } from 'vitest';
import { type FaultKind, gatewayFault } from '../../ir/index.ts';
import { decodeErrorObject, decodeFault, encodeFault } from '../openai-error.ts';

describe('an error body of an upstream', () => {
  it.each([
    {
      name: 'OpenAI',
      status: 400,
      body: '{"error":{"message":"Bad value","type":"invalid_request_error","param":"messages[1]","code":null}}',
      is: { kind: 'bad_request', message: 'Bad value', param: 'messages[1]', rawType: 'invalid_request_error' },
    },
    {
      name: 'Azure: no type, the code a status in a string',
      status: 404,
      body: '{"error":{"code":"DeploymentNotFound","message":"No such deployment"}}',
      is: { kind: 'not_found', code: 'DeploymentNotFound' },
    },
    { name: 'Mistral', status: 401, body: '{"detail":"Invalid API Key"}', is: { kind: 'authentication', message: 'Invalid API Key' } },
    {
      name: 'FastAPI: a list of what is wrong',
      status: 422,
      body: '{"detail":[{"type":"missing","loc":["body","messages",0,"role"],"msg":"Field required"}]}',
      is: { kind: 'bad_request', message: 'messages.0.role: Field required', param: 'messages.0.role' },
    },
    {
      name: 'Mistral: message holds the detail',
      status: 422,
      body: '{"object":"error","message":{"detail":[{"msg":"x"}]},"type":"invalid_request_error"}',
      is: { kind: 'bad_request' },
    },
    { name: 'Cohere', status: 429, body: '{"id":"1","message":"Too many calls"}', is: { kind: 'rate_limit', message: 'Too many calls' } },
    {
      name: 'OpenRouter: what stands behind its own sentence',
      status: 429,
      body: '{"error":{"message":"Provider returned error","code":429,"metadata":{"raw":"{\\"error\\":{\\"message\\":\\"slow down\\"}}","provider_name":"X"}},"user_id":"u"}',
      is: { kind: 'rate_limit', message: 'Provider returned error: slow down' },
    },
    { name: 'Ollama', status: 404, body: '{"error":"model \\"x\\" not found"}', is: { kind: 'not_found', message: 'model "x" not found' } },
    {
      name: 'xAI',
      status: 400,
      body: '{"code":"Client specified an invalid argument","error":"No such model"}',
      is: { message: 'No such model', code: 'Client specified an invalid argument' },
    },
    {
      name: 'a quota used up comes as 429',
      status: 429,
      body: '{"error":{"message":"Pay","type":"insufficient_quota","code":"insufficient_quota"}}',
      is: { kind: 'billing', status: 429 },
    },
    {
      name: 'a page of a proxy',
      status: 502,
      body: '<html><h1>Bad gateway at 10.0.0.7</h1></html>',
      is: { kind: 'upstream', message: 'The upstream answered with status 502 and no message' },
    },
    { name: 'nothing', status: 503, body: '', is: { kind: 'overloaded', message: 'The upstream answered with status 503 and no message' } },
    {
      name: 'an event of a stream',
      status: 400,
      body: 'event: error\ndata: {"error":{"message":"In a frame"}}\n\n',
      is: { message: 'In a frame' },
    },
  ])('$name', ({ status, body, is }) => {
    expect(decodeFault(status, body)).toMatchObject({ status, by: 'upstream', ...is });
  });

  it('is told in 4 KiB at most', () => {
    expect(decodeFault(400, JSON.stringify({ error: { message: 'x'.repeat(100_000) } })).message).toHaveLength(4096);
  });

  it('under a success status has the status of its own code or word', () => {
    expect(decodeErrorObject({ error: { code: 429, message: 'm' } })).toMatchObject({ status: 429, kind: 'rate_limit' });
    expect(decodeErrorObject({ error: { type: 'invalid_request_error', message: 'm' } })).toMatchObject({
      status: 400,
      kind: 'bad_request',
    });
    expect(decodeErrorObject({ error: 'something' })).toMatchObject({ status: 502, kind: 'upstream', message: 'something' });
  });
});

describe('the envelope for a client', () => {
  const rows: readonly (readonly [FaultKind, number, string])[] = [
    ['bad_request', 400, 'invalid_request_error'],
    ['authentication', 401, 'authentication_error'],
    ['billing', 402, 'insufficient_quota'],
    ['permission', 403, 'permission_error'],
    ['not_found', 404, 'not_found_error'],
    ['too_large', 413, 'invalid_request_error'],
    ['rate_limit', 429, 'rate_limit_error'],
    ['internal', 500, 'api_error'],
    ['upstream', 502, 'api_error'],
    ['overloaded', 503, 'overloaded_error'],
    ['timeout', 504, 'api_error'],
  ];
  it.each(rows)('%s is %i %s', (kind, status, type) => {
    expect(encodeFault(gatewayFault(kind, 'Said'))).toEqual({
      status,
      body: { error: { message: 'Said', type, param: null, code: null } },
    });
  });

  it('keeps an upstream’s own word where it means the same', () => {
    const fault = { ...gatewayFault('rate_limit', 'Wait'), by: 'upstream', rawType: 'requests' } as const;
    expect(encodeFault(fault).body).toMatchObject({ error: { type: 'requests' } });
    expect(encodeFault({ ...fault, rawType: 'SomethingElse' }).body).toMatchObject({ error: { type: 'rate_limit_error' } });
  });
});
