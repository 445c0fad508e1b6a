import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { scratchFolder } from '../config/scratch.ts';

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

/** The program as people start it, in a folder of its own. */
function start(folder: string, args: readonly string[]) {
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, LANG: 'C' };
  const child: ChildProcess = spawn(process.execPath, [MAIN, ...args], { cwd: folder, env, stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let stdout = '';
  let stderr = '';
  child.stdout?.on('data', (piece: Buffer) => (stdout += piece.toString()));
  child.stderr?.on('data', (piece: Buffer) => (stderr += piece.toString()));
  const exit = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    exit,
    stdout: () => stdout,
    stderr: () => stderr,
    /** Waits until something was said; fails when the program ends without it. */
    async said(text: string | RegExp): Promise<string> {
      const has = (): boolean => (typeof text === 'string' ? stderr.includes(text) : text.test(stderr));
      let isOver = false;
      void exit.then(() => (isOver = true));
      while (!has()) {
        if (isOver) throw new Error(`it ended without saying ${String(text)}:\n${stderr}`);
        await Promise.race([child.stderr ? once(child.stderr, 'data') : exit, exit]);
      }
      return stderr;
    },
  };
}

/** The command that the banner prints, as a shell gets it. */
const printedCommand = (banner: string): string => banner.slice(banner.indexOf('  curl '));

const LAST_LINE = /"messages":\[.*\]\}'\n/;

const hasCurl = spawnSync('curl', ['--version']).status === 0;

test.skipIf(!hasCurl)('the printed command works as pasted; a signal ends the program with 0', async () => {
  const folder = scratchFolder();
  const program = start(folder, ['--port', '0', '--data', 'a data folder']);
  const banner = await program.said(LAST_LINE);
  const key = readFileSync(join(folder, 'a data folder', 'local.key'), 'utf8').trim();
  expect(banner).not.toContain(key);
  const shell = spawn('sh', ['-c', printedCommand(banner)], { cwd: '/', stdio: ['ignore', 'pipe', 'ignore'] });
  let answer = '';
  shell.stdout.on('data', (piece: Buffer) => (answer += piece.toString()));
  await once(shell, 'close');
  expect(JSON.parse(answer)).toMatchObject({
    object: 'chat.completion',
    choices: [{ message: { role: 'assistant', content: expect.stringMatching(/\w/) as string }, finish_reason: 'stop' }],
  });
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
  expect(program.stdout()).toBe('');
});

test('the file is taken over on SIGHUP, and by itself when it changes', async () => {
  const file = (model: string): string => `version: 1\nmodels: { mine: sandbox/${model} }\n`;
  const folder = scratchFolder({ 'pailou.yaml': file('echo') });
  const program = start(folder, ['--port', '0', '--data', 'data', '--json']);
  while (!program.stdout().endsWith('\n')) await once(program.child.stdout ?? program.child, 'data');
  const { url, keyFile } = JSON.parse(program.stdout()) as { url: string; keyFile: string };
  expect(statSync(keyFile).mode & 0o777).toBe(0o600);
  const key = readFileSync(keyFile, 'utf8').trim();
  const answer = async (): Promise<string> => {
    const body = JSON.stringify({ model: 'mine', messages: [{ role: 'user', content: 'Say it back' }] });
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
    return `${response.status} ${response.headers.get('x-pailou-served-by') ?? ''}`;
  };
  const until = async (wanted: string): Promise<void> => {
    while ((await answer()) !== wanted) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  expect(await answer()).toBe('200 sandbox/echo');
  writeFileSync(join(folder, 'pailou.yaml'), file('chat'));
  await until('200 sandbox/chat');
  writeFileSync(join(folder, 'pailou.yaml'), 'version: 1\nmodels: { mine: mine }\n');
  program.child.kill('SIGHUP');
  await program.said('models.mine: error: This leads in a circle');
  expect(await answer()).toBe('200 sandbox/chat');
  program.child.kill('SIGTERM');
  expect(await program.exit).toBe(0);
});

test('a port that is taken: 1, and what to do', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void other.close());
  const { port } = other.address() as AddressInfo;
  const program = start(scratchFolder(), ['--port', String(port), '--data', 'data']);
  expect(await program.exit).toBe(1);
  expect(program.stderr()).toBe(
    `Port ${port} on 127.0.0.1 is taken, perhaps by another Pailou. Choose another: pailou --port ${port + 1}\n`,
  );
});

test.each([
  [['version'], 0],
  [['sevre'], 2],
  [['check', 'nowhere.yaml'], 3],
] as const)('the exit code of pailou %j is %i', async (args, code) => {
  expect(await start(scratchFolder(), args).exit).toBe(code);
});
