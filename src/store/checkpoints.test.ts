import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, openDatabase } from './database.ts';

const MIB = 2 ** 20;

let folder: string;
let database: Database;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-checkpoints-'));
  database = await openDatabase(folder);
});
afterEach(async () => {
  await database.destroy();
  await rm(folder, { recursive: true, force: true });
});

const bytesOf = async (name: string): Promise<number> => (await stat(join(folder, name))).size;

let calls = 0;
async function write(mib: number): Promise<void> {
  for (let n = 0; n < mib; n++) {
    const value = Buffer.alloc(MIB, 'v');
    await database
      .insertInto('seals')
      .values({ owner: 'o', call_id: `c${++calls}`, value, bytes: MIB, put_at: 1 })
      .execute();
  }
}

it('what was written goes into the file long before this thread would have to put it there', async () => {
  await write(6);
  await expect.poll(() => bytesOf('pailou.db'), { timeout: 10_000 }).toBeGreaterThan(4 * MIB);
});

it('the log begins again from its start, however much is written', async () => {
  for (let round = 0; round < 24; round++) {
    await write(5);
    await expect.poll(() => bytesOf('pailou.db'), { timeout: 10_000 }).toBeGreaterThan((round * 5 + 1) * MIB);
  }
  expect(await bytesOf('pailou.db-wal')).toBeLessThan(60 * MIB);
});

it('a database that is closed while another thread is at its log is whole, and leaves no log', async () => {
  await write(5);
  await database.destroy();
  await expect(bytesOf('pailou.db-wal')).rejects.toThrow('ENOENT');
  database = await openDatabase(folder);
  expect((await sql`pragma integrity_check`.execute(database)).rows).toEqual([{ integrity_check: 'ok' }]);
  expect(await database.selectFrom('seals').select('call_id').execute()).toHaveLength(5);
});
