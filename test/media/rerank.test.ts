import { Cohere, CohereClientV2 } from 'cohere-ai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Answer, type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

const DOCUMENTS = ['Paris is in France', { text: 'Suzhou is in Jiangsu', id: 7 }, 'Rome is in Italy'];

let upstream: FakeUpstream;
let server: TestServer;

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

beforeAll(async () => {
  upstream = await startUpstream();
  const at = { baseUrl: upstream.url, key: 'k' };
  server = await startTestServer({
    providers: {
      cohere: { preset: 'cohere', ...at },
      voyage: { preset: 'voyage', ...at },
      oai: { preset: 'openai', ...at, rerank: 'embeddings' },
      plain: { preset: 'openai', ...at },
    },
  });
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

describe('rerank over others', () => {
  it('serves the official SDK in front of Voyage', async () => {
    upstream.answer = json({ object: 'list', data: [{ index: 1, relevance_score: 0.7 }], model: 'rerank-2.5', usage: { total_tokens: 9 } });
    const client = new CohereClientV2({ token: server.key, environment: server.url });
    const reply = await client.rerank({ model: 'voyage/rerank-2.5', query: 'Jiangsu?', documents: ['a', 'b', 'c'], topN: 1 });
    expect(reply.results).toEqual([{ index: 1, relevanceScore: 0.7 }]);
    expect(reply.meta?.billedUnits?.inputTokens).toBe(9);
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ top_k: 1 });
  });

  it('serves it in front of the sandbox, below a platform', async () => {
    const client = new CohereClientV2({ token: server.key, environment: `${server.url}/sandbox` });
    const documents = ['Paris is the capital of France', 'Suzhou is a city in Jiangsu', 'Rome is in Italy'];
    const reply = await client.rerank({ model: 'rerank', query: 'Which city is in Jiangsu?', documents, topN: 2 });
    expect(reply.results[0]?.index).toBe(1);
    expect(reply.results).toHaveLength(2);
  });

  it.each([
    [400, Cohere.BadRequestError, { message: 'bad' }],
    [404, Cohere.NotFoundError, { message: 'none' }],
    [429, Cohere.TooManyRequestsError, { message: 'slow down' }],
  ])('lets it raise what it raises on %d', async (status, raised, body) => {
    upstream.answer = json(body, status);
    const client = new CohereClientV2({ token: server.key, environment: server.url, maxRetries: 0 });
    const asked = client.rerank({ model: 'voyage/rerank-2.5', query: 'x', documents: ['a'] }, { maxRetries: 0 });
    await expect(asked).rejects.toBeInstanceOf(raised);
  });

  it('raises on an unknown key, and on a request that is wrong', async () => {
    const stranger = new CohereClientV2({ token: 'no', environment: server.url });
    await expect(stranger.rerank({ model: 'voyage/rerank-2.5', query: 'x', documents: ['a'] })).rejects.toBeInstanceOf(
      Cohere.UnauthorizedError,
    );
    const client = new CohereClientV2({ token: server.key, environment: server.url });
    await expect(client.rerank({ model: 'voyage/rerank-2.5', query: 'x', documents: [] })).rejects.toBeInstanceOf(Cohere.BadRequestError);
  });

  it('has the message where Cohere’s clients look for it, whoever refuses', async () => {
    upstream.answer = json({ detail: 'Too many documents' }, 400);
    for (const documents of [['a'], []]) {
      const answer = await post('/v2/rerank', { model: 'voyage/rerank-2.5', query: 'x', documents });
      expect([answer.status, await answer.json()]).toMatchObject([400, { message: expect.stringMatching(/documents/), error: {} }]);
    }
    const unread = await post('/v2/rerank', [], {});
    expect([unread.status, await unread.json()]).toMatchObject([400, { message: expect.any(String) as string, error: {} }]);
    const stranger = await post('/v2/rerank', {}, { authorization: 'Bearer nobody' });
    expect([stranger.status, await stranger.json()]).toMatchObject([401, { message: expect.stringContaining('key') as string, error: {} }]);
  });

  it.each([
    ['GET', 'the method', undefined, 405, /answers POST/],
    ['PUT', 'the method', { 'anthropic-version': '2023-06-01' }, 405, /answers POST/],
    ['DELETE', 'a key that nobody has', { authorization: 'Bearer nobody' }, 401, /key/],
    ['GET', 'no key', { authorization: '' }, 401, /key/],
  ])('has it there for %s as well, which is refused for %s', async (method, _, more, status, says) => {
    const answer = await fetch(`${server.url}/v2/rerank`, { method, headers: { authorization: `Bearer ${server.key}`, ...more } });
    expect([answer.status, answer.headers.get('allow')]).toEqual([status, status === 405 ? 'POST' : null]);
    const body = (await answer.json()) as object;
    expect(body).toEqual({
      id: answer.headers.get('x-request-id'),
      message: expect.stringMatching(says),
      error: expect.any(Object) as object,
    });
  });

  it('takes Jina’s query and Voyage’s name for how many', async () => {
    upstream.answer = json(REPLY);
    const answer = await post('/v1/rerank', { model: 'cohere/rerank-v3.5', query: { text: 'Jiangsu?' }, documents: DOCUMENTS, top_k: 1 });
    expect(await answer.json()).toMatchObject({ results: [{ index: 1 }], usage: { search_units: 1 } });
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toMatchObject({ query: 'Jiangsu?', top_n: 1 });
  });
});

describe('members that nobody here knows', () => {
  const asked = { query: 'x', documents: ['a', 'b'], truncation: true };
  it.each([
    ['/v1/rerank', 'voyage/rerank-2.5', true],
    ['/v2/rerank', 'voyage/rerank-2.5', false],
    ['/v2/rerank', 'cohere/rerank-v3.5', true],
    ['/v1/rerank', 'cohere/rerank-v3.5', false],
  ])('from %s to %s pass: %s', async (path, model, passes) => {
    upstream.answer = json({ results: [{ index: 0, relevance_score: 1 }] });
    const answer = await post(path, { model, ...asked });
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')['truncation']).toBe(passes ? true : undefined);
    expect(answer.headers.get('x-pailou-notes')).toBe(passes ? null : 'truncation;dropped');
  });
});

describe('rerank by embeddings', () => {
  const vectors: Readonly<Record<string, readonly number[]>> = { q: [1, 0], same: [2, 0], near: [1, 1], across: [0, 3], against: [-1, 0] };
  const embeds: Answer = (request, response) => {
    const { input } = JSON.parse(request.body) as { input: string[] };
    const data = input.map((text, index) => ({ object: 'embedding', index, embedding: vectors[text] }));
    json({ object: 'list', data, model: 'up', usage: { prompt_tokens: input.length, total_tokens: input.length } })(request, response);
  };
  const asked = { model: 'oai/text-embedding-3-small', query: 'q', documents: ['across', 'same', 'against', 'near'] };

  it('orders by cosine, says that it is emulated, and counts what was embedded', async () => {
    upstream.answer = embeds;
    upstream.seen.length = 0;
    const answer = await post('/v1/rerank', asked);
    expect(upstream.seen.map(({ path }) => path)).toEqual(['/v1/embeddings']);
    expect(answer.headers.get('x-pailou-notes')).toBe('model;emulated');
    const reply = (await answer.json()) as { results: { index: number; score: number }[] };
    expect(reply).toMatchObject({ emulated_by: 'embeddings', usage: { total_tokens: 5 } });
    expect(reply.results.map(({ index, score }) => [index, Number(score.toFixed(6))])).toEqual([
      [1, 1],
      [3, 0.707107],
      [0, 0],
      [2, -1],
    ]);
  });

  it('is no loss to who is strict', async () => {
    upstream.answer = embeds;
    expect((await post('/v1/rerank', { ...asked, top_n: 1 }, { 'x-strict': '1' })).status).toBe(200);
  });

  it('is a refusal where the provider’s settings do not say so', async () => {
    const answer = await post('/v1/rerank', { ...asked, model: 'plain/text-embedding-3-small' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'model' } }]);
  });

  it('is a refusal of more documents than vectors are held of', async () => {
    const answer = await post('/v1/rerank', { ...asked, documents: Array.from({ length: 4096 }, () => 'same') });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'documents' } }]);
  });

  it('fails as the embedding does', async () => {
    upstream.answer = json({ error: { message: 'Too long' } }, 400);
    const answer = await post('/v1/rerank', asked);
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('Too long')]);
  });
});
