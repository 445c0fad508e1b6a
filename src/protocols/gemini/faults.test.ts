import { describe, expect, it } from 'vitest';
import { type Fault, type FaultKind, gatewayFault, type JsonObject } from '../../ir/index.ts';
import { gemini } from './index.ts';

const ERROR_INFO = 'type.googleapis.com/google.rpc.ErrorInfo';
const google = (code: number, status: string, details?: readonly JsonObject[]): JsonObject => ({
  error: { code, message: 'What is wrong.', status, ...(details ? { details } : {}) },
});

describe('an error body', () => {
  const cases: readonly (readonly [string, number, unknown, Partial<Fault>])[] = [
    [
      "Google's",
      400,
      google(400, 'INVALID_ARGUMENT'),
      { kind: 'bad_request', status: 400, message: 'What is wrong.', rawType: 'INVALID_ARGUMENT' },
    ],
    [
      'a wrong key, which Google calls a bad request',
      400,
      google(400, 'INVALID_ARGUMENT', [{ '@type': ERROR_INFO, reason: 'API_KEY_INVALID' }]),
      { kind: 'authentication', status: 400, code: 'API_KEY_INVALID' },
    ],
    [
      'a quota, with the time to wait',
      429,
      google(429, 'RESOURCE_EXHAUSTED', [{ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.07s' }]),
      { kind: 'rate_limit', retryAfterMs: 34_070 },
    ],
    [
      'a field that is named',
      400,
      google(400, 'INVALID_ARGUMENT', [
        { '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [{ field: 'contents[0]' }] },
      ]),
      { param: 'contents[0]' },
    ],
    [
      'in a list, as a JSON stream has it',
      503,
      [google(503, 'UNAVAILABLE')],
      { kind: 'overloaded', status: 503, message: 'What is wrong.' },
    ],
    ["OpenAI's", 401, { error: { message: 'No key.', type: 'invalid_api_key' } }, { kind: 'authentication', message: 'No key.' }],
    ['a bare text in JSON', 500, { error: 'it broke' }, { kind: 'upstream', message: 'it broke' }],
    ['no error at all', 404, {}, { kind: 'not_found', message: 'The upstream answered with status 404 and no message' }],
  ];
  it.each(cases)('%s', (_name, status, body, wanted) => {
    expect(gemini.decodeFault(status, JSON.stringify(body))).toMatchObject({ ...wanted, by: 'upstream' });
  });

  it.each<readonly [string, string, string]>([
    ['an event of a stream, without its blank line', `data: ${JSON.stringify(google(400, 'INVALID_ARGUMENT'))}\r\n`, 'What is wrong.'],
    ['a page', '<html><body>Bad gateway at 10.0.0.3</body></html>', 'The upstream answered with status 502 and no message'],
    ['nothing', '', 'The upstream answered with status 502 and no message'],
  ])('%s', (_name, body, message) => {
    expect(gemini.decodeFault(502, body)).toMatchObject({ message, status: 502, kind: 'upstream' });
  });
});

describe('a stream', () => {
  it('that holds an error breaks off with it', () => {
    const events: unknown[] = [];
    const decoder = gemini.streamDecoder({ maker: 'them', newId: (prefix) => prefix });
    decoder.frame({ data: JSON.stringify({ candidates: [{ content: { parts: [{ text: 'Hel' }] } }] }) }, (event) => events.push(event));
    decoder.frame({ data: JSON.stringify(google(503, 'UNAVAILABLE')) }, (event) => events.push(event));
    decoder.end((event) => events.push(event));
    expect(decoder.isDone()).toBe(true);
    expect(events.at(-1)).toMatchObject({ type: 'fault', fault: { kind: 'overloaded', status: 503, message: 'What is wrong.' } });
    expect(events.filter((event) => (event as { type: string }).type === 'fault')).toHaveLength(1);
  });

  it('of garbage is told as such', () => {
    const events: unknown[] = [];
    gemini.streamDecoder({ maker: 'them', newId: (prefix) => prefix }).frame({ data: '<html>' }, (event) => events.push(event));
    expect(events).toMatchObject([{ type: 'fault', fault: { code: 'upstream_malformed' } }]);
  });

  it('a whole reply that is an error, or nothing, is a fault', () => {
    const source = { maker: 'them', newId: (prefix: string) => prefix };
    expect(() => gemini.decodeReply(google(500, 'INTERNAL'), source)).toThrow('What is wrong.');
    expect(() => gemini.decodeReply({ totalTokens: 7 }, source)).toThrow('no generated content');
  });
});

describe('the envelope', () => {
  it.each<readonly [FaultKind, number, string]>([
    ['bad_request', 400, 'INVALID_ARGUMENT'],
    ['authentication', 401, 'UNAUTHENTICATED'],
    ['billing', 402, 'RESOURCE_EXHAUSTED'],
    ['permission', 403, 'PERMISSION_DENIED'],
    ['not_found', 404, 'NOT_FOUND'],
    ['too_large', 413, 'INVALID_ARGUMENT'],
    ['rate_limit', 429, 'RESOURCE_EXHAUSTED'],
    ['internal', 500, 'INTERNAL'],
    ['upstream', 502, 'UNAVAILABLE'],
    ['overloaded', 503, 'UNAVAILABLE'],
    ['timeout', 504, 'DEADLINE_EXCEEDED'],
  ])('%s is %d %s', (kind, status, word) => {
    expect(gemini.encodeFault(gatewayFault(kind, 'm'), '')).toEqual({
      status,
      body: { error: { code: status, message: 'm', status: word } },
    });
  });

  it.each<readonly [FaultKind, number, string, string]>([
    ['upstream', 502, 'INTERNAL', 'UNAVAILABLE'],
    ['bad_request', 400, 'FAILED_PRECONDITION', 'FAILED_PRECONDITION'],
    ['conflict', 409, 'ABORTED', 'ABORTED'],
  ])("an upstream's word goes on where status and word agree: %s %d %s is %s", (kind, status, rawType, word) => {
    const fault = { kind, status, message: 'm', by: 'upstream', rawType } as const;
    expect(gemini.encodeFault(fault, '').body['error']).toMatchObject({ code: status, status: word });
  });

  it('names field, code, time to wait and request in details', () => {
    const fault = gatewayFault('rate_limit', 'm', { param: 'contents', code: 'too_many', retryAfterMs: 1500 });
    expect(gemini.encodeFault(fault, 'req_1').body['error']).toMatchObject({
      details: [
        { '@type': ERROR_INFO, reason: 'TOO_MANY' },
        { fieldViolations: [{ field: 'contents', description: 'm' }] },
        { retryDelay: '2s' },
        { requestId: 'req_1' },
      ],
    });
  });

  it("gives an upstream's own details on, and reads back as it was", () => {
    const body = google(400, 'FAILED_PRECONDITION', [{ '@type': ERROR_INFO, reason: 'X' }]);
    const fault = gemini.decodeFault(400, JSON.stringify(body));
    expect(gemini.encodeFault(fault, 'req_1').body).toEqual(body);
  });
});
