import { GatewayError, gatewayFault, type JsonObject } from '../ir/index.ts';
import { begin } from './follow.ts';
import { ended, type Held, type Machine, type TasksPorts, USUAL_PACE } from './machine.ts';
import type { Task, Tasks } from './ports.ts';
import { newTask, submit, work } from './submit.ts';

const MAX_LOCAL = 1000;
/** Of all that a process holds, each until it has ended or its deadline has passed. */
const MAX_HELD = 10_000;
/** What a process takes over at a time. */
const CLAIM = 1000;
const SWEEP_MS = 10 * 60_000;
const SWEEP_BATCH = 200;
/** How long a provider may take to hear that a task is not wanted. */
const TELL_MS = 30_000;

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

/** What this process remembers beside the tasks that it holds. */
interface Life {
  readonly machine: Machine;
  readonly running: Set<Promise<unknown>>;
  ticking: NodeJS.Timeout | undefined;
  beating: NodeJS.Timeout | undefined;
  /** The node is known to others. */
  alive: Promise<void> | undefined;
  sweptAt: number;
  /** Pieces of work of the gateway's own that are under way. */
  locals: number;
  /** Tasks that are being taken over, at most. */
  claiming: number;
}

/** Nothing is held, and nothing ticks until something is. */
function newLife(ports: TasksPorts): Life {
  const held = new Map<string, Held>();
  const pace = ports.pace ?? USUAL_PACE;
  const machine: Machine = {
    ports,
    pace,
    held,
    isStopped: false,
    hold(task, delayMs) {
      const nextAt = ports.clock.monotonic() + delayMs;
      const one: Held = { task, nextAt, failures: 0, looks: 0, isBusy: false, stop: new AbortController() };
      held.set(task.id, one);
      life.ticking ??= setInterval(() => begin(machine), pace.tickMs).unref();
      return one;
    },
    drop(id) {
      held.delete(id);
      if (held.size > 0) return;
      clearInterval(life.ticking);
      life.ticking = undefined;
    },
  };
  const life: Life = {
    machine,
    running: new Set(),
    ticking: undefined,
    beating: undefined,
    alive: undefined,
    sweptAt: -Infinity,
    locals: 0,
    claiming: 0,
  };
  return life;
}

/** How many more tasks it may hold. */
const roomIn = ({ ports: { most = MAX_HELD }, held }: Machine): number => Math.max(0, most - held.size);

/** A sign of life; takes up what dead processes have left, and now and then takes away what is old. */
async function beat(life: Life): Promise<void> {
  const { machine } = life;
  const { ports, held } = machine;
  // The next one may come before this is over: what is being claimed has its room already.
  const many = Math.max(0, Math.min(CLAIM, roomIn(machine) - life.claiming));
  life.claiming += many;
  try {
    for (const task of await ports.store.claim(many, held.size > 0)) if (!held.has(task.id)) machine.hold(task, 0);
  } finally {
    life.claiming -= many;
  }
  const now = ports.clock.monotonic();
  if (now - life.sweptAt < SWEEP_MS || ports.isLeader?.() === false) return;
  life.sweptAt = now;
  await sweep(ports);
}

const trouble =
  ({ machine: { ports } }: Life) =>
  (error: unknown): void =>
    ports.onDefect(error, 'tasks');

/** The node is known to others before anything is held by it. */
function join(life: Life): Promise<void> {
  life.beating ??= setInterval(() => void beat(life).catch(trouble(life)), life.machine.pace.heartbeatMs).unref();
  const alive = (life.alive ??= beat(life));
  alive.catch(() => (life.alive = undefined));
  return alive;
}

/** Stopping waits for it. */
function tracked<T>({ running }: Life, promise: Promise<T>): Promise<T> {
  const settled = promise.catch(() => undefined).finally(() => running.delete(settled));
  running.add(settled);
  return promise;
}

function checkOpen({ machine }: Life): void {
  if (machine.isStopped) throw stopping();
}

/** Keeps a task that the gateway does itself, and begins it. */
async function startWork(life: Life, order: Parameters<Tasks['background']>[0]): Promise<Task> {
  const { machine } = life;
  if (life.locals >= MAX_LOCAL || roomIn(machine) === 0) throw full();
  life.locals += 1;
  try {
    await join(life);
    const task = newTask(order, 'local', machine.ports);
    await machine.ports.store.insert(task);
    const one = machine.hold(task, 0);
    one.isBusy = true;
    void tracked(
      life,
      work(machine, one, order).finally(() => (life.locals -= 1)),
    );
    return task;
  } catch (error) {
    life.locals -= 1;
    throw error;
  }
}

/** What a task gave; of a long result, only the file's id is in the row. */
async function resultOf(
  { media }: TasksPorts,
  { value: { result } }: Task,
  signal: AbortSignal | undefined,
): Promise<JsonObject | undefined> {
  const kept = result?.['kept'];
  if (typeof kept !== 'string') return result;
  const file = await media.find(kept);
  if (!file) return undefined;
  return JSON.parse((await media.whole(file, signal)).toString('utf8')) as JsonObject;
}

const isOver = ({ phase }: Task): boolean => phase === 'over' || phase === 'telling';

/** Ends a task that is under way, here and at its provider. Returns it as it is now: it may have ended otherwise meanwhile. */
async function cancel(machine: Machine, task: Task): Promise<Task> {
  if (isOver(task)) return task;
  const { ports, held } = machine;
  const here = held.get(task.id);
  if (task.remoteId !== undefined) {
    await ports.drivers[task.kind].cancel?.(task, AbortSignal.timeout(TELL_MS)).catch(() => undefined);
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
}

/** Takes a task away with its media, here and, where it can be, at its provider. */
async function remove(machine: Machine, task: Task): Promise<void> {
  const { ports, held } = machine;
  const here = held.get(task.id);
  const driver = ports.drivers[task.kind];
  if (task.remoteId !== undefined) {
    const signal = AbortSignal.timeout(TELL_MS);
    const pass = (driver.remove ?? (isOver(task) ? undefined : driver.cancel))?.(task, signal);
    await pass?.catch(() => undefined);
  }
  machine.drop(task.id);
  here?.stop.abort();
  await ports.store.delete(task.id);
  for (const { id } of task.value.media) await ports.media.remove(id);
}

/** Breaks off what runs, and leaves what is held to others. */
async function stop(life: Life): Promise<void> {
  const { machine, running } = life;
  machine.isStopped = true;
  clearInterval(life.ticking);
  clearInterval(life.beating);
  for (const one of machine.held.values()) one.stop.abort();
  await Promise.all(running);
  machine.held.clear();
  if (life.alive) await machine.ports.store.leave();
}

/** The tasks of this process. `wake` takes up what others left: call it when the server listens. */
export function createTasks(ports: TasksPorts): Tasks & { wake(): void } {
  const life = newLife(ports);
  const { machine, running } = life;
  const { store } = ports;
  return {
    wake: () => void join(life).catch(trouble(life)),
    async start(order) {
      checkOpen(life);
      await join(life);
      if (roomIn(machine) === 0) throw full();
      return tracked(life, submit(machine, order));
    },
    async background(order) {
      checkOpen(life);
      return startWork(life, order);
    },
    async get(owner, kind, id) {
      const task = await store.get(id);
      return task?.owner === owner && task.kind === kind ? task : undefined;
    },
    byRequestKey: (owner, key) => store.byRequestKey(owner, key),
    async list(page) {
      const found = await store.list({ ...page, limit: page.limit + 1 });
      return { tasks: found.slice(0, page.limit), hasMore: found.length > page.limit };
    },
    result: (task, signal) => resultOf(ports, task, signal),
    cancel: (task) => cancel(machine, task),
    remove: (task) => remove(machine, task),
    stop: () => stop(life),
    async idle() {
      await Promise.all(running);
    },
  };
}
