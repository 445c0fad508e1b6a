// node scripts/run.js FILE [ARGS…]: runs a file under the Node that the lockfile brings. Signals and the exit code pass through.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { bundledNode, isChinese, MINIMUM_NODE, satisfies } from './which-node.js';

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
  const child = spawn(node, process.argv.slice(2), { stdio: 'inherit' });
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
