import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { Env } from './find-file.ts';
import { secretInFile } from './secret-file.ts';

const MIN_CHARACTERS = 32;

/**
 * The secret behind the master key: `$PAILOU_SECRET`, else `secret.key` in the data folder, made at first (0600). It is
 * stretched by nothing: `$PAILOU_SECRET` must be random, not a pass phrase.
 */
export async function masterSecret(data: string, env: Env): Promise<string> {
  const named = env['PAILOU_SECRET'];
  if (named && named.length < MIN_CHARACTERS) {
    throw new Error(`PAILOU_SECRET must have at least ${MIN_CHARACTERS} random characters. Make one with: openssl rand -base64 32`);
  }
  const make = (): string => randomBytes(32).toString('base64url');
  return named || (await secretInFile({ path: join(data, 'secret.key'), form: /^[\w-]{43}$/, make })).value;
}
