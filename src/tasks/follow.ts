import { GatewayError } from '../ir/index.ts';
import { change, errorOf, finish, type Held, INTERRUPTED, INTERRUPTED_WORK, Lost, type Machine, TIMED_OUT, USUAL_PACE } from './machine.ts';
import type { Task, TaskProgress } from './ports.ts';
import { webhookMessage } from './webhook.ts';

/** How many are asked about, and fetched, at once in this process. */
const MAX_POLLS = 32;
const MAX_FETCHES = 8;
/** Questions a second, all together: more tasks are asked about less often. */
const POLLS_A_SECOND = 30;
const MAX_RETRY_MS = 60_000;
/** A provider that knows nothing of a job so many times in a row has lost it. */
const MAX_UNKNOWN = 4;
/** A finished job's media are fetched so many times before it counts as failed. */
const MAX_KEEPS = 8;

/** It is looked at again after a while. */
export const again = (machine: Machine, held: Held, waitMs: number): void => {
  held.nextAt = machine.ports.clock.monotonic() + waitMs;
};

const backOff = ({ pace }: Machine, { failures }: Held): number =>
  Math.min(MAX_RETRY_MS, pace.retryMs * 2 ** Math.min(10, Math.max(0, failures - 1)));

/** Until a job is asked about again. */
export function usualWait({ pace, held, ports }: Machine, { createdAt }: Task): number {
  const all = (held.size / POLLS_A_SECOND) * 1000;
  const usual = pace.pollMs(ports.clock.now() - createdAt);
  return pace === USUAL_PACE ? Math.max(all, usual) : usual;
}

/** Notes how a job stands that is not over. */
async function note(machine: Machine, held: Held, { status, progress = 0, detail }: TaskProgress): Promise<void> {
  const { task } = held;
  // What is done is told when its media are here: until then there is something left to do.
  const next = Math.max(task.progress, Math.min(99, Math.floor(progress)));
  const later = task.status === 'in_progress' ? task.status : status;
  if (next === task.progress && later === task.status) return;
  await change(machine, held, { status: later, progress: next, ...(detail ? { value: { ...task.value, detail } } : {}) });
}

async function keep(machine: Machine, held: Held, done: TaskProgress): Promise<void> {
  const { ports } = machine;
  const { task } = held;
  const media = (await ports.drivers[task.kind].keep?.(task, held.stop.signal)) ?? [];
  const { detail } = done;
  await finish(machine, held, { status: 'completed', media, ...(detail ? { detail } : {}) }).catch(async (error: unknown) => {
    for (const { id } of media) await ports.media.remove(id);
    throw error;
  });
}

async function poll(machine: Machine, held: Held): Promise<void> {
  const { ports } = machine;
  const driver = ports.drivers[held.task.kind];
  if (held.done) return keep(machine, held, held.done);
  const progress = await driver.poll?.(held.task, held.stop.signal);
  if (!progress) return finish(machine, held, { status: 'failed', error: INTERRUPTED_WORK });
  held.failures = 0;
  switch (progress.status) {
    case 'failed':
    case 'cancelled':
      return finish(machine, held, progress);
    case 'completed':
      await note(machine, held, { ...progress, status: 'in_progress' });
      held.done = progress;
      held.nextAt = 0;
      return undefined;
    default:
      await note(machine, held, progress);
      return again(machine, held, usualWait(machine, held.task));
  }
}

/** A submission that was cut by the end of its process. */
async function recover(machine: Machine, held: Held): Promise<void> {
  const { store, drivers } = machine.ports;
  const found = await drivers[held.task.kind].find?.(held.task, held.stop.signal);
  const [remoteId, ...others] = found === undefined || found.length === 0 ? [] : await store.unclaimed(held.task, found);
  const wait = machine.pace.findMs[held.looks];
  if (found !== undefined && remoteId === undefined && wait !== undefined) {
    held.looks += 1;
    return again(machine, held, wait);
  }
  // Two that it may be: nobody is given what may be another's.
  if (remoteId === undefined || others.length > 0) return finish(machine, held, { status: 'failed', error: INTERRUPTED });
  await change(machine, held, { phase: 'submitted', remoteId });
  held.nextAt = 0;
}

/** Calls a webhook; what fails is tried again for a day. */
async function tell(machine: Machine, held: Held): Promise<void> {
  const { ports, pace } = machine;
  const { task } = held;
  const message = webhookMessage(task, ports.drivers[task.kind].describe(task), ports.clock.now());
  const status = message ? await ports.post(message, held.stop.signal).catch(() => 0) : 200;
  const failures = (task.value.webhook?.failures ?? 0) + 1;
  const wait = pace.webhookMs[failures - 1];
  // 410: its receiver wants no more.
  if ((status >= 200 && status < 300) || status === 410 || wait === undefined) {
    await change(machine, held, { phase: 'over' });
    return machine.drop(task.id);
  }
  if (task.value.webhook) await change(machine, held, { value: { ...task.value, webhook: { ...task.value.webhook, failures } } });
  return again(machine, held, wait);
}

function act(machine: Machine, held: Held): Promise<void> {
  const { task } = held;
  if (task.phase === 'telling') return tell(machine, held);
  if (task.phase === 'local') return finish(machine, held, { status: 'failed', error: INTERRUPTED_WORK });
  if (task.deadlineAt <= machine.ports.clock.now() && !held.done) return finish(machine, held, { status: 'failed', error: TIMED_OUT });
  return task.phase === 'intent' ? recover(machine, held) : poll(machine, held);
}

/** There is no room here to fetch what was made and is paid for: others that are fetched end soon, where storage may be away for good. */
const isCrowded = (error: unknown): boolean => error instanceof GatewayError && error.fault.code === 'fetches_full';

/** What a step that failed means: asked again later, or the end of the task. */
async function failed(machine: Machine, held: Held, error: unknown): Promise<void> {
  if (error instanceof Lost || held.stop.signal.aborted) return;
  if (!isCrowded(error)) held.failures += 1;
  if (!(error instanceof GatewayError)) {
    machine.ports.onDefect(error, held.task.id);
    return again(machine, held, backOff(machine, held));
  }
  const { fault } = error;
  const isForgotten = fault.by === 'upstream' && fault.kind === 'not_found' && held.failures >= MAX_UNKNOWN;
  const isLost = held.done !== undefined && held.failures >= MAX_KEEPS;
  if (isForgotten || isLost) await finish(machine, held, { status: 'failed', error: errorOf(fault) });
  else again(machine, held, Math.max(fault.retryAfterMs ?? 0, backOff(machine, held)));
}

async function step(machine: Machine, held: Held): Promise<void> {
  held.isBusy = true;
  try {
    await act(machine, held);
  } catch (error) {
    await failed(machine, held, error).catch((worse: unknown) => {
      if (worse instanceof Lost) return;
      // The database does not answer: later perhaps.
      again(machine, held, backOff(machine, held));
      machine.ports.onDefect(worse, held.task.id);
    });
  } finally {
    held.isBusy = false;
  }
}

/** Begins what is due, as far as there is room. */
export function begin(machine: Machine): void {
  const now = machine.ports.clock.monotonic();
  let polls = 0;
  let fetches = 0;
  for (const held of machine.held.values()) {
    if (!held.isBusy) continue;
    if (held.done) fetches += 1;
    else polls += 1;
  }
  for (const held of machine.held.values()) {
    if (held.isBusy || held.nextAt > now) continue;
    if (held.done ? fetches >= MAX_FETCHES : polls >= MAX_POLLS) continue;
    if (held.done) fetches += 1;
    else polls += 1;
    void step(machine, held);
  }
}
