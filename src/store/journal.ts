import { constants } from 'node:fs';
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { CallRecord, Journal } from '../exchange/ports.ts';

/** A file that is only appended to; `FileHandle` is one. */
export interface JournalFile {
  write(bytes: Buffer): Promise<{ readonly bytesWritten: number }>;
  truncate(length: number): Promise<void>;
  datasync(): Promise<void>;
  /** `nlink`: 0 when its name is gone. */
  stat(): Promise<{ readonly nlink: number }>;
  close(): Promise<void>;
}

/** What the journal stands on. */
export interface JournalPorts {
  /** `journal/` of the data folder; made where it is not there. */
  readonly folder: string;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Records could not be written (`dropped` so far since it last worked), or can be again. */
  readonly onTrouble: (error: unknown, dropped: number) => void;
  readonly onRecovered: (dropped: number) => void;
  /** Tests make disks full. */
  readonly openFile?: (path: string) => Promise<JournalFile>;
  readonly fileBytes?: number;
  readonly totalBytes?: number;
}

const FILE_BYTES = 32 * 2 ** 20;
const TOTAL_BYTES = 512 * 2 ** 20;
const MAX_FILES = 1000;
/** Records that wait; more are dropped and counted. */
const QUEUE = { records: 20_000, bytes: 16 * 2 ** 20 };
const BATCH_BYTES = 256 * 1024;
const WRITE_AFTER_MS = 25;
const SYNC_AFTER_MS = 1000;
const RETRY_AFTER_MS = 2000;

const openForAppend = (path: string): Promise<JournalFile> =>
  // A new file is never an old one: two processes cannot write into each other's lines.
  open(path, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_EXCL, 0o600);

/** Removes the oldest files beyond the bounds. Names sort by time. */
async function removeOldest(folder: string, totalBytes: number): Promise<void> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ndjson')).sort();
  let bytes = 0;
  for (const [age, name] of names.toReversed().entries()) {
    const path = join(folder, name);
    bytes += await stat(path).then(
      ({ size }) => size,
      () => 0,
    );
    if (age > 0 && (bytes > totalBytes || age >= MAX_FILES)) await rm(path, { force: true });
  }
}

/** The file that is written to, exchanged for a new one when it is full. */
function createFiles({ folder, now, openFile = openForAppend, fileBytes = FILE_BYTES, totalBytes = TOTAL_BYTES }: JournalPorts) {
  let file: JournalFile | undefined;
  let length = 0;
  let number = 0;
  /** Whether its name has been seen to be there since the last sync. */
  let isNamed = false;

  async function close(): Promise<void> {
    const closing = file;
    file = undefined;
    await closing?.close();
  }
  async function begin(): Promise<JournalFile> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await removeOldest(folder, totalBytes - fileBytes);
    number += 1;
    const time = new Date(now()).toISOString().replaceAll(/[-:.]/g, '');
    // Padded: names must sort by age.
    const opened = await openFile(join(folder, `${time}-${process.pid}-${String(number).padStart(6, '0')}.ndjson`));
    file = opened;
    length = 0;
    return opened;
  }
  async function writeAll(to: JournalFile, bytes: Buffer): Promise<void> {
    for (let done = 0; done < bytes.length;) done += (await to.write(bytes.subarray(done))).bytesWritten;
  }
  return {
    /** Appends whole lines; where that fails, none of them is left behind as a part. */
    async append(bytes: Buffer): Promise<void> {
      if (file && length >= fileBytes) {
        await file.datasync();
        await close();
      }
      // Another process may have taken it away as the oldest: nobody would find what is written to it. That befalls files that are
      // seldom written to: a look a second is enough for the others.
      if (file && !isNamed && (await file.stat()).nlink === 0) await close();
      isNamed = true;
      const to = file ?? (await begin());
      try {
        await writeAll(to, bytes);
        length += bytes.length;
      } catch (error) {
        // If not even that goes, the next lines go to a new file, and this one ends with a torn line.
        await to.truncate(length).catch(close);
        throw error;
      }
    },
    async sync(): Promise<void> {
      isNamed = false;
      await file?.datasync();
    },
    async close(): Promise<void> {
      await file?.datasync();
      await close();
    },
  };
}

/** Lines that wait to be written, bounded. */
function createQueue() {
  let lines: string[] = [];
  let bytes = 0;
  return {
    /** False when there is no room. */
    add(line: string): boolean {
      if (lines.length >= QUEUE.records || bytes + line.length > QUEUE.bytes) return false;
      lines.push(line);
      bytes += line.length;
      return true;
    },
    get isEmpty() {
      return lines.length === 0;
    },
    /** The next lines; they stay until they are removed. */
    batch(): readonly string[] {
      let size = 0;
      const end = lines.findIndex((line) => (size += line.length) > BATCH_BYTES);
      return end < 0 ? lines.slice() : lines.slice(0, Math.max(1, end));
    },
    remove(batch: readonly string[]): void {
      lines = lines.slice(batch.length);
      for (const line of batch) bytes -= line.length;
    },
  };
}

/**
 * The append-only journal: one JSON object a line, in files of 32 MiB, 512 MiB altogether, then the oldest go. Each process
 * writes files of its own. A record is written within 25 ms, after which it outlives the process, and synced to the disk
 * within a second, after which it outlives the machine; `flush` does both at once. A process that is killed may leave a torn
 * last line, which readers skip.
 */
export function createJournal(ports: JournalPorts): Journal {
  const files = createFiles(ports);
  const queue = createQueue();
  let timer: NodeJS.Timeout | undefined;
  let syncTimer: NodeJS.Timeout | undefined;
  let work = Promise.resolve();
  let isFailing = false;
  let dropped = 0;
  let closed = false;

  async function writeQueued(): Promise<void> {
    while (!queue.isEmpty) {
      const batch = queue.batch();
      await files.append(Buffer.from(batch.join('')));
      queue.remove(batch);
      if (isFailing) ports.onRecovered(dropped);
      isFailing = false;
      dropped = 0;
    }
  }
  function fail(error: unknown): void {
    // Once an outage, not once a record.
    if (!isFailing) ports.onTrouble(error, dropped);
    isFailing = true;
    if (!closed) writeSoon(RETRY_AFTER_MS);
  }
  const run = (job: () => Promise<void>): Promise<void> => (work = work.then(job).catch(fail));

  function syncSoon(): void {
    syncTimer ??= setTimeout(() => {
      syncTimer = undefined;
      void run(files.sync);
    }, SYNC_AFTER_MS).unref();
  }
  function writeSoon(ms: number): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      void run(writeQueued);
      syncSoon();
    }, ms).unref();
  }
  return {
    append(record: CallRecord, json = JSON.stringify(record)) {
      if (closed) return;
      if (queue.add(`${json}\n`)) writeSoon(WRITE_AFTER_MS);
      else dropped += 1;
    },
    flush: () =>
      run(async () => {
        await writeQueued();
        await files.sync();
      }),
    async close() {
      closed = true;
      clearTimeout(timer);
      clearTimeout(syncTimer);
      await run(writeQueued);
      if (isFailing) ports.onTrouble(new Error('The journal was closed before everything was written'), dropped);
      await run(files.close);
    },
  };
}
