import { isAbsolute, join, resolve } from 'node:path';
import type { Env } from './find-file.ts';

/** The folder of database, journal and keys: `--data`, `$PAILOU_DATA`, else the user's data folder. Not made here. */
export function dataFolder(asked: string | undefined, env: Env, cwd: string, home: string): string {
  const named = asked ?? (env['PAILOU_DATA'] || undefined);
  if (named !== undefined) return resolve(cwd, named);
  const data = env['XDG_DATA_HOME'];
  return join(data && isAbsolute(data) ? data : join(home, '.local', 'share'), 'pailou');
}
