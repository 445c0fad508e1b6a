import type { Fault, JsonObject } from '../ir/index.ts';

/** How a task stands, in every shape of the API. */
export type TaskStatus = 'queued' | 'in_progress' | 'completed' | 'failed' | 'cancelled';

/** What a task is about; each has a driver, which knows how to ask for it. */
export type TaskKind = 'video' | 'image';

/** Why a task failed: the provider's own words where it said some. */
export interface TaskError {
  readonly code: string;
  readonly message: string;
}

/** A file that a task made: `video`, or another view of it (`thumbnail`). */
export interface TaskMedia {
  readonly variant: string;
  /** In the media store. */
  readonly id: string;
  readonly mediaType: string;
  readonly bytes: number;
}

/** What is told on completion, and where. */
export interface TaskWebhook {
  readonly url: string;
  /** Standard Webhooks' secret, `whsec_` and base64. */
  readonly secret: string;
  /** How often it was called in vain. */
  readonly failures?: number;
}

/** Everything of a task that only those who read it whole need. Sealed in the store. */
export interface TaskValue {
  /** What was asked for, as far as it is shown again: prompt, seconds, size. Small. */
  readonly about: JsonObject;
  /** Of work in this process: its answer, or `{ kept: id }` of the media store where it is long. */
  readonly result?: JsonObject;
  readonly error?: TaskError;
  readonly media: readonly TaskMedia[];
  /** What the provider said last, its ids, times and cost. */
  readonly detail?: JsonObject;
  readonly webhook?: TaskWebhook;
}

/**
 * How far a task is. `intent`: the provider may have been asked; `submitted`: it has a job under `remoteId`; `local`: work of the
 * process that holds it; `telling`: it has ended, and its webhook is to be called; `over`: nothing more is to be done.
 */
export type TaskPhase = 'intent' | 'submitted' | 'local' | 'telling' | 'over';

/** One long-running job of a client. */
export interface Task {
  /** `video_…`, `imgtask_…`: what clients know it by. */
  readonly id: string;
  /** The id of the key that made it: to every other it is not there. */
  readonly owner: string;
  readonly kind: TaskKind;
  readonly status: TaskStatus;
  readonly phase: TaskPhase;
  /** 0–100, never less than before. */
  readonly progress: number;
  readonly provider: string;
  /** The provider's own id of the model. */
  readonly model: string;
  /** The provider's own id of the job. */
  readonly remoteId?: string;
  /** Milliseconds since 1970, all of them. */
  readonly createdAt: number;
  readonly completedAt?: number;
  /** When what it made will be gone. */
  readonly expiresAt?: number;
  /** When it counts as failed, whatever the provider says later. */
  readonly deadlineAt: number;
  /** The client's `Idempotency-Key`. */
  readonly requestKey?: string;
  readonly value: TaskValue;
}

/** What is known of a job at the provider, in our words. */
export interface TaskProgress {
  readonly status: TaskStatus;
  readonly progress?: number;
  readonly error?: TaskError;
  readonly detail?: JsonObject;
  /** Of a job that is done, when the provider's own copy goes. */
  readonly expiresAt?: number;
}

/**
 * Knows how to ask providers about one kind of task. Every member may be called again after a restart, by another process. One
 * that only has work of this process (`background`) needs no more than `describe`.
 */
export interface TaskDriver {
  /** Asks how it stands. Throws `GatewayError`; it is then asked again later. */
  poll?(task: Task, signal: AbortSignal): Promise<TaskProgress>;
  /** Fetches what a completed job made and keeps it. */
  keep?(task: Task, signal: AbortSignal): Promise<readonly TaskMedia[]>;
  /** Looks for the job of a submission that was cut: the ids of those that it may be; `undefined`: the provider cannot be asked that. */
  find?(task: Task, signal: AbortSignal): Promise<readonly string[] | undefined>;
  /** Passes on that nobody wants it any more. Absent or failing: it goes on there, and is forgotten here. */
  cancel?(task: Task, signal: AbortSignal): Promise<void>;
  /** Passes on that it is deleted; one that is not over is given up by it. */
  remove?(task: Task, signal: AbortSignal): Promise<void>;
  /** The task as the API shows it. */
  describe(task: Task): JsonObject;
}

/** What every order says. */
interface TaskOrder {
  /** The client key's id. */
  readonly owner: string;
  readonly kind: TaskKind;
  readonly provider: string;
  readonly model: string;
  readonly about: JsonObject;
  readonly requestKey?: string;
  readonly webhook?: TaskWebhook;
  /** Default: `tasks.deadline`. */
  readonly deadlineMs?: number;
}

/** A job of a provider: it is submitted now, and asked for until it is over, by whichever process is there. */
export interface RemoteOrder extends TaskOrder {
  /**
   * Asks the provider; called exactly once, after the intent is on disk. A `GatewayError` is the client's answer, and the task is then
   * not there, unless the provider may have taken the job nevertheless (`isUncertain`): then it stays, as failed.
   */
  readonly submit: (id: string, signal: AbortSignal) => Promise<TaskProgress & { readonly remoteId: string }>;
}

/** Work of this process that nobody waits for. Killed in the middle it has failed (`interrupted`): it may have cost something. */
export interface LocalOrder extends TaskOrder {
  /** Gives the answer that the synchronous call would have given; a `GatewayError` becomes the task's error. */
  readonly run: (id: string, signal: AbortSignal) => Promise<JsonObject>;
}

/** Which of an owner's tasks. */
export interface TaskPage {
  readonly owner: string;
  readonly kind: TaskKind;
  readonly after?: string;
  readonly limit: number;
  readonly order: 'asc' | 'desc';
  /** Only this provider's. */
  readonly provider?: string;
}

/** The machinery of everything that takes long. What a task is not the owner's is not there. */
export interface Tasks {
  /** Submits a job to a provider: resolves when its id is on disk. */
  start(order: RemoteOrder): Promise<Task>;
  /** Runs work in the background: resolves when the task is on disk, before the work begins. */
  background(order: LocalOrder): Promise<Task>;
  get(owner: string, kind: TaskKind, id: string): Promise<Task | undefined>;
  /** The task of a request that came under this `Idempotency-Key`. */
  byRequestKey(owner: string, requestKey: string): Promise<Task | undefined>;
  list(page: TaskPage): Promise<{ readonly tasks: readonly Task[]; readonly hasMore: boolean }>;
  /** The answer of finished work of this process; `undefined` while there is none. */
  result(task: Task, signal?: AbortSignal): Promise<JsonObject | undefined>;
  cancel(task: Task): Promise<Task>;
  /** Deletes it here and, where it can be, at the provider. */
  remove(task: Task): Promise<void>;
  /** Settles when no submission and no work of this process runs. */
  idle(): Promise<void>;
  /** Asks for nothing any more and gives everything to whoever comes next. */
  stop(): Promise<void>;
}

/** The rows under the tasks. Written at once, not behind: what was promised must be on disk. */
export interface TaskStore {
  insert(task: Task): Promise<void>;
  /** Changes a task that this process holds; `false`: it does not hold it (any more). `undefined` members stay as they are. */
  update(id: string, changes: Partial<Omit<Task, 'id' | 'owner' | 'kind' | 'createdAt'>>): Promise<boolean>;
  /** Changes whatever process holds it, where it is not over yet, and takes it from that one. */
  seize(id: string, changes: Partial<Omit<Task, 'id' | 'owner' | 'kind' | 'createdAt'>>): Promise<boolean>;
  get(id: string): Promise<Task | undefined>;
  byRequestKey(owner: string, requestKey: string): Promise<Task | undefined>;
  list(page: TaskPage): Promise<readonly Task[]>;
  delete(id: string): Promise<void>;
  /**
   * Of jobs at a provider, those that are no task's. None where another submission of the same prompt is not settled either: then
   * nobody can tell whose is whose.
   */
  unclaimed(task: Task, remoteIds: readonly string[]): Promise<readonly string[]>;
  /**
   * Says that this process is alive, where it holds something, and takes over what those that are not have left: tasks that are not
   * over, at most so many.
   */
  claim(limit: number, isHolding: boolean): Promise<readonly Task[]>;
  /** Tasks of this process go to whoever asks first. */
  leave(): Promise<void>;
  /** Takes away what is older; their ids and media. */
  sweep(olderThan: number, limit: number): Promise<readonly { readonly id: string; readonly media: readonly TaskMedia[] }[]>;
}

/** Whether a provider may have taken a request that ended so: then it must not be sent again. */
export function isUncertain(fault: Fault): boolean {
  if (fault.kind === 'internal') return true;
  return UNCERTAIN.has(fault.code ?? '');
}

const UNCERTAIN: ReadonlySet<string> = new Set([
  'upstream_headers_timeout',
  'upstream_first_token_timeout',
  'upstream_idle_timeout',
  'upstream_total_timeout',
  'upstream_cut',
  'upstream_closed',
  'upstream_malformed',
]);
