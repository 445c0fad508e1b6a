import { existsSync } from 'node:fs';
import { isAbsolute, join, resolve } from 'node:path';
import type { Words } from './language.ts';
import { ConfigError } from './problem.ts';

/** Environment variables. */
export type Env = Readonly<Record<string, string | undefined>>;

/** Where a configuration is looked for. */
export interface Places {
  /** `--config`. */
  readonly path?: string;
  readonly env: Env;
  readonly cwd: string;
  readonly home: string;
  /** The system's folder; tests have their own. */
  readonly system?: string;
}

const NAMES = ['pailou.yaml', 'pailou.yml', 'pailou.json'];

/** Folders that are searched, the first that has a file wins. */
export function searchedFolders({ env, cwd, home, system = '/etc/pailou' }: Places): readonly string[] {
  const configs = env['XDG_CONFIG_HOME'];
  const user = configs && isAbsolute(configs) ? configs : join(home, '.config');
  return [cwd, join(user, 'pailou'), system];
}

/** The configuration file: what was asked for, else the first that is found; `undefined` when there is none. Throws `ConfigError` when one was named that is not there. */
export function findFile(places: Places): string | undefined {
  const asked = places.path ?? (places.env['PAILOU_CONFIG'] || undefined);
  if (asked === undefined) {
    return searchedFolders(places)
      .flatMap((folder) => NAMES.map((name) => join(folder, name)))
      .find((file) => existsSync(file));
  }
  const file = resolve(places.cwd, asked);
  if (existsSync(file)) return file;
  const by = places.path === undefined ? ' ($PAILOU_CONFIG)' : '';
  const what: Words = [`There is no file '${asked}'${by}`, `文件“${asked}”不存在${by}`];
  const right: Words = ['the path of a configuration file', '配置文件的路径'];
  throw new ConfigError([{ severity: 'error', code: 'no_file', path: '', what, right }]);
}
