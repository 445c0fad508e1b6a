import { GoogleGenAI, MaskReferenceImage, MaskReferenceMode, RawReferenceImage } from '@google/genai';
import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { maskAs } from '../../src/media/images/mask.ts';
import { cutStream, type FakeUpstream, json, startUpstream, stream } from '../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';

/** Three pixels by two. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';
const PNG_BYTES = Buffer.from(PNG, 'base64');
const USAGE = {
  input_tokens: 10,
  input_tokens_details: { image_tokens: 0, text_tokens: 10 },
  output_tokens: 4160,
  output_tokens_details: { image_tokens: 4160, text_tokens: 0 },
  total_tokens: 4170,
};
const GPT_REPLY = {
  created: 1_790_000_000,
  background: 'opaque',
  data: [{ b64_json: PNG }],
  output_format: 'png',
  quality: 'high',
  size: '1024x1024',
  usage: USAGE,
};
const GEMINI_REPLY = {
  candidates: [
    { content: { role: 'model', parts: [{ text: 'Here.' }, { inlineData: { mimeType: 'image/png', data: PNG } }] }, finishReason: 'STOP' },
  ],
  usageMetadata: { promptTokenCount: 6, candidatesTokenCount: 1290, candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }] },
  modelVersion: 'gemini-2.5-flash-image',
};

let gpt: FakeUpstream;
let gemini: FakeUpstream;
let files: FakeUpstream;
let bfl: FakeUpstream;
let server: TestServer;
let client: OpenAI;

const post = (path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });

const postForm = (path: string, parts: readonly (readonly [string, string | Blob])[]): Promise<Response> => {
  const form = new FormData();
  for (const [name, value] of parts) {
    if (typeof value === 'string') form.append(name, value);
    else form.append(name, value, 'a.png');
  }
  return fetch(server.url + path, { method: 'POST', headers: { authorization: `Bearer ${server.key}` }, body: form });
};

const sentJson = (upstream: FakeUpstream): unknown => JSON.parse(upstream.seen.at(-1)?.body ?? '');

beforeAll(async () => {
  [gpt, gemini, files, bfl] = await Promise.all([
    startUpstream(json(GPT_REPLY)),
    startUpstream(json(GEMINI_REPLY)),
    startUpstream(),
    startUpstream(),
  ]);
  files.answer = (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(PNG_BYTES);
  const allow = createMediaFetcher({
    bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 2 ** 20 }),
    resolve: (host) => (host === 'inside.example' ? Promise.resolve(['10.0.0.7']) : Promise.reject(new Error('ENOTFOUND'))),
  });
  server = await startTestServer(
    {
      providers: {
        openai: { preset: 'openai', baseUrl: gpt.url, key: 'k' },
        uri: { preset: 'openai', baseUrl: gpt.url, key: 'k', images: { dataUri: true } },
        gemini: { preset: 'gemini', baseUrl: gemini.url, key: 'k' },
        bfl: { preset: 'bfl', baseUrl: bfl.url, key: 'k' },
        hasty: { preset: 'bfl', baseUrl: bfl.url, key: 'k', timeouts: { total: 1000 } },
        local: { preset: 'openai-compatible', baseUrl: gpt.url },
      },
      models: { flux: { targets: [{ to: 'bfl/flux-2-pro' }], fallback: ['hasty/flux-2-pro'] } },
      keys: [
        { name: 'test', value: TEST_KEY },
        { name: 'other', value: 'pk-other-0123456789abcdef' },
      ],
    },
    undefined,
    undefined,
    { media: allow },
  );
  client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1`, maxRetries: 0 });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await Promise.all([server.close(), gpt.close(), gemini.close(), files.close(), bfl.close()]);
});

const UPSTREAMS = [
  { name: 'GPT Image', model: 'openai/gpt-image-1.5', upstream: () => gpt },
  { name: 'Gemini', model: 'gemini/gemini-2.5-flash-image', upstream: () => gemini },
];

const file = (name = 'a.png'): ReturnType<typeof toFile> => toFile(PNG_BYTES, name, { type: 'image/png' });

beforeEach(() => {
  gpt.answer = json(GPT_REPLY);
  gemini.answer = json(GEMINI_REPLY);
});

describe.each(UPSTREAMS)('the official SDKs over $name', ({ model, upstream }) => {
  it('generate', async () => {
    const reply = await client.images.generate({ model, prompt: 'A lantern', size: '1024x1024' });
    expect(reply.data).toEqual([{ b64_json: PNG }]);
    expect(reply.usage?.output_tokens).toBeGreaterThan(1000);
    expect(reply.output_format).toBe('png');
  });

  it('make several', async () => {
    const before = upstream().seen.length;
    const reply = await client.images.generate({ model, prompt: 'A lantern', n: 2 });
    if (upstream() === gemini) {
      expect([reply.data?.length, upstream().seen.length - before]).toEqual([2, 2]);
      expect(reply.usage?.input_tokens).toBe(12);
    } else expect(JSON.parse(upstream().seen.at(-1)?.body ?? '')).toMatchObject({ n: 2 });
  });

  it('edit files, one and several', async () => {
    const one = await client.images.edit({ model, prompt: 'Greener', image: await file() });
    expect(one.data?.[0]?.b64_json).toBe(PNG);
    const two = await Promise.all([file('a.png'), file('b.png')]);
    expect((await client.images.edit({ model, prompt: 'Both', image: two })).data).toHaveLength(1);
    expect(upstream().seen.at(-1)?.body).toContain('Both');
  });

  it('stream', async () => {
    const events = await client.images.generate({ model, prompt: 'A lantern', stream: true });
    const types: string[] = [];
    for await (const event of events) types.push(event.type);
    expect(types).toEqual(['image_generation.completed']);
    const edits: string[] = [];
    for await (const event of await client.images.edit({ model, prompt: 'A lantern', image: await file(), stream: true }))
      edits.push(event.type);
    expect(edits).toEqual(['image_edit.completed']);
  });

  it('generate and edit as Imagen', async () => {
    const google = new GoogleGenAI({ vertexai: true, apiKey: server.key, httpOptions: { baseUrl: server.url } });
    const made = await google.models.generateImages({ model, prompt: 'A lantern', config: { numberOfImages: 1, aspectRatio: '16:9' } });
    expect(made.generatedImages?.map(({ image }) => image)).toEqual([{ imageBytes: PNG, mimeType: 'image/png' }]);
    const reference = new RawReferenceImage();
    reference.referenceId = 1;
    reference.referenceImage = { imageBytes: PNG, mimeType: 'image/png' };
    const edited = await google.models.editImage({ model, prompt: 'Greener', referenceImages: [reference], config: { numberOfImages: 1 } });
    expect(edited.generatedImages?.[0]?.image?.imageBytes).toBe(PNG);
    expect(upstream().seen.at(-1)?.body).toContain('Greener');
  });
});

describe('variations', () => {
  it('pass where the provider has them, and are refused elsewhere', async () => {
    await client.images.createVariation({ model: 'openai/dall-e-2', image: await file(), n: 1 });
    expect(gpt.seen.at(-1)?.path).toBe('/v1/images/variations');
    await expect(client.images.createVariation({ model: 'gemini/gemini-2.5-flash-image', image: await file() })).rejects.toMatchObject({
      status: 400,
      param: 'model',
    });
  });
});

describe('images of clients', () => {
  const url = (): string => `${files.url}/a.png`;
  it.each([
    { name: 'a URL', body: () => ({ image: url() }), count: 1 },
    { name: 'a data URI', body: () => ({ image: `data:image/png;base64,${PNG}` }), count: 1 },
    { name: 'bare base64', body: () => ({ image: PNG }), count: 1 },
    { name: 'a list', body: () => ({ image: [url(), PNG] }), count: 2 },
    { name: "OpenAI's objects", body: () => ({ images: [{ image_url: url() }, { image_url: `data:image/png;base64,${PNG}` }] }), count: 2 },
    { name: 'an object with a URL', body: () => ({ image: { url: url() } }), count: 1 },
  ])('as $name in JSON', async ({ body, count }) => {
    const answer = await post('/v1/images/edits', { model: 'gemini/gemini-2.5-flash-image', prompt: 'Greener', ...body() });
    expect(answer.status).toBe(200);
    const sent = sentJson(gemini) as { contents: { parts: { inlineData?: { data: string } }[] }[] };
    expect(sent.contents[0]?.parts.flatMap(({ inlineData }) => inlineData?.data ?? [])).toEqual(Array.from({ length: count }, () => PNG));
  });

  it.each([
    {
      name: 'files',
      parts: [
        ['image[]', new Blob([PNG_BYTES])],
        ['image[]', new Blob([PNG_BYTES])],
      ] as const,
      count: 2,
    },
    { name: 'a file without a type', parts: [['image', new Blob([PNG_BYTES])]] as const, count: 1 },
    { name: 'text of a form', parts: [['image', `data:image/png;base64,${PNG}`]] as const, count: 1 },
    {
      name: 'text and file',
      parts: [
        ['image', PNG],
        ['image', new Blob([PNG_BYTES])],
      ] as const,
      count: 2,
    },
  ])('as $name', async ({ parts, count }) => {
    const answer = await postForm('/v1/images/edits', [['model', 'gemini/gemini-2.5-flash-image'], ['prompt', 'Greener'], ...parts]);
    expect(answer.status).toBe(200);
    expect(gemini.seen.at(-1)?.body.split('inlineData').length).toBe(count + 1);
  });

  it('go to a generation that holds them as an edit, also of a form', async () => {
    await post('/v1/images/generations', { model: 'openai/gpt-image-1.5', prompt: 'x', image: PNG });
    expect(gpt.seen.at(-1)?.path).toBe('/v1/images/edits');
    await postForm('/openai/v1/images/generations', [
      ['model', 'gpt-image-1.5'],
      ['prompt', 'x'],
      ['n', '2'],
      ['size', '1024x1536'],
    ]);
    expect([gpt.seen.at(-1)?.path, sentJson(gpt)]).toEqual([
      '/v1/images/generations',
      { model: 'gpt-image-1.5', prompt: 'x', n: 2, size: '1024x1536' },
    ]);
  });

  it('have a mask where it is taken', async () => {
    const mask = await client.images.edit({ model: 'openai/gpt-image-1.5', prompt: 'x', image: await file(), mask: await file('m.png') });
    expect(mask.data).toHaveLength(1);
    expect(gpt.seen.at(-1)?.body).toContain('name="mask"');
    await expect(
      client.images.edit({ model: 'gemini/gemini-2.5-flash-image', prompt: 'x', image: await file(), mask: await file('m.png') }),
    ).rejects.toMatchObject({ status: 400, param: 'mask' });
  });
});

const REMOTE = { created: 1_790_000_000, data: [{ url: 'PLACE', revised_prompt: 'A red lantern' }] };
const remote = (place: string): ReturnType<typeof json> => json({ ...REMOTE, data: [{ ...REMOTE.data[0], url: place }] });

/** The mask of a form that an upstream got: its colour type. */
const maskType = (body: string): number => body.slice(body.indexOf('name="mask"')).split('\r\n\r\n')[1]?.charCodeAt(25) ?? -1;

describe('masks', () => {
  it('become transparent for a provider of transparency, where a client of Imagen paints them white', async () => {
    const google = new GoogleGenAI({ vertexai: true, apiKey: server.key, httpOptions: { baseUrl: server.url } });
    const raw = new RawReferenceImage();
    raw.referenceImage = { imageBytes: PNG };
    const mask = new MaskReferenceImage();
    mask.referenceImage = { imageBytes: PNG };
    mask.config = { maskMode: MaskReferenceMode.MASK_MODE_USER_PROVIDED };
    await google.models.editImage({ model: 'openai/gpt-image-1.5', prompt: 'x', referenceImages: [raw, mask] });
    expect(maskType(gpt.seen.at(-1)?.body ?? '')).toBe(6);
  });

  it('become white for a provider of white', async () => {
    bfl.answer = json({ detail: 'enough' }, 422);
    const transparent = await maskAs({ data: PNG_BYTES, mediaType: 'image/png', at: 'mask', form: 'luma' }, 'alpha');
    await post('/v1/images/edits', { model: 'bfl/flux-pro-1.0-fill', prompt: 'x', image: PNG, mask: transparent.data.toString('base64') });
    const sent = sentJson(bfl) as { mask: string };
    expect(Buffer.from(sent.mask, 'base64')[25]).toBe(0);
  });
});

describe('bytes and addresses', () => {
  const model = 'openai/gpt-image-1.5';
  it('are bytes by default, fetched where the provider gives an address', async () => {
    gpt.answer = remote(`${files.url}/made.png`);
    const reply = await client.images.generate({ model, prompt: 'x' });
    expect(reply.data).toEqual([{ b64_json: PNG, revised_prompt: 'A red lantern' }]);
  });

  it('come from the provider itself under its key, where the address is its own', async () => {
    gpt.answer = (request, response) => {
      if (request.method === 'GET') return void response.writeHead(200, { 'content-type': 'image/png' }).end(PNG_BYTES);
      remote(`${gpt.url}/generated/1.png`)(request, response);
    };
    expect((await client.images.generate({ model: 'openai/gpt-image-1.5', prompt: 'x' })).data?.[0]?.b64_json).toBe(PNG);
    expect(gpt.seen.at(-1)).toMatchObject({ path: '/generated/1.png', headers: { authorization: 'Bearer k' } });
  });

  it.each([
    { name: 'at once', stream: false },
    { name: 'whole, where a stream was asked for', stream: true },
  ])('are fetched as many as were asked for, of 10,000 that came $name', async ({ stream: asks }) => {
    gpt.answer = json({ created: 1, data: Array.from({ length: 10_000 }, (_, at) => ({ url: `${files.url}/${at}.png` })) });
    files.seen.length = 0;
    const answer = await post('/v1/images/generations', { model, prompt: 'x', n: 2, stream: asks });
    expect((await answer.text()).match(/"b64_json"/g)).toHaveLength(2);
    expect(files.seen).toHaveLength(2);
  });

  it("are the provider's address where it gave one", async () => {
    gpt.answer = remote('https://files.example/made.png');
    const reply = await client.images.generate({ model, prompt: 'x', response_format: 'url' });
    expect(reply.data).toEqual([{ url: 'https://files.example/made.png', revised_prompt: 'A red lantern' }]);
  });

  it('are a link that the gateway serves, with its end, where it gave bytes', async () => {
    const answer = await post('/v1/images/generations', { model, prompt: 'x', response_format: 'url' });
    const { data } = (await answer.json()) as { data: { url: string; expires_at: number }[] };
    const [image] = data;
    expect(image?.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/media\/[a-z0-9]+\?exp=\d+&sig=/);
    expect(image?.expires_at).toBeGreaterThan(Date.now() / 1000 + 86_000);
    const served = await fetch(image?.url ?? '');
    expect([served.status, served.headers.get('content-type')]).toEqual([200, 'image/png']);
    expect(Buffer.from(await served.arrayBuffer()).equals(PNG_BYTES)).toBe(true);
    expect((await fetch((image?.url ?? '').replace(/sig=.{4}/, 'sig=AAAA'))).status).toBe(404);
  });

  it('never go through the raw format of a provider: `response_format` is ours', async () => {
    await post('/v1/images/generations', { model, prompt: 'x', response_format: 'url' });
    expect(sentJson(gpt)).not.toHaveProperty('response_format');
    await post('/v1/images/generations', { model: 'openai/dall-e-3', prompt: 'x', response_format: 'url' });
    expect(sentJson(gpt)).toMatchObject({ response_format: 'b64_json' });
  });

  it('begin with data: where the operator says so', async () => {
    const answer = await post('/uri/v1/images/generations', { model: 'gpt-image-1.5', prompt: 'x' });
    expect(await answer.json()).toMatchObject({ data: [{ b64_json: `data:image/png;base64,${PNG}` }] });
    gpt.answer = json({ ...GPT_REPLY, data: [{ b64_json: `data:image/png;base64,${PNG}` }] });
    expect((await client.images.generate({ model, prompt: 'x' })).data?.[0]?.b64_json).toBe(PNG);
  });

  it('are a fault of the upstream where they cannot be had', async () => {
    files.answer = (_request, response) => void response.writeHead(404).end();
    gpt.answer = remote(`${files.url}/gone.png`);
    await expect(client.images.generate({ model, prompt: 'x' })).rejects.toMatchObject({ status: 502, code: 'upstream_media' });
    gpt.answer = remote('http://inside.example/a.png');
    await expect(client.images.generate({ model, prompt: 'x' })).rejects.toMatchObject({ status: 502, code: 'upstream_media' });
    files.answer = (_request, response) => void response.writeHead(200, { 'content-type': 'image/png' }).end(PNG_BYTES);
  });
});

const event = (type: string, more: object): string =>
  `event: ${type}\ndata: ${JSON.stringify({ type, b64_json: PNG, created_at: 1, size: '1024x1024', quality: 'low', background: 'opaque', output_format: 'png', ...more })}\n\n`;

describe('streams', () => {
  const model = 'openai/gpt-image-1.5';
  it('pass previews and the usage of a provider that has them', async () => {
    gpt.answer = stream([
      event('image_generation.partial_image', { partial_image_index: 0 }),
      event('image_generation.partial_image', { partial_image_index: 1 }),
      event('image_generation.completed', { usage: USAGE }),
    ]);
    const seen: object[] = [];
    for await (const one of await client.images.generate({ model, prompt: 'x', stream: true, partial_images: 2 })) seen.push(one);
    expect(sentJson(gpt)).toMatchObject({ stream: true, partial_images: 2 });
    expect(seen).toMatchObject([
      { type: 'image_generation.partial_image', partial_image_index: 0, b64_json: PNG },
      { type: 'image_generation.partial_image', partial_image_index: 1 },
      { type: 'image_generation.completed', b64_json: PNG, usage: { total_tokens: 4170 }, quality: 'low' },
    ]);
    expect(server.records.at(-1)).toMatchObject({ operation: 'images', input: 10, output: 4160 });
  });

  it('are emulated where it has none, and say so', async () => {
    const answer = await post('/v1/images/generations', { model: 'gemini/gemini-2.5-flash-image', prompt: 'x', stream: true });
    expect(answer.headers.get('x-pailou-notes')).toBe('stream;emulated');
    const text = await answer.text();
    expect(text).toMatch(/^event: image_generation\.completed\ndata: \{"type":"image_generation\.completed"/);
  });

  it.each([
    { name: 'cut', answer: () => cutStream([event('image_generation.partial_image', { partial_image_index: 0 })], 'fin') },
    { name: 'ended without an image', answer: () => stream([event('image_generation.partial_image', { partial_image_index: 0 })]) },
    {
      name: 'broken off',
      answer: () =>
        stream([
          event('image_generation.partial_image', { partial_image_index: 0 }),
          `event: error\ndata: ${JSON.stringify({ type: 'error', error: { message: 'no', type: 'server_error' } })}\n\n`,
        ]),
    },
  ])('fail where they are $name', async ({ answer }) => {
    gpt.answer = answer();
    const seen: string[] = [];
    const read = async (): Promise<void> => {
      for await (const one of await client.images.generate({ model, prompt: 'x', stream: true })) seen.push(one.type);
    };
    await expect(read()).rejects.toThrow();
    expect(seen).toEqual(['image_generation.partial_image']);
  });

  it('keep the status of an early refusal', async () => {
    gpt.answer = json({ error: { message: 'blocked', type: 'image_generation_user_error', code: 'moderation_blocked' } }, 400);
    await expect(client.images.generate({ model, prompt: 'x', stream: true })).rejects.toMatchObject({ status: 400 });
  });
});

describe('jobs of a provider', () => {
  it('are followed to their end', async () => {
    const before = bfl.seen.length;
    const states = ['Pending', 'Ready'];
    bfl.answer = (request, response) => {
      const result = { sample: `${files.url}/made.png` };
      if (request.method === 'POST') return json({ id: 'j', polling_url: `${bfl.url}/v1/get_result?id=j` })(request, response);
      return json({ id: 'j', status: states.shift(), result })(request, response);
    };
    const reply = await client.images.generate({ model: 'bfl/flux-2-pro', prompt: 'x' });
    expect(reply.data).toEqual([{ b64_json: PNG }]);
    expect(bfl.seen.slice(before).map(({ method, path }) => `${method} ${path}`)).toEqual([
      'POST /v1/flux-2-pro',
      'GET /v1/get_result?id=j',
      'GET /v1/get_result?id=j',
    ]);
  });

  it('have the time of the whole call, that of their order included', async () => {
    const began = performance.now();
    bfl.answer = (request, response) => {
      if (request.method !== 'POST') return json({ id: 'j', status: 'Pending' })(request, response);
      setTimeout(() => json({ id: 'j' })(request, response), 700);
    };
    await expect(client.images.generate({ model: 'hasty/flux-2-pro', prompt: 'x' })).rejects.toMatchObject({
      status: 504,
      code: 'upstream_total_timeout',
    });
    // A second that the order has most of: looks that had another would end later than this.
    expect(performance.now() - began).toBeLessThan(1600);
  });

  it('are never asked for at an address of somebody else', async () => {
    bfl.answer = json({ id: 'j', polling_url: `${files.url}/v1/get_result?id=j` });
    await expect(client.images.generate({ model: 'bfl/flux-2-pro', prompt: 'x' })).rejects.toMatchObject({
      status: 502,
      code: 'upstream_malformed',
    });
    expect(files.seen.filter(({ path }) => path.includes('get_result'))).toEqual([]);
  });

  it('say why they were refused', async () => {
    bfl.answer = (request, response) =>
      request.method === 'POST' ? json({ id: 'j' })(request, response) : json({ id: 'j', status: 'Content Moderated' })(request, response);
    await expect(client.images.generate({ model: 'bfl/flux-2-pro', prompt: 'x' })).rejects.toMatchObject({
      status: 400,
      code: 'content_policy_violation',
    });
  });
});

const get = (path: string, key = server.key): Promise<Response> =>
  fetch(server.url + path, { headers: { authorization: `Bearer ${key}` } });

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly data?: unknown;
  readonly error?: { readonly code: string; readonly message: string } | null;
}

async function finished(path: string): Promise<Shown> {
  for (;;) {
    const task = (await (await get(path)).json()) as Shown;
    if (task.status !== 'queued' && task.status !== 'in_progress') return task;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('tasks', () => {
  const body = { model: 'openai/gpt-image-1.5', prompt: 'x' };
  it.each([
    { name: 'the query', ask: () => post('/v1/images/generations?async=true', body), at: '/v1/images' },
    { name: 'the body', ask: () => post('/v1/images/generations', { ...body, async: true }), at: '/v1/images' },
    {
      name: 'a part of a form',
      ask: () =>
        postForm('/v1/images/generations', [
          ['model', body.model],
          ['prompt', 'x'],
          ['async', 'true'],
        ]),
      at: '/v1/images',
    },
    {
      name: 'an edit of a platform',
      ask: () => post('/openai/v1/images/edits?async=true', { ...body, model: 'gpt-image-1.5', image: PNG }),
      at: '/openai/v1/images',
    },
    {
      name: 'a variation',
      ask: () => post('/v1/images/variations?async=true', { model: 'openai/dall-e-2', image: PNG }),
      at: '/v1/images',
    },
  ])('begin by $name and end with the same data', async ({ ask, at }) => {
    const answer = await ask();
    const task = (await answer.json()) as Shown;
    expect([answer.status, task]).toMatchObject([200, { object: 'image.task', status: 'queued', progress: 0, error: null }]);
    expect(task.id).toMatch(/^imgtask_/);
    expect(await finished(`${at}/${task.id}`)).toMatchObject({
      status: 'completed',
      progress: 100,
      object: 'image.task',
      data: [{ b64_json: PNG }],
      usage: { total_tokens: 4170 },
    });
  });

  it('hold links where they were asked for', async () => {
    const { id } = (await (await post('/v1/images/generations?async=true', { ...body, response_format: 'url' })).json()) as Shown;
    const { data } = await finished(`/v1/images/${id}`);
    const [image] = data as { url: string }[];
    expect((await fetch(image?.url ?? '')).status).toBe(200);
  });

  it('are there for their key only, on their platform only', async () => {
    const { id } = (await (await post('/v1/images/generations?async=true', body)).json()) as Shown;
    await finished(`/v1/images/${id}`);
    expect((await get(`/v1/images/${id}`, 'pk-other-0123456789abcdef')).status).toBe(404);
    expect((await get(`/gemini/v1/images/${id}`)).status).toBe(404);
    expect((await get(`/openai/v1/images/${id}`)).status).toBe(200);
    expect(await (await get('/v1/images/imgtask_none')).json()).toMatchObject({ error: { code: 'task_not_found', param: 'task_id' } });
    const gone = await fetch(`${server.url}/v1/images/${id}`, { method: 'DELETE', headers: { authorization: `Bearer ${server.key}` } });
    expect([gone.status, (await get(`/v1/images/${id}`)).status]).toEqual([200, 404]);
  });

  it("keep the provider's own words of a refusal", async () => {
    gpt.answer = json(
      { error: { message: 'Your request was rejected', type: 'image_generation_user_error', code: 'moderation_blocked' } },
      400,
    );
    const { id } = (await (await post('/v1/images/generations?async=true', body)).json()) as Shown;
    expect(await finished(`/v1/images/${id}`)).toMatchObject({ status: 'failed', error: { message: 'Your request was rejected' } });
  });

  it('fail where their answer is larger than all that is kept', async () => {
    const { config } = server.app.snapshot();
    server.app.reload({ ...config, tasks: { ...config.tasks, media: { bytes: 50 } } });
    const { id } = (await (await post('/v1/images/generations?async=true', body)).json()) as Shown;
    expect(await finished(`/v1/images/${id}`)).toMatchObject({ status: 'failed', error: { code: 'answer_too_large' } });
    server.app.reload(config);
  });

  it('are refused at once where they cannot begin', async () => {
    expect((await post('/v1/images/generations?async=true', { ...body, model: 'openai/none' })).status).toBe(400);
    expect((await post('/v1/images/generations?async=true', { ...body, prompt: '' })).status).toBe(400);
    expect((await post('/v1/images/generations', { ...body, async: 'yes' })).status).toBe(400);
  });

  it('are one for one Idempotency-Key', async () => {
    const before = gpt.seen.length;
    const ask = (): Promise<Response> => post('/v1/images/generations?async=true', body, { 'idempotency-key': 'once-1' });
    const [first, second] = [(await (await ask()).json()) as Shown, (await (await ask()).json()) as Shown];
    expect(second.id).toBe(first.id);
    await finished(`/v1/images/${first.id}`);
    expect(gpt.seen.length - before).toBe(1);
    const other = await post('/v1/images/generations?async=true', { ...body, prompt: 'y' }, { 'idempotency-key': 'once-1' });
    expect(other.status).toBe(422);
  });
});

describe('tasks of jobs', () => {
  const body = { model: 'bfl/flux-2-pro', prompt: 'x' };
  const states: string[] = [];
  const jobs: FakeUpstream['answer'] = (request, response) => {
    if (request.method === 'POST') return json({ id: 'j-1', polling_url: `${bfl.url}/v1/get_result?id=j-1` })(request, response);
    const status = states.shift() ?? 'Ready';
    return json({ id: 'j-1', status, progress: 0.4, result: { sample: `${files.url}/made.png` } })(request, response);
  };

  it.each([
    ['b64_json', (data: unknown) => expect(data).toEqual([{ b64_json: PNG }])],
    ['url', (data: unknown) => expect(data).toMatchObject([{ url: expect.stringContaining('/media/') as string }])],
  ])('are the jobs themselves, kept as %s', async (format, check) => {
    bfl.answer = jobs;
    states.push('Pending');
    const before = bfl.seen.length;
    const answer = await post('/v1/images/generations?async=true', { ...body, response_format: format });
    const task = (await answer.json()) as Shown;
    expect([answer.status, task]).toMatchObject([200, { object: 'image.task', status: 'queued' }]);
    const done = await finished(`/v1/images/${task.id}`);
    expect(done).toMatchObject({ status: 'completed', progress: 100 });
    check(done.data);
    const asked = bfl.seen.slice(before).map(({ method, path }) => `${method} ${path}`);
    expect(asked).toEqual(['POST /v1/flux-2-pro', 'GET /v1/get_result?id=j-1', 'GET /v1/get_result?id=j-1']);
  });

  it('fail with the words of the provider', async () => {
    bfl.answer = jobs;
    states.push('Content Moderated');
    const { id } = (await (await post('/v1/images/generations?async=true', body)).json()) as Shown;
    expect(await finished(`/v1/images/${id}`)).toMatchObject({
      status: 'failed',
      error: { code: 'content_policy_violation', message: expect.stringContaining('Content Moderated') as string },
    });
  });

  it('are refused at once where the provider refuses them', async () => {
    bfl.answer = json({ detail: [{ loc: ['body', 'prompt'], msg: 'too long', type: 'value_error' }] }, 422);
    const answer = await post('/v1/images/generations?async=true', body);
    expect([answer.status, await answer.json()]).toMatchObject([422, { error: { message: 'too long', param: 'prompt' } }]);
  });

  it('are work of this process where they are more than one job', async () => {
    bfl.answer = jobs;
    const { id } = (await (await post('/v1/images/generations?async=true', { ...body, n: 2 })).json()) as Shown;
    expect(await finished(`/v1/images/${id}`)).toMatchObject({ status: 'completed', data: [{ b64_json: PNG }, { b64_json: PNG }] });
  });
});

describe('what cannot be asked', () => {
  const model = 'gemini/gemini-2.5-flash-image';
  const WRONG: readonly (readonly [name: string, path: string, body: object, status: number, param: string])[] = [
    ['no model', '/v1/images/generations', { prompt: 'x' }, 400, 'model'],
    ['no prompt', '/v1/images/generations', { model }, 400, 'prompt'],
    ['an empty prompt', '/v1/images/generations', { model, prompt: ' ' }, 400, 'prompt'],
    ['no image', '/v1/images/edits', { model, prompt: 'x' }, 400, 'image'],
    ['n of nothing', '/v1/images/generations', { model, prompt: 'x', n: 0 }, 400, 'n'],
    ['n of many', '/v1/images/generations', { model, prompt: 'x', n: 11 }, 400, 'n'],
    ['n beyond what is emulated', '/v1/images/generations', { model, prompt: 'x', n: 9 }, 400, 'n'],
    ['half an n', '/v1/images/generations', { model, prompt: 'x', n: 1.5 }, 400, 'n'],
    ['a size that is none', '/v1/images/generations', { model, prompt: 'x', size: 'large' }, 400, 'size'],
    ['a size of nothing', '/v1/images/generations', { model, prompt: 'x', size: '0x10' }, 400, 'size'],
    ['a format that is none', '/v1/images/generations', { model, prompt: 'x', response_format: 'png' }, 400, 'response_format'],
    ['a stream of links', '/v1/images/generations', { model, prompt: 'x', response_format: 'url', stream: true }, 400, 'response_format'],
    ['too many previews', '/v1/images/generations', { model, prompt: 'x', partial_images: 4 }, 400, 'partial_images'],
    ['an unknown model', '/v1/images/generations', { model: 'nobody', prompt: 'x' }, 404, 'model'],
    ['a model that makes none', '/v1/images/generations', { model: 'openai/gpt-5', prompt: 'x' }, 400, 'model'],
    [
      'an image of four bytes',
      '/v1/images/edits',
      { model, prompt: 'x', image: Buffer.from([0x89, 0x50, 0x4e, 0x47]).toString('base64') },
      400,
      'image',
    ],
    ['an image that is none', '/v1/images/edits', { model, prompt: 'x', image: 'not an image!' }, 400, 'image'],
    ['a number for an image', '/v1/images/edits', { model, prompt: 'x', image: 3 }, 400, 'image'],
    [
      'a page for an image',
      '/v1/images/edits',
      { model, prompt: 'x', image: Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>').toString('base64') },
      400,
      'image',
    ],
    [
      'an image that is cut off',
      '/v1/images/edits',
      { model, prompt: 'x', image: PNG_BYTES.subarray(0, 50).toString('base64') },
      400,
      'image',
    ],
    ['the second image of two', '/v1/images/edits', { model, prompt: 'x', image: [PNG, 'AAAA'] }, 400, 'image[1]'],
    ['a URL into a private network', '/v1/images/edits', { model, prompt: 'x', image: 'http://inside.example/a.png' }, 400, 'image'],
    ['a URL of metadata', '/v1/images/edits', { model, prompt: 'x', image: ['http://169.254.169.254/latest'] }, 400, 'image'],
    ['a file of a provider', '/v1/images/edits', { model, prompt: 'x', images: [{ file_id: 'f' }] }, 400, 'images[0].file_id'],
    ['a mask that is none', '/v1/images/edits', { model: 'openai/gpt-image-1.5', prompt: 'x', image: PNG, mask: 'AAAA' }, 400, 'mask'],
  ];
  it.each(WRONG)('%s', async (_name, path, body, status, param) => {
    const answer = await post(path, body);
    expect([answer.status, await answer.json()]).toMatchObject([
      status,
      { error: { param, type: expect.stringMatching(/invalid_request_error|not_found_error/) as string } },
    ]);
  });

  const lying = Buffer.from(PNG_BYTES);
  lying.writeUInt32BE(0x7fffffff, 33);
  const FORMS: readonly (readonly [name: string, parts: readonly (readonly [string, string | Blob])[], status: number, param: string])[] = [
    ['a file under a wrong name', [['picture', new Blob([PNG_BYTES])]], 400, 'picture'],
    ['a missing file', [], 400, 'image'],
    ['four bytes', [['image', new Blob([PNG_BYTES.subarray(0, 4)])]], 400, 'image'],
    ['lengths that lie', [['image', new Blob([lying])]], 400, 'image'],
    ['a format that no model takes', [['image', new Blob(['BM        '])]], 400, 'image'],
    [
      'two masks',
      [
        ['image', new Blob([PNG_BYTES])],
        ['mask', new Blob([PNG_BYTES])],
        ['mask', new Blob([PNG_BYTES])],
      ],
      400,
      'mask',
    ],
    [
      'a word for a number',
      [
        ['image', new Blob([PNG_BYTES])],
        ['n', 'two'],
      ],
      400,
      'n',
    ],
  ];
  it.each(FORMS)('a form with %s', async (_name, parts, status, param) => {
    const answer = await postForm('/v1/images/edits', [['model', 'openai/gpt-image-1.5'], ['prompt', 'x'], ...parts]);
    expect([answer.status, await answer.json()]).toMatchObject([status, { error: { param, type: 'invalid_request_error' } }]);
  });

  const PREDICT: readonly (readonly [name: string, body: object, words: string])[] = [
    ['nine samples', { instances: [{ prompt: 'x' }], parameters: { sampleCount: 9 } }, 'parameters.sampleCount'],
    ['no samples', { instances: [{ prompt: 'x' }], parameters: { sampleCount: 0 } }, 'parameters.sampleCount'],
    ['half a sample', { instances: [{ prompt: 'x' }], parameters: { sampleCount: 1.5 } }, 'parameters.sampleCount'],
    ['no instances', { parameters: {} }, 'instances'],
    ['two instances', { instances: [{ prompt: 'x' }, { prompt: 'y' }] }, 'instances'],
    ['no prompt', { instances: [{}] }, 'instances[0].prompt'],
    ['a ratio that is none', { instances: [{ prompt: 'x' }], parameters: { aspectRatio: 'wide' } }, 'parameters.aspectRatio'],
    ['an image that is none', { instances: [{ prompt: 'x', image: { bytesBase64Encoded: 'AAAA' } }] }, 'instances[0].image'],
  ];
  it.each(PREDICT)("of Imagen: %s, in Google's envelope", async (_name, body, words) => {
    const answer = await post(`/v1beta/models/${model}:predict`, body);
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining(words) as string } },
    ]);
  });

  it('what a target cannot say, where the caller is strict', async () => {
    const body = { model, prompt: 'x', quality: 'high' };
    expect((await post('/v1/images/generations', body)).headers.get('x-pailou-notes')).toBe('quality;dropped');
    const strict = await post('/v1/images/generations', body, { 'x-strict': '1' });
    expect([strict.status, await strict.json()]).toMatchObject([400, { error: { param: 'quality' } }]);
  });
});

describe('Imagen outward', () => {
  it('gives as many predictions as samples, in the form of its API', async () => {
    const answer = await post('/v1beta/models/gemini/gemini-2.5-flash-image:predict', {
      instances: [{ prompt: '夕阳下的未来城市' }],
      parameters: { sampleCount: 4 },
    });
    const prediction = { mimeType: 'image/png', bytesBase64Encoded: PNG };
    expect(await answer.json()).toEqual({ predictions: [prediction, prediction, prediction, prediction] });
  });

  it('asks a provider of sizes for the size of a ratio', async () => {
    await post('/openai/v1beta/models/gpt-image-2:predict', {
      instances: [{ prompt: 'x' }],
      parameters: { aspectRatio: '16:9', sampleImageSize: '2k' },
    });
    expect(sentJson(gpt)).toMatchObject({ model: 'gpt-image-2', prompt: 'x', n: 1 });
  });
});

describe('a copy of OpenAI that knows little', () => {
  it('is sent only what the client said', async () => {
    gpt.answer = remote(`data:image/png;base64,${PNG}`);
    const answer = await post('/local/v1/images/generations', { model: 'sdxl', prompt: 'x', steps: 4, user: null });
    expect(sentJson(gpt)).toEqual({ model: 'sdxl', prompt: 'x', n: 1, steps: 4 });
    expect(await answer.json()).toMatchObject({ data: [{ b64_json: PNG, revised_prompt: 'A red lantern' }] });
  });
});
