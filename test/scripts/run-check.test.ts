import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCheck } from '../../scripts/run-check.ts';
import { scratchFolder } from '../config/scratch.ts';

const run = (program: string, cwd = scratchFolder(), minutes = 1) =>
  runCheck({ command: [process.execPath, '-e', program], cwd, env: process.env, minutes });

const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.startsWith('Z') === false;
  } catch {
    return false;
  }
};

test('what ends well is good, with what it wrote', async () => {
  expect(await run(`console.log('one'); console.error('two')`)).toMatchObject({ isGood: true, output: 'one\ntwo\n' });
});

test.each([
  ['a code', `console.log('why'); process.exit(3)`, 'why\n'],
  ['a signal', `process.kill(process.pid, 'SIGTERM'); setInterval(() => {}, 1000)`, '\nended by SIGTERM\n'],
])('what ends with %s is not', async (_name, program, output) => {
  expect(await run(program)).toMatchObject({ isGood: false, output });
});

test('a program that is not there is told', async () => {
  const ended = await runCheck({ command: ['/nowhere/program'], cwd: scratchFolder(), env: process.env, minutes: 1 });
  expect(ended).toMatchObject({ isGood: false, output: expect.stringContaining('ENOENT') as string });
});

/** Starts a grandchild that never ends and holds the output open. */
const WITH_CHILD = `
  const { spawn } = require('node:child_process');
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'inherit' });
  require('node:fs').writeFileSync('pid', String(child.pid));`;

test.each([
  ['hangs', `${WITH_CHILD} setInterval(() => {}, 1000);`, 0.02, false, 'ended: it took more than 0.02 min'],
  ['ends and leaves something behind', `${WITH_CHILD} child.unref(); process.exit(0);`, 1, true, ''],
])('what %s is ended with all that it started', async (_name, program, minutes, isGood, says) => {
  const folder = scratchFolder();
  const ended = await run(program, folder, minutes);
  expect(ended.isGood).toBe(isGood);
  expect(ended.output).toContain(says);
  const pid = Number(readFileSync(join(folder, 'pid'), 'utf8'));
  // The kernel takes a moment to bury what was killed.
  await expect.poll(() => isAlive(pid)).toBe(false);
});
