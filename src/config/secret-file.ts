import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A secret of this machine that is made at first. */
export interface SecretFile {
  readonly path: string;
  /** What a secret looks like. */
  readonly form: RegExp;
  readonly make: () => string;
}

/** What a file holds, if it is a secret; a file that others may read is closed to them. */
async function readSecret({ path, form }: SecretFile): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const value = text.trim();
  if (!form.test(value)) return undefined;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
  return value;
}

/**
 * The secret in a file, made at first. Two processes that start at once get the same one: it is written whole under another
 * name and then linked, which only one of them can.
 */
export async function secretInFile(file: SecretFile): Promise<{ readonly value: string; readonly isNew: boolean }> {
  const { path, make } = file;
  const kept = await readSecret(file);
  if (kept !== undefined) return { value: kept, isNew: false };
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const value = make();
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${value}\n`, { mode: 0o600, flag: 'wx', flush: true });
  try {
    if (await place(draft, path)) return { value, isNew: true };
  } finally {
    await rm(draft, { force: true });
  }
  const other = await readSecret(file);
  if (other === undefined) throw new Error(`${path} holds no key. Remove it to have one made`);
  return { value: other, isNew: false };
}

/** Puts the draft in its place; false when another process was faster. */
async function place(draft: string, path: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}
