import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CallRecord } from '../../src/exchange/ports.ts';
import { openReader } from '../../src/store/requests/read-requests.ts';
import { readJournal } from '../read-journal.ts';
import { ask, leaveHome, newHome, startProgram, startServer } from './program.ts';

const KEY = 'pk-0123456789-abcdefgh';
const config = (target: string): string => `version: 1
keys: [{ name: laptop, value: ${KEY} }]
models: { fast: ${target} }
sandbox: true
`;

let home: string;
let data: string;
beforeEach(async () => {
  home = await newHome('rows');
  data = join(home, 'data');
  await writeFile(join(home, 'pailou.yaml'), config('sandbox/chat'));
});
afterEach(async () => {
  await leaveHome(home);
});

const rows = (): readonly CallRecord[] => {
  const reader = openReader(data);
  const found = reader?.last(1000) ?? [];
  reader?.close();
  return found;
};

/** Runs a command of the program to its end. */
async function run(...args: readonly string[]): Promise<{ readonly code: unknown; readonly stdout: string; readonly stderr: string }> {
  const { ended, out } = startProgram(args, home);
  const code = await ended;
  return { code, ...out };
}

const sorted = (records: readonly CallRecord[]): readonly CallRecord[] => records.toSorted((a, b) => a.id.localeCompare(b.id));

it('every call that the journal has is in the table after kill -9 and a start, and can be looked up', { timeout: 60_000 }, async () => {
  const first = await startServer(['--data', data], home);
  for (let i = 0; i < 3; i++) expect((await ask(first.url, KEY, 'fast')).status).toBe(200);
  await expect.poll(() => rows().length, { timeout: 15_000 }).toBe(3);
  for (let i = 0; i < 40; i++) await ask(first.url, KEY, 'fast');
  first.child.kill('SIGKILL');
  await first.ended;
  const journal = await readJournal(join(data, 'journal'));
  expect(journal.length).toBeGreaterThan(3);

  const second = await startServer(['--data', data], home);
  // The table may have been written a little later than the journal: it may have more.
  const ids = new Set(journal.map(({ id }) => id));
  await expect.poll(() => sorted(rows().filter(({ id }) => ids.has(id))), { timeout: 15_000 }).toEqual(sorted(journal));
  const [{ id } = { id: '' }] = journal;

  const list = await run('requests', '--last', '2', '--data', data, '--json');
  expect(list.code).toBe(0);
  expect(list.stdout.trim().split('\n')).toHaveLength(2);
  const one = await run('request', id.toLowerCase(), '--data', data, '--json');
  expect(JSON.parse(one.stdout)).toEqual(journal[0]);
  const same = await run('route', 'explain', '--request', id, '--data', data);
  expect({ code: same.code, stderr: same.stderr }).toEqual({ code: 0, stderr: '' });
  expect(same.stdout).toMatch(/^As it was decided at [\d-]+ [\d:]+ \(configuration \S+, loaded once\):\nfast → sandbox\/chat\n/);

  await writeFile(join(home, 'pailou.yaml'), config('sandbox/chat-tools'));
  const other = await run('route', 'explain', '--request', id, '--data', data);
  expect(other.code).toBe(6);
  expect(other.stdout).toMatch(/it is another:\nfast → sandbox\/chat-tools\n/);
  second.child.kill('SIGTERM');
  expect(await second.ended).toBe(0);
});
