// A thread of its own: a checkpoint waits for the disk, some milliseconds and at times many, and SQLite's calls hold up the thread they are made in.
import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

/** What was written while a checkpoint ran stays, and with it the log begins no more from its start: the next one finds little, and is soon over. */
const TIMES = 3;

/** What SQLite says of a checkpoint: pages in the log, and how many of them are in the file. https://www.sqlite.org/pragma.html#pragma_wal_checkpoint */
interface Found {
  readonly busy: number;
  readonly log: number;
  readonly checkpointed: number;
}

const database = new DatabaseSync(workerData as string, { timeout: 0 });
// As for those who write: the log is on the disk before the file is written.
database.exec('pragma synchronous = normal');
const checkpoint = database.prepare('pragma wal_checkpoint(passive)');

parentPort?.on('message', (word: 'checkpoint' | 'end') => {
  if (word === 'end') {
    database.close();
    return parentPort?.close();
  }
  for (let time = 0; time < TIMES; time++) {
    const { busy, log, checkpointed } = checkpoint.get() as unknown as Found;
    // Another process does it, or all is done.
    if (busy !== 0 || checkpointed === log) break;
  }
  parentPort?.postMessage('done', []);
});
