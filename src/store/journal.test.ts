import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFile, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readJournal } from '../../test/read-journal.ts';
import type { CallRecord } from '../exchange/ports.ts';
import { createJournal, type JournalFile, type JournalPorts } from './journal.ts';

let parent: string;
let folder: string;
let said: string[];
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'pailou-journal-'));
  folder = join(parent, 'journal');
  said = [];
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const record = (number: number, asked = 'sandbox/chat'): CallRecord => ({
  id: `req_${number}`,
  at: 1_795_678_071_000 + number,
  key: 'test',
  protocol: 'openai-chat',
  operation: 'generate',
  asked,
  status: 200,
  attempts: 1,
  durationMs: 12.5,
  endedBy: 'upstream',
  revision: 1,
  config: 'f',
});
const records = (count: number): readonly CallRecord[] => Array.from({ length: count }, (_, number) => record(number));

const journal = (changes: Partial<JournalPorts> = {}) =>
  createJournal({
    folder,
    now: () => Date.UTC(2026, 10, 26),
    onTrouble: (error, dropped) => said.push(`trouble: ${(error as Error).message}, ${dropped} dropped`),
    onRecovered: (dropped) => said.push(`recovered, ${dropped} dropped`),
    ...changes,
  });

const names = async (): Promise<readonly string[]> => (await readdir(folder)).sort();

describe('the journal', () => {
  it('goes on in a file that is there, where another process has taken its own away', async () => {
    const subject = journal();
    subject.append(record(1));
    await subject.flush();
    for (const name of await names()) await rm(join(folder, name));
    subject.append(record(2));
    await subject.close();
    expect(await readJournal(folder)).toEqual([record(2)]);
  });

  it('has every record after a flush, in order, in files that only the owner may read', async () => {
    const subject = journal();
    for (const one of records(2000)) subject.append(one);
    await subject.flush();
    expect(await readJournal(folder)).toEqual(records(2000));
    const [name = ''] = await names();
    expect((await stat(join(folder, name))).mode & 0o777).toBe(0o600);
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    await subject.close();
  });

  it('writes without being asked', async () => {
    const subject = journal();
    subject.append(record(1));
    await expect.poll(() => readJournal(folder).catch(() => [])).toEqual([record(1)]);
    await subject.close();
  });

  it('writes everything when it is closed, and nothing after it', async () => {
    const subject = journal();
    for (const one of records(10)) subject.append(one);
    await subject.close();
    subject.append(record(11));
    await subject.flush();
    expect(await readJournal(folder)).toEqual(records(10));
  });

  it('makes no file where nothing happened', async () => {
    await journal().close();
    await expect(readdir(folder)).rejects.toThrow('ENOENT');
  });

  it('keeps a record to its line, whatever a client sent', async () => {
    const subject = journal();
    const evil = record(1, 'a\nb\u2028c"}\r\n{"id":"forged"}\0牌楼\ud800');
    subject.append(evil);
    await subject.close();
    expect((await readJournal(folder)).map((one) => [one.id, one.asked.startsWith('a\nb')])).toEqual([['req_1', true]]);
  });

  it('begins new files as they fill, and removes the oldest', async () => {
    const subject = journal({ fileBytes: 4096, totalBytes: 20_000 });
    for (const one of records(400)) {
      subject.append(one);
      await subject.flush();
    }
    await subject.close();
    const sizes = await Promise.all((await names()).map(async (name) => (await stat(join(folder, name))).size));
    expect(sizes.length).toBeGreaterThan(2);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThanOrEqual(20_000);
    const kept = (await readJournal(folder)).map(({ id }) => id).sort();
    expect(kept).toEqual(
      records(400)
        .slice(-kept.length)
        .map(({ id }) => id)
        .sort(),
    );
  });

  it('leaves files alone that are not its own', async () => {
    const subject = journal({ fileBytes: 200, totalBytes: 400 });
    for (const one of records(3)) {
      subject.append(one);
      await subject.flush();
    }
    await writeFile(join(folder, '0-notes.txt'), 'x'.repeat(5000));
    for (const one of records(3)) {
      subject.append(one);
      await subject.flush();
    }
    await subject.close();
    expect(await names()).toContain('0-notes.txt');
  });

  it('goes on after a torn last line of a process that was killed', async () => {
    const before = journal();
    before.append(record(1));
    await before.close();
    const [name = ''] = await names();
    await appendFile(join(folder, name), '{"id":"req_2","at":17956');
    const after = journal({ now: () => Date.UTC(2026, 10, 27) });
    after.append(record(3));
    await after.close();
    expect(await readJournal(folder)).toEqual([record(1), record(3)]);
  });
});

describe('a disk that is full', () => {
  /** A real file that takes no more bytes while the disk is full, in the middle of a line. */
  function fullDisk() {
    const disk = { room: 1000 };
    const openFile = async (path: string): Promise<JournalFile> => {
      const file = await open(path, 'a');
      return {
        async write(bytes) {
          const part = bytes.subarray(0, disk.room);
          if (part.length === 0) throw new Error('ENOSPC: no space left on device');
          disk.room -= part.length;
          return file.write(part);
        },
        truncate: (length) => file.truncate(length),
        datasync: () => file.datasync(),
        stat: () => file.stat(),
        close: () => file.close(),
      };
    };
    return { disk, openFile };
  }

  it('loses nothing that fits into memory, tears no line, and says so once', async () => {
    const { disk, openFile } = fullDisk();
    const subject = journal({ openFile });
    for (const one of records(100)) subject.append(one);
    await subject.flush();
    await subject.flush();
    expect(said).toEqual(['trouble: ENOSPC: no space left on device, 0 dropped']);
    disk.room = 2 ** 20;
    await subject.flush();
    expect(said).toEqual(['trouble: ENOSPC: no space left on device, 0 dropped', 'recovered, 0 dropped']);
    await subject.close();
    expect(await readJournal(folder)).toEqual(records(100));
  });

  it('drops and counts what does not fit into memory', async () => {
    const { disk, openFile } = fullDisk();
    disk.room = 0;
    const subject = journal({ openFile });
    for (const one of records(20_500)) subject.append(one);
    await subject.flush();
    disk.room = 2 ** 30;
    await subject.close();
    expect(said).toEqual(['trouble: ENOSPC: no space left on device, 500 dropped', 'recovered, 500 dropped']);
    expect(await readJournal(folder)).toHaveLength(20_000);
  });
});

describe('a process that is killed', () => {
  it('has lost no record that was flushed', async () => {
    const program = `
      import { createJournal } from ${JSON.stringify(new URL('journal.ts', import.meta.url).href)};
      const journal = createJournal({ folder: ${JSON.stringify(folder)}, now: Date.now, onTrouble() {}, onRecovered() {} });
      for (let number = 0; ; ) {
        for (let more = 0; more < 50; more += 1) journal.append({ ...${JSON.stringify(record(0))}, id: 'req_' + number++ });
        await journal.flush();
        process.stdout.write(number + '\\n');
      }
    `;
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
      let acknowledged = 0;
      for await (const line of createInterface(child.stdout)) {
        acknowledged = Number(line);
        if (acknowledged >= 500 + round * 130) child.kill('SIGKILL');
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      const ids = (await readJournal(folder)).map(({ id }) => id);
      expect(ids.length).toBeGreaterThanOrEqual(acknowledged);
      expect(ids).toEqual(ids.map((_, number) => `req_${number}`));
      await rm(folder, { recursive: true });
    }
  });
});
