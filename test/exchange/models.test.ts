import Anthropic from '@anthropic-ai/sdk';
import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterEach, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { type Answer, type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function upstreamOf(answer: Answer): Promise<FakeUpstream> {
  const upstream = await startUpstream(answer);
  closing.push(() => upstream.close());
  return upstream;
}

async function serverOf(changes: Partial<Config>): Promise<TestServer> {
  const server = await startTestServer({ sandbox: false, ...changes });
  closing.push(async () => {
    await server.close();
    expect(server.defects).toEqual([]);
  });
  return server;
}

interface Got {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

async function get(
  server: TestServer,
  path: string,
  headers: Record<string, string> = { authorization: `Bearer ${TEST_KEY}` },
): Promise<Got> {
  const answer = await fetch(server.url + path, { headers });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

/** The ids of OpenAI's shape. */
const ids = ({ body }: Got): unknown[] => (body['data'] as { id: unknown }[]).map(({ id }) => id);

/** A list that gives two entries a page, by what a vendor's query names. */
const paged =
  (
    all: readonly object[],
    page: (entries: readonly object[], next: number | undefined) => object,
    from: (query: URLSearchParams) => number,
  ): Answer =>
  (request, response) => {
    const at = from(new URL(request.path, 'http://x').searchParams);
    const next = at + 2 < all.length ? at + 2 : undefined;
    json(page(all.slice(at, at + 2), next))(request, response);
  };

const NAMES = ['alpha', 'beta', 'gamma', 'delta', 'epsilon'];

describe('upstream lists', () => {
  const anthropicList = NAMES.map((id) => ({
    type: 'model',
    id,
    display_name: id.toUpperCase(),
    created_at: '2026-01-02T03:04:05Z',
    max_input_tokens: 200_000,
    max_tokens: 64_000,
  }));
  const geminiList = NAMES.map((id) => ({
    name: `models/${id}`,
    displayName: id,
    inputTokenLimit: 1000,
    outputTokenLimit: 100,
    supportedGenerationMethods: ['embedContent'],
  }));
  it.each<[shape: string, preset: string, answer: Answer, path: string, requests: number]>([
    [
      'OpenAI',
      'openai',
      json({ object: 'list', data: NAMES.map((id) => ({ id, object: 'model', created: 1_700_000_000, owned_by: 'x' })) }),
      '/v1/models',
      1,
    ],
    [
      'Anthropic, in pages',
      'anthropic',
      paged(
        anthropicList,
        (data, next) => ({ data, has_more: next !== undefined, first_id: null, last_id: NAMES[(next ?? NAMES.length) - 1] }),
        (query) => NAMES.indexOf(query.get('after_id') ?? '') + 1,
      ),
      '/v1/models?limit=1000',
      3,
    ],
    [
      'Gemini, in pages',
      'gemini',
      paged(
        geminiList,
        (models, next) => ({ models, ...(next === undefined ? {} : { nextPageToken: `at ${next}` }) }),
        (query) => Number(query.get('pageToken')?.slice(3) ?? 0),
      ),
      '/v1beta/models?pageSize=1000',
      3,
    ],
    [
      'Ollama’s own',
      'openai-compatible',
      json({ models: NAMES.map((name) => ({ name, model: name, modified_at: '2026-01-02T03:04:05Z' })) }),
      '/v1/models',
      1,
    ],
    [
      'Cohere, in pages',
      'cohere',
      paged(
        NAMES.map((name) => ({ name, endpoints: ['chat'], finetuned: false, context_length: 128_000 })),
        (models, next) => ({ models, ...(next === undefined ? {} : { next_page_token: String(next) }) }),
        (query) => Number(query.get('page_token') ?? 0),
      ),
      '/v1/models?page_size=1000',
      3,
    ],
    ['a bare array', 'openai-compatible', json(NAMES.map((id) => ({ id, name: `The ${id}` }))), '/v1/models', 1],
    [
      'with entries that are none, and twice',
      'openai',
      json({ data: [null, 7, 'x', {}, { id: '' }, { id: 'a\nb' }, ...NAMES.map((id) => ({ id })), { id: 'alpha' }] }),
      '/v1/models',
      1,
    ],
    [
      'with dates from nowhere',
      'openai',
      json({ data: NAMES.map((id, index) => ({ id, created: [1e300, -5, 1_700_000_000_000, 'x', null][index] })) }),
      '/v1/models',
      1,
    ],
  ])('%s', async (_shape, preset, answer, path, requests) => {
    const upstream = await upstreamOf(answer);
    const server = await serverOf({ providers: { up: { preset, baseUrl: upstream.url, key: 'k' } } });
    const all = NAMES.map((name) => `up/${name}`);
    expect(ids(await get(server, '/v1/models'))).toEqual(all);
    expect(upstream.seen[0]?.path).toBe(path);
    // Remembered, in every shape.
    const claude = await get(server, '/v1/models', { 'x-api-key': TEST_KEY, 'anthropic-version': '2023-06-01' });
    expect(ids(claude)).toEqual(all);
    const google = await get(server, '/v1beta/models', { 'x-goog-api-key': TEST_KEY });
    expect((google.body['models'] as { name: string }[]).map(({ name }) => name)).toEqual(all.map((id) => `models/${id}`));
    expect(upstream.seen).toHaveLength(requests);
  });

  it('is asked below the operator’s address, with the provider’s credential', async () => {
    const upstream = await upstreamOf(json({ data: [{ id: 'm' }] }));
    const server = await serverOf({ providers: { up: { preset: 'openai', baseUrl: `${upstream.url}/proxy/v1`, key: 'secret' } } });
    expect(ids(await get(server, '/v1/models'))).toEqual(['up/m']);
    expect(upstream.seen[0]).toMatchObject({ method: 'GET', path: '/proxy/v1/models', headers: { authorization: 'Bearer secret' } });
  });

  it.each<[name: string, answer: Answer]>([
    ['says 500', json({ error: 'down' }, 500)],
    ['says 401', json({ error: { message: 'bad key' } }, 401)],
    ['answers with a page', json('<html>hello</html>')],
    ['answers with another object', json({ data: 'none', models: 7 })],
    ['hangs up', (_request, response) => response.destroy()],
    ['names the same next page for ever', json({ data: [], has_more: true, last_id: 'again' })],
  ])('a provider that %s is left out, the others are there', async (_name, answer) => {
    const [good, bad] = [await upstreamOf(json({ data: [{ id: 'm' }] })), await upstreamOf(answer)];
    const server = await serverOf({
      providers: { bad: { preset: 'anthropic', baseUrl: bad.url, key: 'k' }, good: { preset: 'openai', baseUrl: good.url, key: 'k' } },
    });
    expect(ids(await get(server, '/v1/models'))).toEqual(['good/m']);
    expect(await get(server, '/bad/v1/models')).toMatchObject({ status: 200, body: { data: [] } });
    expect(bad.seen.length).toBeLessThanOrEqual(2);
    // A model of it can be called all the same.
    expect(await get(server, '/v1/models/bad%2Fm')).toMatchObject({ status: 200, body: { id: 'bad/m', owned_by: 'bad' } });
  });

  it('is asked once for callers that come together', async () => {
    const upstream = await upstreamOf(json({ data: [{ id: 'm' }] }));
    const server = await serverOf({ providers: { up: { preset: 'openai', baseUrl: upstream.url, key: 'k' } } });
    const lists = await Promise.all(Array.from({ length: 10 }, () => get(server, '/v1/models')));
    expect(lists.map(ids)).toEqual(Array.from({ length: 10 }, () => ['up/m']));
    expect(upstream.seen).toHaveLength(1);
  });

  it('follows the configuration: another address is another list', async () => {
    const [one, two] = [await upstreamOf(json({ data: [{ id: 'one' }] })), await upstreamOf(json({ data: [{ id: 'two' }] }))];
    const server = await serverOf({ providers: { up: { preset: 'openai', baseUrl: one.url, key: 'k' } } });
    expect(ids(await get(server, '/v1/models'))).toEqual(['up/one']);
    server.app.reload({ ...server.app.snapshot().config, providers: { up: { preset: 'openai', baseUrl: two.url, key: 'k' } } });
    expect(ids(await get(server, '/v1/models'))).toEqual(['up/two']);
  });
});

describe('what a key sees', () => {
  const data = ['gpt-big', 'gpt-small', 'org/llama3:8b', 'text-embed'].map((id) => ({ id, created: 1_700_000_000 }));
  const started = async (changes: Partial<Config> = {}): Promise<TestServer> => {
    const upstream = await upstreamOf(json({ data }));
    return serverOf({
      providers: { up: { preset: 'openai', baseUrl: upstream.url, key: 'k', expose: ['gpt-*', 'org/*'] } },
      models: { fast: 'up/gpt-small', quick: 'fast', 'claude-*': 'fast' },
      keys: [
        { name: 'all', value: TEST_KEY },
        { name: 'few', value: 'pk-few-0123456789', models: ['fast', 'up/org/*', 'gpt-small'] },
      ],
      ...changes,
    });
  };
  const few = { authorization: 'Bearer pk-few-0123456789' };

  it('is aliases, then what providers expose; no patterns', async () => {
    const server = await started();
    expect(ids(await get(server, '/v1/models'))).toEqual(['fast', 'quick', 'up/gpt-big', 'up/gpt-small', 'up/org/llama3:8b']);
    expect(ids(await get(server, '/models/'))).toHaveLength(5);
    expect(ids(await get(server, '/up/v1/models'))).toEqual(['gpt-big', 'gpt-small', 'org/llama3:8b']);
  });

  it('has the names of a key’s own, with the facts of what they stand for', async () => {
    const server = await started({
      keys: [{ name: 'own', value: TEST_KEY, routes: { mine: { targets: [{ to: 'up/gpt-big' }] }, fast: 'up/gpt-small' } }],
    });
    expect(ids(await get(server, '/v1/models')).slice(0, 3)).toEqual(['mine', 'fast', 'quick']);
    expect((await get(server, '/v1/models/mine')).status).toBe(200);
  });

  it('is what it may use', async () => {
    const server = await started();
    expect(ids(await get(server, '/v1/models', few))).toEqual(['fast', 'up/org/llama3:8b']);
    expect(ids(await get(server, '/up/v1/models', few))).toEqual(['gpt-small']);
    expect((await get(server, '/v1/models/up%2Fgpt-big', few)).status).toBe(404);
    expect((await get(server, '/v1/models', { authorization: 'Bearer nobody' })).status).toBe(401);
  });

  it.each<[name: string, path: string, id: string]>([
    ['an alias, with the facts of its model', '/v1/models/fast', 'fast'],
    ['slash and colon as they are', '/v1/models/up/org/llama3:8b', 'up/org/llama3:8b'],
    ['slash and colon encoded', '/v1/models/up%2Forg%2Fllama3%3A8b', 'up/org/llama3:8b'],
    ['below a platform', '/up/v1/models/org%2Fllama3:8b', 'org/llama3:8b'],
    ['by a pattern', '/v1/models/claude-anything', 'claude-anything'],
    ['twice the version, doubled slashes', '/v1/v1//models/up/gpt-big/', 'up/gpt-big'],
  ])('one model: %s', async (_name, path, id) => {
    const server = await started();
    expect(await get(server, path)).toMatchObject({
      status: 200,
      body: { id, object: 'model', created: 1_700_000_000, owned_by: expect.any(String) as string },
    });
  });

  it.each<[name: string, path: string, headers: Record<string, string>, body: object]>([
    [
      'OpenAI',
      '/v1/models/up%2Fgpt-bug',
      {},
      { error: { code: 'model_not_found', message: expect.stringContaining('up/gpt-big') as string } },
    ],
    ['OpenAI, hidden by expose', '/v1/models/up%2Ftext-embed', {}, { error: { type: 'not_found_error' } }],
    ['Anthropic', '/v1/models/nobody', { 'anthropic-version': '2023-06-01' }, { type: 'error', error: { type: 'not_found_error' } }],
    ['Gemini', '/v1beta/models/nobody', {}, { error: { code: 404, status: 'NOT_FOUND' } }],
    ['an unknown platform', '/nowhere/v1/models', {}, { error: { message: expect.stringContaining('up') as string } }],
  ])('404 in the words of %s', async (_name, path, headers, body) => {
    // Only ids that no provider is bound to pass on are unknown: here one that exposes a few.
    const server = await started({
      providers: { up: { preset: 'openai', baseUrl: (await upstreamOf(json({ data }))).url, key: 'k', expose: ['gpt-big'] } },
      models: {},
    });
    expect(await get(server, path, { authorization: `Bearer ${TEST_KEY}`, ...headers })).toMatchObject({ status: 404, body });
  });

  it.each<[headers: Record<string, string>, path: string, shape: string]>([
    [{ authorization: `Bearer ${TEST_KEY}` }, '/v1/models', 'openai'],
    [{ 'api-key': TEST_KEY }, '/v1/models', 'openai'],
    [{ 'x-api-key': TEST_KEY, 'anthropic-version': '2023-06-01' }, '/v1/models', 'anthropic'],
    [{ authorization: `Bearer ${TEST_KEY}`, 'anthropic-version': '2026-10-21' }, '/up/v1/models', 'anthropic'],
    [{ 'x-goog-api-key': TEST_KEY }, '/v1/models', 'gemini'],
    [{}, `/v1/models?key=${TEST_KEY}`, 'gemini'],
    [{ authorization: `Bearer ${TEST_KEY}`, 'x-goog-api-client': 'x' }, '/v1/models', 'gemini'],
    [{ authorization: `Bearer ${TEST_KEY}` }, '/v1beta/models', 'gemini'],
  ])('the shape of the caller’s vendor (%#)', async (headers, path, shape) => {
    const { status, body } = await get(await started(), path, headers);
    expect(status).toBe(200);
    const found = 'models' in body ? 'gemini' : 'has_more' in body ? 'anthropic' : 'openai';
    expect(found).toBe(shape);
  });

  it.each<[name: string, path: string, headers: Record<string, string>, says: RegExp]>([
    ['a limit of none', '/v1/models?limit=0', { 'anthropic-version': '2023-06-01' }, /limit/],
    ['a limit that is no number', '/v1/models?limit=many', { 'anthropic-version': '2023-06-01' }, /limit/],
    ['a place that is not there', '/v1/models?after_id=nobody', { 'anthropic-version': '2023-06-01' }, /after_id/],
    ['a token of nobody', '/v1beta/models?pageToken=%3F%3F', {}, /pageToken/],
    ['a page of less than nothing', '/v1beta/models?pageSize=-1', {}, /pageSize/],
  ])('400 for %s', async (_name, path, headers, says) => {
    const { status, body } = await get(await started(), path, { authorization: `Bearer ${TEST_KEY}`, ...headers });
    expect(status).toBe(400);
    expect((body['error'] as { message: string }).message).toMatch(says);
  });

  it('Anthropic’s pages go both ways', async () => {
    const server = await started();
    const headers = { 'x-api-key': TEST_KEY, 'anthropic-version': '2023-06-01' };
    const first = await get(server, '/v1/models?limit=2', headers);
    expect(first.body).toMatchObject({ has_more: true, first_id: 'fast', last_id: 'quick' });
    const second = await get(server, '/v1/models?limit=2&after_id=quick', headers);
    expect(second.body).toMatchObject({ has_more: true, first_id: 'up/gpt-big', last_id: 'up/gpt-small' });
    const back = await get(server, '/v1/models?limit=2&before_id=up%2Fgpt-big', headers);
    expect(back.body).toMatchObject({ has_more: false, first_id: 'fast', last_id: 'quick' });
  });
});

describe('the official SDKs', () => {
  const many = Array.from({ length: 65 }, (_, index) => `model-${index}`);
  const started = async (): Promise<TestServer> => {
    const upstream = await upstreamOf(json({ data: many.map((id) => ({ id, created: 1_700_000_000, owned_by: 'x' })) }));
    return serverOf({ providers: { up: { preset: 'openai', baseUrl: upstream.url, key: 'k' } }, models: { fast: 'up/model-1' } });
  };
  const wanted = ['fast', ...many.map((id) => `up/${id}`)];

  it('openai', async () => {
    const server = await started();
    const client = new OpenAI({ baseURL: `${server.url}/v1`, apiKey: TEST_KEY, maxRetries: 0 });
    const found: string[] = [];
    for await (const model of client.models.list()) found.push(model.id);
    expect(found).toEqual(wanted);
    expect(await client.models.retrieve('up/model-3')).toMatchObject({ id: 'up/model-3', created: 1_700_000_000, object: 'model' });
    await expect(client.models.retrieve('nobody')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
  });

  it('@anthropic-ai/sdk, over pages', async () => {
    const server = await started();
    const client = new Anthropic({ baseURL: server.url, apiKey: TEST_KEY, maxRetries: 0 });
    const found: string[] = [];
    for await (const model of client.models.list({ limit: 20 })) found.push(model.id);
    expect(found).toEqual(wanted);
    expect(await client.models.retrieve('up/model-3')).toMatchObject({
      id: 'up/model-3',
      type: 'model',
      created_at: '2023-11-14T22:13:20Z',
    });
    await expect(client.models.retrieve('nobody')).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it('@google/genai, over pages', async () => {
    const server = await started();
    const client = new GoogleGenAI({ apiKey: TEST_KEY, httpOptions: { baseUrl: server.url } });
    const found: (string | undefined)[] = [];
    for await (const model of await client.models.list({ config: { pageSize: 20 } })) found.push(model.name);
    expect(found).toEqual(wanted.map((id) => `models/${id}`));
    expect(await client.models.get({ model: 'models/up/model-3' })).toMatchObject({ name: 'models/up/model-3' });
    await expect(client.models.get({ model: 'models/nobody' })).rejects.toMatchObject({ status: 404 });
  });
});
