import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { createMemoryStateStore } from '../state/memory-store.ts';
import type { StateRecord, StateStore } from '../state/ports.ts';
import { type Database, openDatabase } from './database.ts';
import { createMasterKey } from './master-key.ts';
import { createStoredState } from './stored-state.ts';

const DAY_MS = 86_400_000;

/** A store with a clock and limits that a test may move. */
interface Bench {
  readonly store: StateStore;
  readonly troubles: unknown[];
  now: number;
  limits: { storedDays: number; storedBytes: number };
}

const cleanups: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const clean of cleanups.splice(0).toReversed()) await clean();
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'pailou-state-'));
  cleanups.push(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function sqlite(path: string, secret = 'a'): Promise<Bench & { readonly database: Database }> {
  const database = await openDatabase(path);
  cleanups.push(() => database.destroy());
  const bench = { troubles: [] as unknown[], now: 1e12, limits: { storedDays: 30, storedBytes: 1e9 } };
  const store = createStoredState({
    database: () => Promise.resolve(database),
    sealer: () => Promise.resolve(createMasterKey(secret).sealer('state')),
    now: () => bench.now,
    limits: () => bench.limits,
    onTrouble: (what, error) => bench.troubles.push([what, error]),
  });
  return Object.assign(bench, { store, database });
}

function memory(): Bench {
  const bench = { troubles: [], now: 1e12, limits: { storedDays: 30, storedBytes: 1e9 } };
  const store = createMemoryStateStore(
    () => bench.limits,
    () => bench.now,
  );
  return Object.assign(bench, { store });
}

const record = (id: string, more: Partial<StateRecord> = {}): StateRecord => ({
  owner: 'ada',
  kind: 'response',
  id,
  position: 0,
  createdAt: 1e12,
  value: { text: `牌楼 ${id}` },
  ...more,
});
const key = (id: string, owner = 'ada') => ({ owner, kind: 'response' as const, id });
const LIMITS = { records: 10, bytes: 1e6 };

describe.each([
  { name: 'in memory', make: () => Promise.resolve(memory()) },
  { name: 'in SQLite', make: async () => sqlite(await folder()) },
])('state $name', ({ make }) => {
  it('is read as soon as it was put, over what was there', async () => {
    const { store } = await make();
    store.put(record('a'));
    expect(await store.get(key('a'))).toEqual(record('a'));
    store.put(record('a', { value: { text: 'new' } }));
    expect(await store.get(key('a'))).toMatchObject({ value: { text: 'new' } });
  });

  it('belongs to its owner and its kind', async () => {
    const { store } = await make();
    store.put(record('a'));
    expect(await store.get(key('a', 'bob'))).toBeUndefined();
    expect(await store.get({ ...key('a'), kind: 'thread' })).toBeUndefined();
    expect(await store.delete(key('a', 'bob'))).toBe(false);
    expect(await store.delete(key('a'))).toBe(true);
    expect(await store.get(key('a'))).toBeUndefined();
  });

  it('is read along its chain, the oldest first', async () => {
    const { store } = await make();
    for (const [id, parent] of [['a'], ['b', 'a'], ['c', 'b'], ['d', 'a']] as const) store.put(record(id, parent ? { parent } : {}));
    const ids = async (id: string) => {
      const chain = await store.chain(key(id), LIMITS);
      return Array.isArray(chain) ? chain.map((one: StateRecord) => one.id) : chain;
    };
    expect(await ids('c')).toEqual(['a', 'b', 'c']);
    expect(await ids('d')).toEqual(['a', 'd']);
    expect(await ids('none')).toEqual({ missing: 'none' });
    expect(await store.chain(key('c', 'bob'), LIMITS)).toEqual({ missing: 'c' });
    expect(await store.chain(key('c'), { records: 2, bytes: 1e6 })).toBe('too-long');
    expect(await store.chain(key('c'), { records: 3, bytes: 60 })).toBe('too-long');
    await store.delete(key('b'));
    expect(await ids('c')).toEqual({ missing: 'b' });
  });

  it('has children in order, deleted together', async () => {
    const { store } = await make();
    for (const [id, position] of [
      ['y', 2],
      ['x', 1],
      ['z', 10],
    ] as const)
      store.put(record(id, { kind: 'item', parent: 'p', position }));
    store.put(record('w', { kind: 'item', parent: 'other', position: 1 }));
    const query = { owner: 'ada', kind: 'item' as const, parent: 'p' };
    expect(await store.children(query, LIMITS)).toMatchObject([{ id: 'x' }, { id: 'y' }, { id: 'z' }]);
    expect(await store.children({ ...query, owner: 'bob' }, LIMITS)).toEqual([]);
    expect(await store.children(query, { records: 2, bytes: 1e6 })).toBe('too-long');
    expect(await store.children(query, { records: 3, bytes: 60 })).toBe('too-long');
    await store.deleteChildren(query);
    expect(await store.children(query, LIMITS)).toEqual([]);
    expect(await store.children({ ...query, parent: 'other' }, LIMITS)).toHaveLength(1);
  });

  it('ages from its last use, a chain all together', async () => {
    const bench = await make();
    const { store } = bench;
    store.put(record('a'));
    store.put(record('b', { parent: 'a' }));
    store.put(record('old'));
    await store.flush();
    bench.now += 20 * DAY_MS;
    expect(await store.chain(key('b'), LIMITS)).toHaveLength(2);
    bench.now += 20 * DAY_MS;
    expect(await store.get(key('old'))).toBeUndefined();
    expect(await store.get(key('a'))).toBeDefined();
    bench.now += 31 * DAY_MS;
    expect(await store.get(key('a'))).toBeUndefined();
    expect(bench.troubles).toEqual([]);
  });

  it('is held to its size, what was used longest ago goes first', async () => {
    const bench = await make();
    const { store } = bench;
    bench.limits.storedBytes = 300_000;
    for (let at = 0; at < 400; at++) {
      bench.now += 1000;
      store.put(record(`r${at}`, { value: { text: 'x'.repeat(2000) } }));
      if (at % 50 === 0) await store.flush();
    }
    await store.flush();
    const kept: number[] = [];
    for (let at = 0; at < 400; at++) if (await store.get(key(`r${at}`))) kept.push(at);
    expect(kept.length).toBeGreaterThan(50);
    // The last few hundred may wait for the next sweep.
    expect(kept.length).toBeLessThan(380);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 400 - kept.length + index));
    expect(bench.troubles).toEqual([]);
  });
});

describe('state in SQLite', () => {
  it('is there again after a restart, and encrypted in the file', async () => {
    const path = await folder();
    const first = await sqlite(path);
    first.store.put(record('a', { value: { text: 'CANARY-IN-PLAIN' } }));
    await first.store.close();
    await first.database.destroy();
    const files = await Promise.all(['pailou.db', 'pailou.db-wal'].map((name) => readFile(join(path, name)).catch(() => Buffer.alloc(0))));
    expect(Buffer.concat(files).includes('CANARY-IN-PLAIN')).toBe(false);
    const again = await sqlite(path);
    expect(await again.store.get(key('a'))).toMatchObject({ value: { text: 'CANARY-IN-PLAIN' } });
  });

  it('is not there for another master key, nor under another name', async () => {
    const path = await folder();
    const first = await sqlite(path);
    first.store.put(record('a'));
    first.store.put(record('b'));
    await first.store.flush();
    await first.database.updateTable('stored_state').set({ id: 'c' }).where('id', '=', 'b').execute();
    expect(await first.store.get(key('c'))).toBeUndefined();
    const other = await sqlite(path, 'another secret');
    expect(await other.store.get(key('a'))).toBeUndefined();
  });

  it('that cannot be read is a 503, and what cannot be written is told', async () => {
    const bench = await sqlite(await folder());
    await bench.database.schema.dropTable('stored_state').execute();
    bench.store.put(record('a'));
    await bench.store.flush();
    expect(bench.troubles).toHaveLength(2);
    await expect(bench.store.get(key('a'))).rejects.toMatchObject({ fault: { status: 503, code: 'store_unavailable' } });
  });

  it('writes much in little time without holding the loop up', async () => {
    const { store } = await sqlite(await folder());
    for (let at = 0; at < 2000; at++) store.put(record(`r${at}`, at === 0 ? {} : { parent: `r${at - 1}` }));
    expect(await store.chain(key('r1999'), { records: 2000, bytes: 1e9 })).toHaveLength(2000);
  });
});
