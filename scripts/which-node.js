// Which Node runs Pailou: the one that the lockfile brings, else the machine's own where it is new enough.
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MINIMUM_NODE = '24.18';

/** The folder of the checkout. */
export const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Whether a version (`24.21.0`) is new enough. @param {string} version */
export function satisfies(version) {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = MINIMUM_NODE.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/** The program that the lockfile brought, if there is one for this kind of machine. @returns {string | undefined} */
export function bundledNode() {
  const link = join(root, 'node_modules', '.bin', 'node');
  return existsSync(link) ? realpathSync(link) : undefined;
}

/** Whether people here read Chinese. @param {NodeJS.ProcessEnv} env */
export function isChinese(env) {
  return /^zh/i.test(env.PAILOU_LANG || env.LC_ALL || env.LC_MESSAGES || env.LANG || '');
}
