import { type Expression, type ExpressionBuilder, type Insertable, type Selectable, sql, type SqlBool } from 'kysely';
import type { Peers, Settling } from '../cluster/peers.ts';
import { GatewayError, gatewayFault, parseObject } from '../ir/index.ts';
import type { ChainLimits, ChildrenQuery, StateKey, StateKind, StateRecord, StateStore } from '../state/ports.ts';
import type { Database } from './database.ts';
import type { Sealer } from './master-key.ts';
import type { Schema } from './schema.ts';

/** What keeping state stands on. */
interface StoredStatePorts {
  readonly database: () => Promise<Database>;
  readonly sealer: () => Promise<Sealer>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In force now. */
  readonly limits: () => { readonly storedDays: number; readonly storedBytes: number };
  /** Something could not be written or read; it is then not there. */
  readonly onTrouble: (what: string, error: unknown) => void;
  /** Whether old records are this process's to take away on time. Absent: always. */
  readonly isLeader?: () => boolean;
  /** Other processes that use the database. Absent: none that is to read at once what is put here. */
  readonly peers?: Pick<Peers, 'settling'>;
}

type Row = Selectable<Schema['stored_state']>;
/** A row without its value. */
type Head = Pick<Row, 'owner' | 'kind' | 'id' | 'used_at' | 'bytes'>;

/** Records that are written with one statement. */
const BATCH = 50;
/** Bytes of one statement, so that the event loop is not held up for long. */
const BATCH_BYTES = 4 * 1024 * 1024;
/** Bytes that wait to be written: more are dropped, oldest first, when the disk does not keep up. */
const MAX_WAITING_BYTES = 256 * 1024 * 1024;
/** Old and surplus records are looked for after so many writes. */
const SWEEP_EVERY = 200;
/** … and this often without any. */
const SWEEP_MS = 10 * 60_000;
/** Records that one sweep takes away at a time. */
const SWEEP_BATCH = 500;
/** A record that was used is marked so this often at most. */
const TOUCH_MS = 60_000;
const DAY_MS = 86_400_000;

const nameOf = ({ owner, kind, id }: StateKey): string => `${owner} ${kind} ${id}`;
const contextOf = (key: StateKey): string => `state ${nameOf(key)}`;

/** What waits to be written. */
interface Waiting {
  readonly record: StateRecord;
  readonly json: Buffer;
  readonly at: number;
}

type StateFilter = (where: ExpressionBuilder<Schema, 'stored_state'>) => Expression<SqlBool>;

const isRow =
  ({ owner, kind, id }: Pick<Row, 'owner' | 'kind' | 'id'>): StateFilter =>
  (where) =>
    where.and({ owner, kind, id });

const isChild =
  ({ owner, kind, parent }: ChildrenQuery): StateFilter =>
  (where) =>
    where.and({ owner, kind, parent });

/** Calls that need what is kept wait for no disk that is gone: they are told so. */
async function reading<T>(ports: StoredStatePorts, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    ports.onTrouble('Stored state could not be read', error);
    throw new GatewayError({
      ...gatewayFault('overloaded', 'What is kept for this key cannot be read just now', { code: 'store_unavailable' }),
      retryAfterMs: 5000,
    });
  }
}

/** Cuts a list so that one statement takes neither too many rows nor too many bytes. */
function* batches<T>(entries: readonly T[], sizeOf: (entry: T) => number): Iterable<readonly T[]> {
  let batch: T[] = [];
  let bytes = 0;
  for (const entry of entries) {
    if (batch.length === BATCH || (batch.length > 0 && bytes + sizeOf(entry) > BATCH_BYTES)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(entry);
    bytes += sizeOf(entry);
  }
  if (batch.length > 0) yield batch;
}

function rowOf({ record, json, at }: Waiting, sealer: Sealer): Insertable<Schema['stored_state']> {
  const value = sealer.seal(json, contextOf(record));
  return {
    owner: record.owner,
    kind: record.kind,
    id: record.id,
    parent: record.parent ?? null,
    position: record.position,
    created_at: record.createdAt,
    used_at: at,
    bytes: value.length,
    value,
  };
}

/** One that another master key sealed cannot be read any more: it is not there. */
function recordOf(row: Omit<Row, 'used_at' | 'bytes'>, sealer: Sealer): StateRecord | undefined {
  const key: StateKey = { owner: row.owner, kind: row.kind as StateKind, id: row.id };
  const plain = sealer.open(row.value, contextOf(key));
  const value = plain && parseObject(plain.toString('utf8'));
  if (!value) return undefined;
  return { ...key, ...(row.parent === null ? {} : { parent: row.parent }), position: row.position, createdAt: row.created_at, value };
}

async function insert(entries: readonly Waiting[], { database, sealer }: StoredStatePorts): Promise<void> {
  const [db, opened] = await Promise.all([database(), sealer()]);
  await db
    .insertInto('stored_state')
    .values(entries.map((entry) => rowOf(entry, opened)))
    .onConflict((conflict) =>
      conflict.columns(['owner', 'kind', 'id']).doUpdateSet((excluded) => ({
        parent: excluded.ref('excluded.parent'),
        position: excluded.ref('excluded.position'),
        used_at: excluded.ref('excluded.used_at'),
        bytes: excluded.ref('excluded.bytes'),
        value: excluded.ref('excluded.value'),
      })),
    )
    .execute();
}

const oldestUsed = (ports: StoredStatePorts): number => ports.now() - ports.limits().storedDays * DAY_MS;

/** Takes away what is too old, then what is too much, what was used longest ago first. */
async function sweep(ports: StoredStatePorts): Promise<void> {
  const db = await ports.database();
  await db.deleteFrom('stored_state').where('used_at', '<', oldestUsed(ports)).execute();
  const total = await db
    .selectFrom('stored_state')
    .select(({ fn }) => fn.sum<number | null>('bytes').as('bytes'))
    .executeTakeFirst();
  let surplus = Number(total?.bytes ?? 0) - ports.limits().storedBytes;
  while (surplus > 0) {
    const oldest = await db
      .selectFrom('stored_state')
      .select(['owner', 'kind', 'id', 'bytes'])
      .orderBy('used_at')
      .limit(SWEEP_BATCH)
      .execute();
    if (oldest.length === 0) return;
    for (const key of oldest) {
      if (surplus <= 0) return;
      await db.deleteFrom('stored_state').where(isRow(key)).execute();
      surplus -= key.bytes;
    }
  }
}

/** What the pieces that write share. */
interface Writing {
  readonly ports: StoredStatePorts;
  /** By name, in the order in which they were put. */
  waiting: Map<string, Waiting>;
  waitingBytes: number;
  work: Promise<void> | undefined;
  scheduled: NodeJS.Immediate | undefined;
  /** Since the last sweep. */
  written: number;
  settling: Settling | undefined;
}

const clean = ({ ports }: Writing): Promise<void> =>
  sweep(ports).catch((error: unknown) => ports.onTrouble('Stored state could not be swept', error));

function cleanDue(writing: Writing): void {
  if (writing.ports.isLeader?.() !== false) void clean(writing);
}

async function writeWaiting(writing: Writing): Promise<void> {
  const { ports } = writing;
  const entries = [...writing.waiting.values()];
  writing.waiting = new Map();
  writing.waitingBytes = 0;
  for (const batch of batches(entries, ({ json }) => json.length)) {
    await insert(batch, ports).catch((error: unknown) => ports.onTrouble('Stored state could not be written', error));
  }
  writing.written += entries.length;
}

async function writeAll(writing: Writing): Promise<void> {
  while (writing.waiting.size > 0) await writeWaiting(writing);
  writing.settling?.clean();
  if (writing.written < SWEEP_EVERY) return;
  writing.written = 0;
  await clean(writing);
}

/** Settles when everything that was put is written, or was given up. */
async function flush(writing: Writing): Promise<void> {
  clearImmediate(writing.scheduled);
  writing.scheduled = undefined;
  while (writing.waiting.size > 0 || writing.work) {
    writing.work ??= writeAll(writing).finally(() => (writing.work = undefined));
    await writing.work;
  }
}

/** The oldest of what waits, where it is too much. */
function giveUp(writing: Writing): void {
  for (const [name, oldest] of writing.waiting) {
    if (writing.waitingBytes <= MAX_WAITING_BYTES) return;
    writing.waiting.delete(name);
    writing.waitingBytes -= oldest.json.length;
    writing.ports.onTrouble('Stored state is not written fast enough', new Error('a record was dropped'));
  }
}

function put(writing: Writing, record: StateRecord): void {
  const { ports, settling, waiting } = writing;
  settling?.dirty();
  const name = nameOf(record);
  const json = Buffer.from(JSON.stringify(record.value));
  writing.waitingBytes += json.length - (waiting.get(name)?.json.length ?? 0);
  waiting.delete(name);
  waiting.set(name, { record, json, at: ports.now() });
  giveUp(writing);
  writing.scheduled ??= setImmediate(() => void flush(writing));
}

function newWriting(ports: StoredStatePorts): Writing {
  const writing: Writing = {
    ports,
    waiting: new Map(),
    waitingBytes: 0,
    work: undefined,
    scheduled: undefined,
    written: SWEEP_EVERY,
    settling: undefined,
  };
  writing.settling = ports.peers?.settling('state', () => flush(writing));
  return writing;
}

/** Marks rows as used, so that what is continued does not age. */
async function touch(rows: readonly Pick<Row, 'owner' | 'kind' | 'id' | 'used_at'>[], ports: StoredStatePorts): Promise<void> {
  const at = ports.now();
  const db = await ports.database();
  for (const row of rows) {
    if (row.used_at <= at - TOUCH_MS) await db.updateTable('stored_state').set({ used_at: at }).where(isRow(row)).execute();
  }
}

/** The rows of a chain, the oldest first, without their values: one more than `most` where it is longer. */
async function chainRows(db: Database, key: StateKey, most: number, since: number) {
  const { rows } = await sql<Pick<Row, 'owner' | 'kind' | 'id' | 'parent' | 'used_at' | 'bytes'>>`
    with recursive chain (owner, kind, id, parent, used_at, bytes, depth) as (
      select owner, kind, id, parent, used_at, bytes, 1 from stored_state
        where owner = ${key.owner} and kind = ${key.kind} and id = ${key.id} and used_at >= ${since}
      union all
      select s.owner, s.kind, s.id, s.parent, s.used_at, s.bytes, c.depth + 1 from chain c
        join stored_state s on s.owner = c.owner and s.kind = c.kind and s.id = c.parent
        where c.depth <= ${most} and s.used_at >= ${since}
    )
    select owner, kind, id, parent, used_at, bytes from chain order by depth desc`.execute(db);
  return rows;
}

/** The database with every write of all processes in it. */
async function current(writing: Writing): Promise<Database> {
  await Promise.all([flush(writing), writing.settling?.others()]);
  return writing.ports.database();
}

/** So many as one statement takes. */
async function readBatch(db: Database, sealer: Sealer, heads: readonly Head[]): Promise<readonly StateRecord[]> {
  const [{ owner, kind }] = heads as readonly [Head];
  const ids = heads.map(({ id }) => id);
  const rows = await db
    .selectFrom('stored_state')
    .selectAll()
    .where((where) => where.and({ owner, kind }))
    .where('id', 'in', ids)
    .execute();
  const found = new Map(rows.map((row) => [row.id, row]));
  return ids.flatMap((id) => {
    const row = found.get(id);
    return (row && recordOf(row, sealer)) ?? [];
  });
}

/** Records of one owner and kind, in the order of their heads; those that cannot be read are left out. */
async function read(ports: StoredStatePorts, db: Database, heads: readonly Head[]): Promise<readonly StateRecord[]> {
  await touch(heads, ports);
  const sealer = await ports.sealer();
  const records: StateRecord[] = [];
  for (const batch of batches(heads, ({ bytes }) => bytes)) records.push(...(await readBatch(db, sealer, batch)));
  return records;
}

async function get(ports: StoredStatePorts, db: Database, key: StateKey): Promise<StateRecord | undefined> {
  const row = await db
    .selectFrom('stored_state')
    .selectAll()
    .where(isRow(key))
    .where('used_at', '>=', oldestUsed(ports))
    .executeTakeFirst();
  if (!row) return undefined;
  await touch([row], ports);
  return recordOf(row, await ports.sealer());
}

const isTooLong = (heads: readonly Pick<Head, 'bytes'>[], most: ChainLimits): boolean =>
  heads.length > most.records || heads.reduce((sum, { bytes }) => sum + bytes, 0) > most.bytes;

async function chain(ports: StoredStatePorts, db: Database, key: StateKey, most: ChainLimits): ReturnType<StateStore['chain']> {
  const rows = await chainRows(db, key, most.records, oldestUsed(ports));
  const [first] = rows;
  if (!first) return { missing: key.id };
  if (isTooLong(rows, most)) return 'too-long';
  if (first.parent !== null) return { missing: first.parent };
  const records = await read(ports, db, rows);
  if (records.length === rows.length) return records;
  const readable = new Set(records.map((record) => record.id));
  return { missing: rows.find((row) => !readable.has(row.id))?.id ?? key.id };
}

async function children(
  ports: StoredStatePorts,
  db: Database,
  query: ChildrenQuery,
  most: ChainLimits,
): ReturnType<StateStore['children']> {
  const heads = await db
    .selectFrom('stored_state')
    .select(['owner', 'kind', 'id', 'used_at', 'bytes'])
    .where(isChild(query))
    .where('used_at', '>=', oldestUsed(ports))
    .orderBy('position')
    .limit(most.records + 1)
    .execute();
  return isTooLong(heads, most) ? 'too-long' : read(ports, db, heads);
}

async function remove(db: Database, matching: StateFilter): Promise<boolean> {
  const { numDeletedRows } = await db.deleteFrom('stored_state').where(matching).executeTakeFirst();
  return numDeletedRows > 0n;
}

/** State in the database: encrypted, by owner, written behind but never read before it is written, bounded by age and bytes. */
export function createStoredState(ports: StoredStatePorts): StateStore {
  const writing = newWriting(ports);
  const sweeper = setInterval(cleanDue, SWEEP_MS, writing).unref();
  /** With every write there is, or a fault. */
  const inDatabase = <T>(work: (db: Database) => Promise<T>): Promise<T> => reading(ports, async () => work(await current(writing)));
  return {
    get: (key) => inDatabase((db) => get(ports, db, key)),
    chain: (key, most) => inDatabase((db) => chain(ports, db, key, most)),
    children: (query, most) => inDatabase((db) => children(ports, db, query, most)),
    put: (record) => put(writing, record),
    delete: (key) => inDatabase((db) => remove(db, isRow(key))),
    async deleteChildren(query) {
      await inDatabase((db) => remove(db, isChild(query)));
    },
    flush: () => flush(writing),
    close() {
      clearInterval(sweeper);
      return flush(writing);
    },
  };
}
