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

/**
 * One worker thread, started by the first job and kept from then on; it never keeps the process alive. Jobs run one at a
 * time: the one that does not end is known, and ends with its thread; the next one gets a new thread.
 */
export function createTextReader(changes: Partial<TextReaderLimits> = {}, start: () => Worker = startThread): TextReader {
  const limits = { ...LIMITS, ...changes };
  const queue: Waiting[] = [];
  let thread: Worker | undefined;
  let running: Waiting | undefined;
  let deadline: NodeJS.Timeout | undefined;
  let isClosed = false;

  const finish = (outcome: TextAnswer | TextTrouble): void => {
    clearTimeout(deadline);
    const done = running;
    running = undefined;
    done?.settle(outcome);
    next();
  };
  const drop = (from: Worker, trouble: TextTrouble): void => {
    if (thread !== from) return;
    thread = undefined;
    from.removeAllListeners();
    // Errors of a thread that is being ended are of no interest, but must not be unhandled.
    from.on('error', () => undefined);
    void from.terminate();
    if (running) finish(trouble);
  };
  const ready = (): Worker => {
    if (thread) return thread;
    const fresh = start();
    fresh.unref();
    fresh.on('message', (facts: TextAnswer) => finish(facts));
    fresh.on('error', () => drop(fresh, 'failed'));
    fresh.on('exit', () => drop(fresh, 'failed'));
    thread = fresh;
    return fresh;
  };
  const next = (): void => {
    if (running || isClosed) return;
    running = queue.shift();
    if (!running) return;
    clearTimeout(running.patience);
    const worker = ready();
    deadline = setTimeout(() => drop(worker, 'slow'), limits.jobMs);
    worker.postMessage(running.job, []);
  };
  return {
    read: <Channel extends string>(job: TextJob<Channel>) =>
      new Promise<TextAnswer<Channel> | TextTrouble>((resolve) => {
        if (isClosed || queue.length >= limits.waiting) {
          resolve('busy');
          return;
        }
        const leave = (): void => {
          const at = queue.indexOf(waiting);
          if (at >= 0) queue.splice(at, 1);
          resolve('busy');
        };
        const settle = resolve as (outcome: TextAnswer | TextTrouble) => void;
        const waiting: Waiting = { job, settle, patience: setTimeout(leave, limits.waitMs) };
        queue.push(waiting);
        next();
      }),
    async close() {
      isClosed = true;
      for (const waiting of queue.splice(0)) {
        clearTimeout(waiting.patience);
        waiting.settle('busy');
      }
      const last = thread;
      if (last) drop(last, 'busy');
      await last?.terminate();
    },
  };
}
