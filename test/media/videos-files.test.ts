import { randomBytes } from 'node:crypto';
import { afterEach, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type Answer, type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { MP4 } from '../fakes/videos.ts';
import { startTestServer, type TestServer } from '../server.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

let upstream: FakeUpstream;
let server: TestServer;

afterEach(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

const call = (path: string, body?: unknown): Promise<Response> =>
  fetch(server.url + path, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly error: { readonly code: string; readonly message: string } | null;
}

async function ended(id: string): Promise<Shown> {
  for (;;) {
    const video = (await (await call(`/v1/videos/${id}`)).json()) as Shown;
    if (video.status !== 'queued' && video.status !== 'in_progress') return video;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

const make = async (model: string, more = {}): Promise<Shown> =>
  (await (await call('/v1/videos', { model, prompt: 'a cat', ...more })).json()) as Shown;

/** OpenAI's videos, whose film is given by the test. */
const filming =
  (film: Answer): Answer =>
  (seen, response) => {
    if (seen.path.includes('variant=')) return json({}, 404)(seen, response);
    if (seen.path.endsWith('/content')) return film(seen, response);
    return json({ id: 'video_1', object: 'video', status: seen.method === 'POST' ? 'queued' : 'completed', model: 'sora-2' })(
      seen,
      response,
    );
  };

it.each<[string, Answer, RegExp]>([
  [
    'is cut before the end that was announced',
    (_seen, response) => {
      response.writeHead(200, { 'content-type': 'video/mp4', 'content-length': 1000 });
      response.write('half', () => response.destroy());
    },
    /cut the connection/,
  ],
  ['is empty', (_seen, response) => void response.writeHead(200, { 'content-type': 'video/mp4' }).end(), /something else than the file/],
  [
    'is a page',
    (_seen, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>'),
    /something else than the file/,
  ],
  ['is an error', json({ error: { message: 'No such file' } }, 404), /No such file/],
  ['is behind our own credential', json({ error: { message: 'key sk-up is wrong' } }, 401), /refused the gateway's credential/],
])('a film that %s is no film: tried again, then said', async (_name, film, message) => {
  upstream = await startUpstream(filming(film));
  server = await startTestServer({ providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'sk-up' } } });
  const video = await ended((await make('openai/sora-2')).id);
  expect(video).toMatchObject({ status: 'failed', error: { message: expect.stringMatching(message) } });
  expect(JSON.stringify(video)).not.toContain('sk-up');
  expect(upstream.seen.filter(({ path }) => path.endsWith('/content')).length).toBeGreaterThan(1);
});

it('a film that comes at the second try is one', async () => {
  let tries = 0;
  upstream = await startUpstream(
    filming((_seen, response) => {
      tries += 1;
      if (tries === 1) response.destroy();
      else response.writeHead(200, { 'content-type': 'video/mp4' }).end(MP4);
    }),
  );
  server = await startTestServer({ providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'k' } } });
  expect(await ended((await make('openai/sora-2')).id)).toMatchObject({ status: 'completed' });
});

it('a large film comes whole to readers of every speed', async () => {
  const large = randomBytes(6 * 1024 * 1024 + 17);
  upstream = await startUpstream(filming((_seen, response) => void response.writeHead(200, { 'content-type': 'video/mp4' }).end(large)));
  server = await startTestServer({ providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'k' } } });
  const { id } = await ended((await make('openai/sora-2')).id);
  const read = async (everyMs: number): Promise<Buffer> => {
    const answer = await call(`/v1/videos/${id}/content`);
    const pieces: Uint8Array[] = [];
    for await (const piece of answer.body ?? []) {
      pieces.push(piece as Uint8Array);
      if (everyMs > 0) await new Promise((resolve) => setTimeout(resolve, everyMs));
    }
    return Buffer.concat(pieces);
  };
  for (const found of await Promise.all([read(0), read(1), read(5), read(0)])) expect(found.equals(large)).toBe(true);
});

it('a provider that fetches images itself is given an address of this server, where that is known', async () => {
  upstream = await startUpstream((seen, response) =>
    json({ id: 'g-1', state: seen.method === 'POST' ? 'queued' : 'dreaming' })(seen, response),
  );
  const providers = { luma: { preset: 'luma', baseUrl: upstream.url, key: 'k' } };
  server = await startTestServer({
    providers,
    server: { host: '127.0.0.1', port: 0, workers: 1, trustedProxies: [], cors: ['*'], publicUrl: 'https://llm.example.com' },
  });
  expect(await make('luma/ray-2', { input_reference: PNG })).toMatchObject({ status: 'queued' });
  const { keyframes } = JSON.parse(upstream.seen[0]?.body ?? '') as { keyframes: { frame0: { url: string } } };
  const { url } = keyframes.frame0;
  expect(url).toMatch(/^https:\/\/llm\.example\.com\/media\/[a-z0-9]+\?exp=\d+&sig=/);
  const image = await fetch(url.replace('https://llm.example.com', server.url));
  expect([image.status, image.headers.get('content-type')]).toEqual([200, 'image/png']);
  expect(Buffer.from(await image.arrayBuffer()).toString('base64')).toBe(PNG);
  await server.close();
  server = await startTestServer({ providers });
  const refused = await call('/v1/videos', { model: 'luma/ray-2', prompt: 'a cat', input_reference: PNG });
  expect([refused.status, await refused.json()]).toMatchObject([400, { error: { param: 'input_reference' } }]);
});

it('a provider’s address inside this network is not fetched', async () => {
  const film = 'http://169.254.169.254/latest/meta-data';
  upstream = await startUpstream((seen, response) => {
    const output = { task_id: 't', task_status: seen.method === 'POST' ? 'PENDING' : 'SUCCEEDED', video_url: film };
    return json({ output })(seen, response);
  });
  server = await startTestServer(
    { providers: { dashscope: { preset: 'dashscope', baseUrl: upstream.url, key: 'k' } } },
    undefined,
    undefined,
    {
      media: createMediaFetcher({ bounds: () => ({ allow: [], fetchBytes: 1024 }) }),
    },
  );
  const video = await ended((await make('dashscope/wan2.5-t2v-preview')).id);
  expect(video).toMatchObject({ status: 'failed', error: { code: 'url_not_allowed' } });
});
