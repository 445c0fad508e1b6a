import type { Clock, MediaStore } from '../exchange/ports.ts';
import type { Fault, JsonObject } from '../ir/index.ts';
import type { Task, TaskDriver, TaskError, TaskKind, TaskMedia, TaskProgress, TaskStore } from './ports.ts';
import { type PostWebhook, WEBHOOK_DELAYS_MS } from './webhook.ts';

/** How often things are done; tests are quicker. */
export interface Pace {
  /** Until a job is asked about again. */
  readonly pollMs: (elapsedMs: number) => number;
  /** Between signs of life, at which what dead processes left is taken over. */
  readonly heartbeatMs: number;
  readonly tickMs: number;
  readonly webhookMs: readonly number[];
  /** After trouble, doubled each time. */
  readonly retryMs: number;
  /** Between looks for the job of a submission that was cut: what was under way may come to be there yet. */
  readonly findMs: readonly number[];
}

const clamp = (value: number, low: number, high: number): number => Math.min(high, Math.max(low, value));

/** A tenth of how long it takes already: what is done is known soon enough, and nobody is asked more than needed. */
export const USUAL_PACE: Pace = {
  pollMs: (elapsedMs) => clamp(elapsedMs / 10, 2000, 30_000) * (1 + Math.random() / 10),
  heartbeatMs: 5000,
  tickMs: 250,
  webhookMs: WEBHOOK_DELAYS_MS,
  findMs: [2000, 5000],
  retryMs: 2000,
};

/** What the machinery stands on. */
export interface TasksPorts {
  readonly store: TaskStore;
  readonly media: MediaStore & { sweep(): Promise<void> };
  readonly drivers: Readonly<Record<TaskKind, TaskDriver>>;
  readonly clock: Clock;
  readonly newId: (prefix: string) => string;
  /** In force now. */
  readonly settings: () => { readonly deadlineMs: number; readonly keepMs: number };
  readonly post: PostWebhook;
  readonly onDefect: (error: unknown, taskId: string) => void;
  readonly pace?: Pace;
  /** Tasks that one process holds at once: what comes on top is refused, or left to others. Absent: 10,000. */
  readonly most?: number;
  /** Whether old tasks and media are this process's to take away. Absent: always. */
  readonly isLeader?: () => boolean;
}

/** A task that this process holds. */
export interface Held {
  task: Task;
  /** Monotonic milliseconds. */
  nextAt: number;
  /** In a row. */
  failures: number;
  /** How often the job of a cut submission was looked for. */
  looks: number;
  /** It is done at the provider: what it made is to be fetched. */
  done?: TaskProgress;
  isBusy: boolean;
  readonly stop: AbortController;
}

/** A submission that was cut. */
export const INTERRUPTED: TaskError = {
  code: 'interrupted',
  message: 'The gateway was stopped while this task was being submitted. It may have been accepted; it was not submitted again',
};
/** Work of a process that has gone. */
export const INTERRUPTED_WORK: TaskError = { code: 'interrupted', message: 'The gateway was stopped while it worked on this task' };
/** Its deadline has passed. */
export const TIMED_OUT: TaskError = { code: 'timed_out', message: 'The provider did not finish this task in the time allowed for it' };

/** A fault as a task's error. */
export const errorOf = ({ code, kind, message }: Fault): TaskError => ({ code: code ?? kind, message });

/** Another process has taken it, or it was cancelled. */
export class Lost extends Error {}

/** Everything that the parts below share. */
export interface Machine {
  readonly ports: TasksPorts;
  readonly pace: Pace;
  readonly held: Map<string, Held>;
  hold(task: Task, delayMs: number): Held;
  drop(id: string): void;
  isStopped: boolean;
}

/** Writes changes of a task that is held here. Throws `Lost` where it is not any more. */
export async function change({ ports, drop }: Machine, held: Held, changes: Parameters<TaskStore['update']>[1]): Promise<void> {
  const isOurs = await ports.store.update(held.task.id, changes);
  if (!isOurs) {
    drop(held.task.id);
    throw new Lost();
  }
  held.task = { ...held.task, ...changes };
}

/** How a task ends. */
export type End = Pick<TaskProgress, 'status' | 'error' | 'detail'> & {
  readonly media?: readonly TaskMedia[];
  readonly result?: JsonObject;
};

/** What is written of a task that ends. */
export function ended(task: Task, end: End, ports: TasksPorts): Parameters<TaskStore['update']>[1] {
  const now = ports.clock.now();
  const { status, error, detail, media = [], result } = end;
  const hasWebhook = task.value.webhook !== undefined;
  return {
    status,
    phase: hasWebhook ? 'telling' : 'over',
    progress: status === 'completed' ? 100 : task.progress,
    completedAt: now,
    expiresAt: now + ports.settings().keepMs,
    value: { ...task.value, media, ...(error ? { error } : {}), ...(detail ? { detail } : {}), ...(result ? { result } : {}) },
  };
}

/** Ends a task that is held here. */
export async function finish(machine: Machine, held: Held, end: End): Promise<void> {
  await change(machine, held, ended(held.task, end, machine.ports));
  if (held.task.phase === 'over') machine.drop(held.task.id);
  else Object.assign(held, { nextAt: 0, failures: 0 });
}
