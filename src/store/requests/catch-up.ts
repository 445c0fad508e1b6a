import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { parseObject } from '../../ir/index.ts';
import type { CallRecord } from '../../exchange/ports.ts';
import type { Requests } from './requests.ts';

/** What catching up stands on. */
export interface CatchUpPorts {
  /** `journal/` of the data folder. */
  readonly folder: string;
  readonly requests: Pick<Requests, 'addAll' | 'missing'>;
  /** Older ones would be swept at once. Milliseconds since 1970. */
  readonly since: number;
  /** Rows brought over at most. */
  readonly maxRows: number;
  /** Rows may be missing anywhere, not only at the end. */
  readonly isThorough?: boolean;
}

const BLOCK_BYTES = 256 * 1024;
/** Bytes of the journal that are read at most. */
const MAX_BYTES = 128 * 2 ** 20;

/** Whole lines of a file from its end on, a block at a time, the newest block first; within a block in order. */
async function* blocksFromEnd(path: string): AsyncGenerator<readonly string[]> {
  const file = await open(path, 'r');
  try {
    let { size: end } = await file.stat();
    /** The beginning of a line whose head stands in the block before. */
    let tail: Buffer = Buffer.alloc(0);
    while (end > 0) {
      const from = Math.max(0, end - BLOCK_BYTES);
      const block = Buffer.alloc(end - from);
      const { bytesRead } = await file.read(block, 0, block.length, from);
      const whole = Buffer.concat([block.subarray(0, bytesRead), tail]);
      const cut = from === 0 ? 0 : whole.indexOf(0x0a) + 1;
      // A line longer than a block goes on in the one before.
      tail = from === 0 || cut > 0 ? whole.subarray(0, cut) : whole;
      const lines = cut === 0 && from > 0 ? [] : whole.subarray(cut).toString('utf8').split('\n');
      if (lines.length > 0) yield lines;
      end = from;
    }
  } finally {
    await file.close();
  }
}

/** A record in a line; torn lines hold none. */
function recordIn(line: string): CallRecord | undefined {
  const read = line === '' ? undefined : parseObject(line);
  return typeof read?.['id'] === 'string' && typeof read['at'] === 'number' ? (read as unknown as CallRecord) : undefined;
}

/** The journal's files that were written to since a time, the newest first. */
async function filesOf(folder: string, since: number): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const found: { readonly path: string; readonly at: number }[] = [];
  for (const name of names) {
    if (!name.endsWith('.ndjson')) continue;
    const path = join(folder, name);
    const about = await stat(path).catch(() => undefined);
    if (about && about.mtimeMs >= since) found.push({ path, at: about.mtimeMs });
  }
  return found.toSorted((a, b) => b.at - a.at).map(({ path }) => path);
}

/**
 * Brings calls over into the table that the journal has and the table has not, as after a kill. Each file is read from its end until
 * all of a block is there already: a process writes both in the same order. Gives how many rows that were.
 */
export async function catchUp({ folder, requests, since, maxRows, isThorough = false }: CatchUpPorts): Promise<number> {
  let bytes = 0;
  let brought = 0;
  for (const path of await filesOf(folder, since)) {
    for await (const lines of blocksFromEnd(path)) {
      bytes += BLOCK_BYTES;
      const records = lines.flatMap((line) => recordIn(line) ?? []);
      const recent = records.filter(({ at }) => at >= since);
      const missing = await requests.missing(recent.map(({ id }) => id));
      const due = recent.filter(({ id }) => missing.has(id));
      await requests.addAll(due);
      brought += due.length;
      const isDone = isThorough ? recent.length === 0 : due.length === 0;
      if ((records.length > 0 && isDone) || brought >= maxRows) break;
      await nextTurn();
    }
    if (bytes >= MAX_BYTES || brought >= maxRows) break;
  }
  return brought;
}
