import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { KeptSeal } from '../exchange/ports.ts';
import { type Database, openDatabase } from './database.ts';
import { createMasterKey } from './master-key.ts';
import { createSealStore, type SealPorts } from './seals.ts';

const DAY_MS = 86_400_000;
const SECRET = 'a-secret-of-enough-length-for-a-master-key';

let folder: string;
let database: Database;
let now: number;
let troubles: string[];
const limits = { sealDays: 7, sealBytes: 2 ** 20 };

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-seals-'));
  database = await openDatabase(folder);
  now = Date.UTC(2026, 10, 26);
  troubles = [];
});
afterEach(async () => {
  await database.destroy();
  await rm(folder, { recursive: true, force: true });
});

const store = (changes: Partial<SealPorts> = {}) =>
  createSealStore({
    database: () => Promise.resolve(database),
    sealer: () => Promise.resolve(createMasterKey(SECRET).sealer('seals')),
    now: () => now,
    limits: () => limits,
    onTrouble: (what) => troubles.push(what),
    ...changes,
  });

const kept = (value: string): KeptSeal => ({
  reasoning: [{ kind: 'reasoning', text: 'thinking of it', seal: { by: 'gemini', maker: 'gemini', value } }],
  maker: 'gemini',
});
const one = (callId: string, value = callId): ReadonlyMap<string, KeptSeal> => new Map([[callId, kept(value)]]);
const many = (count: number, size = 10): ReadonlyMap<string, KeptSeal> =>
  new Map(Array.from({ length: count }, (_, at) => [`call_${at}`, kept('s'.repeat(size))] as const));

/** Puts and has it written, as another process would find it. */
async function putAndClose(owner: string, entries: ReadonlyMap<string, KeptSeal>, changes: Partial<SealPorts> = {}): Promise<void> {
  const writer = store(changes);
  writer.put(owner, entries);
  await writer.close();
}
const ids = async (): Promise<readonly string[]> =>
  (await database.selectFrom('seals').select('call_id').orderBy('put_at').orderBy('call_id').execute()).map((row) => row.call_id);

describe('sealed state', () => {
  it('is there at once, before it is written', async () => {
    const seals = store();
    seals.put('alice', one('call_1'));
    expect(await seals.get('alice', ['call_1', 'call_2'])).toEqual(one('call_1'));
    await seals.close();
  });

  it('outlives the process', async () => {
    await putAndClose('alice', many(100));
    const seals = store();
    expect(await seals.get('alice', [...many(100).keys(), 'call_other'])).toEqual(many(100));
    await seals.close();
  });

  it('is written without anybody asking', async () => {
    const seals = store();
    seals.put('alice', one('call_1'));
    await expect.poll(ids).toEqual(['call_1']);
    await seals.close();
  });

  it('is replaced when the same call is put again', async () => {
    await putAndClose('alice', one('call_1', 'old'));
    await putAndClose('alice', one('call_1', 'new'));
    const seals = store();
    expect(await seals.get('alice', ['call_1'])).toEqual(one('call_1', 'new'));
    expect(await ids()).toEqual(['call_1']);
    await seals.close();
  });

  it.each(['in memory', 'in the database'])('of one key is not there for another (%s)', async (where) => {
    const seals = store();
    if (where === 'in memory') seals.put('alice', one('call_1'));
    else await putAndClose('alice', one('call_1'));
    expect(await seals.get('bob', ['call_1'])).toEqual(new Map());
    await seals.close();
  });

  it('of one key does not open in a row of another', async () => {
    await putAndClose('alice', one('call_1'));
    await database.updateTable('seals').set({ owner: 'bob' }).execute();
    const seals = store();
    expect(await seals.get('bob', ['call_1'])).toEqual(new Map());
    await seals.close();
  });

  it('lies encrypted in the database, and opens with its master key only', async () => {
    await putAndClose('alice', one('call_1', 'canary'));
    const [row] = await database.selectFrom('seals').selectAll().execute();
    expect(Buffer.from(row?.value ?? []).includes('canary')).toBe(false);
    expect(Buffer.from(row?.value ?? []).includes('thinking')).toBe(false);
    const other = store({ sealer: () => Promise.resolve(createMasterKey(`${SECRET}!`).sealer('seals')) });
    expect(await other.get('alice', ['call_1'])).toEqual(new Map());
    await other.close();
    expect(troubles).toEqual([]);
  });

  it.each(['in memory', 'in the database'])('expires (%s)', async (where) => {
    const seals = store();
    if (where === 'in memory') seals.put('alice', one('call_1'));
    else await putAndClose('alice', one('call_1'));
    now += 7 * DAY_MS;
    expect(await seals.get('alice', ['call_1'])).toEqual(one('call_1'));
    now += 1;
    expect(await seals.get('alice', ['call_1'])).toEqual(new Map());
    await seals.close();
  });

  it('gives way to newer when there is too much of it, the oldest first', async () => {
    const small = { limits: () => ({ sealDays: 7, sealBytes: 64 * 1024 }) };
    await putAndClose('alice', one('call_old', 'x'.repeat(1024)), small);
    now += 1;
    await putAndClose('alice', many(1200, 1024), small);
    const rows = await database.selectFrom('seals').select(['call_id', 'bytes']).execute();
    expect(rows.reduce((sum, { bytes }) => sum + bytes, 0)).toBeLessThanOrEqual(64 * 1024);
    expect(rows.map((row) => row.call_id)).not.toContain('call_old');
    expect(rows.map((row) => row.call_id)).toContain('call_1199');
  });

  it('is not kept when one alone is too much', async () => {
    await putAndClose('alice', one('call_1', 'x'.repeat(5 * 2 ** 20)), { limits: () => ({ sealDays: 7, sealBytes: 2 ** 30 }) });
    expect(await ids()).toEqual([]);
  });
});

describe('a database that fails', () => {
  it('never makes a call fail, is reported, and gets everything when it works again', async () => {
    let isBroken = true;
    const seals = store({ database: () => (isBroken ? Promise.reject(new Error('disk full')) : Promise.resolve(database)) });
    seals.put('alice', one('call_1'));
    await expect.poll(() => troubles).toContain('Sealed state could not be written');
    expect(await seals.get('alice', ['call_1', 'call_2'])).toEqual(one('call_1'));
    expect(troubles).toContain('Sealed state could not be read');
    isBroken = false;
    await seals.close();
    expect(await ids()).toEqual(['call_1']);
  });

  it('that does not answer holds a call up for a second at most', async () => {
    const seals = store({ database: () => new Promise(() => undefined) });
    const before = performance.now();
    expect(await seals.get('alice', ['call_1'])).toEqual(new Map());
    expect(performance.now() - before).toBeLessThan(4000);
  });

  it('does not let memory grow without bound', async () => {
    const seals = store({ database: () => Promise.reject(new Error('disk full')) });
    for (let at = 0; at < 60; at += 1) seals.put('alice', one(`call_${at}`, 'x'.repeat(2 ** 20)));
    const found = await seals.get(
      'alice',
      Array.from({ length: 60 }, (_, at) => `call_${at}`),
    );
    expect(found.size).toBeLessThanOrEqual(32);
    expect(found.has('call_59')).toBe(true);
    await seals.close();
    expect(troubles.at(-1)).toMatch(/^Sealed state could not be written \(\d+ given up\)$/);
  });
});
