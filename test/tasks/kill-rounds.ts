import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Served, startServer } from '../e2e/program.ts';
import { startVideoUpstream, type VideoUpstream } from '../fakes/videos.ts';

/*
 * Kills a real server at random while tasks run, again and again, and looks at what came of every one of them.
 */

/** What is wrong after all rounds; empty: nothing. */
export interface KillReport {
  readonly rounds: number;
  readonly asked: number;
  readonly acknowledged: number;
  readonly completed: number;
  /** Failed honestly: cut while it was being submitted. */
  readonly interrupted: number;
  /** Of those, the ones whose job is at the provider all the same. */
  readonly orphaned: number;
  /** Acknowledged, but not there or never done. */
  readonly lost: readonly string[];
  /** Prompts that the provider was given more than once. */
  readonly twice: readonly string[];
  /** Tasks that another key could see. */
  readonly leaked: readonly string[];
}

/** A video that was asked for. */
export interface Asked {
  readonly prompt: string;
  readonly key: string;
  /** Once it was acknowledged. */
  id?: string;
}

/** The keys of these servers. */
export const KEYS = ['pk-first-0123456789abcdef', 'pk-second-0123456789abcdef'];
const TASKS_A_ROUND = 5;
const MAX_LIFE_MS = 900;

const call = (url: string, key: string, path: string, init: RequestInit = {}): Promise<Response> =>
  fetch(`${url}/v1/videos${path}`, {
    ...init,
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json', ...init.headers },
  });

/** Asks for a video, under a key of its own: asked again after a kill it must not become two. */
export async function submit(url: string, asked: Asked): Promise<void> {
  const body = JSON.stringify({ model: 'openai/sora-2', prompt: asked.prompt });
  const answer = await call(url, asked.key, '', { method: 'POST', body, headers: { 'idempotency-key': asked.prompt } }).catch(
    () => undefined,
  );
  const video = (await answer?.json().catch(() => undefined)) as { readonly id?: string } | undefined;
  if (answer?.status === 200 && video?.id !== undefined) asked.id = video.id;
}

interface Shown {
  readonly id: string;
  readonly status: string;
  readonly prompt: string;
  readonly error: { readonly code: string } | null;
}

async function shown(url: string, key: string, id: string): Promise<Shown | undefined> {
  const answer = await call(url, key, `/${id}`);
  return answer.status === 200 ? ((await answer.json()) as Shown) : undefined;
}

/** Writes a configuration; the arguments of a server with it. */
export async function configure(home: string, upstream: VideoUpstream, more: object = {}): Promise<readonly string[]> {
  const config = {
    version: 1,
    keys: KEYS.map((value, index) => ({ name: `key${index}`, value })),
    providers: { openai: { preset: 'openai', baseUrl: upstream.url, key: 'sk-upstream' } },
    log: { level: 'error' },
    ...more,
  };
  await writeFile(join(home, 'pailou.json'), JSON.stringify(config), { mode: 0o600 });
  return ['--config', join(home, 'pailou.json'), '--data', join(home, 'data')];
}

/** Ends a server without a word. */
export async function kill(server: Served): Promise<void> {
  const gone = once(server.child, 'exit');
  server.child.kill('SIGKILL');
  await gone;
}

/** One life of the server: what was cut before is asked again, new work comes, and then it is killed. */
async function live(args: readonly string[], home: string, all: Asked[], round: number, random: () => number): Promise<void> {
  const server = await startServer(args, home);
  const again = all.filter(({ id }) => id === undefined);
  const fresh = Array.from({ length: TASKS_A_ROUND }, (_, index): Asked => {
    const key = KEYS[index % KEYS.length] ?? '';
    return { prompt: `a video ${round}-${index}`, key };
  });
  all.push(...fresh);
  const killed = sleep(random() * MAX_LIFE_MS).then(() => kill(server));
  const work = [...again, ...fresh].map(async (one) => {
    await sleep(random() * 400);
    await submit(server.url, one);
  });
  await Promise.all([killed, ...work]);
}

const isOver = (status: string | undefined): boolean => status !== 'queued' && status !== 'in_progress';

/** Waits for the end of every task that was acknowledged. */
export async function settle(url: string, all: readonly Asked[]): Promise<ReadonlyMap<string, Shown | undefined>> {
  const found = new Map<string, Shown | undefined>();
  for (const deadline = performance.now() + 90_000; performance.now() < deadline; await sleep(200)) {
    for (const { id, key } of all) {
      if (id !== undefined && !(found.has(id) && isOver(found.get(id)?.status))) found.set(id, await shown(url, key, id));
    }
    if ([...found.values()].every((video) => isOver(video?.status))) return found;
  }
  return found;
}

async function leaks(url: string, all: readonly Asked[]): Promise<readonly string[]> {
  const leaked: string[] = [];
  for (const { id, key, prompt } of all) {
    const other = KEYS.find((one) => one !== key) ?? '';
    const own = id === undefined ? undefined : await shown(url, key, id);
    if (own && own.prompt !== prompt) leaked.push(`${id} holds another's prompt`);
    if (id !== undefined && (await call(url, other, `/${id}`)).status !== 404) leaked.push(id);
  }
  return leaked;
}

/** So many rounds; `random` decides when. */
export async function killRounds(rounds: number, random: () => number = Math.random): Promise<KillReport> {
  const home = await mkdtemp(join(tmpdir(), 'pailou-kill-'));
  const upstream = await startVideoUpstream();
  // Kills come between every two steps of a submission.
  upstream.slowness = () => random() * 200;
  const all: Asked[] = [];
  try {
    const args = await configure(home, upstream);
    for (let round = 0; round < rounds; round++) await live(args, home, all, round, random);
    const server = await startServer(args, home);
    for (let tries = 0; tries < 20 && all.some(({ id }) => id === undefined); tries++) {
      await Promise.all(all.filter(({ id }) => id === undefined).map((one) => submit(server.url, one)));
      await sleep(100);
    }
    const found = await settle(server.url, all);
    const leaked = await leaks(server.url, all);
    await kill(server);
    const times = new Map<string, number>();
    for (const { request } of upstream.jobs.values()) times.set(String(request['prompt']), (times.get(String(request['prompt'])) ?? 0) + 1);
    const shownAll = [...found];
    const isInterrupted = (video: Shown | undefined): boolean => video?.status === 'failed' && video.error?.code === 'interrupted';
    return {
      rounds,
      asked: all.length,
      acknowledged: found.size,
      completed: shownAll.filter(([, video]) => video?.status === 'completed').length,
      interrupted: shownAll.filter(([, video]) => isInterrupted(video)).length,
      orphaned: shownAll.filter(([, video]) => isInterrupted(video) && times.has(video?.prompt ?? '')).length,
      lost: [
        ...shownAll
          .filter(([, video]) => video?.status !== 'completed' && !isInterrupted(video))
          .map(([id, video]) => `${id} ${video?.status}`),
        ...all.filter(({ id }) => id === undefined).map(({ prompt }) => prompt),
      ],
      twice: [...times].filter(([, count]) => count > 1).map(([prompt]) => prompt),
      leaked,
    };
  } finally {
    await upstream.close();
    await rm(home, { recursive: true, force: true });
  }
}
