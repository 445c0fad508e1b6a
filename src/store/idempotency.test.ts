import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { IdempotencyStore } from '../http/gateway/idempotency.ts';
import { type Database, openDatabase } from './database.ts';
import { createIdempotencyStore } from './idempotency.ts';
import { createMasterKey } from './master-key.ts';
import { createNode, type Node } from './node.ts';

const ANSWER = { status: 200, headers: { 'content-type': 'application/json' }, body: Buffer.from('{"id":"a secret prompt"}') };
const HOUR = 3_600_000;

let folder: string;
let database: Database;
let time: number;

function open(secret = 's'): { readonly store: IdempotencyStore; readonly node: Node } {
  const node = createNode(() => time, 1000);
  const sealer = createMasterKey(secret).sealer('idempotency');
  return { node, store: createIdempotencyStore({ database: () => Promise.resolve(database), sealer, node, now: () => time }) };
}

beforeEach(async () => {
  time = 1_700_000_000_000;
  folder = await mkdtemp(join(tmpdir(), 'pailou-idempotency-'));
  database = await openDatabase(folder);
});

afterEach(async () => {
  await database.destroy();
  await rm(folder, { recursive: true, force: true });
});

it('is new once, then at work, then the same answer for a day, by owner and key', async () => {
  const { store } = open();
  expect(await store.begin('me', 'k', 'f')).toBe('new');
  expect(await store.begin('me', 'k', 'f')).toBe('running');
  expect(await store.begin('you', 'k', 'f')).toBe('new');
  await store.finish('me', 'k', ANSWER);
  expect(await store.begin('me', 'k', 'f')).toEqual(ANSWER);
  expect(await store.begin('me', 'k', 'other')).toBe('different');
  time += 23 * HOUR;
  expect(await store.begin('me', 'k', 'f')).toEqual(ANSWER);
  time += 2 * HOUR;
  expect(await store.begin('me', 'k', 'other')).toBe('new');
});

it('may begin anew when it was forgotten', async () => {
  const { store } = open();
  await store.begin('me', 'k', 'f');
  await store.forget('me', 'k');
  expect(await store.begin('me', 'k', 'other')).toBe('new');
});

it('is another process’ while that lives, and taken over from one that does not', async () => {
  const first = open();
  const second = open();
  await first.store.begin('me', 'k', 'f');
  expect(await second.store.begin('me', 'k', 'f')).toBe('running');
  time += 900;
  await first.node.keepAlive(database, false);
  time += 900;
  expect(await second.store.begin('me', 'k', 'f')).toBe('running');
  time += 1001;
  expect(await second.store.begin('me', 'k', 'f')).toBe('lost');
  // Once only.
  expect(await second.store.begin('me', 'k', 'f')).toBe('running');
  expect(await first.store.begin('me', 'k', 'f')).toBe('running');
});

it('keeps answers sealed, and gives out none that another master key sealed', async () => {
  const { store } = open();
  await store.begin('me', 'k', 'f');
  await store.finish('me', 'k', ANSWER);
  for (const name of ['pailou.db', 'pailou.db-wal']) {
    expect((await readFile(join(folder, name))).includes('secret prompt')).toBe(false);
  }
  expect(await open('another').store.begin('me', 'k', 'f')).toBe('different');
});

it('is bounded: what is older than a day goes', async () => {
  const { store } = open();
  for (let index = 0; index < 250; index++) await store.begin('me', `k${index}`, 'f');
  time += 25 * HOUR;
  for (let index = 0; index < 250; index++) await store.begin('me', `n${index}`, 'f');
  const { rows } = await database
    .selectFrom('idempotency')
    .select(({ fn }) => fn.countAll<number>().as('rows'))
    .executeTakeFirstOrThrow();
  expect(Number(rows)).toBe(250);
});
