// node scripts/run.js FILE [ARGS…]: runs a file under the Node that the lockfile brings. Signals and the exit code pass through.
import { spawn } from 'node:child_process';
import { accessSync, constants as modes } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { bundledNode, isChinese, MINIMUM_NODE, root, satisfies } from './which-node.js';

/**
 * The environment of a file. The program keeps what was compiled of it beside its packages (src/compile-cache.ts), but only once it runs:
 * where Node knows the folder before, it has the first file compiled as well, and does without what strips types, which takes a quarter of
 * a start and 17 MB. @param {string | undefined} file
 */
function environmentFor(file) {
  const modules = join(root, 'node_modules');
  if (file?.endsWith('main.ts') !== true) return process.env;
  try {
    accessSync(modules, modes.W_OK);
  } catch {
    return process.env;
  }
  return { NODE_COMPILE_CACHE: join(modules, '.cache', 'pailou'), ...process.env };
}

const node = bundledNode() ?? (satisfies(process.versions.node) ? process.execPath : undefined);

if (node === undefined) {
  const need = `Node ${MINIMUM_NODE}`;
  process.stderr.write(
    isChinese(process.env)
      ? `未找到 ${need}。请运行 npm start 或 npm test，它们会自动安装。\n`
      : `${need} is not there. Run npm start or npm test: they install it.\n`,
  );
  process.exitCode = 1;
} else {
  const child = spawn(node, process.argv.slice(2), { stdio: 'inherit', env: environmentFor(process.argv[2]) });
  // On Ctrl+C the terminal signals the child as well: it takes signals that come close together as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.on('error', (error) => {
    process.stderr.write(`${node}: ${error.message}\n`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    process.exit(code ?? 128 + (signal ? (constants.signals[signal] ?? 0) : 0));
  });
}
