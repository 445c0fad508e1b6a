import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { candidatesOf } from '../../src/policy/kept-decision.ts';
import { startTestServer, type TestServer } from '../server.ts';

let server: TestServer;
beforeAll(async () => {
  server = await startTestServer({
    models: { fast: { targets: [{ to: 'sandbox/chat' }, { to: 'sandbox/chat-tools' }], strategy: 'round-robin' } },
  });
});
afterAll(() => server.close());
beforeEach(() => void server.records.splice(0));

const post = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  await response.arrayBuffer();
  return response.status;
};

const messages = [{ role: 'user', content: 'Hello' }];

describe('the record of a call', () => {
  it('says how it was decided where to go', async () => {
    expect(await post('/v1/chat/completions', { model: 'fast', messages, stream: true }, { 'x-request-id': 'mine-7' })).toBe(200);
    const [record, ...more] = server.records;
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      label: 'mine-7',
      operation: 'generate',
      asked: 'fast',
      status: 200,
      stream: true,
      revision: 1,
      config: server.app.snapshot().fingerprint,
    });
    expect(record?.id).toMatch(/^req_[0-9A-Z]{26}$/);
    if (!record?.route) throw new Error('no route');
    const [first, second] = candidatesOf(record.route);
    expect([first?.verdict, second?.verdict]).toEqual(['chosen', 'eligible']);
    expect(first).toMatchObject({ provider: 'sandbox', model: record.model, reasons: ['alias', 'round_robin'] });
    expect(JSON.stringify(record)).not.toContain('Hello');
  });

  it.each([
    ['a body that is no JSON', '/v1/chat/completions', '{', 400, { operation: 'generate', asked: '' }],
    ['no model', '/v1/messages', { messages }, 400, { operation: 'generate', asked: '' }],
    ['an unknown model', '/v1/chat/completions', { model: 'nothing', messages }, 404, { operation: 'generate', asked: 'nothing' }],
    [
      'an unknown model in the path',
      '/v1beta/models/none:generateContent',
      { contents: [] },
      404,
      { operation: 'generate', asked: 'none' },
    ],
    ['embeddings of nothing', '/v1/embeddings', { input: 'x' }, 400, { operation: 'embeddings', asked: '' }],
    ['a wrong question to a reranker', '/v1/rerank', { model: 'sandbox/rerank' }, 400, { operation: 'rerank', asked: '' }],
    ['speech without words', '/v1/audio/speech', { model: 'sandbox/tts', input: '' }, 400, { operation: 'speech', asked: '' }],
  ] as const)('is there for %s, once', async (_name, path, body, status, expected) => {
    expect(await post(path, body)).toBe(status);
    expect(server.records).toHaveLength(1);
    expect(server.records[0]).toMatchObject({ ...expected, status, attempts: 0, endedBy: 'gateway' });
    expect(server.records[0]?.fault).toBeTypeOf('string');
  });

  it.each([
    ['who has no key', '/v1/chat/completions', { authorization: 'Bearer pk-wrong-0123456789abcdef' }, 401],
    ['a path that is nothing', '/v1/nothing', {}, 404],
  ] as const)('is not there for %s', async (_name, path, headers, status) => {
    expect(await post(path, { model: 'fast', messages }, headers)).toBe(status);
    expect(server.records).toEqual([]);
  });
});
