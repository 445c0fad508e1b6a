import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..');

/** A page that was made from the code, as the formatter leaves it: else one of the two checks would always fail. */
export function formatPage(name: string, text: string): string {
  const tool = join(root, 'node_modules', '.bin', 'oxfmt');
  const { stdout, status, stderr, error } = spawnSync(tool, ['--stdin-filepath', name], { cwd: root, input: text, encoding: 'utf8' });
  if (status !== 0) throw new Error(`oxfmt: ${error?.message ?? stderr}`);
  return stdout;
}
