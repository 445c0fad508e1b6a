import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';
import { createCheckpoints } from './checkpoints.ts';

/** SQLite waits for a lock in this thread, where nothing else runs meanwhile: it waits little, and we try again. */
const BUSY_TIMEOUT_MS = 20;
/** How long a statement waits for another process altogether. */
const PATIENCE_MS = 10_000;
const MAX_STATEMENTS = 200;
/** 64 MiB. */
const MOST_LOG_PAGES = 16_384;
const SQLITE_BUSY = 5;

/** How a file is kept. */
export interface SqliteOptions {
  /**
   * What is in it can be made again from elsewhere: it is not waited for until it is on the disk, which a power cut may damage, nor
   * for other processes' locks in this thread.
   */
  readonly isFleeting?: boolean;
}

const pragmasOf = ({ isFleeting = false }: SqliteOptions): readonly string[] => [
  // Of a new file: fewer and larger writes.
  ...(isFleeting ? ['pragma page_size = 16384'] : []),
  // Readers and one writer do not wait for each other. A commit outlives the process at once, a power cut after the next checkpoint.
  'pragma journal_mode = wal',
  `pragma synchronous = ${isFleeting ? 'off' : 'normal'}`,
  // Little at a time where nobody waits for the disk; else another thread does it, and this one where that is not enough.
  `pragma wal_autocheckpoint = ${isFleeting ? 64 : MOST_LOG_PAGES}`,
  'pragma foreign_keys = on',
  'pragma journal_size_limit = 16777216',
];

const isBusy = (error: unknown): boolean => {
  const { errcode } = error as { readonly errcode?: unknown };
  return typeof errcode === 'number' && (errcode & 0xff) === SQLITE_BUSY;
};

/** Runs what another process' lock may refuse, until it goes through. Nothing was done where it was refused. */
async function patiently<T>(run: () => T): Promise<T> {
  const until = performance.now() + PATIENCE_MS;
  for (let waitMs = 2; ; waitMs = Math.min(waitMs * 2, 50)) {
    try {
      return run();
    } catch (error) {
      if (!isBusy(error) || performance.now() > until) throw error;
    }
    await sleep(waitMs);
  }
}

/** Statements that were prepared, the ones used last kept. */
function createStatements(database: DatabaseSync): (sql: string) => StatementSync {
  const kept = new Map<string, StatementSync>();
  return (sql) => {
    const found = kept.get(sql);
    if (found) kept.delete(sql);
    else if (kept.size >= MAX_STATEMENTS) kept.delete(kept.keys().next().value ?? '');
    const statement = found ?? database.prepare(sql);
    kept.set(sql, statement);
    return statement;
  };
}

async function* rowsOf<R>(database: DatabaseSync, { sql, parameters }: CompiledQuery): AsyncIterableIterator<QueryResult<R>> {
  // Not a kept statement: another query may run it again while this one is read.
  for (const row of database.prepare(sql).iterate(...(parameters as SQLInputValue[]))) yield { rows: [row as R] };
}

const bytesOf = (value: SQLInputValue): number =>
  typeof value === 'string' ? value.length : ArrayBuffer.isView(value) ? value.byteLength : 0;

/** `onWritten`: something was, with values of so many bytes. */
function createConnection(database: DatabaseSync, onWritten: (bytes: number) => void): DatabaseConnection {
  const prepared = createStatements(database);
  function execute<R>({ sql, parameters }: CompiledQuery): QueryResult<R> {
    const statement = prepared(sql);
    const values = parameters as SQLInputValue[];
    if (statement.columns().length > 0) return { rows: statement.all(...values) as R[] };
    const { changes, lastInsertRowid } = statement.run(...values);
    if (changes > 0) onWritten(values.reduce<number>((sum, value) => sum + bytesOf(value), 0));
    return { rows: [], insertId: BigInt(lastInsertRowid), numAffectedRows: BigInt(changes) };
  }
  return {
    executeQuery: <R>(query: CompiledQuery) => patiently(() => execute<R>(query)),
    streamQuery: <R>(query: CompiledQuery) => rowsOf<R>(database, query),
  };
}

function createDriver(path: string, options: SqliteOptions): Driver {
  let database: DatabaseSync | undefined;
  let only: DatabaseConnection | undefined;
  const checkpoints = options.isFleeting === true ? undefined : createCheckpoints(path);
  const run = async (connection: DatabaseConnection, sql: string): Promise<void> => {
    await connection.executeQuery(CompiledQuery.raw(sql));
  };
  const connected = (): DatabaseConnection => {
    if (!only) throw new Error('The database is not open');
    return only;
  };
  return {
    async init() {
      const opened = new DatabaseSync(path, { timeout: options.isFleeting === true ? 0 : BUSY_TIMEOUT_MS });
      try {
        for (const pragma of pragmasOf(options)) await patiently(() => opened.exec(pragma));
      } catch (error) {
        opened.close();
        throw error;
      }
      database = opened;
      only = createConnection(opened, (bytes) => checkpoints?.written(bytes));
    },
    acquireConnection: () => Promise.resolve(connected()),
    releaseConnection: () => Promise.resolve(),
    // The write lock is taken at once: a transaction that reads first and then writes could otherwise be refused in its middle.
    beginTransaction: (connection) => run(connection, 'begin immediate'),
    commitTransaction: (connection) => run(connection, 'commit'),
    rollbackTransaction: (connection) => run(connection, 'rollback'),
    async destroy() {
      await checkpoints?.close();
      database?.close();
    },
  };
}

/** SQLite's DDL is part of transactions, which Kysely's own adapter does not use: a migration happens whole or not at all. */
class TransactionalSqliteAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Kysely's dialect over Node's own SQLite. One connection; what Kysely runs on it, it runs one after another. */
export const sqliteDialect = (path: string, options: SqliteOptions = {}): Dialect => ({
  createAdapter: () => new TransactionalSqliteAdapter(),
  createDriver: () => createDriver(path, options),
  createIntrospector: (db) => new SqliteIntrospector(db),
  createQueryCompiler: () => new SqliteQueryCompiler(),
});
