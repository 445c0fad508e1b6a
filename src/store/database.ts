import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { migrations } from './migrations/index.ts';
import type { Schema } from './schema.ts';
import { sqliteDialect, type SqliteOptions } from './sqlite-dialect.ts';

/** The database, as everything in `store/` uses it. Close it with `destroy()`. */
export type Database = Kysely<Schema>;

type Migrations = Readonly<Record<string, Migration>>;

/** A database that went through migrations that are not known here would otherwise be called corrupted. */
async function explained<S>(cause: unknown, database: Kysely<S>, due: Migrations): Promise<unknown> {
  const done = await sql<{ readonly name: string }>`select name from kysely_migration`.execute(database).catch(() => undefined);
  const unknown = done?.rows.find(({ name }) => !Object.hasOwn(due, name));
  if (!unknown) return cause;
  return new Error(
    `The database was written by a newer version of Pailou (it has '${unknown.name}'). Update this one, or choose another data folder`,
  );
}

/**
 * Opens a file of the data folder, which is made (0700, the file 0600) where it is not there, and brings it up to date. Several
 * processes may do so at once: one migrates, the others wait. Rejects when it cannot be opened, or was written by a newer version.
 */
export async function openFile<S>(folder: string, name: string, due: Migrations, options: SqliteOptions = {}): Promise<Kysely<S>> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const path = join(folder, name);
  // Made by us first: SQLite would make it readable for others. Its -wal and -shm take over the mode.
  await (await open(path, 'a', 0o600)).close();
  const database = new Kysely<S>({ dialect: sqliteDialect(path, options) });
  const migrator = new Migrator({ db: database, provider: { getMigrations: () => Promise.resolve({ ...due }) } });
  try {
    const { error } = await migrator.migrateToLatest();
    if (error !== undefined) throw await explained(error, database, due);
    return database;
  } catch (error) {
    await database.destroy();
    throw error;
  }
}

/** Opens `pailou.db`: all that must not be lost. As `openFile`. */
export const openDatabase = (folder: string, due: Migrations = migrations): Promise<Database> => openFile(folder, 'pailou.db', due);
