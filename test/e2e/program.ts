import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;

/** The program, running in a process of its own. */
export interface Program {
  readonly child: ChildProcess;
  /** What it wrote so far. */
  readonly out: { stdout: string; stderr: string };
  /** Settles when something written matches. */
  until(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string>;
  /** Exit code, or the signal that ended it. */
  readonly ended: Promise<number | NodeJS.Signals | null>;
}

/** Everything that a program finds around it: a home of its own, no provider's key, English. */
export function environment(home: string): NodeJS.ProcessEnv {
  const { PATH = '', NODE_COMPILE_CACHE } = process.env;
  const cache = NODE_COMPILE_CACHE ?? join(home, '..', 'pailou-e2e-compiled');
  return { PATH, HOME: home, LANG: 'C.UTF-8', NODE_COMPILE_CACHE: cache };
}

const running = new Set<ChildProcess>();

/** Ends what a test left behind. */
export async function killAll(): Promise<void> {
  await Promise.all(
    [...running].map(async (child) => {
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    }),
  );
}

/** A folder for programs to live in. */
export const newHome = (name: string): Promise<string> => mkdtemp(join(tmpdir(), `pailou-${name}-`));

/** Ends what a test left behind, and takes its home away. */
export async function leaveHome(home: string): Promise<void> {
  await killAll();
  // Workers end a moment after what started them.
  await rm(home, { recursive: true, force: true, maxRetries: 20 });
}

export function startProgram(args: readonly string[], home: string, env: NodeJS.ProcessEnv = {}): Program {
  const child = spawn(process.execPath, ['--unhandled-rejections=strict', MAIN, ...args], {
    cwd: home,
    env: { ...environment(home), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  const out = { stdout: '', stderr: '' };
  const gone = once(child, 'close').then(([code, signal]) => {
    running.delete(child);
    return (code ?? signal) as number | NodeJS.Signals | null;
  });
  for (const name of ['stdout', 'stderr'] as const) child[name].setEncoding('utf8').on('data', (text: string) => (out[name] += text));
  return {
    child,
    out,
    ended: gone,
    async until(stream, pattern) {
      for (const deadline = performance.now() + 15_000; ; await sleep(5)) {
        const found = pattern.exec(out[stream]);
        if (found) return found[1] ?? found[0];
        const isGone = child.exitCode !== null || child.signalCode !== null;
        if (isGone || performance.now() > deadline) throw new Error(`no ${String(pattern)} in: ${out.stdout}\n${out.stderr}`);
      }
    },
  };
}

/** The program as a server, with what it says to programs. */
export interface Served extends Program {
  readonly url: string;
  readonly banner: Readonly<Record<string, unknown>>;
}

export async function startServer(args: readonly string[], home: string, env: NodeJS.ProcessEnv = {}): Promise<Served> {
  const program = startProgram(['--json', '--port', '0', ...args], home, env);
  const banner = JSON.parse(await program.until('stdout', /^\{.*\}\n/)) as Readonly<Record<string, unknown>>;
  return { ...program, banner, url: String(banner['url']) };
}

/** Asks a model of the sandbox; the answer's status, or what went wrong on the way. */
export async function ask(url: string, key: string, model = 'sandbox/chat', stream = false): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, stream, messages: [{ role: 'user', content: 'Hello!' }] }),
  });
}
