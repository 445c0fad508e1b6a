import { createHmac } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { GatewayError, gatewayFault, type JsonObject } from '../../src/ir/index.ts';
import type { RemoteOrder, Task, TaskDriver, TaskProgress, Tasks } from '../../src/tasks/ports.ts';
import { createTasks } from '../../src/tasks/tasks.ts';
import { taskView } from '../../src/tasks/view.ts';
import type { WebhookMessage } from '../../src/tasks/webhook.ts';
import { testKept, type TestKept } from '../kept.ts';

let folder: string;
let skipped = 0;
const now = (): number => Date.now() + skipped;

/** A process with its tasks; several may share the folder. */
interface Process {
  readonly tasks: Tasks & { wake(): void };
  readonly kept: TestKept;
  readonly defects: unknown[];
  readonly told: WebhookMessage[];
  /** What its receiver answers. */
  receive: (message: WebhookMessage) => number;
  leads: boolean;
  stop(): Promise<void>;
}

const started: Process[] = [];

let count = 0;

function start(driver: Partial<TaskDriver> = {}, leaseMs = 20_000, most?: number): Process {
  const kept = testKept(now, { folder, leaseMs, mediaBytes: 1024 * 1024 });
  const defects: unknown[] = [];
  const told: WebhookMessage[] = [];
  const { store, pace } = kept.ports.tasks;
  const full: TaskDriver = { describe: (task) => taskView(task, 'video'), ...driver };
  const made: Process = {
    kept,
    defects,
    told,
    receive: () => 204,
    leads: true,
    tasks: createTasks({
      store,
      media: kept.ports.mediaStore,
      drivers: { video: full, image: full },
      clock: { now, monotonic: () => performance.now() },
      newId: (prefix) => `${prefix}${(count += 1)}`,
      settings: () => ({ deadlineMs: 60_000, keepMs: 86_400_000 }),
      async post(message) {
        told.push(message);
        return made.receive(message);
      },
      onDefect: (error) => void defects.push(error),
      ...(pace ? { pace } : {}),
      isLeader: () => made.leads,
      ...(most === undefined ? {} : { most }),
    }),
    async stop() {
      await made.tasks.stop();
      await kept.close();
    },
  };
  started.push(made);
  return made;
}

beforeEach(async () => {
  skipped = 0;
  folder = await mkdtemp(join(tmpdir(), 'pailou-tasks-'));
});

afterEach(async () => {
  for (const one of started.splice(0)) {
    await one.stop();
    expect(one.defects).toEqual([]);
  }
  await rm(folder, { recursive: true, force: true });
});

const order = (more: Partial<RemoteOrder> = {}): RemoteOrder => ({
  owner: 'me',
  kind: 'video',
  provider: 'p',
  model: 'm',
  about: { prompt: 'a cat' },
  submit: async () => ({ status: 'queued', remoteId: 'r-1' }),
  ...more,
});

/** Answers that come one after the other, the last one for ever. */
function say(...answers: readonly (TaskProgress | Error)[]): NonNullable<TaskDriver['poll']> {
  let at = 0;
  return () => {
    const answer = answers[Math.min(at++, answers.length - 1)];
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer as TaskProgress);
  };
}

const DONE: TaskProgress = { status: 'completed', detail: { ok: true } };
const keepOne =
  (of: () => Process): NonNullable<TaskDriver['keep']> =>
  async (task) => {
    const { id, mediaType, bytes } = await of().kept.ports.mediaStore.put(Buffer.from('film'), {
      mediaType: 'video/mp4',
      owner: task.owner,
    });
    return [{ variant: 'video', id, mediaType, bytes }];
  };

const read = async (one: Process, id: string): Promise<Task> => {
  const task = await one.tasks.get('me', 'video', id);
  if (!task) throw new Error(`no task ${id}`);
  return task;
};

const ends = (one: Process, id: string, status: Task['status']): Promise<unknown> =>
  vi.waitFor(async () => expect(await read(one, id)).toMatchObject({ status }), { timeout: 8000, interval: 10 });

/** Never comes, but ends. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('stopped'))));

const upstream = (message: string, more = {}): GatewayError =>
  new GatewayError({ ...gatewayFault('upstream', message, { by: 'upstream' }), ...more });

describe('a job of a provider', () => {
  it('has its id on disk before anybody is told, and its intent before the provider is', async () => {
    const one: Process = start({ poll: say({ status: 'queued' }) });
    let before: Task | undefined;
    const task = await one.tasks.start(
      order({
        async submit(id) {
          before = await one.kept.ports.tasks.store.get(id);
          return { status: 'queued', remoteId: 'r-7' };
        },
      }),
    );
    expect(before).toMatchObject({ phase: 'intent', status: 'queued' });
    expect(await read(one, task.id)).toMatchObject({ phase: 'submitted', remoteId: 'r-7' });
  });

  it('never goes back, and is complete when its files are here', async () => {
    const seen: number[] = [];
    const one: Process = start({
      poll: say(
        { status: 'in_progress', progress: 40 },
        { status: 'queued', progress: 10 },
        { status: 'in_progress', progress: 100 },
        DONE,
      ),
      async keep(task, signal) {
        seen.push((await read(one, task.id)).progress);
        return keepOne(() => one)(task, signal);
      },
    });
    const { id } = await one.tasks.start(order());
    await vi.waitFor(async () => expect((await read(one, id)).progress).toBe(40), { interval: 2 });
    await ends(one, id, 'completed');
    expect(seen).toEqual([99]);
    const task = await read(one, id);
    expect(task).toMatchObject({ progress: 100, phase: 'over', value: { detail: { ok: true }, media: [{ variant: 'video', bytes: 4 }] } });
    expect(task.completedAt).toBeGreaterThanOrEqual(task.createdAt);
  });

  it('is asked about again after trouble, and its files are fetched again', async () => {
    const trouble = upstream('busy');
    let tries = 0;
    const one: Process = start({
      poll: say(trouble, { status: 'in_progress' }, trouble, DONE),
      keep(task, signal) {
        tries += 1;
        return tries < 2 ? Promise.reject(upstream('cut')) : keepOne(() => one)(task, signal);
      },
    });
    const { id } = await one.tasks.start(order());
    await ends(one, id, 'completed');
    expect(tries).toBe(2);
  });

  it('is not lost, however often there is no room here to fetch what it made', async () => {
    let tries = 0;
    const one: Process = start({
      poll: say(DONE),
      keep(task, signal) {
        tries += 1;
        if (tries > 20) return keepOne(() => one)(task, signal);
        return Promise.reject(new GatewayError(gatewayFault('overloaded', 'full', { code: 'fetches_full' })));
      },
    });
    const { id } = await one.tasks.start(order());
    await ends(one, id, 'completed');
    expect(tries).toBe(21);
  });

  it('has failed where what it made cannot be kept, time and again', async () => {
    const keep = vi.fn(() => Promise.reject(new GatewayError(gatewayFault('overloaded', 'away', { code: 'media_unavailable' }))));
    const one = start({ poll: say(DONE), keep });
    const { id } = await one.tasks.start(order());
    await ends(one, id, 'failed');
    expect((await read(one, id)).value.error).toMatchObject({ code: 'media_unavailable' });
    expect(keep).toHaveBeenCalledTimes(8);
  });

  it('keeps the words of its provider when it fails', async () => {
    const error = { code: 'blocked', message: 'Not this' };
    const one = start({ poll: say({ status: 'failed', error }) });
    const { id } = await one.tasks.start(order());
    await ends(one, id, 'failed');
    expect((await read(one, id)).value.error).toEqual(error);
  });

  it('has failed when its deadline has passed', async () => {
    const one = start({ poll: say({ status: 'in_progress' }) });
    const { id } = await one.tasks.start(order());
    skipped = 61_000;
    await ends(one, id, 'failed');
    expect((await read(one, id)).value.error).toMatchObject({ code: 'timed_out' });
  });

  it('is forgotten where the provider surely has nothing, and failed where nobody knows', async () => {
    const one = start({ poll: say({ status: 'queued' }) });
    const refused = one.tasks.start(order({ submit: () => Promise.reject(new GatewayError(gatewayFault('bad_request', 'no'))) }));
    await expect(refused).rejects.toThrow('no');
    const cut = new GatewayError(gatewayFault('upstream', 'The upstream cut the connection', { code: 'upstream_cut' }));
    await expect(one.tasks.start(order({ submit: () => Promise.reject(cut) }))).rejects.toThrow(cut);
    const { tasks } = await one.tasks.list({ owner: 'me', kind: 'video', limit: 10, order: 'desc' });
    expect(tasks).toMatchObject([{ status: 'failed', value: { error: { code: 'upstream_cut' } } }]);
  });

  it('is cancelled here and there, and deleted here and there', async () => {
    const passed: string[] = [];
    const pass =
      (what: string) =>
      ({ remoteId }: Task): Promise<void> => {
        passed.push(`${what} ${remoteId}`);
        return Promise.resolve();
      };
    const one: Process = start({ poll: say({ status: 'queued' }), cancel: pass('cancel'), remove: pass('remove') });
    const task = await one.tasks.start(order());
    expect(await one.tasks.cancel(task)).toMatchObject({ status: 'cancelled', phase: 'over' });
    await one.tasks.remove(await read(one, task.id));
    expect(passed).toEqual(['cancel r-1', 'remove r-1']);
    expect(await one.tasks.get('me', 'video', task.id)).toBeUndefined();
  });

  it('is refused where as many are held as may be, and taken again when one has ended', async () => {
    const one: Process = start({ poll: say({ status: 'queued' }) }, 20_000, 2);
    const first = await one.tasks.start(order());
    await one.tasks.start(order({ submit: async () => ({ status: 'queued', remoteId: 'r-2' }) }));
    const another = (): Promise<Task> => one.tasks.start(order({ submit: async () => ({ status: 'queued', remoteId: 'r-3' }) }));
    await expect(another()).rejects.toMatchObject({ fault: { kind: 'overloaded', code: 'background_full', retryAfterMs: 10_000 } });
    await one.tasks.cancel(first);
    expect((await another()).status).toBe('queued');
  });
  it('is nobody else’s', async () => {
    const one = start({ poll: say({ status: 'queued' }) });
    const { id } = await one.tasks.start(order());
    expect(await one.tasks.get('you', 'video', id)).toBeUndefined();
    expect(await one.tasks.get('me', 'image', id)).toBeUndefined();
    expect(await one.tasks.list({ owner: 'you', kind: 'video', limit: 10, order: 'asc' })).toEqual({ tasks: [], hasMore: false });
  });
});

describe('another process', () => {
  it('goes on with what one has left that was stopped', async () => {
    const first = start({ poll: say({ status: 'queued' }) });
    const { id } = await first.tasks.start(order());
    await first.tasks.stop();
    const second: Process = start({ poll: say(DONE), keep: (task, signal) => keepOne(() => second)(task, signal) });
    second.tasks.wake();
    await ends(second, id, 'completed');
  });

  it('takes no more than it may hold of what others have left', async () => {
    const first: Process = start({ poll: say({ status: 'queued' }) });
    const left = [
      await first.tasks.start(order()),
      await first.tasks.start(order({ submit: async () => ({ status: 'queued', remoteId: 'r-2' }) })),
    ];
    await first.tasks.stop();
    const asked = new Set<string>();
    const driver: Partial<TaskDriver> = { poll: async (task) => (asked.add(task.id), { status: 'queued' }) };
    const second: Process = start(driver, 20_000, 1);
    second.tasks.wake();
    await vi.waitFor(() => expect(asked.size).toBe(1), { timeout: 8000 });
    const third: Process = start(driver);
    third.tasks.wake();
    await vi.waitFor(() => expect([...asked].toSorted()).toEqual(left.map(({ id }) => id).toSorted()), { timeout: 8000 });
  });
  it('takes over from one that gives no sign any more, whose late words do not count', async () => {
    let release: (progress: TaskProgress) => void = () => undefined;
    const frozen = start({ poll: () => new Promise((resolve) => (release = resolve)) }, 50);
    const { id } = await frozen.tasks.start(order());
    // It does not come to renew its lease.
    frozen.kept.ports.tasks.store.claim = () => Promise.resolve([]);
    const second: Process = start({ poll: say(DONE), keep: (task, signal) => keepOne(() => second)(task, signal) });
    await new Promise((resolve) => setTimeout(resolve, 60));
    second.tasks.wake();
    await ends(second, id, 'completed');
    release({ status: 'failed', error: { code: 'late', message: 'late' } });
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(await read(second, id)).toMatchObject({ status: 'completed' });
  });

  it('leaves alone what a living one works on', async () => {
    const first = start({ poll: say({ status: 'queued' }) });
    await first.tasks.start(order());
    const second = start({ poll: say({ status: 'failed' }) });
    second.tasks.wake();
    expect(await second.kept.ports.tasks.store.claim(10, false)).toEqual([]);
  });

  /** A submission that was under way when its process ended. */
  async function cut(about: JsonObject = { prompt: 'a cat' }): Promise<string> {
    const first = start({});
    let id = '';
    void first.tasks
      .start(
        order({
          about,
          submit(given, signal) {
            id = given;
            return aborted(signal);
          },
        }),
      )
      .catch(() => undefined);
    await vi.waitFor(() => expect(id).not.toBe(''));
    await first.kept.ports.tasks.store.leave();
    return id;
  }

  it('finds the job of a submission that was cut', async () => {
    const id = await cut();
    const second: Process = start({
      find: say([] as never, ['r-9'] as never) as never,
      poll: say(DONE),
      keep: (task, signal) => keepOne(() => second)(task, signal),
    });
    second.tasks.wake();
    await ends(second, id, 'completed');
    expect(await read(second, id)).toMatchObject({ remoteId: 'r-9' });
  });

  it.each([
    ['it is not there', () => Promise.resolve([])],
    ['the provider cannot be asked', () => Promise.resolve(undefined)],
    ['there are two that it may be', () => Promise.resolve(['r-1', 'r-2'])],
  ])('says that it was interrupted where %s, and never submits it again', async (_name, find) => {
    const id = await cut();
    const second = start({ find });
    second.tasks.wake();
    await ends(second, id, 'failed');
    expect((await read(second, id)).value.error).toMatchObject({ code: 'interrupted' });
  });

  it('gives nobody what is another task’s already', async () => {
    const first = start({ poll: say({ status: 'queued' }) });
    await first.tasks.start(order({ submit: async () => ({ status: 'queued', remoteId: 'r-1' }) }));
    const id = await cut();
    const second = start({ find: () => Promise.resolve(['r-1']) });
    second.tasks.wake();
    await ends(second, id, 'failed');
  });
});

describe('work of this process', () => {
  const local = (run: () => Promise<JsonObject>) => ({ owner: 'me', kind: 'video' as const, provider: 'p', model: 'm', about: {}, run });

  it('gives its answer, short or long', async () => {
    const one = start();
    for (const data of ['short', 'x'.repeat(200_000)]) {
      const { id } = await one.tasks.background(local(() => Promise.resolve({ data })));
      await ends(one, id, 'completed');
      expect(await one.tasks.result(await read(one, id))).toEqual({ data });
    }
  });

  it('fails with the words of its fault', async () => {
    const one = start();
    const { id } = await one.tasks.background(local(() => Promise.reject(upstream('no film', { code: 'x' }))));
    await ends(one, id, 'failed');
    expect((await read(one, id)).value.error).toEqual({ code: 'x', message: 'no film' });
  });

  it('has failed when its process is gone: nobody knows what it has cost', async () => {
    const first = start();
    const work = { ...local(() => Promise.resolve({})), run: (_id: string, signal: AbortSignal) => aborted(signal) };
    const { id } = await first.tasks.background(work);
    await vi.waitFor(async () => expect((await read(first, id)).status).toBe('in_progress'));
    await first.kept.ports.tasks.store.leave();
    const second = start();
    second.tasks.wake();
    await ends(second, id, 'failed');
    expect((await read(second, id)).value.error).toMatchObject({ code: 'interrupted' });
  });

  it('is stopped when it is cancelled', async () => {
    const one = start();
    let signal: AbortSignal | undefined;
    const task = await one.tasks.background({
      ...local(() => Promise.resolve({})),
      run: (_id, given) =>
        new Promise((_resolve, reject) => {
          signal = given;
          given.addEventListener('abort', () => reject(new Error('stopped')));
        }),
    });
    await vi.waitFor(() => expect(signal).toBeDefined());
    await one.tasks.cancel(task);
    expect([signal?.aborted, (await read(one, task.id)).status]).toEqual([true, 'cancelled']);
  });
});

describe('a webhook', () => {
  const secret = `whsec_${Buffer.from('a secret of twenty-four bytes').toString('base64')}`;
  const webhook = { url: 'https://example.com/hook', secret };

  it('is called when the task has ended, signed, again where it was in vain', async () => {
    const one = start({ poll: say({ status: 'failed', error: { code: 'x', message: 'no' } }) });
    one.receive = () => (one.told.length < 3 ? 500 : 200);
    const { id } = await one.tasks.start(order({ webhook }));
    await vi.waitFor(async () => expect((await read(one, id)).phase).toBe('over'), { timeout: 5000 });
    expect(one.told).toHaveLength(3);
    const [first, , last] = one.told;
    expect(new Set(one.told.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    const { headers, body } = last ?? { headers: {} as Record<string, string>, body: '' };
    const key = Buffer.from(secret.slice(6), 'base64');
    const signed = createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64');
    expect(headers['webhook-signature']).toBe(`v1,${signed}`);
    expect(JSON.parse(first?.body ?? '')).toMatchObject({
      type: 'video.failed',
      data: { id, status: 'failed', error: { code: 'x', message: 'no' } },
    });
  });

  it('is given up when its receiver is gone, and after the last try', async () => {
    for (const status of [410, 500]) {
      const one = start({ poll: say({ status: 'failed' }) });
      one.receive = () => status;
      const { id } = await one.tasks.start(order({ webhook }));
      await vi.waitFor(async () => expect((await read(one, id)).phase).toBe('over'), { timeout: 5000 });
      expect(one.told).toHaveLength(status === 410 ? 1 : 4);
    }
  });

  it('is called by the next process where this one did not come to it', async () => {
    const first = start({ poll: say({ status: 'failed' }) });
    first.receive = () => 500;
    const { id } = await first.tasks.start(order({ webhook }));
    await vi.waitFor(() => expect(first.told.length).toBeGreaterThan(0));
    await first.tasks.stop();
    const second = start();
    second.tasks.wake();
    await vi.waitFor(async () => expect((await read(second, id)).phase).toBe('over'), { timeout: 5000 });
    expect(second.told).toHaveLength(1);
  });
});

describe('what is kept', () => {
  it('goes with the age of its task', async () => {
    const first: Process = start({ poll: say(DONE), keep: (task, signal) => keepOne(() => first)(task, signal) });
    const { id } = await first.tasks.start(order());
    await ends(first, id, 'completed');
    expect(await readdir(join(folder, 'media'))).toHaveLength(1);
    await first.tasks.stop();
    skipped = 86_500_000;
    const second = start();
    second.tasks.wake();
    await vi.waitFor(async () => expect(await second.tasks.get('me', 'video', id)).toBeUndefined());
    await vi.waitFor(async () => expect(await readdir(join(folder, 'media'))).toEqual([]));
  });

  it('is taken away by the process that leads, and by another once that leads', async () => {
    const first: Process = start({ poll: say(DONE), keep: (task, signal) => keepOne(() => first)(task, signal) });
    const { id } = await first.tasks.start(order());
    await ends(first, id, 'completed');
    await first.tasks.stop();
    skipped = 86_500_000;
    const second = start();
    second.leads = false;
    const beats = vi.spyOn(second.kept.ports.tasks.store, 'claim');
    second.tasks.wake();
    await vi.waitFor(() => expect(beats.mock.calls.length).toBeGreaterThan(2));
    expect(await second.tasks.get('me', 'video', id)).toBeDefined();
    second.leads = true;
    await vi.waitFor(async () => expect(await second.tasks.get('me', 'video', id)).toBeUndefined());
  });

  it('is nothing of a file that broke', async () => {
    const { mediaStore } = start().kept.ports;
    const broken = async function* (): AsyncIterable<Buffer> {
      yield Buffer.from('half');
      throw upstream('cut');
    };
    await expect(mediaStore.put(broken(), { mediaType: 'video/mp4', owner: 'me' })).rejects.toThrow('cut');
    expect(await readdir(join(folder, 'media'))).toEqual([]);
  });

  it('is bounded in bytes: the oldest goes first', async () => {
    const { kept } = start();
    const { mediaStore } = kept.ports;
    const put = (size: number) => mediaStore.put(Buffer.alloc(size), { mediaType: 'video/mp4', owner: 'me' });
    const old = await put(700 * 1024);
    skipped += 1000;
    const young = await put(400 * 1024);
    await mediaStore.sweep();
    expect(await mediaStore.find(old.id)).toBeUndefined();
    expect(await mediaStore.find(young.id)).toMatchObject({ bytes: young.bytes });
  });
});
