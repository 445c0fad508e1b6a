import { createHmac } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { leaveHome, newHome, startServer } from '../e2e/program.ts';
import { type FakeS3, startS3 } from '../fakes/s3.ts';
import { MP4, startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';
import { type Asked, configure, KEYS, settle, submit } from './kill-rounds.ts';

let home: string;
let upstream: VideoUpstream;

beforeEach(async () => {
  home = await newHome('serve');
  upstream = await startVideoUpstream();
});

afterEach(async () => {
  await leaveHome(home);
  await upstream.close();
});

const [KEY = ''] = KEYS;

async function film(url: string): Promise<string> {
  const asked: Asked = { key: KEY, prompt: 'a film' };
  await submit(url, asked);
  const [[id, video] = ['', undefined]] = await settle(url, [asked]);
  expect(video).toMatchObject({ status: 'completed' });
  return id;
}

it('films are kept in the bucket that the configuration names, and given out from there', { timeout: 60_000 }, async () => {
  const s3: FakeS3 = await startS3('s3cret');
  const bucket = { endpoint: s3.url, bucket: 'films', region: 'eu-west-1', prefix: 'media/', key: 'AKID:s3cret' };
  const server = await startServer(await configure(home, upstream, { tasks: { media: { s3: bucket } } }), home);
  const id = await film(server.url);
  const content = await fetch(`${server.url}/v1/videos/${id}/content`, { headers: { authorization: `Bearer ${KEY}`, range: 'bytes=0-7' } });
  expect([content.status, Buffer.from(await content.arrayBuffer()).equals(MP4.subarray(0, 8))]).toEqual([206, true]);
  expect([...s3.objects.values()].map(({ mediaType }) => mediaType)).toContain('video/mp4');
  expect(await readdir(join(home, 'data'))).not.toContain('media');
  await s3.close();
});

it('a webhook is called by the server itself, signed, at an allowed address', { timeout: 60_000 }, async () => {
  const seen: { headers: Record<string, unknown>; body: string }[] = [];
  const receiver: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (piece: Buffer) => (body += piece.toString()));
    request.on('end', () => {
      seen.push({ headers: request.headers, body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve));
  const { port } = receiver.address() as AddressInfo;
  const server = await startServer(await configure(home, upstream, { egress: { allow: ['127.0.0.1/32'] } }), home);
  const secret = `whsec_${Buffer.from('twenty-four random bytes').toString('base64')}`;
  const body = { model: 'openai/sora-2', prompt: 'a film', webhook: { url: `http://127.0.0.1:${port}/hook`, secret } };
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const made = await fetch(`${server.url}/v1/videos`, { method: 'POST', headers, body: JSON.stringify(body) });
  const { id } = (await made.json()) as { id: string };
  await vi.waitFor(() => expect(seen).toHaveLength(1), { timeout: 30_000, interval: 50 });
  const [told] = seen;
  expect(JSON.parse(told?.body ?? '')).toMatchObject({ type: 'video.completed', data: { id, object: 'video', status: 'completed' } });
  const signed = `${String(told?.headers['webhook-id'])}.${String(told?.headers['webhook-timestamp'])}.${told?.body}`;
  const signature = createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
    .update(signed)
    .digest('base64');
  expect(told?.headers['webhook-signature']).toBe(`v1,${signature}`);
  receiver.closeAllConnections();
  receiver.close();
});
