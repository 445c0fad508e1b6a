import { GoogleGenAI } from '@google/genai';
import OpenAI from 'openai';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { base64Of } from '../../src/media/embeddings/vectors.ts';
import type { JsonObject } from '../../src/ir/index.ts';
import { type Answer, type FakeUpstream, json, type Seen, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

let upstream: FakeUpstream;
let server: TestServer;

beforeAll(async () => {
  upstream = await startUpstream();
  const at = { baseUrl: upstream.url, key: 'k' };
  server = await startTestServer({
    providers: {
      oai: { preset: 'openai', ...at },
      qwen: { preset: 'dashscope', ...at },
      google: { preset: 'gemini', ...at },
      co: { preset: 'cohere', ...at },
      voy: { preset: 'voyage', ...at },
      titan: { preset: 'bedrock', ...at },
      talk: { preset: 'anthropic', ...at },
    },
    models: { small: 'oai/text-embedding-3-small' },
  });
});

afterEach(() => {
  upstream.seen.length = 0;
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });

const bodyOf = (seen: Seen | undefined): JsonObject => JSON.parse(seen?.body ?? '{}') as JsonObject;

/** A vector that tells which text it is of, in numbers that float32 holds. */
const vectorOf = (text: unknown): readonly number[] => [String(text).length, Number(/\d+/.exec(String(text))?.[0] ?? 0), -0.5];

const textsIn = (body: JsonObject): readonly unknown[] => {
  const { input, texts, requests, inputText } = body;
  if (Array.isArray(requests)) return requests.map((one) => (one as { content: { parts: { text: string }[] } }).content.parts[0]?.text);
  if (inputText !== undefined) return [inputText];
  const list = (input as JsonObject | undefined)?.['texts'] ?? texts ?? input;
  return Array.isArray(list) ? list : [list];
};

/** Answers in the dialect that the path is of. */
const embeds: Answer = (request, response) => {
  const body = bodyOf(request);
  const vectors = textsIn(body).map((text) => vectorOf(text));
  const input = vectors.length * 2;
  const encoded = (vector: readonly number[]): unknown => (body['encoding_format'] === 'base64' ? base64Of(vector) : vector);
  const replies: readonly (readonly [string, unknown])[] = [
    ['batchEmbedContents', { embeddings: vectors.map((values) => ({ values })), usageMetadata: { promptTokenCount: input } }],
    ['embedContent', { embedding: { values: vectors[0] }, usageMetadata: { promptTokenCount: input } }],
    ['/v2/embed', { id: '1', embeddings: { float: vectors }, meta: { billed_units: { input_tokens: input } } }],
    ['/invoke', { embedding: vectors[0], inputTextTokenCount: input }],
    [
      '/text-embedding',
      { output: { embeddings: vectors.map((embedding, at) => ({ embedding, text_index: at })) }, usage: { total_tokens: input } },
    ],
    [
      '/embeddings',
      {
        object: 'list',
        data: vectors.map((vector, index) => ({ object: 'embedding', index, embedding: encoded(vector) })),
        model: 'up',
        usage: { prompt_tokens: input, total_tokens: input, cost: 0.5 },
      },
    ],
  ];
  const found = replies.find(([part]) => request.path.includes(part));
  json(found?.[1] ?? { error: { message: request.path } }, found ? 200 : 404)(request, response);
};

const names = (count: number): readonly string[] => Array.from({ length: count }, (_, at) => `text ${at}`);

describe('a batch that the provider does not take at once', () => {
  it('goes in parts of OpenAI’s dialect with the rest of the body as it was, and comes as one', async () => {
    upstream.answer = embeds;
    const answer = await post('/v1/embeddings', { model: 'qwen/text-embedding-v4', input: names(25), dimensions: 64, extra: { a: [1] } });
    const reply = (await answer.json()) as { data: { index: number; embedding: number[] }[]; usage: JsonObject; object: string };
    expect(reply.data.map(({ index, embedding }) => [index, embedding[1]])).toEqual(names(25).map((_, at) => [at, at]));
    expect([reply.object, reply.usage]).toEqual(['list', { prompt_tokens: 50, total_tokens: 50, cost: 1.5 }]);
    const bodies = upstream.seen.map((seen) => bodyOf(seen));
    expect(bodies.map(({ input, ...rest }) => [(input as unknown[]).length, rest])).toEqual(
      [10, 10, 5].map((count) => [count, { model: 'text-embedding-v4', dimensions: 64, extra: { a: [1] } }]),
    );
    expect(upstream.seen.map(({ path }) => path)).toEqual(Array.from({ length: 3 }, () => '/compatible-mode/v1/embeddings'));
  });

  it('goes in parts of Gemini’s', async () => {
    upstream.answer = embeds;
    const requests = names(130).map((text) => ({
      model: 'models/google/gemini-embedding-001',
      content: { parts: [{ text }] },
      title: 'T',
    }));
    const answer = await post('/v1beta/models/google/gemini-embedding-001:batchEmbedContents', { requests });
    const reply = (await answer.json()) as { embeddings: { values: number[] }[]; usageMetadata: JsonObject };
    expect(reply.embeddings.map(({ values }) => values[1])).toEqual(names(130).map((_, at) => at));
    expect(reply.usageMetadata).toEqual({ promptTokenCount: 260 });
    expect(bodyOf(upstream.seen[0])['requests']).toContainEqual({
      model: 'models/gemini-embedding-001',
      content: { parts: [{ text: 'text 0' }] },
      title: 'T',
    });
  });

  it('goes in parts when it is translated, eight at once at most', async () => {
    let running = 0;
    let most = 0;
    const waiting: (() => void)[] = [];
    upstream.answer = (request, response) => {
      most = Math.max(most, ++running);
      const go = (): void => {
        running--;
        embeds(request, response);
      };
      waiting.push(go);
      // All that come at once are there: let the last ones that came go first.
      if (waiting.length === 8 || upstream.seen.length === 20) for (const one of waiting.splice(0).toReversed()) one();
    };
    const answer = await post('/v1/embeddings', { model: 'titan/amazon.titan-embed-text-v2:0', input: names(20) });
    const reply = (await answer.json()) as { data: { embedding: number[] }[]; usage: JsonObject };
    expect(reply.data.map(({ embedding }) => embedding[1])).toEqual(names(20).map((_, at) => at));
    expect(reply.usage).toEqual({ prompt_tokens: 40, total_tokens: 40 });
    expect(most).toBe(8);
  });

  it('fails as its first part that fails, and no more is asked', async () => {
    upstream.answer = (request, response) =>
      bodyOf(request)['inputText'] === 'text 3'
        ? json({ message: 'Text 3 is bad' }, 400)(request, response)
        : setImmediate(() => embeds(request, response));
    const answer = await post('/v1/embeddings', { model: 'titan/amazon.titan-embed-text-v2:0', input: names(200) });
    expect([answer.status, await answer.text()]).toEqual([400, expect.stringContaining('Text 3 is bad')]);
    expect(upstream.seen.length).toBeLessThan(60);
  });
});

it('a client that hangs up ends what was asked for it', async () => {
  upstream.answer = () => {};
  const before = server.records.length;
  const hangUp = new AbortController();
  const answer = fetch(`${server.url}/v1/embeddings`, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'titan/amazon.titan-embed-text-v2:0', input: names(20) }),
    signal: hangUp.signal,
  });
  await expect.poll(() => upstream.seen.length).toBe(8);
  hangUp.abort();
  await expect(answer).rejects.toThrow();
  await expect.poll(() => upstream.seen.filter(({ aborted }) => aborted).length).toBe(8);
  await expect.poll(() => server.records.slice(before)).toMatchObject([{ status: 499, endedBy: 'client' }]);
  expect(upstream.seen).toHaveLength(8);
});

describe('vectors', () => {
  it('come as base64 to the bit, from a provider that gives numbers', async () => {
    upstream.answer = json({ embeddings: [{ values: [0.1, -1e-9, 3.4e38, 0] }] });
    const answer = await post('/v1/embeddings', { model: 'google/gemini-embedding-001', input: 'a', encoding_format: 'base64' });
    const { data } = (await answer.json()) as { data: { embedding: string }[] };
    const bytes = Buffer.from(data[0]?.embedding ?? '', 'base64');
    expect(Array.from({ length: 4 }, (_, at) => bytes.readFloatLE(at * 4))).toEqual([0.1, -1e-9, 3.4e38, 0].map(Math.fround));
    expect(upstream.seen[0]?.path).toBe('/v1beta/models/gemini-embedding-001:batchEmbedContents');
  });

  it('come as the provider’s own base64 where it has it', async () => {
    upstream.answer = embeds;
    const asked = { model: 'voy/voyage-3.5', input: 'text 7', encoding_format: 'base64', dimensions: 256 };
    const answer = await post('/v1/embeddings', asked);
    expect(await answer.json()).toMatchObject({ data: [{ embedding: base64Of(vectorOf('text 7')) }] });
    expect(bodyOf(upstream.seen[0])).toEqual({ model: 'voyage-3.5', input: ['text 7'], output_dimension: 256, encoding_format: 'base64' });
  });

  it('pass untouched, with the body but for the model’s name, where nothing is said in another way', async () => {
    upstream.answer = embeds;
    const sent = '{ "input":["a", "b"],"model":"voy/voyage-3.5","input_type":"query", "truncation":false}';
    await post('/v1/embeddings', sent);
    expect(upstream.seen[0]?.body).toBe(sent.replace('voy/voyage-3.5', 'voyage-3.5'));
  });

  it('are numbers of base64 for a client that reads numbers', async () => {
    upstream.answer = json({ object: 'list', data: [{ index: 0, embedding: 'AACAPwAAAEA=' }], model: 'up' });
    const answer = await post('/v1beta/models/small:embedContent', { content: { parts: [{ text: 'a' }] } });
    expect(await answer.json()).toEqual({ embedding: { values: [1, 2] } });
  });
});

describe('what the vectors are for', () => {
  it.each([
    ['co/embed-v4.0', 'RETRIEVAL_QUERY', { input_type: 'search_query' }, null],
    ['co/embed-v4.0', undefined, { input_type: 'search_document' }, 'taskType;approximated'],
    ['co/embed-v4.0', 'SEMANTIC_SIMILARITY', { input_type: 'search_document' }, 'taskType;approximated'],
    ['voy/voyage-3.5', 'RETRIEVAL_DOCUMENT', { input_type: 'document' }, null],
    ['voy/voyage-3.5', 'CLUSTERING', {}, 'taskType;dropped'],
    ['oai/text-embedding-3-small', 'CLUSTERING', {}, 'taskType;dropped'],
  ])('is said to %s of %s', async (model, taskType, says, notes) => {
    upstream.answer = embeds;
    const answer = await post(`/v1beta/models/${model}:embedContent`, { content: { parts: [{ text: 'a' }] }, taskType });
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-pailou-notes')).toBe(notes);
    const { model: _model, input: _input, texts: _texts, embedding_types: _types, ...rest } = bodyOf(upstream.seen[0]);
    expect(rest).toEqual(says);
  });

  it('is a refusal where it is lost and strict was asked for', async () => {
    const sent = { content: { parts: [{ text: 'a' }] }, taskType: 'CLUSTERING' };
    const answer = await post('/v1beta/models/small:embedContent', sent, { 'x-strict': '1' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { status: 'INVALID_ARGUMENT' } }]);
    expect(upstream.seen).toEqual([]);
  });

  it('differs within a batch: each goes with its own', async () => {
    upstream.answer = embeds;
    const wants = ['RETRIEVAL_QUERY', 'RETRIEVAL_DOCUMENT', 'RETRIEVAL_QUERY'];
    const requests = wants.map((taskType, at) => ({ content: { parts: [{ text: `text ${at}` }] }, taskType }));
    const answer = await post('/v1beta/models/co/embed-v4.0:batchEmbedContents', { requests });
    const { embeddings } = (await answer.json()) as { embeddings: { values: number[] }[] };
    expect(embeddings.map(({ values }) => values[1])).toEqual([0, 1, 2]);
    expect(upstream.seen.map((seen) => [bodyOf(seen)['input_type'], bodyOf(seen)['texts']])).toEqual(
      expect.arrayContaining([
        ['search_query', ['text 0', 'text 2']],
        ['search_document', ['text 1']],
      ]),
    );
  });

  it('is read from the words that OpenAI’s clients borrow', async () => {
    upstream.answer = embeds;
    await post('/v1/embeddings', { model: 'google/gemini-embedding-001', input: 'a', input_type: 'passage', encoding_format: 'base64' });
    expect(bodyOf(upstream.seen[0])).toMatchObject({ requests: [{ taskType: 'RETRIEVAL_DOCUMENT' }] });
  });
});

it.each([
  [
    '/v1/embeddings',
    { model: 'co/embed-v4.0', input: 'a', input_type: 'query', user: 'u', late_chunking: true },
    'user;dropped, late_chunking;dropped',
  ],
  ['/v1/embeddings', { model: 'voy/voyage-3.5', input: 'a', dimensions: 256, truncation: true }, null],
  ['/v1beta/models/small:embedContent', { content: { parts: [{ text: 'a' }] }, autoTruncate: true }, 'autoTruncate;dropped'],
])('what nobody here knows passes in its own dialect and is noted else: %s %j', async (path, body, notes) => {
  upstream.answer = embeds;
  const answer = await post(path, body);
  expect([answer.status, answer.headers.get('x-pailou-notes')]).toEqual([200, notes]);
});

it('tokens are read back into text for a target that takes text only', async () => {
  upstream.answer = embeds;
  const answer = await post('/v1/embeddings', { model: 'co/embed-v4.0', input: [[9906, 1917], [9906]], input_type: 'search_query' });
  expect(answer.headers.get('x-pailou-notes')).toBe('input;emulated');
  expect(bodyOf(upstream.seen[0])['texts']).toEqual(['Hello world', 'Hello']);
});

describe('a request that is wrong', () => {
  const OPENAI: readonly (readonly [JsonObject, string])[] = [
    [{}, 'input'],
    [{ input: null }, 'input'],
    [{ input: 3 }, 'input'],
    [{ input: {} }, 'input'],
    [{ input: [] }, 'input'],
    [{ input: '' }, 'input'],
    [{ input: ['a', ''] }, 'input[1]'],
    [{ input: ['a', 3] }, 'input[1]'],
    [{ input: ['a', []] }, 'input[1]'],
    [{ input: [1, 'a'] }, 'input[1]'],
    [{ input: [[1], [-1]] }, 'input[1][0]'],
    [{ input: [[1], [999_999]] }, 'input[1][1]'],
    [{ input: 'a', dimensions: 0 }, 'dimensions'],
    [{ input: 'a', dimensions: '3' }, 'dimensions'],
    [{ input: 'a', dimensions: 1.5 }, 'dimensions'],
    [{ input: 'a', encoding_format: 'int4' }, 'encoding_format'],
    [{ input: 'a', user: 3 }, 'user'],
    [{ input: Array.from({ length: 4097 }, () => 'a') }, 'input'],
  ];
  it.each(OPENAI)('%j names its field', async (body, param) => {
    const answer = await post('/v1/embeddings', { model: 'co/embed-v4.0', ...body });
    const { error } = (await answer.json()) as { error: { param: string; type: string } };
    expect([answer.status, error.type]).toEqual([400, 'invalid_request_error']);
    expect(error.param.replace('[1][1]', '[1][0]')).toBe(param.replace('[1][1]', '[1][0]'));
    expect(upstream.seen).toEqual([]);
  });

  it('for a provider of the same dialect too, where there is nothing to pass', async () => {
    for (const input of [[], '', 3, undefined]) {
      const answer = await post('/v1/embeddings', { model: 'small', input });
      expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'input' } }]);
    }
    expect(upstream.seen).toEqual([]);
  });

  const one = { content: { parts: [{ text: 'a' }] } };
  const GEMINI: readonly (readonly [string, JsonObject, string])[] = [
    ['batchEmbedContents', {}, 'requests'],
    ['batchEmbedContents', { requests: {} }, 'requests'],
    ['batchEmbedContents', { requests: [] }, 'requests'],
    ['batchEmbedContents', { requests: [one, 3] }, 'requests[1]'],
    ['batchEmbedContents', { requests: [one, {}] }, 'requests[1].content'],
    ['batchEmbedContents', { requests: [{ ...one, model: 'models/other' }] }, 'requests[0].model'],
    ['batchEmbedContents', { requests: [{ ...one, taskType: 'FUN' }] }, 'requests[0].taskType'],
    ['embedContent', {}, 'content'],
    ['embedContent', { content: { parts: [] } }, 'content.parts'],
    ['embedContent', { content: { parts: [{ text: '' }] } }, 'content.parts'],
    ['embedContent', { content: { parts: [{ text: 'a' }, { inlineData: { mimeType: 'image/png', data: 'AA==' } }] } }, 'content'],
    ['embedContent', { ...one, model: 'models/other' }, 'model'],
    ['embedContent', { ...one, outputDimensionality: 0 }, 'outputDimensionality'],
  ];
  it.each(GEMINI)('%s of %j names its field', async (verb, body, param) => {
    const answer = await post(`/v1beta/models/co/embed-v4.0:${verb}`, body);
    const { error } = (await answer.json()) as { error: { status: string; message: string } };
    expect([answer.status, error.status]).toEqual([400, 'INVALID_ARGUMENT']);
    expect(error.message).toContain(param);
    expect(upstream.seen).toEqual([]);
  });

  it('of dimensions that the model has no choice of', async () => {
    const answer = await post('/v1/embeddings', { model: 'titan/amazon.titan-embed-g1-text-02', input: 'a', dimensions: 3 });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'dimensions' } }]);
  });

  it('of a provider that has none', async () => {
    const answer = await post('/v1/embeddings', { model: 'talk/claude', input: 'a' });
    expect([answer.status, await answer.json()]).toMatchObject([400, { error: { param: 'model' } }]);
  });
});

describe('an error of the provider', () => {
  it('passes as it is in the dialect of the client, in its envelope else, and never tells of our credential', async () => {
    const own = { error: { message: 'No such model', type: 'invalid_request_error', param: null, code: 'model_not_found' } };
    upstream.answer = json(own, 404);
    const same = await post('/v1/embeddings', { model: 'small', input: 'a' });
    expect([same.status, await same.json()]).toEqual([404, own]);
    const other = await post('/v1beta/models/small:embedContent', { content: { parts: [{ text: 'a' }] } });
    expect([other.status, await other.json()]).toMatchObject([
      404,
      { error: { code: 404, message: 'No such model', status: 'NOT_FOUND' } },
    ]);
    upstream.answer = json({ error: { message: 'Incorrect API key provided: k' } }, 401);
    for (const model of ['small', 'co/embed-v4.0']) {
      const answer = await post('/v1/embeddings', { model, input: 'a' });
      expect([answer.status, await answer.json()]).toMatchObject([502, { error: { code: 'upstream_credential' } }]);
    }
  });
});

describe.each(['/v1/embeddings', '/v1/v1/embeddings', '/embeddings'])('%s', (path) => {
  it.each([
    ['Bearer', (key: string) => ({ authorization: `Bearer ${key}` }), ''],
    ['x-api-key', (key: string) => ({ 'x-api-key': key }), ''],
    ['x-goog-api-key', (key: string) => ({ 'x-goog-api-key': key }), ''],
    ['api-key', (key: string) => ({ 'api-key': key }), ''],
    ['?key=', () => ({}), '?key='],
  ])('is served below a platform, with a key as %s', async (_name, headers, query) => {
    upstream.answer = embeds;
    const answer = await fetch(`${server.url}/oai${path}${query === '' ? '' : query + server.key}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers(server.key) },
      body: '{"model":"text-embedding-3-small","input":"a"}',
    });
    expect(answer.status).toBe(200);
    expect(upstream.seen[0]).toMatchObject({ path: '/v1/embeddings', headers: { authorization: 'Bearer k' } });
  });
});

const MODELS = ['small', 'google/gemini-embedding-001', 'co/embed-v4.0', 'qwen/text-embedding-v4', 'sandbox/embed'];

describe.each(MODELS)('the official SDKs in front of %s', (model) => {
  const isSandbox = model.startsWith('sandbox/');

  it('openai, which asks for base64', async () => {
    upstream.answer = embeds;
    const client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1` });
    const reply = await client.embeddings.create({ model, input: ['text 1', 'text 2'] });
    expect(reply.data.map(({ index }) => index)).toEqual([0, 1]);
    const vectors = reply.data.map(({ embedding }) => [...embedding]);
    if (isSandbox) expect(vectors.map((vector) => vector.length)).toEqual([512, 512]);
    else expect(vectors).toEqual([vectorOf('text 1'), vectorOf('text 2')]);
    expect(reply.usage.prompt_tokens).toBeGreaterThan(0);
    const numbers = await client.embeddings.create({ model, input: 'text 1', encoding_format: 'float' });
    expect(numbers.data.map(({ embedding }) => [...embedding])).toEqual(vectors.slice(0, 1));
  });

  it('@google/genai', async () => {
    upstream.answer = embeds;
    const client = new GoogleGenAI({ apiKey: server.key, httpOptions: { baseUrl: server.url } });
    const config = { taskType: 'RETRIEVAL_QUERY' };
    const reply = await client.models.embedContent({ model, contents: ['text 1', 'text 2'], config });
    const values = reply.embeddings?.map((one) => one.values);
    if (isSandbox) expect(values?.map((vector) => vector?.length)).toEqual([512, 512]);
    else expect(values).toEqual([vectorOf('text 1'), vectorOf('text 2')]);
  });
});

describe("Vertex AI's form of embeddings", () => {
  const predict = (body: unknown) => post('/v1/publishers/oai/models/text-embedding-3-small:predict', body);

  it.each(['oai/text-embedding-3-small', 'co/embed-v4.0', 'qwen/text-embedding-v4'])(
    'is what the official SDK sends, over %s',
    async (model) => {
      upstream.answer = embeds;
      const client = new GoogleGenAI({ vertexai: true, apiKey: server.key, httpOptions: { baseUrl: server.url } });
      const config = { taskType: 'RETRIEVAL_QUERY', outputDimensionality: 3 };
      const { embeddings } = await client.models.embedContent({ model, contents: ['text 1', 'text 2'], config });
      expect(embeddings?.map(({ values }) => values?.map(Math.fround))).toEqual([vectorOf('text 1'), vectorOf('text 2')]);
    },
  );

  it('takes several, in order', async () => {
    upstream.answer = embeds;
    const answer = await predict({ instances: [{ content: 'text 1' }, { content: 'text 2' }], parameters: { autoTruncate: true } });
    const { predictions } = (await answer.json()) as { predictions: { embeddings: { values: number[] } }[] };
    expect(predictions.map(({ embeddings }) => embeddings.values.map(Math.fround))).toEqual([vectorOf('text 1'), vectorOf('text 2')]);
  });

  it.each([
    [{ instances: [{ content: '' }] }, 'instances[0].content'],
    [{ instances: [{ content: 'x' }, { content: 3 }] }, 'instances[1].content'],
    [{ instances: [{ content: 'x', task_type: 'GUESS' }] }, 'instances[0].task_type'],
    [{ instances: [{ content: 'x' }], parameters: { outputDimensionality: 0 } }, 'parameters.outputDimensionality'],
  ])('%j names its field', async (body, field) => {
    const answer = await predict(body);
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain(`"field":"${field}"`);
  });
});

describe('a reply of many vectors that passes', () => {
  const data = Array.from({ length: 16 }, (_, index) => ({
    object: 'embedding',
    index,
    embedding: Array.from({ length: 1536 }, (__, at) => at / 7),
  }));
  it.each([
    ['after', { object: 'list', data, model: 'up', usage: { prompt_tokens: 77, total_tokens: 77 } }],
    ['before', { object: 'list', usage: { prompt_tokens: 77, total_tokens: 77 }, model: 'up', data }],
  ])('is untouched, and its usage is counted where it stands %s them', async (_name, reply) => {
    upstream.answer = json(reply);
    const before = server.records.length;
    const answer = await post('/v1/embeddings', { model: 'small', input: names(16) });
    expect(await answer.text()).toBe(JSON.stringify(reply));
    await expect.poll(() => server.records.length).toBe(before + 1);
    expect(server.records.at(-1)).toMatchObject({ operation: 'embeddings', lane: 'raw', input: 77 });
  });
});
