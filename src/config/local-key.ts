import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** The key that is made where none is configured. */
export interface LocalKey {
  readonly value: string;
  /** The file that holds it. */
  readonly path: string;
  /** It was made just now. */
  readonly isNew: boolean;
}

const FORM = /^pk-[\w-]{20,}$/;

/** What a file holds, if it is a key; a file that others may read is closed to them. */
async function readKey(path: string): Promise<string | undefined> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  const value = text.trim();
  if (!FORM.test(value)) return undefined;
  const { mode } = await stat(path);
  if ((mode & 0o077) !== 0) await chmod(path, 0o600);
  return value;
}

/**
 * The key in `local.key` of the data folder, made at first. Two processes that start at once get the same one: it is
 * written whole under another name and then linked, which only one of them can.
 */
export async function localKey(data: string): Promise<LocalKey> {
  const path = join(data, 'local.key');
  const kept = await readKey(path);
  if (kept !== undefined) return { value: kept, path, isNew: false };
  await mkdir(data, { recursive: true, mode: 0o700 });
  // 256 bits: keys are stored as plain hashes.
  const value = `pk-${randomBytes(32).toString('base64url')}`;
  const draft = `${path}.${randomBytes(6).toString('hex')}`;
  await writeFile(draft, `${value}\n`, { mode: 0o600, flag: 'wx' });
  try {
    const isNew = await place(draft, path);
    if (isNew) return { value, path, isNew };
  } finally {
    await rm(draft, { force: true });
  }
  const other = await readKey(path);
  if (other === undefined) throw new Error(`${path} holds no key. Remove it to have one made`);
  return { value: other, path, isNew: false };
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
