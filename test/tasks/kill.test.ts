import { afterEach, beforeEach, expect, it } from 'vitest';
import { leaveHome, newHome, startServer } from '../e2e/program.ts';
import { startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';
import { type Asked, configure, kill, killRounds, KEYS, settle, submit } from './kill-rounds.ts';

let home: string;
let upstream: VideoUpstream;

beforeEach(async () => {
  home = await newHome('kill');
  upstream = await startVideoUpstream();
});

afterEach(async () => {
  await leaveHome(home);
  await upstream.close();
});

/** `npm run test:tasks` does a hundred. */
it('ten kills at random: no task is lost, none is submitted twice, none is seen by another key', { timeout: 180_000 }, async () => {
  const report = await killRounds(10);
  expect(report).toMatchObject({ lost: [], twice: [], leaked: [] });
  expect(report.completed).toBeGreaterThan(0);
});

const films = (): readonly Asked[] => KEYS.map((key, index) => ({ key, prompt: `film ${index}` }));
const statuses = async (url: string, all: readonly Asked[]): Promise<readonly (string | undefined)[]> =>
  [...(await settle(url, all)).values()].map((video) => video?.status);

it('a server that is stopped goes on with its tasks when it is started again', { timeout: 60_000 }, async () => {
  const args = await configure(home, upstream);
  const first = await startServer(args, home);
  const all = films();
  for (const one of all) await submit(first.url, one);
  first.child.kill('SIGTERM');
  expect(await first.ended).toBe(0);
  const second = await startServer(args, home);
  expect(await statuses(second.url, all)).toEqual(['completed', 'completed']);
  expect(upstream.jobs.size).toBe(2);
});

it('of two servers on one folder, the other finishes what the killed one has taken', { timeout: 60_000 }, async () => {
  const args = await configure(home, upstream);
  const first = await startServer(args, home);
  const second = await startServer(args, home);
  const all = films();
  for (const one of all) await submit(first.url, one);
  await kill(first);
  expect(await statuses(second.url, all)).toEqual(['completed', 'completed']);
  expect(upstream.jobs.size).toBe(2);
});
