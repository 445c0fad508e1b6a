import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import type { MediaFetcher } from '../../src/exchange/ports.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { chat, type Data, type Dialect, gemini, messages, responses } from './dialects.ts';
import { call, type Got } from './stage.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';
/** All that are fetched, and all that wait. */
const FULL = 16 + 256;

let server: TestServer;
let upstream: FakeUpstream;
let files: Server;
let picture: string;
let fetcher: MediaFetcher;
/** Answers of files that are not given yet; `undefined`: they are given at once. */
let held: ServerResponse[] | undefined;
let holding: Promise<unknown>;
/** Whoever wants to know that there was no room. */
let onFull: () => unknown;

const give = (response: ServerResponse): void => void response.writeHead(200).end(Buffer.from(PNG, 'base64'));

beforeEach(async () => {
  held = [];
  onFull = () => undefined;
  files = createServer((_request, response) => (held ? void held.push(response) : give(response)));
  await new Promise<void>((resolve) => files.listen(0, '127.0.0.1', resolve));
  picture = `http://127.0.0.1:${(files.address() as AddressInfo).port}/a.png`;
  fetcher = createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 2 ** 20 }) });
  upstream = await startUpstream();
  const providers = {
    local: { preset: 'ollama', baseUrl: upstream.url, protocols: ['openai-chat' as const] },
    bytes: gemini.settings(upstream.url),
    others: gemini.settings(upstream.url),
    urls: messages.settings(upstream.url),
    pictures: { preset: 'openai', baseUrl: upstream.url, key: 'k' },
    bfl: { preset: 'bfl', baseUrl: upstream.url, key: 'k' },
  };
  const models = {
    either: { targets: [{ to: 'bytes/up' }, { to: 'urls/up' }], strategy: 'priority' as const },
    neither: { targets: [{ to: 'bytes/up' }, { to: 'others/up' }], strategy: 'priority' as const },
    down: { targets: [{ to: 'bytes/up' }], fallback: { down: ['urls/up'] } },
  };
  server = await startTestServer({ providers, models }, undefined, undefined, { media: { ...fetcher, fetch: fetched } });
  const { signal } = new AbortController();
  holding = Promise.all(Array.from({ length: FULL }, () => fetcher.fetch(picture, 'x', signal).catch(() => undefined)));
});
afterEach(async () => {
  await letGo();
  await server.close();
  expect(server.defects).toEqual([]);
  await upstream.close();
  files.close();
});

const fetched: MediaFetcher['fetch'] = (...asked) =>
  fetcher.fetch(...asked).catch((error: unknown) => {
    onFull();
    throw error;
  });

/** There is room again. */
async function letGo(): Promise<void> {
  const all = held ?? [];
  held = undefined;
  for (const response of all) give(response);
  await holding;
}

const post = (path: string, body: unknown): Promise<Got> =>
  call(server.url + path, JSON.stringify(body), { 'x-api-key': server.key, 'content-type': 'application/json' });

const inChat = (model: string) => ({
  model,
  messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: picture } }] }],
});
const inMessages = (model: string) => ({
  model,
  max_tokens: 5,
  messages: [{ role: 'user', content: [{ type: 'image', source: { type: 'url', url: picture } }] }],
});

const ROWS: readonly { name: string; client: Dialect; path: string; body: () => unknown; answered?: object }[] = [
  { name: 'chat', client: chat, path: '/v1/chat/completions', body: () => inChat('bytes/up') },
  {
    name: 'responses',
    client: responses,
    path: '/v1/responses',
    body: () => ({ model: 'bytes/up', input: [{ role: 'user', content: [{ type: 'input_image', image_url: picture }] }] }),
  },
  { name: 'messages', client: messages, path: '/v1/messages', body: () => inMessages('bytes/up') },
  {
    name: 'Gemini',
    client: gemini,
    path: '/v1beta/models/local/up:generateContent',
    body: () => ({ contents: [{ role: 'user', parts: [{ fileData: { mimeType: 'image/png', fileUri: picture } }] }] }),
    answered: chat.whole,
  },
  { name: 'a route of which each would have to fetch', client: chat, path: '/v1/chat/completions', body: () => inChat('neither') },
  { name: 'a fallback for others that are down', client: chat, path: '/v1/chat/completions', body: () => inChat('down') },
  {
    name: 'a picture to edit',
    client: chat,
    path: '/v1/images/edits',
    body: () => ({ model: 'pictures/gpt-image-1.5', prompt: 'x', image: picture }),
    answered: { data: [{ b64_json: PNG }] },
  },
  {
    name: 'a count',
    client: messages,
    path: '/v1/messages/count_tokens',
    body: () => inMessages('bytes/up'),
    answered: { totalTokens: 3 },
  },
];

it.each(ROWS)('$name: refused as what is too much, and when to come back', async ({ client, path, body, answered = gemini.whole }) => {
  // As often as would set a target aside that had failed.
  for (let time = 0; time < 6; time += 1) {
    const got = await post(path, body());
    expect(got.status, got.text).toBe(client === messages ? 529 : 503);
    expect(got.headers['retry-after']).toBe('1');
    const told: Data = JSON.parse(got.text);
    expect(client.envelope(told, got.status)).toMatchObject({
      message: expect.stringContaining('Too many files are being fetched'),
      type: client === gemini ? 'UNAVAILABLE' : 'overloaded_error',
    });
    if (client === chat || client === responses) expect(told.error.code).toBe('fetches_full');
  }
  expect(upstream.seen).toEqual([]);
  expect(server.records.at(-1)).toMatchObject({ fault: 'fetches_full' });
  await letGo();
  upstream.answer = json(answered);
  const got = await post(path, body());
  expect(got.status, got.text).toBe(200);
});

it('goes on to a target that takes the address as it is', async () => {
  upstream.answer = json(messages.whole);
  const got = await post('/v1/chat/completions', inChat('either'));
  expect([got.status, got.headers['x-pailou-served-by']], got.text).toEqual([200, 'urls/up']);
  expect(upstream.seen).toMatchObject([{ body: expect.stringContaining(picture) }]);
  expect(server.records.at(-1)).toMatchObject({ failed: 'bytes/up;fetches_full' });
});

it('a picture that is made, and paid for, waits until there is room to fetch it', async () => {
  upstream.answer = ({ method }, response) => {
    const made = { status: 'Ready', result: { sample: picture } };
    response.writeHead(200).end(JSON.stringify(method === 'POST' ? { id: '1', polling_url: `${upstream.url}/v1/get_result?id=1` } : made));
  };
  let times = 0;
  onFull = () => {
    times += 1;
    return letGo();
  };
  const got = await post('/v1/images/generations', { model: 'bfl/flux-2-pro', prompt: 'x' });
  expect(got.status, got.text).toBe(200);
  expect(JSON.parse(got.text)).toMatchObject({ data: [{ b64_json: PNG }] });
  expect([times, upstream.seen.filter(({ method }) => method === 'POST').length]).toEqual([1, 1]);
});
