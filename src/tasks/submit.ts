import type { MediaStore } from '../exchange/ports.ts';
import { GatewayError, type JsonObject } from '../ir/index.ts';
import { again, usualWait } from './follow.ts';
import {
  change,
  type End,
  errorOf,
  finish,
  type Held,
  INTERRUPTED,
  INTERRUPTED_WORK,
  Lost,
  type Machine,
  type TasksPorts,
  TIMED_OUT,
} from './machine.ts';
import { isUncertain, type LocalOrder, type RemoteOrder, type Task, type TaskKind } from './ports.ts';

/** Answers up to this size stand in the row. */
const INLINE_BYTES = 64 * 1024;
const PREFIX: Readonly<Record<TaskKind, string>> = { video: 'video_', image: 'imgtask_' };

/** Answers that are long are kept as media. */
async function resultOf(task: Task, answer: JsonObject, media: MediaStore): Promise<Pick<End, 'result' | 'media'>> {
  const bytes = Buffer.from(JSON.stringify(answer));
  if (bytes.length <= INLINE_BYTES) return { result: answer };
  const { id, mediaType, bytes: size } = await media.put(bytes, { mediaType: 'application/json', owner: task.owner });
  return { result: { kept: id }, media: [{ variant: 'result', id, mediaType, bytes: size }] };
}

/** What an order makes. */
export function newTask(order: RemoteOrder | LocalOrder, phase: 'intent' | 'local', ports: TasksPorts): Task {
  const { owner, kind, provider, model, about, requestKey, webhook, deadlineMs = ports.settings().deadlineMs } = order;
  const now = ports.clock.now();
  return {
    id: ports.newId(PREFIX[kind]),
    owner,
    kind,
    provider,
    model,
    phase,
    status: 'queued',
    progress: 0,
    createdAt: now,
    deadlineAt: now + deadlineMs,
    value: { about, media: [], ...(webhook ? { webhook } : {}) },
    ...(requestKey === undefined ? {} : { requestKey }),
  };
}

/** A submission that did not go through: forgotten where the provider surely has nothing, else kept as failed. */
async function notSubmitted(machine: Machine, held: Held, error: unknown): Promise<void> {
  const { task } = held;
  if (error instanceof GatewayError && !isUncertain(error.fault)) {
    machine.drop(task.id);
    return machine.ports.store.delete(task.id);
  }
  const reason = error instanceof GatewayError ? errorOf(error.fault) : INTERRUPTED;
  return finish(machine, held, { status: 'failed', error: reason });
}

/** Asks a provider, and keeps the id of its job before anybody is answered. */
export async function submit(machine: Machine, order: RemoteOrder): Promise<Task> {
  const { ports } = machine;
  const task = newTask(order, 'intent', ports);
  const held = machine.hold(task, Infinity);
  try {
    await ports.store.insert(task);
  } catch (error) {
    machine.drop(task.id);
    throw error;
  }
  let accepted: Awaited<ReturnType<RemoteOrder['submit']>>;
  try {
    accepted = await order.submit(task.id, held.stop.signal);
  } catch (error) {
    await notSubmitted(machine, held, error).catch((worse: unknown) => {
      if (!(worse instanceof Lost)) ports.onDefect(worse, task.id);
    });
    throw error;
  }
  const { remoteId, status, progress = 0, detail } = accepted;
  const isOver = status === 'failed' || status === 'cancelled';
  try {
    await change(machine, held, {
      phase: 'submitted',
      remoteId,
      status: isOver ? 'queued' : status === 'completed' ? 'in_progress' : status,
      progress: Math.min(99, progress),
      ...(detail ? { value: { ...task.value, detail } } : {}),
    });
  } catch (error) {
    // Deleted or cancelled while it was being submitted.
    if (!(error instanceof Lost)) throw error;
    await ports.drivers[task.kind].cancel?.({ ...task, remoteId }, held.stop.signal).catch(() => undefined);
    return (await ports.store.get(task.id)) ?? { ...task, status: 'cancelled', phase: 'over' };
  }
  if (isOver) await finish(machine, held, accepted);
  else again(machine, held, status === 'completed' ? 0 : usualWait(machine, held.task));
  return held.task;
}

/** Does work of this process to its end. */
export async function work(machine: Machine, held: Held, order: LocalOrder): Promise<void> {
  const { ports } = machine;
  const { task } = held;
  const deadline = AbortSignal.timeout(Math.max(1, task.deadlineAt - ports.clock.now()));
  const signal = AbortSignal.any([held.stop.signal, deadline]);
  const end = async (): Promise<End> => {
    try {
      await change(machine, held, { status: 'in_progress' });
      const answer = await order.run(task.id, signal);
      return { status: 'completed', ...(await resultOf(task, answer, ports.media)) };
    } catch (error) {
      if (error instanceof Lost) throw error;
      if (deadline.aborted) return { status: 'failed', error: TIMED_OUT };
      if (error instanceof GatewayError) return { status: 'failed', error: errorOf(error.fault) };
      if (held.stop.signal.aborted) return { status: 'failed', error: INTERRUPTED_WORK };
      ports.onDefect(error, task.id);
      return {
        status: 'failed',
        error: { code: 'internal', message: 'The gateway failed on this task. Its log has the details under its id' },
      };
    }
  };
  try {
    await finish(machine, held, await end());
    if (held.task.phase === 'telling') held.isBusy = false;
  } catch (error) {
    if (!(error instanceof Lost)) ports.onDefect(error, task.id);
    machine.drop(task.id);
  }
}
