// Clients that leave while what was made for them is read: it is kept here, and where that is a bucket it comes from afar.
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createMediaS3 } from '../../src/tasks/media-s3.ts';
import type { Task } from '../../src/tasks/ports.ts';
import { createNetworkSend, type NetworkSend } from '../../src/upstream/choose-send.ts';
import { type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { testKept, type TestKept } from '../kept.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** What is promised, by the bucket's own clock. */
const LIMIT_MS = 250;
const PATIENCE_MS = 2500;
/** All of it runs in this process, on machines that do other things as well: what was late by those is not late every time. */
const ATTEMPTS = 3;
const BYTES = 1000;

let bucket: FaultUpstream;
let network: NetworkSend;
let kept: TestKept;
let server: TestServer;
let owner: string;

beforeEach(async () => {
  // It takes what is put, and says nothing of it when it is asked.
  bucket = await startFaultUpstream((one, response) => {
    if (one.body !== '') response.writeHead(200).end();
  });
  network = createNetworkSend();
  const blobs = createMediaS3({ endpoint: bucket.url, bucket: 'b', prefix: '', send: network.send, sign: () => Promise.resolve({}) });
  kept = testKept(() => Date.now(), { blobs });
  server = await startTestServer({ sandbox: false }, undefined, undefined, kept.ports);
  owner = [...server.app.snapshot().keys.values()][0]?.id ?? '';
});
afterEach(async () => {
  await server.close();
  await network.close();
  await kept.close();
  await bucket.close();
  expect(server.defects).toEqual([]);
});

const put = (mediaType: string) => kept.ports.mediaStore.put(Buffer.alloc(BYTES, '7'), { mediaType, owner });

/** A task that is done. */
async function done(about: Partial<Task>): Promise<Task> {
  const task: Task = {
    id: `${about.kind === 'video' ? 'video' : 'imgtask'}_1`,
    owner,
    kind: 'image',
    status: 'completed',
    phase: 'over',
    progress: 100,
    provider: 'p',
    model: 'm',
    createdAt: Date.now(),
    completedAt: Date.now(),
    deadlineAt: Date.now() + 60_000,
    value: { about: {}, media: [] },
    ...about,
  };
  await kept.ports.tasks.store.insert(task);
  return task;
}

const made = async (variant: string, mediaType: string) => {
  const { id, bytes } = await put(mediaType);
  return { about: {}, media: [{ variant, id, mediaType, bytes }] };
};

interface Read {
  readonly method?: string;
  readonly path: string;
  readonly body?: string;
}

const film = async (): Promise<Task> => done({ kind: 'video', value: await made('video', 'video/mp4') });

const READS: readonly { readonly name: string; readonly prepare: () => Promise<Read> }[] = [
  { name: 'a film', prepare: async () => ({ path: `/v1/videos/${(await film()).id}/content` }) },
  { name: 'a film by its link', prepare: async () => ({ path: kept.ports.mediaStore.link(await put('video/mp4')) }) },
  {
    name: 'a film within Google’s answer',
    prepare: async () => ({
      method: 'POST',
      path: '/v1beta/models/m:fetchPredictOperation',
      body: JSON.stringify({ operationName: `models/m/operations/${(await film()).id}` }),
    }),
  },
  {
    name: 'the images of a job',
    prepare: async () => ({ path: `/v1/images/${(await done({ remoteId: 'r', value: await made('image_0', 'image/png') })).id}` }),
  },
  {
    name: 'a long answer of the gateway’s own work',
    prepare: async () => {
      const { id } = await put('application/json');
      return { path: `/v1/images/${(await done({ value: { about: {}, media: [], result: { kept: id } } })).id}` };
    },
  },
  { name: 'a character', prepare: async () => ({ path: `/v1/videos/characters/char_${(await put('application/json')).id}` }) },
];

function ask({ method = 'GET', path, body }: Read) {
  const headers = { authorization: `Bearer ${server.key}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
  const sent = httpRequest(server.url + path, { method, headers });
  sent.on('error', () => {});
  sent.on('response', (response) => response.resume().on('error', () => {}));
  sent.end(body);
  return sent;
}

/** How far the bucket goes with its answer. */
const REACHES = [
  ['before it begins', (): void => undefined],
  [
    'in the middle',
    (response: Parameters<FaultUpstream['behave']>[1]): void => {
      response.writeHead(206, { 'content-length': BYTES }).write('7'.repeat(100));
    },
  ],
] as const;

describe.each(REACHES)('who leaves takes along what is read of a bucket, %s:', (_, reach) => {
  it.each(READS)('$name', async ({ prepare }) => {
    const read = await prepare();
    bucket.behave = (_one, response) => reach(response);
    let best = Infinity;
    for (let attempt = 0; attempt < ATTEMPTS && best > LIMIT_MS; attempt++) {
      bucket.tries.length = 0;
      const sent = ask(read);
      await expect.poll(() => bucket.tries.length, { timeout: 8000, interval: 5 }).toBe(1);
      const leftAt = performance.now();
      sent.destroy();
      await expect.poll(() => bucket.tries[0]?.abandonedAt, { timeout: PATIENCE_MS, interval: 5 }).toBeDefined();
      best = Math.min(best, (bucket.tries[0]?.abandonedAt ?? Infinity) - leftAt);
    }
    expect(best).toBeLessThanOrEqual(LIMIT_MS);
    await expect.poll(() => server.app.active()).toBe(0);
  });
});

it.each([
  ['a film’s', async () => `/v1/videos/${(await film()).id}`],
  ['all films’', async () => (await film(), '/v1/videos')],
  ['an operation’s', async () => `/v1beta/models/m/operations/${(await film()).id}`],
])('asking for %s state asks nobody else', async (_, pathOf) => {
  const path = await pathOf();
  bucket.tries.length = 0;
  const answer = await fetch(server.url + path, { headers: { authorization: `Bearer ${server.key}` } });
  expect(answer.status).toBe(200);
  expect(await answer.text()).toContain('video_1');
  expect(bucket.tries).toEqual([]);
});
