import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { scratchFolder } from '../config/scratch.ts';

const SCRIPTS = fileURLToPath(new URL('../../scripts/', import.meta.url));

const { satisfies } = (await import(join(SCRIPTS, 'which-node.js'))) as { readonly satisfies: (version: string) => boolean };

/** Stands for npm: notes what it was asked, makes what `npm ci` makes, and ends as `code` says. */
const NPM = `const { appendFileSync, mkdirSync } = require('node:fs');
appendFileSync('asked', process.argv.slice(2).join(' ') + '\\n');
mkdirSync('node_modules', { recursive: true });
process.exit(Number(process.env.NPM_CODE ?? 0));`;

/** A clone with nothing but what setting up needs. */
function clone() {
  const folder = scratchFolder({ 'package-lock.json': '{}', 'npm.cjs': NPM, 'scripts/.keep': '', 'package.json': '{"type":"module"}' });
  for (const name of ['setup.js', 'run.js', 'which-node.js']) copyFileSync(join(SCRIPTS, name), join(folder, 'scripts', name));
  const run = (script: string, env: Readonly<Record<string, string>> = {}, args: readonly string[] = []) => {
    const all = { PATH: process.env['PATH'] ?? '', npm_execpath: join(folder, 'npm.cjs'), ...env };
    const { status, stderr, stdout } = spawnSync(process.execPath, [join('scripts', script), ...args], {
      cwd: folder,
      env: all,
      encoding: 'utf8',
    });
    return { status, stderr, stdout };
  };
  const asked = (): readonly string[] =>
    existsSync(join(folder, 'asked')) ? readFileSync(join(folder, 'asked'), 'utf8').trimEnd().split('\n') : [];
  return { folder, run, asked };
}

describe('setting up', () => {
  test('installs what the lockfile names, once', () => {
    const { run, asked } = clone();
    expect(run('setup.js')).toMatchObject({ status: 0, stderr: expect.stringContaining('Setting up') as string });
    expect(asked()).toEqual(['ci --loglevel=error --no-audit --no-fund --include=dev --include=optional']);
    expect(run('setup.js')).toMatchObject({ status: 0, stderr: '' });
    expect(asked()).toHaveLength(1);
  });

  test('again when the lockfile is another', () => {
    const { folder, run, asked } = clone();
    run('setup.js');
    writeFileSync(join(folder, 'package-lock.json'), '{"other":1}');
    expect(run('setup.js').status).toBe(0);
    expect(asked()).toHaveLength(2);
  });

  test.each([
    ['en', 'Setting up failed (npm ci: exit 7).'],
    ['zh', '准备失败（npm ci: exit 7）。'],
  ])('a failure is told, in %s, and tried again the next time', (language, says) => {
    const { run, asked } = clone();
    const failed = run('setup.js', { NPM_CODE: '7', PAILOU_LANG: language });
    expect(failed).toMatchObject({ status: 1, stderr: expect.stringContaining(says) as string });
    expect(failed.stderr).toContain('npm config get registry');
    expect(run('setup.js').status).toBe(0);
    expect(asked()).toHaveLength(2);
  });
});

describe('running', () => {
  test.each([0, 1, 3])('exit code %i passes through', (code) => {
    expect(clone().run('run.js', {}, ['-e', `process.exit(${code})`]).status).toBe(code);
  });
  test('an end by a signal is told as shells do', () => {
    expect(clone().run('run.js', {}, ['-e', `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)`]).status).toBe(143);
  });
  test.each([
    ['the program is told where its compiled code is', 'main.ts', {}, join('node_modules', '.cache', 'pailou')],
    ['no other file is', 'other.ts', {}, 'undefined'],
    ['unless it was told otherwise', 'main.ts', { NODE_COMPILE_CACHE: '/elsewhere' }, '/elsewhere'],
  ])('%s', (_what, file, env, place) => {
    const { folder, run } = clone();
    run('setup.js');
    writeFileSync(join(folder, file), 'const said: string = String(process.env.NODE_COMPILE_CACHE); console.log(said);');
    expect(
      run('run.js', env, [file])
        .stdout.trim()
        .replace(`${realpathSync(folder)}/`, ''),
    ).toBe(place);
  });
  test('arguments and output pass as they are', () => {
    expect(clone().run('run.js', {}, ['-e', 'console.log(process.argv.slice(1).join("|"))', 'a b', '--c=d']).stdout).toBe('a b|--c=d\n');
  });
});

test.each([
  ['24.18.0', true],
  ['24.21.0', true],
  ['26.0.0', true],
  ['24.17.9', false],
  ['20.20.2', false],
])('Node %s is new enough: %s', (version, isEnough) => expect(satisfies(version)).toBe(isEnough));
