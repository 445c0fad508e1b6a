import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadMasterKey } from './master-key.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const SECRET = { PAILOU_SECRET: 'an-environment-secret-of-enough-length' };
const PLAIN = Buffer.from('牌楼 signature');

describe('the master key', () => {
  it('is made once, in a file that only the owner may read', async () => {
    const first = await loadMasterKey(folder, {});
    const sealed = first.sealer('seals').seal(PLAIN, 'row');
    expect((await stat(join(folder, 'secret.key'))).mode & 0o777).toBe(0o600);
    expect(await readdir(folder)).toEqual(['secret.key']);
    const second = await loadMasterKey(folder, {});
    expect(second.sealer('seals').open(sealed, 'row')).toEqual(PLAIN);
  });

  it('is the same for processes that start at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadMasterKey(folder, {})));
    const sealed = keys.map((key) => key.sealer('seals').seal(PLAIN, 'row'));
    for (const key of keys) for (const one of sealed) expect(key.sealer('seals').open(one, 'row')).toEqual(PLAIN);
    expect(await readdir(folder)).toEqual(['secret.key']);
  });

  it('is closed to others where it was open', async () => {
    await loadMasterKey(folder, {});
    await chmod(join(folder, 'secret.key'), 0o644);
    await loadMasterKey(folder, {});
    expect((await stat(join(folder, 'secret.key'))).mode & 0o777).toBe(0o600);
  });

  it('comes from the environment, and then there is no file', async () => {
    const sealed = (await loadMasterKey(folder, SECRET)).sealer('seals').seal(PLAIN, 'row');
    expect(await readdir(folder)).toEqual([]);
    expect((await loadMasterKey(folder, SECRET)).sealer('seals').open(sealed, 'row')).toEqual(PLAIN);
  });

  it('refuses a short one from the environment, and does not show it', async () => {
    await expect(loadMasterKey(folder, { PAILOU_SECRET: 'hunter2' })).rejects.toThrow(/^PAILOU_SECRET must have at least 32 random/);
  });

  it('is not replaced where the file holds something else', async () => {
    await writeFile(join(folder, 'secret.key'), 'short\n');
    await expect(loadMasterKey(folder, {})).rejects.toThrow(/holds no key/);
    expect(await readFile(join(folder, 'secret.key'), 'utf8')).toBe('short\n');
  });
});

describe('a sealed value', () => {
  it('shows nothing of what is in it, and is never the same twice', async () => {
    const sealer = (await loadMasterKey(folder, SECRET)).sealer('seals');
    const [one, two] = [sealer.seal(PLAIN, 'row'), sealer.seal(PLAIN, 'row')];
    expect(one.includes('signature')).toBe(false);
    expect(one.equals(two)).toBe(false);
    expect(one).toHaveLength(PLAIN.length + 33);
  });

  it.each([
    { name: 'under another context', change: (sealed: Buffer) => sealed, context: 'another row' },
    { name: 'with a bit changed', change: (sealed: Buffer) => Buffer.from(sealed.map((byte, at) => (at === 20 ? byte ^ 1 : byte))) },
    {
      name: 'with its tag changed',
      change: (sealed: Buffer) => Buffer.from(sealed.map((byte, at) => (at === sealed.length - 1 ? byte ^ 1 : byte))),
    },
    { name: 'cut short', change: (sealed: Buffer) => sealed.subarray(0, -1) },
    { name: 'of nothing', change: () => Buffer.alloc(0) },
    { name: 'of another format', change: (sealed: Buffer) => Buffer.concat([Buffer.of(2), sealed.subarray(1)]) },
  ])('does not open $name', async ({ change, context = 'row' }) => {
    const sealer = (await loadMasterKey(folder, SECRET)).sealer('seals');
    expect(sealer.open(change(sealer.seal(PLAIN, 'row')), context)).toBeUndefined();
  });

  it('does not open for another purpose or with another key', async () => {
    const key = await loadMasterKey(folder, SECRET);
    const sealed = key.sealer('seals').seal(PLAIN, 'row');
    expect(key.sealer('states').open(sealed, 'row')).toBeUndefined();
    const other = await loadMasterKey(folder, { PAILOU_SECRET: `${SECRET.PAILOU_SECRET}!` });
    expect(other.sealer('seals').open(sealed, 'row')).toBeUndefined();
  });
});
