import { setImmediate as nextTurn } from 'node:timers/promises';
import { CompiledQuery, sql } from 'kysely';
import type { CallRecord } from '../../exchange/ports.ts';
import type { RequestsDatabase } from './database.ts';

/** What keeping the table stands on. */
export interface RequestsPorts {
  readonly database: () => Promise<RequestsDatabase>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** In force now. No rows: nothing is kept. */
  readonly limits: () => { readonly requestDays: number; readonly requestRows: number };
  /** Rows could not be written (`dropped` so far since that last went well), or can be again. */
  readonly onTrouble: (error: unknown, dropped: number) => void;
  readonly onRecovered: (dropped: number) => void;
  /** Whether old rows are this process's to take away. Absent: always. */
  readonly isLeader?: () => boolean;
}

/** The table of requests, as it is written. */
export interface Requests {
  /** A row for a record, given as JSON; written soon after. Never throws, never waits. */
  add(id: string, json: string): void;
  /** Rows that may be there already, written at once. */
  addAll(records: readonly CallRecord[]): Promise<void>;
  /** Ids of these of which there is no row. */
  missing(ids: readonly string[]): Promise<ReadonlySet<string>>;
  /** Everything that waits is written. */
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Records that wait; more are dropped, counted, and stand in the journal alone. `characters`: of their JSON. */
const MAX_WAITING = { records: 20_000, characters: 16 * 2 ** 20 };
/** Rows of one statement: nothing else runs meanwhile. */
const BATCH_ROWS = 192;
/** Where calls are few. Where they are many, a full statement is written at once: what waits long has to be carried over by the garbage collector. */
const WRITE_AFTER_MS = 200;
const RETRY_AFTER_MS = 2000;
const SWEEP_EVERY_MS = 10 * 60_000;
/** The bound on rows is looked at after so many. */
const SWEEP_AFTER_ROWS = 5000;
const SWEEP_ROWS = 500;
const DAY_MS = 86_400_000;

const statements: string[] = [];

/** Written by hand, once for each number of rows: a builder takes longer for a statement than the database does. */
const statementFor = (rows: number): string =>
  (statements[rows] ??= `insert or ignore into calls (id, record) values ${Array.from({ length: rows }, () => '(?, ?)').join(', ')}`);

/** Writes rows, given as ids and records in turn. */
async function insert(db: RequestsDatabase, values: readonly string[]): Promise<void> {
  await db.executeQuery(CompiledQuery.raw(statementFor(values.length / 2), [...values]));
}

/** Takes away what is older than `since`, and the oldest beyond `maxRows`, a few at a time. */
async function sweep(db: RequestsDatabase, since: number, maxRows: number): Promise<void> {
  for (;;) {
    const { rows } = await sql<{ readonly first: number | null; readonly last: number | null }>`
      select (select n from calls order by n limit 1) as first, (select n from calls order by n desc limit 1) as last`.execute(db);
    const [{ first, last } = { first: null, last: null }] = rows;
    if (first === null || last === null) return;
    // Rows go in order of `n`: there are no gaps to speak of between the first and the last.
    const edge = Math.min(first + SWEEP_ROWS - 1, last);
    const { numAffectedRows = 0n } = await sql`
      delete from calls where n <= ${edge} and (record ->> '$.at' < ${since} or n <= ${last - maxRows})`.execute(db);
    if (numAffectedRows === 0n) return;
    await nextTurn();
  }
}

/** What the pieces below share. */
interface Writing {
  readonly ports: RequestsPorts;
  /** Ids and records in turn. */
  waiting: string[];
  /** Of the records that wait. */
  characters: number;
  dropped: number;
  isFailing: boolean;
  /** Rows since the last sweep. */
  written: number;
  timer: NodeJS.Timeout | undefined;
  work: Promise<void>;
  closed: boolean;
}

async function sweepNow(writing: Writing): Promise<void> {
  const { ports } = writing;
  writing.written = 0;
  const { requestDays, requestRows } = ports.limits();
  await sweep(await ports.database(), ports.now() - requestDays * DAY_MS, requestRows);
}

/** Some of those that wait are in the database: nothing is failing any more. */
function wrote(writing: Writing, some: readonly string[]): void {
  writing.waiting = writing.waiting.slice(some.length);
  for (let at = 1; at < some.length; at += 2) writing.characters -= some[at]?.length ?? 0;
  writing.written += some.length / 2;
  if (writing.isFailing) writing.ports.onRecovered(writing.dropped);
  writing.isFailing = false;
  writing.dropped = 0;
}

async function writeWaiting(writing: Writing): Promise<void> {
  while (writing.waiting.length > 0) {
    const db = await writing.ports.database();
    const some = writing.waiting.slice(0, 2 * BATCH_ROWS);
    await insert(db, some);
    wrote(writing, some);
    if (writing.waiting.length > 0) await nextTurn();
  }
  if (writing.written >= SWEEP_AFTER_ROWS) await sweepNow(writing);
}

function fail(writing: Writing, error: unknown): void {
  // Once an outage, not once a batch.
  if (!writing.isFailing) writing.ports.onTrouble(error, writing.dropped);
  writing.isFailing = true;
  if (!writing.closed) writeSoon(writing, RETRY_AFTER_MS);
}

/** One after another; what fails is tried again later. */
function run(writing: Writing, job: (writing: Writing) => Promise<void>): Promise<void> {
  writing.work = writing.work.then(() => job(writing)).catch((error: unknown) => fail(writing, error));
  return writing.work;
}

function writeNow(writing: Writing): void {
  clearTimeout(writing.timer);
  writing.timer = undefined;
  void run(writing, writeWaiting);
}

function writeSoon(writing: Writing, ms: number): void {
  writing.timer ??= setTimeout(writeNow, ms, writing).unref();
}

function sweepDue(writing: Writing): void {
  if (writing.ports.isLeader?.() !== false) void run(writing, sweepNow);
}

function add(writing: Writing, id: string, json: string): void {
  const { waiting } = writing;
  if (writing.closed || writing.ports.limits().requestRows === 0) return;
  if (waiting.length >= 2 * MAX_WAITING.records || writing.characters + json.length > MAX_WAITING.characters) {
    writing.dropped += 1;
    return;
  }
  waiting.push(id, json);
  writing.characters += json.length;
  // Once where it fills one: what cannot be written is tried again by the clock.
  if (waiting.length === 2 * BATCH_ROWS && !writing.isFailing) setImmediate(writeNow, writing);
  else writeSoon(writing, WRITE_AFTER_MS);
}

async function addAll(ports: RequestsPorts, records: readonly CallRecord[]): Promise<void> {
  if (records.length === 0 || ports.limits().requestRows === 0) return;
  const db = await ports.database();
  for (let at = 0; at < records.length; at += BATCH_ROWS) {
    if (at > 0) await nextTurn();
    const some = records.slice(at, at + BATCH_ROWS);
    await insert(
      db,
      some.flatMap((record) => [record.id, JSON.stringify(record)]),
    );
  }
}

async function missing({ database }: RequestsPorts, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const db = await database();
  const { rows } = await sql<{ readonly id: string }>`
    select id from calls where id in (select value from json_each(${JSON.stringify(ids)}))`.execute(db);
  const found = new Set(rows.map(({ id }) => id));
  return new Set(ids.filter((id) => !found.has(id)));
}

async function close(writing: Writing): Promise<void> {
  writing.closed = true;
  clearTimeout(writing.timer);
  await run(writing, writeWaiting);
  if (!writing.isFailing) return;
  const lost = writing.dropped + writing.waiting.length / 2;
  writing.ports.onTrouble(new Error('The table of requests was closed before everything was written'), lost);
}

const newWriting = (ports: RequestsPorts): Writing => ({
  ports,
  waiting: [],
  characters: 0,
  dropped: 0,
  isFailing: false,
  written: 0,
  timer: undefined,
  work: Promise.resolve(),
  closed: false,
});

/**
 * Keeps a row a call, written behind in batches: in order, bounded in memory, and on the disk by age and number. Where it cannot be
 * written it is tried again; what does not fit meanwhile is dropped and counted.
 */
export function createRequests(ports: RequestsPorts): Requests {
  const writing = newWriting(ports);
  const sweeper = setInterval(sweepDue, SWEEP_EVERY_MS, writing).unref();
  return {
    add: (id, json) => add(writing, id, json),
    addAll: (records) => addAll(ports, records),
    missing: (ids) => missing(ports, ids),
    flush: () => run(writing, writeWaiting),
    close() {
      clearInterval(sweeper);
      return close(writing);
    },
  };
}
