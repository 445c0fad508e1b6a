import OpenAI from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/ir/index.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  const at = { baseUrl: upstream.url, key: 'k' };
  server = await startTestServer({
    providers: { oai: { preset: 'openai', ...at }, mist: { preset: 'mistral', ...at } },
    models: { guard: 'mist/mistral-moderation-latest' },
  });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

const post = (path: string, body: unknown): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const REPLY =
  '{"id":"modr-1", "model":"omni-moderation-2024-09-26","results":[{"flagged":true,"categories":{"violence":true},"category_scores":{"violence":0.10}}]}';

describe('moderations', () => {
  it('pass as bytes to OpenAI and back', async () => {
    upstream.answer = json(REPLY);
    const answer = await post('/v1/moderations', '{ "input":"x","model":"oai/omni-moderation-latest"}');
    expect(await answer.text()).toBe(REPLY);
    expect(upstream.seen.at(-1)).toMatchObject({ path: '/v1/moderations', body: '{ "input":"x","model":"omni-moderation-latest"}' });
  });

  it.each(['/v1/moderations', '/oai/v1/moderations'])('go to OpenAI’s usual model where none is named: %s', async (path) => {
    upstream.answer = json(REPLY);
    const answer = await post(path, { input: 'x' });
    expect([answer.status, await answer.json()]).toEqual([200, JSON.parse(REPLY)]);
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ model: 'omni-moderation-latest', input: ['x'] });
  });

  it('are summed up and named as OpenAI’s clients look for them, over Mistral', async () => {
    const categories = { selfharm: true, pii: false };
    upstream.answer = json({
      id: 'm',
      model: 'mistral-moderation-2411',
      results: [{ categories, category_scores: { selfharm: 0.9, pii: 0 } }],
    });
    const client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1` });
    const reply = await client.moderations.create({
      model: 'guard',
      input: [
        { type: 'text', text: 'x' },
        { type: 'text', text: 'y' },
      ],
    });
    expect(reply.results[0]).toMatchObject({
      flagged: true,
      categories: { 'self-harm': true, pii: false },
      category_scores: { 'self-harm': 0.9 },
    });
    expect(JSON.parse(upstream.seen.at(-1)?.body ?? '')).toEqual({ model: 'mistral-moderation-latest', input: ['x\ny'] });
  });

  const WRONG: readonly (readonly [JsonObject, string])[] = [
    [{}, 'input'],
    [{ input: 3 }, 'input'],
    [{ input: [] }, 'input'],
    [{ input: ['a', 3] }, 'input[1]'],
    [{ input: [3] }, 'input[0]'],
    [{ input: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }, 'input[0]'],
    [{ input: Array.from({ length: 1001 }, () => 'a') }, 'input'],
  ];
  it.each(WRONG)('of %j are refused by the field', async (body, param) => {
    const answer = await post('/v1/moderations', { model: 'guard', ...body });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param, type: 'invalid_request_error' } }]);
  });

  it('of a provider that has none name the model', async () => {
    const answer = await post('/v1/moderations', { model: 'oai/gpt-5', input: 'x' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'model' } }]);
  });
});
