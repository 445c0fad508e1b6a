import { GatewayError, gatewayFault, type JsonObject } from '../ir/index.ts';
import { begin } from './follow.ts';
import { ended, type Held, type Machine, type TasksPorts, USUAL_PACE } from './machine.ts';
import type { Tasks } from './ports.ts';
import { newTask, submit, work } from './submit.ts';

const MAX_LOCAL = 1000;
/** What a process takes over at a time. */
const CLAIM = 1000;
const SWEEP_MS = 10 * 60_000;
const SWEEP_BATCH = 200;

const full = (): GatewayError =>
  new GatewayError({
    ...gatewayFault('overloaded', 'Too many tasks run in the background. Try again when some have ended', { code: 'background_full' }),
    retryAfterMs: 10_000,
  });

const stopping = (): GatewayError =>
  new GatewayError({ ...gatewayFault('overloaded', 'The server is being stopped', { code: 'draining' }), retryAfterMs: 5000 });

/** Takes away tasks that are too old, with their media, and media that are too much. */
async function sweep({ store, media, settings, clock }: TasksPorts): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const old = await store.sweep(clock.now() - settings().keepMs, SWEEP_BATCH);
    for (const task of old) for (const { id } of task.media) await media.remove(id);
    if (old.length < SWEEP_BATCH) break;
  }
  await media.sweep();
}

/** The tasks of this process. `wake` takes up what others left: call it when the server listens. */
export function createTasks(ports: TasksPorts): Tasks & { wake(): void } {
  const held = new Map<string, Held>();
  const pace = ports.pace ?? USUAL_PACE;
  const running = new Set<Promise<unknown>>();
  let ticking: NodeJS.Timeout | undefined;
  let beating: NodeJS.Timeout | undefined;
  let alive: Promise<void> | undefined;
  let sweptAt = -Infinity;
  let locals = 0;

  const machine: Machine = {
    ports,
    pace,
    held,
    isStopped: false,
    hold(task, delayMs) {
      const one: Held = {
        task,
        nextAt: ports.clock.monotonic() + delayMs,
        failures: 0,
        looks: 0,
        isBusy: false,
        stop: new AbortController(),
      };
      held.set(task.id, one);
      ticking ??= setInterval(() => begin(machine), pace.tickMs).unref();
      return one;
    },
    drop(id) {
      held.delete(id);
      if (held.size > 0) return;
      clearInterval(ticking);
      ticking = undefined;
    },
  };
  const beat = async (): Promise<void> => {
    for (const task of await ports.store.claim(CLAIM, held.size > 0)) if (!held.has(task.id)) machine.hold(task, 0);
    const now = ports.clock.monotonic();
    if (now - sweptAt < SWEEP_MS || ports.isLeader?.() === false) return;
    sweptAt = now;
    await sweep(ports);
  };
  const trouble = (error: unknown): void => ports.onDefect(error, 'tasks');
  /** The node is known to others before anything is held by it. */
  const join = (): Promise<void> => {
    beating ??= setInterval(() => void beat().catch(trouble), pace.heartbeatMs).unref();
    alive ??= beat();
    alive.catch(() => (alive = undefined));
    return alive;
  };
  const tracked = <T>(promise: Promise<T>): Promise<T> => {
    const settled = promise.catch(() => undefined).finally(() => running.delete(settled));
    running.add(settled);
    return promise;
  };
  const checkOpen = (): void => {
    if (machine.isStopped) throw stopping();
  };

  return {
    wake: () => void join().catch(trouble),
    async start(order) {
      checkOpen();
      await join();
      return tracked(submit(machine, order));
    },
    async background(order) {
      checkOpen();
      if (locals >= MAX_LOCAL) throw full();
      locals += 1;
      try {
        await join();
        const task = newTask(order, 'local', ports);
        await ports.store.insert(task);
        const one = machine.hold(task, 0);
        one.isBusy = true;
        void tracked(work(machine, one, order).finally(() => (locals -= 1)));
        return task;
      } catch (error) {
        locals -= 1;
        throw error;
      }
    },
    async get(owner, kind, id) {
      const task = await ports.store.get(id);
      return task?.owner === owner && task.kind === kind ? task : undefined;
    },
    byRequestKey: (owner, key) => ports.store.byRequestKey(owner, key),
    async list(page) {
      const found = await ports.store.list({ ...page, limit: page.limit + 1 });
      return { tasks: found.slice(0, page.limit), hasMore: found.length > page.limit };
    },
    async result({ value }) {
      const { result } = value;
      const kept = result?.['kept'];
      if (typeof kept !== 'string') return result;
      const media = await ports.media.find(kept);
      if (!media) return undefined;
      return JSON.parse((await ports.media.whole(media)).toString('utf8')) as JsonObject;
    },
    async cancel(task) {
      if (task.phase === 'over' || task.phase === 'telling') return task;
      const here = held.get(task.id);
      if (task.remoteId !== undefined) {
        await ports.drivers[task.kind].cancel?.(task, AbortSignal.timeout(30_000)).catch(() => undefined);
      }
      const changes = ended(task, { status: 'cancelled' }, ports);
      const isDone = await ports.store.seize(task.id, changes);
      if (here) {
        machine.drop(task.id);
        here.stop.abort();
      }
      if (!isDone) return (await ports.store.get(task.id)) ?? task;
      const cancelled = { ...task, ...changes };
      if (cancelled.phase === 'telling') machine.hold(cancelled, 0);
      return cancelled;
    },
    async remove(task) {
      const here = held.get(task.id);
      const driver = ports.drivers[task.kind];
      const isOver = task.phase === 'over' || task.phase === 'telling';
      if (task.remoteId !== undefined) {
        const signal = AbortSignal.timeout(30_000);
        const pass = (driver.remove ?? (isOver ? undefined : driver.cancel))?.(task, signal);
        await pass?.catch(() => undefined);
      }
      machine.drop(task.id);
      here?.stop.abort();
      await ports.store.delete(task.id);
      for (const { id } of task.value.media) await ports.media.remove(id);
    },
    async stop() {
      machine.isStopped = true;
      clearInterval(ticking);
      clearInterval(beating);
      for (const one of held.values()) one.stop.abort();
      await Promise.all(running);
      held.clear();
      if (alive) await ports.store.leave();
    },
    async idle() {
      await Promise.all(running);
    },
  };
}
