import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createMediaFetcher } from '../../src/egress/media-fetcher.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import type { TaskStore } from '../../src/tasks/ports.ts';
import { testKept } from '../kept.ts';
import { startTestServer, type TestServer } from '../server.ts';

const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAMAAAACCAIAAAASFvFNAAAADklEQVR4nGNwgAEGOAsALRQEgQjZfUEAAAAASUVORK5CYII=';

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly data?: unknown;
}

/** One life of a server on a folder that outlives it. */
async function live(
  folder: string,
  upstream: FakeUpstream,
  store: (kept: TaskStore) => TaskStore = (kept) => kept,
): Promise<{ readonly server: TestServer; end(): Promise<void> }> {
  const kept = testKept(() => Date.now(), { folder });
  const media = createMediaFetcher({ bounds: () => ({ allow: ['127.0.0.1'], fetchBytes: 2 ** 20 }) });
  const providers = {
    bfl: { preset: 'bfl', baseUrl: upstream.url, key: 'k' },
    wan: { preset: 'dashscope', baseUrl: upstream.url, key: 'k' },
  };
  const server = await startTestServer({ providers }, undefined, undefined, {
    media,
    ...kept.ports,
    tasks: { ...kept.ports.tasks, store: store(kept.ports.tasks.store) },
  });
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

async function ended(server: TestServer, id: string): Promise<Shown> {
  for (;;) {
    const task = await call(server, `/v1/images/${id}`);
    if (task.status !== 'queued' && task.status !== 'in_progress') return task;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

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
  expect(await ended(second.server, id)).toMatchObject({ status: 'completed', data: [{ b64_json: PNG }] });
  expect(upstream.seen.filter(({ method }) => method === 'POST')).toHaveLength(1);
  await second.end();
  await upstream.close();
  rmSync(folder, { recursive: true });
});

/** As jobs were written when nobody remembered how many images had been asked for. */
const withoutCount = (store: TaskStore): TaskStore => ({
  ...store,
  update(id, { value, ...changes }) {
    const { n: _, ...detail } = value?.detail ?? {};
    return store.update(id, { ...changes, ...(value ? { value: { ...value, detail } } : {}) });
  },
});

it.each([
  { name: 'as many as were asked for', n: 2, given: 2 },
  { name: 'as many as may be asked for, where that was not remembered', n: 2, store: withoutCount, given: 10 },
])('of a job that has made 10,000 images, those are fetched: $name', async ({ n, given, store }) => {
  const folder = mkdtempSync(join(tmpdir(), 'pailou-images-'));
  let isDone = false;
  const upstream = await startUpstream((request, response) => {
    if (request.path.endsWith('.png')) return void response.writeHead(200, { 'content-type': 'image/png' }).end(Buffer.from(PNG, 'base64'));
    const results = Array.from({ length: 10_000 }, (_, at) => ({ url: `${upstream.url}/${at}.png` }));
    const made = { task_status: 'SUCCEEDED', results };
    return json({ output: { task_id: 'j-1', ...(isDone ? made : { task_status: 'RUNNING' }) } })(request, response);
  });
  const first = await live(folder, upstream, store);
  const { id } = await call(first.server, '/v1/images/generations?async=true', { model: 'wan/wan2.5-t2i-preview', prompt: 'x', n });
  await first.end();
  isDone = true;
  const second = await live(folder, upstream);
  const { status, data } = await ended(second.server, id);
  expect([status, data]).toEqual(['completed', Array.from({ length: given }, () => ({ b64_json: PNG }))]);
  expect(upstream.seen.filter(({ path }) => path.endsWith('.png'))).toHaveLength(given);
  await second.end();
  await upstream.close();
  rmSync(folder, { recursive: true });
});
