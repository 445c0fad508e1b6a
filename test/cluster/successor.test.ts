// A worker that dies, and what whoever comes in its place knows and does.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { leaveHome, newHome } from '../e2e/program.ts';
import { type FakeUpstream, json, startUpstream } from '../fakes/upstream.ts';
import { startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';
import { chatBody, chatReply, type CrewServer, jsonOf, startCrew, twoWorkers } from './crew.ts';

const REPLY = chatReply('Yes');
const WAIT = { timeout: 45_000, interval: 50 };

let home: string;
let upstream: FakeUpstream;
let spare: FakeUpstream;
let videos: VideoUpstream;
beforeEach(async () => {
  home = await newHome('crew');
  upstream = await startUpstream(json(REPLY));
  spare = await startUpstream(json(REPLY));
  videos = await startVideoUpstream();
});
afterEach(async () => {
  await leaveHome(home);
  await Promise.all([upstream.close(), spare.close(), videos.close()]);
});

/** Kills a worker, and waits for the one in its place. */
async function replace(server: CrewServer, worker: number): Promise<void> {
  const dead = server.pidOf(worker);
  process.kill(dead, 'SIGKILL');
  await expect.poll(() => server.workers().get(worker) ?? dead, WAIT).not.toBe(dead);
}

const providers = (more = ''): string =>
  `providers:
  up: { preset: ollama, baseUrl: "${upstream.url}", protocols: [openai-chat], key: k${more} }
  spare: { preset: ollama, baseUrl: "${spare.url}", protocols: [openai-chat] }
models: { both: { targets: [{ to: up/m }, { to: spare/m, order: 2 }] } }`;

const posts = ({ seen }: FakeUpstream): number => seen.filter(({ method }) => method === 'POST').length;

it('knows from its start what the others have found out of providers', { timeout: 90_000 }, async () => {
  const server = await startCrew(home, providers());
  upstream.answer = json({ error: { message: 'no', type: 'authentication_error' } }, 401);
  const [one] = await twoWorkers(server);
  expect((await one.send('POST', '/v1/chat/completions', chatBody('both'))).status).toBe(200);
  expect(posts(upstream)).toBe(1);
  // First the one, then the other: whichever of them found it out is not there any more.
  for (const worker of [1, 2]) await replace(server, worker);
  for (const by of await twoWorkers(server)) {
    const { status, headers } = await by.send('POST', '/v1/chat/completions', chatBody('both'));
    expect([status, headers['x-pailou-served-by']]).toEqual([200, 'spare/m']);
  }
  expect(posts(upstream)).toBe(1);
});

it('does what is due on time where it was the one that died who did it', { timeout: 90_000 }, async () => {
  const server = await startCrew(home, providers(', health: { check: 1s }'));
  const checks = (): number => upstream.seen.filter(({ method }) => method === 'GET').length;
  await expect.poll(checks, WAIT).toBeGreaterThan(1);
  // One of the two does it, and then the other.
  for (const worker of [1, 2]) {
    await replace(server, worker);
    const before = checks();
    await expect.poll(checks, WAIT).toBeGreaterThan(before + 1);
  }
});

it('or another one goes on with a task that the dead one had under way, which is submitted once', { timeout: 120_000 }, async () => {
  videos.polls = Infinity;
  const server = await startCrew(home, `providers: { films: { preset: openai, baseUrl: "${videos.url}", key: k } }`);
  const [one, other] = await twoWorkers(server);
  const { id } = await jsonOf(one.send('POST', '/v1/videos', { model: 'films/sora-2', prompt: 'a film' }));
  await expect.poll(() => server.answered('/v1/videos').size, WAIT).toBe(1);
  const [[holder] = [0]] = [...server.answered('/v1/videos')];
  await replace(server, holder);
  videos.polls = 1;
  const status = async (): Promise<unknown> => (await jsonOf(other.send('GET', `/v1/videos/${String(id)}`)))['status'];
  await expect.poll(status, { ...WAIT, timeout: 100_000 }).toBe('completed');
  expect(videos.jobs.size).toBe(1);
  const film = await other.send('GET', `/v1/videos/${String(id)}/content`);
  expect([film.status, film.headers['content-type']]).toEqual([200, 'video/mp4']);
});
