import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { testKept } from '../kept.ts';
import { startTestServer, type TestServer } from '../server.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly data?: unknown;
}

/** One life of a server on a folder that outlives it. */
async function live(folder: string, upstream: FakeUpstream): Promise<{ readonly server: TestServer; end(): Promise<void> }> {
  const kept = testKept(() => Date.now(), { folder });
  const media = createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 2 ** 20 }) });
  const providers = { bfl: { preset: 'bfl', baseUrl: upstream.url, key: 'k' } };
  const server = await startTestServer({ providers }, undefined, undefined, { media, ...kept.ports });
  server.app.wake();
  return {
    server,
    async end() {
      expect(server.defects).toEqual([]);
      await server.close();
      await kept.close();
    },
  };
}

const call = async ({ url, key }: TestServer, path: string, body?: object): Promise<Shown> => {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const answer = await fetch(url + path, body ? { method: 'POST', headers, body: JSON.stringify(body) } : { headers });
  return (await answer.json()) as Shown;
};

it('a job of a provider outlives the server that submitted it, and is submitted once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'pailou-images-'));
  let status = 'Pending';
  const upstream = await startUpstream((request, response) => {
    if (request.path.endsWith('.png')) return void response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from(PNG, 'base64'));
    const sample = `${upstream.url}/made.png`;
    return json(request.method === 'POST' ? { id: 'j-1' } : { id: 'j-1', status, result: { sample } })(request, response);
  });
  const first = await live(folder, upstream);
  const { id } = await call(first.server, '/v1/images/generations?async=true', { model: 'bfl/flux-2-pro', prompt: 'x' });
  expect(['queued', 'in_progress']).toContain((await call(first.server, `/v1/images/${id}`)).status);
  await first.end();
  status = 'Ready';
  const second = await live(folder, upstream);
  let task = await call(second.server, `/v1/images/${id}`);
  while (task.status === 'queued' || task.status === 'in_progress') {
    await new Promise((resolve) => setTimeout(resolve, 10));
    task = await call(second.server, `/v1/images/${id}`);
  }
  expect(task).toMatchObject({ status: 'completed', data: [{ b64_json: PNG }] });
  expect(upstream.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  await second.end();
  await upstream.close();
  rmSync(folder, { recursive: true });
});
