import { CohereClientV2 } from 'cohere-ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

const DOCUMENTS = ['Paris is in France', { text: 'Suzhou is in Jiangsu', id: 7 }, 'Rome is in Italy'];

let upstream: FakeUpstream;
let server: TestServer;

const post = (path: string, body: unknown): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

beforeAll(async () => {
  upstream = await startUpstream();
  server = await startTestServer({ providers: { cohere: { preset: 'cohere', baseUrl: upstream.url, key: 'k' } } });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

const REPLY = {
  id: 'r-1',
  results: [
    { index: 1, relevance_score: 0.9 },
    { index: 0, relevance_score: 0.4 },
    { index: 2, relevance_score: 0.1 },
  ],
  meta: { billed_units: { search_units: 1 } },
};

describe('rerank over Cohere', () => {
  it('answers /v1/rerank, best first, with documents in the form in which they were sent', async () => {
    upstream.answer = json(REPLY);
    const answer = await post('/v1/rerank', {
      model: 'cohere/rerank-v3.5',
      query: 'Jiangsu?',
      documents: DOCUMENTS,
      top_n: 2,
      return_documents: true,
    });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-pailou-served-by')).toBe('cohere/rerank-v3.5');
    expect(await answer.json()).toMatchObject({
      model: 'rerank-v3.5',
      results: [
        { index: 1, score: 0.9, relevance_score: 0.9, document: { text: 'Suzhou is in Jiangsu', id: 7 } },
        { index: 0, score: 0.4, document: 'Paris is in France' },
      ],
    });
    expect(upstream.seen.at(-1)?.path).toBe('/v2/rerank');
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({
      model: 'rerank-v3.5',
      query: 'Jiangsu?',
      documents: ['Paris is in France', 'Suzhou is in Jiangsu', 'Rome is in Italy'],
      top_n: 2,
    });
  });

  it('serves the official SDK at /v2/rerank', async () => {
    upstream.answer = json(REPLY);
    const client = new CohereClientV2({ token: server.key, environment: server.url });
    const reply = await client.rerank({ model: 'cohere/rerank-v3.5', query: 'Jiangsu?', documents: ['a', 'b', 'c'] });
    expect(reply.results.map(({ index }) => index)).toEqual([1, 0, 2]);
  });

  it.each([
    [{ query: 'x', documents: ['a'] }, 400, 'model'],
    [{ model: 'cohere/rerank-v3.5', documents: ['a'] }, 400, 'query'],
    [{ model: 'cohere/rerank-v3.5', query: 'x', documents: [] }, 400, 'documents'],
    [{ model: 'cohere/rerank-v3.5', query: 'x', documents: ['a', 3] }, 400, 'documents[1]'],
    [{ model: 'cohere/command-r', query: 'x', documents: ['a'] }, 400, 'model'],
  ])('refuses %j', async (body, status, param) => {
    const answer = await post('/v1/rerank', body);
    expect(answer.status).toBe(status);
    expect(await answer.json()).toMatchObject({ error: { param, type: 'invalid_request_error' } });
  });

  it('passes on what the upstream refuses, and never its credential trouble', async () => {
    upstream.answer = json({ id: 'x', message: 'too many documents' }, 400);
    const mistake = await post('/v1/rerank', { model: 'cohere/rerank-v3.5', query: 'x', documents: ['a'] });
    expect([mistake.status, await mistake.text()]).toEqual([400, expect.stringContaining('too many documents')]);
    upstream.answer = json({ message: 'invalid api token' }, 401);
    const trouble = await post('/v1/rerank', { model: 'cohere/rerank-v3.5', query: 'x', documents: ['a'] });
    expect([trouble.status, await trouble.json()]).toMatchObject([502, { error: { code: 'upstream_credential' } }]);
    upstream.answer = json('<html>', 200);
    const nonsense = await post('/v1/rerank', { model: 'cohere/rerank-v3.5', query: 'x', documents: ['a'] });
    expect([nonsense.status, await nonsense.json()]).toMatchObject([502, { error: { code: 'upstream_malformed' } }]);
  });
});
