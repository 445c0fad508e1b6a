import { setImmediate as nextTurn } from 'node:timers/promises';
import { type Expression, type SqlBool, sql } from 'kysely';
import { LRUCache } from 'lru-cache';
import type { Peers, Settling } from '../cluster/peers.ts';
import type { KeptSeal, SealStore } from '../exchange/ports.ts';
import type { Database } from './database.ts';
import type { Sealer } from './master-key.ts';

/** What keeping seals stands on. */
export interface SealPorts {
  readonly database: () => Promise<Database>;
  readonly sealer: () => Promise<Sealer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In force now. */
  readonly limits: () => { readonly sealDays: number; readonly sealBytes: number };
  /** Something could not be read or written; calls went on without it. */
  readonly onTrouble: (what: string, error: unknown) => void;
  /** Whether old entries are this process's to take away on time. Absent: always. */
  readonly isLeader?: () => boolean;
  /** Other processes that use the database. Absent: none that is to read at once what is put here. */
  readonly peers?: Pick<Peers, 'settling'>;
}

interface Entry {
  readonly owner: string;
  readonly callId: string;
  readonly value: KeptSeal;
  readonly json: Buffer;
  readonly at: number;
}

/** Kept in memory in front of the database. */
const CACHE_BYTES = 32 * 2 ** 20;
/** Not written yet: more than this only piles up while the database cannot be written; the oldest are given up. */
const PENDING_BYTES = 32 * 2 ** 20;
/** One entry; reasoning that is longer is lost. */
const ENTRY_BYTES = 4 * 2 ** 20;
/** One statement, so that the event loop is not held up for long. */
const BATCH = { entries: 32, bytes: 2 ** 20 };
const WRITE_AFTER_MS = 50;
const RETRY_AFTER_MS = 5000;
const SWEEP_EVERY_MS = 10 * 60_000;
const SWEEP_ROWS = 500;
const READ_IDS = 200;
/** A reply does not wait longer for what may not be there. */
const READ_MS = 1000;
const DAY_MS = 86_400_000;

const keyOf = (owner: string, callId: string): string => `${owner}\n${callId}`;

/** What comes of a promise in time; `undefined` when it takes too long. */
async function within<T>(ms: number, work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, ms, undefined);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

async function readRows(
  { database, sealer }: SealPorts,
  owner: string,
  callIds: readonly string[],
  since: number,
): Promise<readonly Entry[]> {
  const [db, seal] = await Promise.all([database(), sealer()]);
  const entries: Entry[] = [];
  for (let at = 0; at < callIds.length; at += READ_IDS) {
    const rows = await db
      .selectFrom('seals')
      .select(['call_id', 'value', 'put_at'])
      .where('owner', '=', owner)
      .where('call_id', 'in', callIds.slice(at, at + READ_IDS))
      .where('put_at', '>=', since)
      .execute();
    for (const { call_id: callId, value, put_at } of rows) {
      // Sealed with another master key, or changed: as if it were not there.
      const json = seal.open(value, keyOf(owner, callId));
      if (json) entries.push({ owner, callId, json, at: put_at, value: JSON.parse(json.toString('utf8')) as KeptSeal });
    }
  }
  return entries;
}

/** Writes entries over what was there; returns the bytes that they take. */
async function writeRows({ database, sealer }: SealPorts, entries: readonly Entry[]): Promise<number> {
  const [db, seal] = await Promise.all([database(), sealer()]);
  let bytes = 0;
  const rows = entries.map(({ owner, callId, json, at }) => {
    const value = seal.seal(json, keyOf(owner, callId));
    bytes += value.length;
    return { owner, call_id: callId, value, bytes: value.length, put_at: at };
  });
  await db
    .insertInto('seals')
    .values(rows)
    .onConflict((conflict) =>
      conflict.columns(['owner', 'call_id']).doUpdateSet((row) => ({
        value: row.ref('excluded.value'),
        bytes: row.ref('excluded.bytes'),
        put_at: row.ref('excluded.put_at'),
      })),
    )
    .execute();
  return bytes;
}

const sumOfBytes = async (db: Database): Promise<number> => {
  const { total } = await db
    .selectFrom('seals')
    .select(({ fn }) => fn.sum<number | null>('bytes').as('total'))
    .executeTakeFirstOrThrow();
  return total ?? 0;
};

/** Removes the oldest rows that match, a few at a time; returns their bytes. */
async function removeOldest(db: Database, matching: Expression<SqlBool>): Promise<number> {
  const { rows } = await sql<{ readonly bytes: number }>`
    delete from seals where rowid in (select rowid from seals where ${matching} order by put_at limit ${SWEEP_ROWS}) returning bytes`.execute(
    db,
  );
  return rows.reduce((sum, { bytes }) => sum + bytes, 0);
}

/** Removes what is older than `since`, then the oldest until `maxBytes` hold the rest. Returns the bytes that remain. */
async function sweepRows(db: Database, since: number, maxBytes: number): Promise<number> {
  while ((await removeOldest(db, sql<SqlBool>`put_at < ${since}`)) > 0) await nextTurn();
  let total = await sumOfBytes(db);
  // A tenth of room, so that not every write is followed by this.
  const wanted = total > maxBytes ? maxBytes * 0.9 : maxBytes;
  while (total > wanted) {
    const removed = await removeOldest(db, sql<SqlBool>`true`);
    if (removed === 0) break;
    total -= removed;
    await nextTurn();
  }
  return total;
}

/** Entries that wait to be written, in order, bounded. */
interface Pending {
  readonly entries: Map<string, Entry>;
  bytes: number;
  /** How many were given up. */
  dropped: number;
}

function removePending(pending: Pending, key: string): void {
  pending.bytes -= pending.entries.get(key)?.json.length ?? 0;
  pending.entries.delete(key);
}

function addPending(pending: Pending, key: string, entry: Entry): void {
  removePending(pending, key);
  pending.entries.set(key, entry);
  pending.bytes += entry.json.length;
  for (const [oldest] of pending.entries) {
    if (pending.bytes <= PENDING_BYTES) break;
    removePending(pending, oldest);
    pending.dropped++;
  }
}

/** The next to write. They stay until they are `written`. */
function nextBatch({ entries }: Pending): readonly Entry[] {
  const batch: Entry[] = [];
  let size = 0;
  for (const entry of entries.values()) {
    if (batch.length >= BATCH.entries || (batch.length > 0 && size + entry.json.length > BATCH.bytes)) break;
    batch.push(entry);
    size += entry.json.length;
  }
  return batch;
}

/** Removes those that were not put anew meanwhile. */
function written(pending: Pending, batch: readonly Entry[]): void {
  for (const entry of batch) {
    const key = keyOf(entry.owner, entry.callId);
    if (pending.entries.get(key) === entry) removePending(pending, key);
  }
}

/** What the pieces below share. */
interface Keeping {
  readonly ports: SealPorts;
  readonly cache: LRUCache<string, Entry>;
  readonly pending: Pending;
  /** Bytes in the database, as far as known. */
  stored: number | undefined;
  timer: NodeJS.Timeout | undefined;
  work: Promise<void>;
  closed: boolean;
  settling: Settling | undefined;
}

const since = ({ ports }: Keeping): number => ports.now() - ports.limits().sealDays * DAY_MS;

async function sweep(keeping: Keeping): Promise<void> {
  const { ports } = keeping;
  keeping.stored = await sweepRows(await ports.database(), since(keeping), ports.limits().sealBytes);
}

async function writeBatch(keeping: Keeping, batch: readonly Entry[]): Promise<void> {
  const { ports, pending } = keeping;
  const bytes = await writeRows(ports, batch);
  written(pending, batch);
  keeping.stored = keeping.stored === undefined ? await sumOfBytes(await ports.database()) : keeping.stored + bytes;
  if (keeping.stored > ports.limits().sealBytes) await sweep(keeping);
}

async function writePending(keeping: Keeping): Promise<void> {
  for (let batch = nextBatch(keeping.pending); batch.length > 0; batch = nextBatch(keeping.pending)) {
    await writeBatch(keeping, batch);
    await nextTurn();
  }
  keeping.settling?.clean();
}

/** One after another; what fails is said, and tried again later. */
function run(keeping: Keeping, job: (keeping: Keeping) => Promise<void>, what: string): Promise<void> {
  const failed = (error: unknown): void => {
    const { dropped } = keeping.pending;
    keeping.ports.onTrouble(dropped > 0 ? `${what} (${dropped} given up)` : what, error);
    if (!keeping.closed) writeSoon(keeping, RETRY_AFTER_MS);
  };
  keeping.work = keeping.work.then(() => job(keeping)).catch(failed);
  return keeping.work;
}

const writeNow = (keeping: Keeping): Promise<void> => run(keeping, writePending, 'Sealed state could not be written');

function writeSoon(keeping: Keeping, ms: number): void {
  keeping.timer ??= setTimeout(() => {
    keeping.timer = undefined;
    void writeNow(keeping);
  }, ms).unref();
}

function sweepDue(keeping: Keeping): void {
  if (keeping.ports.isLeader?.() !== false) void run(keeping, sweep, 'Sealed state could not be swept');
}

async function readMissing(keeping: Keeping, owner: string, callIds: readonly string[]): Promise<readonly Entry[]> {
  const { ports, settling } = keeping;
  try {
    await settling?.others();
    const entries = await within(READ_MS, readRows(ports, owner, callIds, since(keeping)));
    if (entries) return entries;
    throw new Error(`The database did not answer within ${READ_MS} ms`);
  } catch (error) {
    ports.onTrouble('Sealed state could not be read', error);
    return [];
  }
}

async function get(keeping: Keeping, owner: string, callIds: readonly string[]): Promise<ReadonlyMap<string, KeptSeal>> {
  const { cache, pending } = keeping;
  const found = new Map<string, KeptSeal>();
  const missing: string[] = [];
  for (const callId of callIds) {
    const key = keyOf(owner, callId);
    const entry = cache.get(key) ?? pending.entries.get(key);
    if (!entry) missing.push(callId);
    else if (entry.at >= since(keeping)) found.set(callId, entry.value);
  }
  if (missing.length === 0) return found;
  for (const entry of await readMissing(keeping, owner, missing)) {
    cache.set(keyOf(owner, entry.callId), entry);
    found.set(entry.callId, entry.value);
  }
  return found;
}

function put(keeping: Keeping, owner: string, callId: string, value: KeptSeal): void {
  const entry: Entry = { owner, callId, value, json: Buffer.from(JSON.stringify(value)), at: keeping.ports.now() };
  if (entry.json.length > ENTRY_BYTES) return;
  const key = keyOf(owner, callId);
  keeping.cache.set(key, entry);
  addPending(keeping.pending, key, entry);
  keeping.settling?.dirty();
}

const newKeeping = (ports: SealPorts): Keeping => ({
  ports,
  cache: new LRUCache<string, Entry>({ maxSize: CACHE_BYTES, sizeCalculation: ({ json }) => json.length + 512 }),
  pending: { entries: new Map(), bytes: 0, dropped: 0 },
  stored: undefined,
  timer: undefined,
  work: Promise.resolve(),
  closed: false,
  settling: undefined,
});

/** Keeps sealed state in the database, encrypted, with a small memory in front; written behind in batches. */
export function createSealStore(ports: SealPorts): SealStore & { close(): Promise<void> } {
  const keeping = newKeeping(ports);
  const sweeper = setInterval(sweepDue, SWEEP_EVERY_MS, keeping).unref();
  keeping.settling = ports.peers?.settling('seals', () => writeNow(keeping));
  return {
    get: (owner, callIds) => get(keeping, owner, callIds),
    put(owner, entries) {
      if (keeping.closed) return;
      for (const [callId, value] of entries) put(keeping, owner, callId, value);
      writeSoon(keeping, WRITE_AFTER_MS);
    },
    async close() {
      keeping.closed = true;
      clearInterval(sweeper);
      clearTimeout(keeping.timer);
      await writeNow(keeping);
    },
  };
}
