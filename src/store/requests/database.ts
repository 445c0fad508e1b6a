import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Generated, type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import { openFile } from '../database.ts';
import { READ_COLUMNS, type RequestRow } from './row.ts';

/** The tables of `requests.db`. */
interface RequestsSchema {
  readonly calls: Omit<RequestRow, 'n'> & { readonly n: Generated<number> };
}

/** The table of requests: a file of its own, which can be made again from the journal. Close it with `destroy()`. */
export type RequestsDatabase = Kysely<RequestsSchema>;

/** The file's name in the data folder. */
export const REQUESTS_FILE = 'requests.db';

/** The view that has the columns which are read out of the records. */
const createView = async (db: Kysely<unknown>): Promise<void> => {
  const columns = READ_COLUMNS.map(
    ([name, kind, member]) => sql`cast(record ->> ${sql.lit(`$.${member}`)} as ${sql.raw(kind)}) as ${sql.id(name)}`,
  );
  await sql`create view requests as select n, id, record, ${sql.join(columns)} from calls`.execute(db);
};

/**
 * Rows in the order in which calls ended, each with its record as it stands in the journal: a row of two values is written in half of
 * the time that one of a value a member takes, and each index would cost as much again.
 */
const requests: Migration = {
  async up(db: Kysely<unknown>) {
    await db.schema
      .createTable('calls')
      .addColumn('n', 'integer', (column) => column.primaryKey())
      .addColumn('id', 'text', (column) => column.notNull().unique())
      .addColumn('record', 'text', (column) => column.notNull())
      .execute();
    await createView(db);
  },
};

/**
 * Of files from before there was a view: their table has generated columns, which SQLite works out with each row that is written, though
 * it does not keep them. That took three quarters of the time.
 */
const withoutColumns: Migration = {
  async up(db: Kysely<unknown>) {
    const { rows } = await sql`select 1 from sqlite_master where type = 'table' and name = 'requests'`.execute(db);
    if (rows.length === 0) return;
    for (const [name] of READ_COLUMNS) await db.schema.alterTable('requests').dropColumn(name).execute();
    await db.schema.alterTable('requests').renameTo('calls').execute();
    await createView(db);
  },
};

const MIGRATIONS: Readonly<Record<string, Migration>> = {
  '0001-requests': requests,
  '0002-without-columns': withoutColumns,
};

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
