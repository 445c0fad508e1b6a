// Makes a fresh clone ready: installs the packages of the lockfile when they are not there yet. Plain JavaScript, because it
// runs under whatever Node the machine has, before the one that the lockfile brings is there.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { bundledNode, isChinese, MINIMUM_NODE, root, satisfies } from './which-node.js';

const chinese = isChinese(process.env);
/** @param {string} en @param {string} zh */
const say = (en, zh) => process.stderr.write(`${chinese ? zh : en}\n`);

/** What was installed, told by the lockfile and the kind of machine: a folder that moved to another kind is installed anew. */
function wantedStamp() {
  const lock = createHash('sha256')
    .update(readFileSync(join(root, 'package-lock.json')))
    .digest('hex');
  return `${lock} ${process.platform} ${process.arch}\n`;
}

const modules = join(root, 'node_modules');
const stampFile = join(modules, '.pailou-setup');

function isReady() {
  const stamp = existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : '';
  return stamp === wantedStamp() && (bundledNode() !== undefined || satisfies(process.versions.node));
}

function install() {
  say('Setting up: installing packages (npm ci), once; about a minute …', '正在准备：安装依赖（npm ci），只需一次，约一分钟……');
  // Development packages also where the environment says production: the tests need them, and `npm start` runs from source.
  const args = ['ci', '--loglevel=error', '--no-audit', '--no-fund', '--include=dev', '--include=optional'];
  const npm = process.env.npm_execpath;
  const [command, rest] = npm ? [process.execPath, [npm, ...args]] : ['npm', args];
  return spawnSync(command, rest, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], shell: !npm && process.platform === 'win32' });
}

function setUp() {
  if (isReady()) return 0;
  const { status, error } = install();
  if (error || status !== 0) {
    const why = error ? error.message : `npm ci: exit ${status}`;
    say(
      `Setting up failed (${why}). The lines above say why; most often the package registry cannot be reached. Try again, or see: npm config get registry`,
      `准备失败（${why}）。原因见上方输出，最常见的是无法访问软件包仓库。请重试，或检查：npm config get registry`,
    );
    return 1;
  }
  if (bundledNode() === undefined && !satisfies(process.versions.node)) {
    say(
      `Pailou needs Node ${MINIMUM_NODE} or newer. This is ${process.versions.node}, and there is no bundled one for ${process.platform}-${process.arch}: install it from https://nodejs.org`,
      `Pailou 需要 Node ${MINIMUM_NODE} 或更新版本。当前为 ${process.versions.node}，且没有适用于 ${process.platform}-${process.arch} 的内置版本，请从 https://nodejs.org 安装`,
    );
    return 1;
  }
  writeFileSync(stampFile, wantedStamp());
  return 0;
}

process.exitCode = setUp();
