// The program as a user runs it, in a process of its own, before upstreams of a test.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { residentKiB } from '../../bench/process-tree.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { type Program, startProgram } from '../e2e/program.ts';

export const KEY = 'pk-stress-0123456789abcdef';
/** Of another client. */
export const OTHER_KEY = 'pk-other-0123456789abcdef';

/** A gateway that runs. */
export interface Gateway {
  readonly url: string;
  readonly program: Program;
  /** Its memory now, in KiB. */
  resident(): number;
  /** What it holds after a collection, heap and buffers, in KiB. Of one that was started to tell it (`TELLS_HELD`). */
  held(): Promise<number>;
  /** Writes its configuration anew and waits until that is in force. */
  reload(): Promise<void>;
  /** Writes a configuration with a mistake in it, waits until that is told, and gives the key that stands in it. */
  spoil(): Promise<string>;
  /** Ends it; gives what it wrote to its log. */
  stop(): Promise<string>;
}

/** In the environment of a gateway that is asked for `held`. */
export const TELLS_HELD = { NODE_OPTIONS: `--expose-gc --import=${new URL('tell-held.ts', import.meta.url).href}` };

/** All but what it stands before. `mark`: a key by which it is seen that this configuration is in force. */
const configOf = (mark: string): object => ({
  version: 1,
  server: { host: '127.0.0.1', port: 0 },
  keys: [
    { name: 'stress', value: KEY },
    { name: 'other', value: OTHER_KEY },
    { name: 'mark', value: mark },
  ],
  discover: false,
});

/** Asks a program that tells it what it holds, in KiB. */
async function heldBy({ child, out }: Program): Promise<number> {
  const told = /^held (\d+)$/gm;
  const before = [...out.stderr.matchAll(told)].length;
  child.kill('SIGUSR2');
  for (;;) {
    const bytes = [...out.stderr.matchAll(told)][before]?.[1];
    if (bytes !== undefined) return Number(bytes) / 1024;
    await sleep(20);
  }
}

/** Ends a program, by force where it takes its time. */
async function end({ child, ended }: Program): Promise<void> {
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await ended;
  clearTimeout(force);
}

/**
 * Starts the program before these providers. `sheds`: it refuses calls when the machine has too much to do, as it does by default. `bounds`:
 * other limits of its configuration.
 */
export async function startGateway(
  providers: Readonly<Record<string, ProviderSettings>>,
  sheds = false,
  env: NodeJS.ProcessEnv = {},
  bounds: object = {},
): Promise<Gateway> {
  const home = await mkdtemp(join(tmpdir(), 'pailou-stress-'));
  const file = join(home, 'pailou.json');
  let revision = 0;
  const markOf = (): string => `${KEY}-${revision}`;
  const limits = { ...bounds, ...(sheds ? {} : { overload: { shed: 'off' } }) };
  const write = (more: object = {}): Promise<void> =>
    writeFile(file, JSON.stringify({ ...configOf(markOf()), providers, limits, ...more }));
  await write();
  const program = startProgram(['--json', '--config', file, '--data', join(home, 'data')], home, env);
  const { url } = JSON.parse(await program.until('stdout', /^\{.*\}\n/)) as { readonly url: string };
  const pid = program.child.pid ?? 0;
  let isStopping = false;
  // Whoever looks for it then finds nothing, and would not say why.
  void program.ended.then((how) => {
    if (!isStopping) console.error(`The server ended by itself: ${how}\n${program.out.stderr.slice(-4000)}`);
  });
  return {
    url,
    program,
    resident: () => residentKiB(pid),
    held: () => heldBy(program),
    async reload() {
      revision++;
      await write();
      const headers = { authorization: `Bearer ${markOf()}` };
      while ((await fetch(`${url}/v1/models`, { headers })).status !== 200) await sleep(10);
    },
    async spoil() {
      revision++;
      const told = program.out.stderr.length;
      await write({ limits: { body: 'a lot' } });
      while (program.out.stderr.length === told) await sleep(10);
      return markOf();
    },
    async stop() {
      isStopping = true;
      await end(program);
      await rm(home, { recursive: true, force: true });
      return program.out.stderr;
    },
  };
}
