import { Worker } from 'node:worker_threads';
import type { TextAnswer, TextJob } from './text-job.ts';

/** Why texts could not be read in time. */
export type TextTrouble = 'busy' | 'slow' | 'failed';

/** Reads texts beside the main loop. */
export interface TextReader {
  /** Facts of the texts, or why there are none. */
  read<Channel extends string>(job: TextJob<Channel>): Promise<TextAnswer<Channel> | TextTrouble>;
  close(): Promise<void>;
}

/** How many jobs may wait, and how long they may take. */
export interface TextReaderLimits {
  /** Jobs that wait while one runs. */
  readonly waiting: number;
  /** Longest time for one job, in milliseconds; the first one also loads the tables. */
  readonly jobMs: number;
  /** Longest wait for a turn. */
  readonly waitMs: number;
}

interface Waiting {
  readonly job: TextJob;
  readonly settle: (outcome: TextAnswer | TextTrouble) => void;
  readonly patience: NodeJS.Timeout;
}

const LIMITS: TextReaderLimits = { waiting: 64, jobMs: 10_000, waitMs: 20_000 };

const isBuilt = import.meta.url.endsWith('.js');

const startThread = (): Worker =>
  new Worker(isBuilt ? new URL('./text-worker.js', import.meta.url) : new URL('./text-worker.ts', import.meta.url));

/** What the pieces below share. */
interface Reading {
  readonly limits: TextReaderLimits;
  readonly start: () => Worker;
  readonly queue: Waiting[];
  thread: Worker | undefined;
  running: Waiting | undefined;
  deadline: NodeJS.Timeout | undefined;
  isClosed: boolean;
}

/** Queues a job; `settle` is told what came of it, also where there is no room or its wait becomes too long. */
function enqueue(reading: Reading, job: TextJob, settle: Waiting['settle']): void {
  const { queue, limits } = reading;
  if (reading.isClosed || queue.length >= limits.waiting) return settle('busy');
  const leave = (): void => {
    const at = queue.indexOf(waiting);
    if (at >= 0) queue.splice(at, 1);
    settle('busy');
  };
  const waiting: Waiting = { job, settle, patience: setTimeout(leave, limits.waitMs) };
  queue.push(waiting);
  runNext(reading);
}

function runNext(reading: Reading): void {
  if (reading.running || reading.isClosed) return;
  const next = reading.queue.shift();
  reading.running = next;
  if (!next) return;
  clearTimeout(next.patience);
  const worker = threadOf(reading);
  reading.deadline = setTimeout(() => drop(reading, worker, 'slow'), reading.limits.jobMs);
  worker.postMessage(next.job, []);
}

/** The thread that is there, or a new one. */
function threadOf(reading: Reading): Worker {
  if (reading.thread) return reading.thread;
  const fresh = reading.start();
  fresh.unref();
  fresh.on('message', (facts: TextAnswer) => finish(reading, facts));
  fresh.on('error', () => drop(reading, fresh, 'failed'));
  fresh.on('exit', () => drop(reading, fresh, 'failed'));
  reading.thread = fresh;
  return fresh;
}

/** What the running job came to; the next one runs. */
function finish(reading: Reading, outcome: TextAnswer | TextTrouble): void {
  clearTimeout(reading.deadline);
  const done = reading.running;
  reading.running = undefined;
  done?.settle(outcome);
  runNext(reading);
}

/** Ends a thread, and the job that it runs with it. */
function drop(reading: Reading, from: Worker, trouble: TextTrouble): void {
  if (reading.thread !== from) return;
  reading.thread = undefined;
  from.removeAllListeners();
  // Errors of a thread that is being ended are of no interest, but must not be unhandled.
  from.on('error', () => undefined);
  void from.terminate();
  if (reading.running) finish(reading, trouble);
}

async function close(reading: Reading): Promise<void> {
  reading.isClosed = true;
  for (const waiting of reading.queue.splice(0)) {
    clearTimeout(waiting.patience);
    waiting.settle('busy');
  }
  const last = reading.thread;
  if (last) drop(reading, last, 'busy');
  await last?.terminate();
}

/**
 * One worker thread, started by the first job and kept from then on; it never keeps the process alive. Jobs run one at a
 * time: the one that does not end is known, and ends with its thread; the next one gets a new thread.
 */
export function createTextReader(changes: Partial<TextReaderLimits> = {}, start: () => Worker = startThread): TextReader {
  const reading: Reading = {
    limits: { ...LIMITS, ...changes },
    start,
    queue: [],
    thread: undefined,
    running: undefined,
    deadline: undefined,
    isClosed: false,
  };
  return {
    read: <Channel extends string>(job: TextJob<Channel>) =>
      new Promise<TextAnswer<Channel> | TextTrouble>((resolve) =>
        enqueue(reading, job, resolve as (outcome: TextAnswer | TextTrouble) => void),
      ),
    close: () => close(reading),
  };
}
