import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type FakeUpstream, startUpstream } from '../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { chatReply } from './answer-shapes.ts';
import { type Shape, shapeProblems } from './shape.ts';
import { streamProblems } from './stream-shapes.ts';

/* The documents' examples of images, against the sandbox. */

const run = promisify(execFile);
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';
const PROMPT = '一只在花园里玩耍的小狗';

let server: TestServer;
let files: FakeUpstream;
let folder: string;
beforeAll(async () => {
  files = await startUpstream((_request, response) =>
    response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from(PNG, 'base64')),
  );
  folder = mkdtempSync(join(tmpdir(), 'pailou-seeds-'));
  for (const name of ['example1.png', 'example2.png']) writeFileSync(join(folder, name), Buffer.from(PNG, 'base64'));
  server = await startTestServer(
    {
      models: {
        'gemini-2.5-flash-image': 'sandbox/image',
        'imagen-4.0-generate-001': 'sandbox/image',
        'dall-e-*': 'sandbox/image',
      },
      // Document 003's answers hold data URIs.
      providers: { pictures: { preset: 'sandbox', images: { dataUri: true } } },
    },
    undefined,
    undefined,
    { media: createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 2 ** 20 }) }) },
  );
});
afterAll(async () => {
  expect(server.defects).toEqual([]);
  rmSync(folder, { recursive: true });
  await Promise.all([server.close(), files.close()]);
});

interface Answered {
  readonly status: number;
  readonly text: string;
}

async function post(path: string, body: object): Promise<Answered> {
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${server.key}` };
  const response = await fetch(server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, text: await response.text() };
}

const get = async (path: string): Promise<Answered> => {
  const response = await fetch(server.url + path, { headers: { authorization: `Bearer ${server.key}` } });
  return { status: response.status, text: await response.text() };
};

/** The form of an example, sent by the program that the document shows. */
async function byCurl(path: string, form: readonly string[]): Promise<Answered> {
  const parts = form.flatMap((part) => ['--form', part]);
  const args = ['-sS', '-w', '\n%{http_code}', '-X', 'POST', server.url + path, '-H', `Authorization: Bearer ${server.key}`, ...parts];
  const { stdout } = await run('curl', args, { maxBuffer: 2 ** 26 });
  const end = stdout.lastIndexOf('\n');
  return { status: Number(stdout.slice(end + 1)), text: stdout.slice(0, end) };
}

const hasCurl = await run('curl', ['--version']).then(
  () => true,
  () => false,
);

function expectShape({ status, text }: Answered, shape: Shape): void {
  expect([status, status === 200 ? shapeProblems(JSON.parse(text), shape) : text.slice(0, 500)]).toEqual([200, []]);
}

const URLS: Shape = { created: 'integer', data: [{ url: 'text', revised_prompt: 'text' }] };
const BYTES: Shape = { created: 'integer', data: [{ b64_json: 'text' }] };

describe('document 001', () => {
  const chat = (stream: boolean): object => ({
    model: 'gemini-2.5-flash-image',
    messages: [{ role: 'user', content: '生成一只小狗' }],
    stream,
  });

  it('an image in chat', async () => {
    const answer = await post('/v1/chat/completions', chat(false));
    expectShape(answer, {
      ...(chatReply as object),
      choices: [{ message: { role: '=assistant', images: [{ type: '=image_url', image_url: { url: 'text' } }] } }],
    });
  });

  it('an image in chat, streamed', async () => {
    const { text } = await post('/v1/chat/completions', chat(true));
    expect(streamProblems('chat-stream', text)).toEqual([]);
    expect(text).toContain('"images":[{"index":0,"type":"image_url"');
  });

  const contents = { contents: [{ role: 'user', parts: [{ text: '生成一只小狗' }] }] };
  it('an image by Gemini, whole and streamed', async () => {
    const answer = await post('/v1beta/models/gemini-2.5-flash-image:generateContent', contents);
    expectShape(answer, {
      candidates: [{ content: { role: '=model', parts: ['object'] }, finishReason: '=STOP' }],
      usageMetadata: 'object',
      modelVersion: 'text',
    });
    expect(answer.text).toContain('"inlineData":{"mimeType":"image/png"');
    const streamed = await post('/v1beta/models/gemini-2.5-flash-image:streamGenerateContent?alt=sse', contents);
    expect(streamed.text).toContain('"inlineData":{"mimeType":"image/png"');
    expect(streamed.text).toContain('"finishReason":"STOP"');
  });

  it.each([1, 4])('Imagen, sampleCount %i', async (sampleCount) => {
    const answer = await post('/v1beta/models/imagen-4.0-generate-001:predict', {
      instances: [{ prompt: '傍晚的海边小镇' }],
      parameters: { sampleCount },
    });
    expectShape(answer, { predictions: [{ bytesBase64Encoded: 'text', mimeType: '=image/png' }] });
    expect((JSON.parse(answer.text) as { predictions: unknown[] }).predictions).toHaveLength(sampleCount);
  });
});

describe('document 002', () => {
  it('image generation', async () => {
    const body = {
      model: 'dall-e-3',
      prompt: PROMPT,
      n: 1,
      size: '1024x1024',
      quality: 'standard',
      response_format: 'url',
      style: 'vivid',
      user: 'user-123',
    };
    const answer = await post('/v1/images/generations', body);
    expectShape(answer, URLS);
    const { data } = JSON.parse(answer.text) as { data: { url: string }[] };
    expect((await fetch(data[0]?.url ?? '')).status).toBe(200);
  });

  it.skipIf(!hasCurl)('image editing', async () => {
    const form = ['image=@example1.png', 'mask=@example2.png'].map((part) => part.replace('@', `@${folder}/`));
    const words = ['prompt=加一顶帽子', 'model=dall-e-2', 'n=1', 'size=1024x1024', 'response_format=url', 'user=user-123'];
    expectShape(await byCurl('/v1/images/edits', [...form, ...words]), { created: 'integer', data: [{ url: 'text' }] });
  });
});

interface Shown {
  readonly id: string;
  readonly status: string;
}

const TASK: Shape = {
  id: 'text',
  object: '=image.task',
  model: 'text',
  status: 'text',
  progress: 'integer',
  created_at: 'integer',
  error: 'null',
};

async function finished(answer: Answered): Promise<Answered> {
  expectShape(answer, TASK);
  const { id } = JSON.parse(answer.text) as Shown;
  for (;;) {
    const task = await get(`/pictures/v1/images/${id}`);
    if (!['queued', 'in_progress'].includes((JSON.parse(task.text) as Shown).status)) return task;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

describe('document 003', () => {
  const body = { prompt: PROMPT, model: 'image' };
  const expectDataUri = ({ text }: Answered): void => expect(text).toContain('"b64_json":"data:image/png;base64,');

  it('image generation, JSON', async () => {
    const answer = await post('/pictures/v1/images/generations', body);
    expectShape(answer, BYTES);
    expectDataUri(answer);
  });

  it('image generation, as an address', async () => {
    expectShape(await post('/pictures/v1/images/generations', { ...body, response_format: 'url' }), {
      created: 'integer',
      data: [{ url: 'text' }],
    });
  });

  it.skipIf(!hasCurl)('image generation, multipart', async () => {
    expectShape(await byCurl('/pictures/v1/images/generations', [`prompt="${PROMPT}"`, 'model="image"']), BYTES);
  });

  it('image generation, async, and its task', async () => {
    const task = await finished(await post('/pictures/v1/images/generations?async=true', body));
    expectShape(task, { ...(TASK as object), status: '=completed', progress: '=100', data: [{ b64_json: 'text' }] });
    expectDataUri(task);
  });

  it.each([
    ['base64', () => PNG],
    ['a data URI', () => `data:image/png;base64,${PNG}`],
    ['an address', () => `${files.url}/a.png`],
    ['several', () => [PNG, `${files.url}/a.png`]],
  ])('image editing, JSON, with %s', async (_name, image) => {
    expectShape(await post('/pictures/v1/images/edits', { ...body, image: image() }), BYTES);
  });

  it.skipIf(!hasCurl)('image editing, multipart', async () => {
    const form = ['example1.png', 'example2.png'].map((name) => `image[]=@"${folder}/${name}"`);
    expectShape(await byCurl('/pictures/v1/images/edits', [...form, `prompt="${PROMPT}"`, 'model="image"']), BYTES);
  });

  it('image editing, async, and its task', async () => {
    const task = await finished(await post('/pictures/v1/images/edits?async=true', { ...body, image: PNG }));
    expectShape(task, { status: '=completed', data: [{ b64_json: 'text' }] });
  });
});
