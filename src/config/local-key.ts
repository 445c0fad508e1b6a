import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { secretInFile } from './secret-file.ts';

/** The key that is made where none is configured. */
export interface LocalKey {
  readonly value: string;
  /** The file that holds it. */
  readonly path: string;
  /** It was made just now. */
  readonly isNew: boolean;
}

/** The key in `local.key` of the data folder, made at first. */
export async function localKey(data: string): Promise<LocalKey> {
  const path = join(data, 'local.key');
  // 256 bits: keys are stored as plain hashes.
  const make = (): string => `pk-${randomBytes(32).toString('base64url')}`;
  return { ...(await secretInFile({ path, form: /^pk-[\w-]{20,}$/, make })), path };
}
