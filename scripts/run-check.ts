import { type ChildProcess, spawn } from 'node:child_process';

/** A program that checks something. */
export interface RunnableCheck {
  readonly command: readonly [string, ...string[]];
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
  /** Shows its output as it comes; else only when it fails. */
  readonly isLive?: boolean;
  /** How long it may take. */
  readonly minutes: number;
}

/** How a check ended. */
export interface EndedCheck {
  readonly isGood: boolean;
  /** What it wrote, unless that was shown already, and why it was ended. */
  readonly output: string;
  readonly seconds: number;
}

/** Ends a check with everything that it started: it leads a process group of its own. */
function kill(child: ChildProcess): void {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // It has ended already.
  }
}

const running = new Set<ChildProcess>();

/** Ends what runs now. */
export function killRunning(): void {
  for (const child of running) kill(child);
}

/** Runs a check to its end, or until its time is over. Nothing that it started outlives it. */
export function runCheck({ command, cwd, env, isLive = false, minutes }: RunnableCheck): Promise<EndedCheck> {
  const started = performance.now();
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    running.add(child);
    let output = '';
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      kill(child);
    }, minutes * 60_000);
    const take = (piece: Buffer): void => {
      if (isLive) process.stdout.write(piece);
      else output += piece.toString();
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const end = (isGood: boolean, more: string): void => {
      clearTimeout(timer);
      running.delete(child);
      resolve({ isGood, output: output + more, seconds: (performance.now() - started) / 1000 });
    };
    child.on('error', (error) => end(false, `${error.message}\n`));
    // What it left behind would hold its output open, and this program with it.
    child.on('exit', () => kill(child));
    child.on('close', (code, signal) => {
      const why = isLate ? `\nended: it took more than ${minutes} min\n` : signal === null ? '' : `\nended by ${signal}\n`;
      end(code === 0 && !isLate, why);
    });
  });
}
