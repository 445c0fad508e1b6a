import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GoogleGenAI } from '@google/genai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { MP4, startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';
import { startTestServer, type TestServer } from '../server.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const OTHER = 'pk-other-0123456789abcdef';

let openai: VideoUpstream;
let veo: FakeUpstream;
let server: TestServer;
let client: GoogleGenAI;
let folder: string;

const NAME = 'models/veo-3.1-generate-preview/operations/7f';

/** Veo, as far as it is asked here: its file is behind a redirect, and wants the key only at its own address. */
function answerVeo(): FakeUpstream['answer'] {
  let asked = 0;
  return (seen, response) => {
    if (seen.method === 'POST') return json({ name: NAME })(seen, response);
    if (seen.path.startsWith('/v1beta/files/')) return void response.writeHead(302, { location: `${veo.url}/blob/1` }).end();
    if (seen.path === '/blob/1') return void response.writeHead(200, { 'content-type': 'video/mp4' }).end(MP4);
    asked += 1;
    if (asked < 2) return json({ name: NAME })(seen, response);
    const generatedSamples = [{ video: { uri: `${veo.url}/v1beta/files/a1:download?alt=media` } }];
    return json({ name: NAME, done: true, response: { generateVideoResponse: { generatedSamples } } })(seen, response);
  };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-genai-'));
  openai = await startVideoUpstream();
  veo = await startUpstream();
  server = await startTestServer({
    providers: {
      openai: { preset: 'openai', baseUrl: openai.url, key: 'sk-up' },
      gemini: { preset: 'gemini', baseUrl: veo.url, key: 'g-key' },
    },
    keys: [
      { name: 'test', value: 'pk-test-0123456789abcdef' },
      { name: 'other', value: OTHER },
    ],
  });
  // Only so does this version of the SDK make videos: with the paths of Google's cloud.
  client = new GoogleGenAI({ vertexai: true, apiKey: server.key, httpOptions: { baseUrl: server.url } });
});

afterAll(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await openai.close();
  await veo.close();
  await rm(folder, { recursive: true, force: true });
});

/** Makes a video and downloads it, as the SDK's own samples do. */
async function generate(model: string): Promise<Buffer> {
  let operation = await client.models.generateVideos({
    model,
    source: { prompt: 'a cat', image: { imageBytes: PNG, mimeType: 'image/png' } },
    config: { aspectRatio: '16:9', durationSeconds: 8 },
  });
  expect(operation.name).toMatch(/^models\/.+\/operations\/video_/);
  while (operation.done !== true) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    operation = await client.operations.getVideosOperation({ operation });
  }
  const { uri = '', videoBytes = '' } = operation.response?.generatedVideos?.[0]?.video ?? {};
  expect(Buffer.from(videoBytes, 'base64').equals(MP4)).toBe(true);
  const downloadPath = join(folder, `${model.replaceAll('/', '-')}.mp4`);
  // The client of the Gemini API downloads by the link, with its key.
  await new GoogleGenAI({ apiKey: server.key, httpOptions: { baseUrl: server.url } }).files.download({ file: { uri }, downloadPath });
  return readFile(downloadPath);
}

describe('@google/genai', () => {
  it('makes and downloads a video over an upstream of OpenAI’s dialect', async () => {
    expect((await generate('openai/sora-2')).equals(MP4)).toBe(true);
    const sent = openai.seen.find(({ method }) => method === 'POST');
    expect(sent?.body).toContain('name="seconds"\r\n\r\n8');
  });

  it('makes and downloads one over Veo, whose file is somewhere else', async () => {
    veo.answer = answerVeo();
    expect((await generate('gemini/veo-3.1-generate-preview')).equals(MP4)).toBe(true);
    const [sent] = veo.seen;
    expect([sent?.path, JSON.parse(sent?.body ?? '')]).toEqual([
      '/v1beta/models/veo-3.1-generate-preview:predictLongRunning',
      {
        instances: [{ prompt: 'a cat', image: { bytesBase64Encoded: PNG, mimeType: 'image/png' } }],
        parameters: { aspectRatio: '16:9', durationSeconds: 8 },
      },
    ]);
  });
});

const call = (path: string, init: RequestInit = {}, key = server.key): Promise<Response> =>
  fetch(`${server.url}${path}`, { ...init, headers: { 'x-goog-api-key': key, ...init.headers } });

const predict = (body: unknown, model = 'openai/sora-2'): Promise<Response> =>
  call(`/v1beta/models/${model}:predictLongRunning`, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' },
  });

interface Operation {
  readonly name: string;
  readonly done?: boolean;
  readonly error?: { readonly message: string };
  readonly response?: {
    readonly generateVideoResponse: { readonly generatedSamples: readonly { readonly video: { readonly uri: string } }[] };
  };
}

async function finished(name: string): Promise<Operation> {
  for (;;) {
    const operation = (await (await call(`/v1beta/${name}`)).json()) as Operation;
    if (operation.done === true) return operation;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('an operation', () => {
  it('is found by both addresses, and gives a link that needs no key for a while', async () => {
    const { name } = (await (await predict({ instances: [{ prompt: 'a cat' }] })).json()) as Operation;
    const operation = await finished(name);
    const id = name.split('/').at(-1) ?? '';
    expect(await (await call(`/v1beta/operations/${id}`)).json()).toMatchObject({ name, done: true });
    expect(await (await call(`/openai/v1beta/models/sora-2/operations/${id}`)).json()).toMatchObject({ name });
    expect((await call(`/v1beta/operations/${id}`, {}, OTHER)).status).toBe(404);
    const uri = operation.response?.generateVideoResponse.generatedSamples[0]?.video.uri ?? '';
    const bytes = await fetch(uri);
    expect([bytes.status, bytes.headers.get('content-type')]).toEqual([200, 'video/mp4']);
    expect(Buffer.from(await bytes.arrayBuffer()).equals(MP4)).toBe(true);
    const unsigned = uri.replace(/[&?](?:exp|sig)=[^&]*/g, '');
    expect((await fetch(unsigned)).status).toBe(401);
    expect((await fetch(uri.replace(/sig=(.)/, (_, first) => `sig=${first === '_' ? '-' : '_'}`))).status).toBe(404);
    expect((await fetch(uri.replace(/exp=\d+/, 'exp=9999999999'))).status).toBe(404);
    expect((await fetch(uri, { method: 'DELETE' })).status).toBe(405);
    expect((await fetch(unsigned, { headers: { 'x-goog-api-key': OTHER } })).status).toBe(404);
  });

  it('tells why it failed', async () => {
    const { name } = (await (await predict({ instances: [{ prompt: 'fail' }] })).json()) as Operation;
    expect(await finished(name)).toMatchObject({ done: true, error: { code: 13, message: 'The video shows what must not be shown' } });
  });
});

describe('what is wrong is said in Google’s envelope', () => {
  it.each<[string, unknown, string]>([
    ['nine videos', { instances: [{ prompt: 'a cat' }], parameters: { sampleCount: 9 } }, 'parameters.sampleCount'],
    ['no instance', { instances: [] }, 'instances'],
    ['two instances', { instances: [{ prompt: 'a' }, { prompt: 'b' }] }, 'instances'],
    ['no prompt', { instances: [{}] }, 'instances[0].prompt'],
    ['an image without bytes', { instances: [{ prompt: 'a', image: { mimeType: 'image/png' } }] }, 'instances[0].image'],
    ['an image of four bytes', { instances: [{ prompt: 'a', image: { bytesBase64Encoded: 'YWJjZA==' } }] }, 'instances[0].image'],
    ['a resolution that is none', { instances: [{ prompt: 'a' }], parameters: { resolution: 'best' } }, 'parameters.resolution'],
    ['a length that is none', { instances: [{ prompt: 'a' }], parameters: { durationSeconds: 'long' } }, 'parameters.durationSeconds'],
  ])('%s', async (_name, body, field) => {
    const answer = await predict(body);
    expect([answer.status, await answer.json()]).toMatchObject([
      400,
      { error: { code: 400, status: 'INVALID_ARGUMENT', message: expect.stringContaining(field) } },
    ]);
  });
});
