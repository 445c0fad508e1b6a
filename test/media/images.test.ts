import OpenAI, { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

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
  [gpt, gemini, files] = await Promise.all([startUpstream(json(GPT_REPLY)), startUpstream(json(GEMINI_REPLY)), startUpstream()]);
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
      },
    },
    undefined,
    undefined,
    { media: allow },
  );
  client = new OpenAI({ apiKey: server.key, baseURL: `${server.url}/v1`, maxRetries: 0 });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await Promise.all([server.close(), gpt.close(), gemini.close(), files.close()]);
});

const UPSTREAMS = [
  { name: 'GPT Image', model: 'openai/gpt-image-1.5', upstream: () => gpt },
  { name: 'Gemini', model: 'gemini/gemini-2.5-flash-image', upstream: () => gemini },
];

describe.each(UPSTREAMS)('the official SDK over $name', ({ model, upstream }) => {
  it('generates', async () => {
    const reply = await client.images.generate({ model, prompt: 'A lantern', size: '1024x1024' });
    expect(reply.data).toEqual([{ b64_json: PNG }]);
    expect(reply.usage?.output_tokens).toBeGreaterThan(1000);
    expect(reply.output_format).toBe('png');
  });

  it('edits files, one and several', async () => {
    const one = await client.images.edit({ model, prompt: 'Greener', image: await toFile(PNG_BYTES, 'a.png', { type: 'image/png' }) });
    expect(one.data?.[0]?.b64_json).toBe(PNG);
    const files = await Promise.all(['a.png', 'b.png'].map((name) => toFile(PNG_BYTES, name, { type: 'image/png' })));
    expect((await client.images.edit({ model, prompt: 'Both', image: files })).data).toHaveLength(1);
    expect(upstream().seen.at(-1)?.body).toContain('Both');
  });

  it('streams', async () => {
    const events = await client.images.generate({ model, prompt: 'A lantern', stream: true });
    const types: string[] = [];
    for await (const event of events) types.push(event.type);
    expect(types.at(-1)).toBe('image_generation.completed');
  });
});
