import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Kysely, Generated } from 'kysely';
import type { Migration } from 'kysely/migration';
import { openFile } from '../database.ts';
import type { RequestRow } from './row.ts';

/** The tables of `requests.db`. */
interface RequestsSchema {
  readonly requests: Omit<RequestRow, 'n'> & { readonly n: Generated<number> };
}

/** The table of requests: a file of its own, which can be made again from the journal. Close it with `destroy()`. */
export type RequestsDatabase = Kysely<RequestsSchema>;

/** The file's name in the data folder. */
export const REQUESTS_FILE = 'requests.db';

/**
 * Rows in the order in which calls ended. Every index ends with that order by itself, so that a page of any filter begins where the
 * one before it ended.
 */
const requests: Migration = {
  async up(db: Kysely<unknown>) {
    const text = ['key', 'protocol', 'operation', 'asked', 'ended_by', 'config'] as const;
    const textOrNone = ['provider', 'model', 'upstream', 'lane', 'stop', 'fault', 'failed', 'notes', 'cache', 'route', 'more'] as const;
    const counts = ['at', 'stream', 'status', 'attempts', 'revision'] as const;
    const countsOrNone = ['input', 'output', 'cache_read', 'cache_write', 'reasoning'] as const;
    let table = db.schema
      .createTable('requests')
      .addColumn('n', 'integer', (column) => column.primaryKey())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('duration_ms', 'real', (column) => column.notNull())
      .addColumn('first_token_ms', 'real');
    for (const name of text) table = table.addColumn(name, 'text', (column) => column.notNull());
    for (const name of textOrNone) table = table.addColumn(name, 'text');
    for (const name of counts) table = table.addColumn(name, 'integer', (column) => column.notNull());
    for (const name of countsOrNone) table = table.addColumn(name, 'integer');
    await table.execute();
    for (const name of ['key', 'asked', 'model'] as const) {
      await db.schema.createIndex(`requests_${name}`).on('requests').column(name).execute();
    }
    await db.schema.createIndex('requests_fault').on('requests').column('fault').where('fault', 'is not', null).execute();
  },
};

const MIGRATIONS: Readonly<Record<string, Migration>> = { '0001-requests': requests };

/** SQLite's words for a file that is damaged, or is none of its own. https://www.sqlite.org/rescode.html */
const DAMAGED: ReadonlySet<number> = new Set([11, 26]);

/** Whether an error says that the file is damaged. */
export function isDamaged(error: unknown): boolean {
  const { errcode, cause } = error as { readonly errcode?: unknown; readonly cause?: unknown };
  if (typeof errcode === 'number') return DAMAGED.has(errcode & 0xff);
  return cause instanceof Error && isDamaged(cause);
}

/** Beside a file that is known to be damaged. */
const MARK = `${REQUESTS_FILE}.broken`;

/** Says of a file that is in use that it is damaged: whoever opens it next puts it aside. */
export const markDamaged = (folder: string): Promise<void> => writeFile(join(folder, MARK), '', { mode: 0o600 });

/** Takes the mark away; false where there was none, or another process has taken it. */
const takeMark = (folder: string): Promise<boolean> =>
  rm(join(folder, MARK)).then(
    () => true,
    () => false,
  );

async function putAside(folder: string): Promise<void> {
  const path = join(folder, REQUESTS_FILE);
  await rename(path, `${path}.damaged`);
  for (const part of ['-wal', '-shm']) await rm(path + part, { force: true });
}

const open = (folder: string): Promise<RequestsDatabase> => openFile(folder, REQUESTS_FILE, MIGRATIONS, { isFleeting: true });

/**
 * Opens `requests.db` in the data folder. A damaged file (a power cut may do that) is put aside as `requests.db.damaged`, and a new one
 * begun: `onDamage` is told.
 */
export async function openRequests(folder: string, onDamage: (error: unknown) => void): Promise<RequestsDatabase> {
  if (await takeMark(folder)) {
    onDamage(new Error('It was found damaged when it was written'));
    await putAside(folder);
  }
  try {
    return await open(folder);
  } catch (error) {
    if (!isDamaged(error)) throw error;
    onDamage(error);
    await putAside(folder);
    return open(folder);
  }
}
