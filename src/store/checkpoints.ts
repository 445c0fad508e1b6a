import { Worker } from 'node:worker_threads';

/** So much of what was written stays in the log, about, until it goes into the file: as SQLite has it, a thousand pages. */
const EVERY_BYTES = 4 * 2 ** 20;
/** What a statement writes beside its values: whole pages, of the table and of its indexes. */
const STATEMENT_BYTES = 3 * 4096;
/** A thread that had nothing to do for so long ends. */
const IDLE_MS = 60_000;
/** It has one statement, and keeps nothing. */
const LIMITS = { maxYoungGenerationSizeMb: 1, maxOldGenerationSizeMb: 16 };

/** Moves what was written from a database's log into its file, beside the main thread. */
export interface Checkpoints {
  /** A statement has written values of so many bytes. */
  written(bytes: number): void;
  /** Before the database is closed; what is under way ends first. */
  close(): Promise<void>;
}

const isBuilt = import.meta.url.endsWith('.js');

const startThread = (path: string): Worker =>
  new Worker(isBuilt ? new URL('./checkpoint-worker.js', import.meta.url) : new URL('./checkpoint-worker.ts', import.meta.url), {
    workerData: path,
    resourceLimits: LIMITS,
  });

/** The thread of one database. */
interface Thread {
  readonly worker: Worker;
  readonly idle: NodeJS.Timeout;
  isWorking: boolean;
}

function threadOf(path: string, onDone: () => void, onExit: () => void): Thread {
  const worker = startThread(path);
  const thread = { worker, idle: setTimeout(() => worker.postMessage('end', []), IDLE_MS), isWorking: false };
  worker.unref();
  thread.idle.unref();
  worker.on('message', () => {
    thread.isWorking = false;
    onDone();
  });
  // Where it cannot do it SQLite does it itself, later, in the thread that writes.
  worker.on('error', () => undefined);
  worker.on('exit', () => {
    clearTimeout(thread.idle);
    onExit();
  });
  return thread;
}

/** For the SQLite database of a file, which is there and has a log. The thread is started when there is something to do. */
export function createCheckpoints(path: string): Checkpoints {
  let thread: Thread | undefined;
  let bytes = 0;
  const checkpointSoon = (): void => {
    if (bytes < EVERY_BYTES) return;
    thread ??= threadOf(path, checkpointSoon, () => (thread = undefined));
    if (thread.isWorking) return;
    bytes = 0;
    thread.isWorking = true;
    thread.idle.refresh();
    thread.worker.postMessage('checkpoint', []);
  };
  return {
    written(values) {
      bytes += values + STATEMENT_BYTES;
      checkpointSoon();
    },
    async close() {
      if (!thread) return;
      const { worker } = thread;
      const ended = new Promise((resolve) => worker.once('exit', resolve));
      bytes = 0;
      worker.ref();
      worker.postMessage('end', []);
      await ended;
    },
  };
}
