import { execFile } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { localKey } from '../../src/config/local-key.ts';
import { scratchFolder } from './scratch.ts';

const modeOf = (path: string): number => statSync(path).mode & 0o777;

test('a key is made once, for its owner only, and kept', async () => {
  const data = join(scratchFolder(), 'not', 'there', 'yet');
  const first = await localKey(data);
  expect(first).toMatchObject({ isNew: true, path: join(data, 'local.key') });
  expect(first.value).toMatch(/^pk-[\w-]{43}$/);
  expect(readFileSync(first.path, 'utf8')).toBe(`${first.value}\n`);
  expect(modeOf(first.path)).toBe(0o600);
  expect(modeOf(data)).toBe(0o700);
  expect(await localKey(data)).toEqual({ ...first, isNew: false });
  expect(readdirSync(data)).toEqual(['local.key']);
});

test('no two folders get the same', async () => {
  const [one, two] = await Promise.all([localKey(scratchFolder()), localKey(scratchFolder())]);
  expect(one.value).not.toBe(two.value);
});

test('a file that others may read is closed to them', async () => {
  const data = scratchFolder();
  const { path, value } = await localKey(data);
  chmodSync(path, 0o644);
  expect((await localKey(data)).value).toBe(value);
  expect(modeOf(path)).toBe(0o600);
});

test('what is no key is not used, and told', async () => {
  const data = scratchFolder();
  writeFileSync(join(data, 'local.key'), 'hello\n');
  await expect(localKey(data)).rejects.toThrow(/local\.key holds no key\. Remove it to have one made/);
  expect(readFileSync(join(data, 'local.key'), 'utf8')).toBe('hello\n');
});

test('calls at the same time get one key', async () => {
  const data = scratchFolder();
  const keys = await Promise.all(Array.from({ length: 32 }, () => localKey(data)));
  expect(new Set(keys.map(({ value }) => value)).size).toBe(1);
  expect(keys.filter(({ isNew }) => isNew)).toHaveLength(1);
  expect(readdirSync(data)).toEqual(['local.key']);
});

test('processes at the same time get one key', async () => {
  const data = scratchFolder();
  const module = new URL('../../src/config/local-key.ts', import.meta.url).href;
  const program = `const { localKey } = await import(${JSON.stringify(module)}); process.stdout.write((await localKey(process.argv[1])).value)`;
  const run = () => promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, data]);
  const outputs = await Promise.all(Array.from({ length: 4 }, run));
  expect(new Set(outputs.map(({ stdout }) => stdout))).toEqual(new Set([readFileSync(join(data, 'local.key'), 'utf8').trim()]));
});
