import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, openDatabase } from './database.ts';
import { migrations } from './migrations/index.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-database-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const DATABASE = JSON.stringify(new URL('database.ts', import.meta.url).href);
const MIGRATIONS = JSON.stringify(new URL('migrations/index.ts', import.meta.url).href);

/** Runs a piece of a program in a process of its own, with the database's module in `openDatabase` and the folder in `folder`. */
function inChild(
  program: string,
): Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null; readonly output: string }> {
  const head = `import { openDatabase } from ${DATABASE}; import { migrations } from ${MIGRATIONS}; const folder = ${JSON.stringify(folder)};`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', head + program], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout.on('data', (piece: Buffer) => (output += piece.toString()));
  child.stderr.on('data', (piece: Buffer) => (output += piece.toString()));
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, output })));
}

/** A later version's migration: several statements, of which the last makes sense only after the first. */
const LATER = `{
  async up(db) {
    await db.schema.createTable('later').addColumn('id', 'integer').execute();
    await db.insertInto('later').values({ id: 1 }).execute();
    await db.schema.alterTable('later').addColumn('more', 'text').execute();
    await db.updateTable('later').set({ more: 'yes' }).execute();
  }
}`;
const later = {
  async up(db: Kysely<unknown>) {
    await sql`create table later (id integer)`.execute(db);
    await sql`insert into later (id) values (1)`.execute(db);
    await sql`alter table later add column more text`.execute(db);
    await sql`update later set more = 'yes'`.execute(db);
  },
};

/** Ends the process, as a power switch does, before the statement of a number. */
const KILL_BEFORE = (statement: number): string => `
  import { DatabaseSync, StatementSync } from 'node:sqlite';
  let left = ${statement};
  for (const [kind, name] of [[DatabaseSync, 'exec'], [StatementSync, 'all'], [StatementSync, 'run']]) {
    const real = kind.prototype[name];
    kind.prototype[name] = function (...args) {
      if (--left < 0) process.kill(process.pid, 'SIGKILL');
      return real.apply(this, args);
    };
  }
  const db = await openDatabase(folder, { ...migrations, '9999-later': ${LATER} });
  await db.destroy();
`;

const names = async (database: Database): Promise<readonly string[]> => {
  const { rows } = await sql<{ name: string }>`select name from kysely_migration order by name`.execute(database);
  return rows.map(({ name }) => name);
};

describe('opening the database', () => {
  it('makes folder and files that only the owner may read', async () => {
    const made = join(folder, 'a', 'b');
    const database = await openDatabase(made);
    await database
      .insertInto('seals')
      .values({ owner: 'o', call_id: 'c', value: Buffer.from('v'), bytes: 1, put_at: 1 })
      .execute();
    const modes = await Promise.all((await readdir(made)).map(async (name) => [name, (await stat(join(made, name))).mode & 0o777]));
    expect(Object.fromEntries(modes)).toEqual({ 'pailou.db': 0o600, 'pailou.db-wal': 0o600, 'pailou.db-shm': 0o600 });
    expect((await stat(made)).mode & 0o777).toBe(0o700);
    await database.destroy();
  });

  it('is whole again after kill -9 at any statement of it', { timeout: 240_000 }, async () => {
    let died = 0;
    for (let statement = 0; ; statement += 1) {
      const { code, signal, output } = await inChild(KILL_BEFORE(statement));
      if (signal === null) {
        expect({ code, output }).toEqual({ code: 0, output: '' });
        break;
      }
      died += 1;
      const database = await openDatabase(folder, { ...migrations, '9999-later': later });
      expect(await names(database)).toEqual([...Object.keys(migrations), '9999-later']);
      expect((await sql`select id, more from later`.execute(database)).rows).toEqual([{ id: 1, more: 'yes' }]);
      expect((await sql`pragma integrity_check`.execute(database)).rows).toEqual([{ integrity_check: 'ok' }]);
      await database.destroy();
      await rm(folder, { recursive: true });
    }
    expect(died).toBeGreaterThan(15);
  });

  it('lets several processes start at once', async () => {
    const program = `
      const db = await openDatabase(folder);
      await db.insertInto('seals').values({ owner: 'o', call_id: String(process.pid), value: Buffer.from('v'), bytes: 1, put_at: 1 }).execute();
      await db.destroy();
    `;
    const ended = await Promise.all([1, 2, 3, 4].map(() => inChild(program)));
    expect(ended.map(({ code, output }) => ({ code, output }))).toEqual(ended.map(() => ({ code: 0, output: '' })));
    const database = await openDatabase(folder);
    expect(await database.selectFrom('seals').selectAll().execute()).toHaveLength(4);
    expect(await names(database)).toEqual(Object.keys(migrations));
    await database.destroy();
  });

  it('says so when a newer version wrote it', async () => {
    await (await openDatabase(folder, { ...migrations, '9999-later': later })).destroy();
    await expect(openDatabase(folder)).rejects.toThrow(/newer version of Pailou \(it has '9999-later'\)/);
  });

  it('leaves nothing of a migration that failed', async () => {
    const broken = { up: async (db: Kysely<unknown>) => void (await later.up(db), await sql`select nonsense`.execute(db)) };
    await expect(openDatabase(folder, { ...migrations, '9999-later': broken })).rejects.toThrow(/nonsense/);
    const database = await openDatabase(folder, { ...migrations, '9999-later': later });
    expect((await sql`select more from later`.execute(database)).rows).toEqual([{ more: 'yes' }]);
    await database.destroy();
  });
});

describe('the connection', () => {
  const row = (call_id: string) => ({ owner: 'o', call_id, value: Buffer.from('v'), bytes: 1, put_at: 1 });

  it('waits for another process that writes, without holding this one up', async () => {
    const database = await openDatabase(folder);
    const other = new DatabaseSync(join(folder, 'pailou.db'));
    other.exec('begin immediate');
    let isDone = false;
    const write = database
      .transaction()
      .execute((trx) => trx.insertInto('seals').values(row('c')).execute())
      .then(() => (isDone = true));
    let longestMs = 0;
    for (let turn = 0; turn < 30; turn += 1) {
      const before = performance.now();
      await sleep(5);
      longestMs = Math.max(longestMs, performance.now() - before);
    }
    expect(isDone).toBe(false);
    expect(longestMs).toBeLessThan(1000);
    other.exec('commit');
    await write;
    other.close();
    await database.destroy();
  });

  it('keeps what others ask out of a transaction that is rolled back', async () => {
    const database = await openDatabase(folder);
    const failed = database.transaction().execute(async (trx) => {
      await trx.insertInto('seals').values(row('inside')).execute();
      await sleep(10);
      throw new Error('undo');
    });
    const beside = database.insertInto('seals').values(row('beside')).execute();
    await expect(failed).rejects.toThrow('undo');
    await beside;
    expect((await database.selectFrom('seals').select('call_id').execute()).map((one) => one.call_id)).toEqual(['beside']);
    await database.destroy();
  });

  it('counts what changed, and streams rows', async () => {
    const database = await openDatabase(folder);
    await database
      .insertInto('seals')
      .values([row('a'), row('b'), row('c')])
      .execute();
    const { numUpdatedRows } = await database.updateTable('seals').set({ put_at: 2 }).where('call_id', '!=', 'b').executeTakeFirstOrThrow();
    expect(numUpdatedRows).toBe(2n);
    const seen: string[] = [];
    for await (const one of database.selectFrom('seals').select('call_id').orderBy('call_id').stream()) seen.push(one.call_id);
    expect(seen).toEqual(['a', 'b', 'c']);
    await database.destroy();
  });
});
