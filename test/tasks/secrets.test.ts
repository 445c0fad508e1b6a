import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leaveHome, newHome, startServer } from '../e2e/program.ts';
import { json, startUpstream } from '../fakes/upstream.ts';
import { startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';
import { configure, KEYS } from './kill-rounds.ts';

let home: string;
let upstream: VideoUpstream;

beforeEach(async () => {
  home = await newHome('secrets');
  upstream = await startVideoUpstream();
});

afterEach(async () => {
  await leaveHome(home);
  await upstream.close();
});

/** Every secret that media and tasks are given begins with it. */
const CANARY = 'canary';
const SECRET = `whsec_${Buffer.from(`${CANARY} of a webhook, long enough`).toString('base64')}`;
const SECRETS = [CANARY, SECRET.slice(6), Buffer.from(CANARY).toString('hex')];

it('secrets of providers, of the bucket and of webhooks are in no answer, no log and no file', { timeout: 60_000 }, async () => {
  // A provider that fails, a bucket that refuses and a receiver that does: each says again what it was sent.
  const echo = await startUpstream((seen, response) => {
    const text = JSON.stringify(seen.headers);
    json({ error: { message: `no: ${text}`, type: 'invalid_request_error' } }, 400)(seen, response);
  });
  const provider = { preset: 'openai', key: 'sk-canary-provider-key', headers: { 'x-extra-token': 'canary-header-token' } };
  const args = await configure(home, upstream, {
    providers: {
      openai: { ...provider, baseUrl: upstream.url },
      broken: { ...provider, baseUrl: echo.url },
    },
    egress: { allow: ['127.0.0.1/32'] },
    log: { level: 'debug' },
    tasks: { media: { s3: { endpoint: echo.url, bucket: 'films', key: 'AKIDcanary:canary-s3-secret' } } },
  });
  const server = await startServer(args, home);
  const [key = ''] = KEYS;
  const answers: string[] = [];
  const ask = async (path: string, body?: unknown): Promise<void> => {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const init = body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(server.url + path, init);
    answers.push(`${JSON.stringify([...answer.headers])}${await answer.text()}`);
  };
  const webhook = { url: `${echo.url}/hook`, secret: SECRET };
  for (const model of ['openai/sora-2', 'broken/sora-2']) await ask('/v1/videos', { model, prompt: 'a film', webhook });
  await ask('/v1/videos', { model: 'openai/sora-2', prompt: 'this will fail', webhook });
  await ask('/v1/videos', { model: 'openai/sora-2', prompt: 'please refuse', webhook });
  await ask('/v1/embeddings', { model: 'broken/text-embedding-3-small', input: 'x' });
  await ask('/v1/audio/speech', { model: 'broken/tts-1', input: 'x', voice: 'alloy' });
  await ask('/v1/images/generations', { model: 'broken/gpt-image-1', prompt: 'x' });
  await ask('/v1/images/generations', { model: 'broken/gpt-image-1', prompt: 'x', async: true, webhook });
  const form = new FormData();
  form.set('model', 'broken/whisper-1');
  form.set('file', new Blob([Buffer.alloc(2000, 1)]), 'a.mp3');
  const heard = await fetch(`${server.url}/v1/audio/transcriptions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}` },
    body: form,
  });
  answers.push(await heard.text());
  // The bucket and the receiver were both asked, and refused.
  await expect
    .poll(() => echo.seen.map(({ path }) => path.split('/')[1]), { timeout: 30_000 })
    .toEqual(expect.arrayContaining(['films', 'hook']));
  const { data } = (await (await fetch(`${server.url}/v1/videos`, { headers: { authorization: `Bearer ${key}` } })).json()) as {
    readonly data: readonly { readonly id: string }[];
  };
  expect(data.length).toBeGreaterThan(1);
  for (const { id } of data) await ask(`/v1/videos/${id}?detail=true`);
  // What is looked for was there to be seen.
  expect(echo.seen.some(({ headers }) => JSON.stringify(headers).includes(CANARY))).toBe(true);
  server.child.kill('SIGTERM');
  await server.ended;
  const written = [...answers, server.out.stdout, server.out.stderr];
  const files = (await readdir(join(home, 'data'), { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
  expect(files.map(({ name }) => name)).toContain('pailou.db');
  for (const { parentPath, name } of files) written.push(`${name}: ${await readFile(join(parentPath, name), 'latin1')}`);
  for (const text of written) for (const secret of SECRETS) if (text.includes(secret)) expect(text.slice(0, 4000)).not.toContain(secret);
  await echo.close();
});
