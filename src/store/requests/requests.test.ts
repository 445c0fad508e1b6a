import { spawn } from 'node:child_process';
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CallRecord } from '../../exchange/ports.ts';
import { lazily } from '../../lazily.ts';
import { catchUp } from './catch-up.ts';
import { isDamaged, markDamaged, openRequests } from './database.ts';
import { openReader } from './read-requests.ts';
import { createRequests, type Requests, type RequestsPorts } from './requests.ts';
import { READ_COLUMNS } from './row.ts';

const NOW = Date.UTC(2026, 10, 26);

let folder: string;
let said: string[];
const closing: (() => Promise<unknown>)[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-requests-'));
  said = [];
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  await rm(folder, { recursive: true, force: true });
});

const record = (number: number, changes: Partial<CallRecord> = {}): CallRecord => ({
  id: `req_${String(number).padStart(26, '0')}`,
  at: NOW + number,
  key: 'laptop',
  protocol: 'openai-chat',
  operation: 'generate',
  asked: 'fast',
  status: 200,
  attempts: 1,
  durationMs: 12.5,
  endedBy: 'upstream',
  revision: 1,
  config: 'abc',
  route: { o: ['1ca sandbox/chat'] },
  ...changes,
});
const records = (count: number, from = 0): readonly CallRecord[] => Array.from({ length: count }, (_, index) => record(from + index));

const put = (to: Requests, one: CallRecord): void => to.add(one.id, JSON.stringify(one));

function requests(changes: Partial<RequestsPorts> = {}): Requests {
  const database = lazily(() => openRequests(folder, (error) => said.push(`damaged: ${(error as Error).message}`)), 0);
  const made = createRequests({
    database,
    now: () => NOW,
    limits: () => ({ requestDays: 30, requestRows: 1000 }),
    onTrouble: (error, dropped) => said.push(`trouble: ${(error as Error).message}, ${dropped} dropped`),
    onRecovered: (dropped) => said.push(`recovered, ${dropped} dropped`),
    ...changes,
  });
  closing.push(async () => {
    await made.close();
    await database.ifMade((opened) => opened.destroy());
  });
  return made;
}

/** All rows, the oldest first. */
function kept(): readonly CallRecord[] {
  const reader = openReader(folder);
  const found = reader?.last(1_000_000).toReversed() ?? [];
  reader?.close();
  return found;
}

describe('the table of requests', () => {
  it('holds every member of every record, in order, in a file that only the owner may read', async () => {
    const whole = record(1, {
      label: 'mine',
      provider: 'sandbox',
      model: 'chat',
      upstream: 'openai-chat',
      lane: 'raw',
      stream: true,
      firstTokenMs: 3.25,
      input: 10,
      output: 20,
      cacheRead: 1,
      cacheWrite: 2,
      cacheWrite1h: 1,
      reasoning: 3,
      inputAudio: 4,
      estimated: true,
      stop: 'end',
      fault: 'upstream_cut',
      failed: 'a/b;timeout',
      notes: 'n;emulated',
      cache: 'hit',
    });
    const subject = requests();
    const all = [whole, ...records(200, 2)];
    for (const one of all) put(subject, one);
    await subject.flush();
    expect(kept()).toEqual(all);
    const names = (await readdir(folder)).filter((name) => name.startsWith('requests.db'));
    for (const name of names) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  });

  it('is written soon without being asked, and has a call once', async () => {
    const subject = requests();
    put(subject, record(1));
    put(subject, record(1));
    await expect.poll(() => kept().length, { timeout: 5000 }).toBe(1);
  });

  it('keeps so many rows, and none that are older', async () => {
    const subject = requests({ limits: () => ({ requestDays: 1, requestRows: 700 }) });
    for (const one of records(600)) put(subject, { ...one, at: NOW - 2 * 86_400_000 });
    for (const one of records(5000, 600)) put(subject, one);
    await subject.flush();
    expect(kept()).toEqual(records(700, 4900));
  });

  it('is asked with SQL for what its records say', async () => {
    const subject = requests();
    put(subject, record(1, { stream: true, firstTokenMs: 3.25, input: 10, provider: 'sandbox' }));
    put(subject, record(2));
    await subject.flush();
    const database = new DatabaseSync(join(folder, 'requests.db'), { readOnly: true });
    const found = database.prepare('select n, at, provider, stream, first_token_ms, input, ended_by, route from requests order by n').all();
    // Work for each row that is written, whoever asks for it or not.
    const generated = database.prepare("select name from pragma_table_xinfo('calls') where hidden > 0").all();
    database.close();
    const route = '{"o":["1ca sandbox/chat"]}';
    expect(found.map((row) => Object.values(row))).toEqual([
      [1, NOW + 1, 'sandbox', 1, 3.25, 10, 'upstream', route],
      [2, NOW + 2, null, null, null, null, 'upstream', route],
    ]);
    expect(generated).toEqual([]);
  });

  it('takes over the rows of a file whose table had a column for each member', async () => {
    const old = new DatabaseSync(join(folder, 'requests.db'));
    const columns = READ_COLUMNS.map(([name, kind, member]) => `"${name}" ${kind} generated always as (record ->> '$.${member}')`);
    old.exec(`create table requests (n integer primary key, id text not null unique, record text not null, ${columns.join(', ')})`);
    old.exec('create table kysely_migration (name varchar(255) not null primary key, timestamp varchar(255) not null)');
    old.exec("insert into kysely_migration values ('0001-requests', '2026-11-26T00:00:00.000Z')");
    const add = old.prepare('insert into requests (id, record) values (?, ?)');
    for (const one of records(3)) add.run(one.id, JSON.stringify(one));
    old.close();
    const subject = requests();
    put(subject, record(2));
    put(subject, record(3));
    await subject.flush();
    expect(kept()).toEqual(records(4));
    expect(said).toEqual([]);
  });

  it('keeps nothing where no rows are wanted', async () => {
    const subject = requests({ limits: () => ({ requestDays: 1, requestRows: 0 }) });
    put(subject, record(1));
    await subject.addAll([record(2)]);
    await subject.flush();
    expect(await readdir(folder)).toEqual([]);
  });

  it('waits while another process has the file, without holding this one up', async () => {
    const subject = requests();
    put(subject, record(1));
    await subject.flush();
    const other = new DatabaseSync(join(folder, 'requests.db'));
    other.exec('begin immediate');
    put(subject, record(2));
    const began = performance.now();
    const done = subject.flush();
    expect(performance.now() - began).toBeLessThan(100);
    await new Promise((resolve) => setImmediate(resolve));
    expect(kept()).toEqual([record(1)]);
    other.exec('commit');
    other.close();
    await done;
    expect(kept()).toEqual(records(2, 1));
    expect(said).toEqual([]);
  });

  it('drops what does not fit while it cannot be written, says so once, and goes on', async () => {
    let isBroken = true;
    const database = lazily(() => openRequests(folder, () => undefined));
    closing.push(() => database.ifMade((opened) => opened.destroy()));
    const subject = requests({ database: () => (isBroken ? Promise.reject(new Error('no disk')) : database()) });
    for (const one of records(20_003)) put(subject, one);
    await subject.flush();
    await subject.flush();
    expect(said).toEqual(['trouble: no disk, 3 dropped']);
    isBroken = false;
    await subject.flush();
    expect(said).toEqual(['trouble: no disk, 3 dropped', 'recovered, 3 dropped']);
    expect(kept().at(-1)).toEqual(record(19_999));
  });

  it('holds little of what callers make long', async () => {
    const database = (): Promise<never> => Promise.reject(new Error('no disk'));
    const subject = requests({ database });
    const long = { route: { o: Array.from({ length: 64 }, () => 'x'.repeat(600)) } };
    for (let i = 0; i < 1000; i++) put(subject, record(i, long));
    await subject.flush();
    expect(said).toEqual([expect.stringMatching(/^trouble: no disk, [56]\d\d dropped$/)]);
  });

  it('begins anew where the file is damaged', async () => {
    await mkdir(folder, { recursive: true });
    await writeFile(join(folder, 'requests.db'), 'no database at all '.repeat(1000));
    const subject = requests();
    put(subject, record(1));
    await subject.flush();
    expect(kept()).toEqual([record(1)]);
    expect(said).toEqual([expect.stringMatching(/^damaged: /)]);
    expect((await readFile(join(folder, 'requests.db.damaged'), 'utf8')).slice(0, 11)).toBe('no database');
  });

  it('begins anew with the next start where it was found damaged while it was written', async () => {
    const subject = requests();
    put(subject, record(1));
    await subject.flush();
    await markDamaged(folder);
    const database = await openRequests(folder, (error) => said.push((error as Error).message));
    closing.push(() => database.destroy());
    expect(kept()).toEqual([]);
    expect(said).toEqual(['It was found damaged when it was written']);
    expect(await readdir(folder)).not.toContain('requests.db.broken');
    expect([isDamaged({ errcode: 267 }), isDamaged(new Error('x', { cause: Object.assign(new Error('y'), { errcode: 26 }) }))]).toEqual([
      true,
      true,
    ]);
    expect([isDamaged({ errcode: 5 }), isDamaged(new Error('x'))]).toEqual([false, false]);
  });

  it('takes rows of several processes at once, and loses none', { timeout: 60_000 }, async () => {
    const program = (from: number): string => `
      import { openRequests } from ${JSON.stringify(new URL('database.ts', import.meta.url).href)};
      import { createRequests } from ${JSON.stringify(new URL('requests.ts', import.meta.url).href)};
      const db = await openRequests(${JSON.stringify(folder)}, console.error);
      const subject = createRequests({ database: async () => db, now: () => ${NOW}, limits: () => ({ requestDays: 30, requestRows: 1e6 }),
        onTrouble: console.error, onRecovered: console.error });
      for (let round = 0; round < 40; round++) {
        for (let i = 0; i < 25; i++) {
          const id = 'req_${from}_' + (round * 25 + i);
          subject.add(id, JSON.stringify({ ...${JSON.stringify(record(0))}, id }));
        }
        await subject.flush();
      }
      await subject.close();
      await db.destroy();`;
    const runs = [1, 2, 3, 4].map(async (from) => {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program(from)], { stdio: ['ignore', 'ignore', 'pipe'] });
      let output = '';
      child.stderr.on('data', (piece: Buffer) => (output += piece.toString()));
      await new Promise((resolve) => child.on('close', resolve));
      return output;
    });
    expect(await Promise.all(runs)).toEqual(['', '', '', '']);
    expect(new Set(kept().map(({ id }) => id)).size).toBe(4000);
  });
});

describe('catching up with the journal', () => {
  const journal = (): string => join(folder, 'journal');
  const lines = (some: readonly CallRecord[]): string => some.map((one) => `${JSON.stringify(one)}\n`).join('');
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(journal(), { recursive: true });
    await appendFile(join(journal(), `${name}.ndjson`), text);
  };
  const caughtUp = (subject: Requests, changes: Partial<Parameters<typeof catchUp>[0]> = {}): Promise<number> =>
    catchUp({ folder: journal(), requests: subject, since: NOW - 1, maxRows: 1_000_000, ...changes });

  it('brings over what a killed process had not written, and no torn line', async () => {
    const subject = requests();
    await subject.addAll(records(900));
    await write('a', lines(records(1000)) + JSON.stringify(record(1000)).slice(0, 40));
    expect(await caughtUp(subject)).toBe(100);
    expect(kept()).toEqual(records(1000));
    expect(await caughtUp(subject)).toBe(0);
  });

  it('makes the whole table again, through lines longer than a block', async () => {
    const subject = requests();
    const long = record(3000, { notes: 'x'.repeat(600_000) });
    await write('a', lines(records(2000)) + lines([long]) + lines(records(1000, 2000)));
    await write('b', lines(records(10, 5000)));
    expect(await caughtUp(subject)).toBe(3011);
    expect(new Set(kept().map(({ id }) => id))).toEqual(new Set([...records(3000), long, ...records(10, 5000)].map(({ id }) => id)));
  });

  it('finds a gap in the middle where it is told that there is one', async () => {
    const subject = requests();
    const all = records(5000);
    await subject.addAll([...all.slice(0, 100), ...all.slice(150)]);
    await write('a', lines(all));
    expect(await caughtUp(subject)).toBe(0);
    expect(await caughtUp(subject, { isThorough: true })).toBe(50);
  });

  it('does not bring over what is too old, nor much more than there may be', async () => {
    const subject = requests();
    await write('a', lines(records(5000)));
    expect(await caughtUp(subject, { since: NOW + 4900 })).toBe(100);
    expect(await caughtUp(subject, { maxRows: 10, isThorough: true })).toBeLessThan(1500);
  });

  it('of no journal, nothing', async () => expect(await caughtUp(requests())).toBe(0));
});
