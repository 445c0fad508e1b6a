import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { masterSecret } from './master-secret.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-key-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const SECRET = { PAILOU_SECRET: 'an-environment-secret-of-enough-length' };

describe('the master secret', () => {
  it('is made once, in a file that only the owner may read', async () => {
    const secret = await masterSecret(folder, {});
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect((await stat(join(folder, 'secret.key'))).mode & 0o777).toBe(0o600);
    expect(await masterSecret(folder, {})).toBe(secret);
    expect(await readdir(folder)).toEqual(['secret.key']);
  });

  it('is the same for all that start at once', async () => {
    const secrets = await Promise.all(Array.from({ length: 8 }, () => masterSecret(folder, {})));
    expect(new Set(secrets).size).toBe(1);
    expect(await readdir(folder)).toEqual(['secret.key']);
  });

  it('is closed to others where it was open', async () => {
    await masterSecret(folder, {});
    await chmod(join(folder, 'secret.key'), 0o644);
    await masterSecret(folder, {});
    expect((await stat(join(folder, 'secret.key'))).mode & 0o777).toBe(0o600);
  });

  it('comes from the environment, and then there is no file', async () => {
    expect(await masterSecret(folder, SECRET)).toBe(SECRET.PAILOU_SECRET);
    expect(await readdir(folder)).toEqual([]);
  });

  it('refuses a short one from the environment, and does not show it', async () => {
    await expect(masterSecret(folder, { PAILOU_SECRET: 'hunter2' })).rejects.toThrow(/^PAILOU_SECRET must have at least 32 random/);
  });

  it('is not replaced where the file holds something else', async () => {
    await writeFile(join(folder, 'secret.key'), 'short\n');
    await expect(masterSecret(folder, {})).rejects.toThrow(/holds no key/);
    expect(await readFile(join(folder, 'secret.key'), 'utf8')).toBe('short\n');
  });
});
