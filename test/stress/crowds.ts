// Who floods a server, and what is measured of it meanwhile.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Ask, Flooded, Load } from './flood.ts';
import { type Gateway, KEY } from './gateway.ts';
import { percentile } from './part.ts';
import { comesFirst, giveProcessor, PROCESSORS } from './processors.ts';

/** Some ask whether it lives, as often as a load balancer might. */
const CHECKS_MS = 250;
/** How many calls at once are tried to find the most that it serves: with fewer it would wait for its upstream. */
export const WIDTHS = [48, 96];

/**
 * What is compared must be measured on a machine that is as busy: two processors may be one with two threads, each of which is a third
 * slower while the other works. These work all the time, and come last. Gives what ends them.
 */
export function ballast(): () => void {
  const all = Array.from({ length: Math.max(1, PROCESSORS - 1) }, () => {
    const child = fork(join(import.meta.dirname, 'ballast.ts'));
    setPriority(child.pid ?? 0, 19);
    return child;
  });
  return () => {
    for (const child of all) child.kill();
  };
}

/** Clients of one kind. */
export interface Crowd {
  /** `asks`: only some of what they ask for. */
  ask(load: Pick<Load, 'key' | 'pace' | 'seconds' | 'before' | 'control'> & { readonly asks?: readonly Ask[] }): Promise<Flooded>;
  stop(): void;
}

/** Clients in a process of their own that ask a server for these. */
export function crowdOf(url: string, asks: readonly Ask[], isFavoured = false): Crowd {
  // Bodies may be bytes.
  const child: ChildProcess = fork(join(import.meta.dirname, 'flood.ts'), { stdio: 'inherit', serialization: 'advanced' });
  if (isFavoured) comesFirst(child.pid ?? 0);
  return {
    async ask(load) {
      child.send({ asks, ...load, url } satisfies Load);
      return ((await once(child, 'message')) as [Flooded])[0];
    },
    stop: () => void child.kill(),
  };
}

/** How many checks there were, and how many went wrong. */
interface Health {
  readonly many: number;
  readonly silent: number;
  readonly example?: string;
}

/** Asks whether it lives, again and again. Gives how many were not answered within a second, and how many there were. */
export async function watchHealth(gateway: Gateway, until: Promise<unknown>): Promise<Health> {
  const over = until.then(() => true);
  let [many, silent] = [0, 0];
  let example: string | undefined;
  while (!(await Promise.race([over, sleep(CHECKS_MS, false)]))) {
    for (const path of ['/livez', '/readyz', '/v1/models']) {
      many++;
      const headers = { authorization: `Bearer ${KEY}` };
      const wrong = await fetch(gateway.url + path, { headers, signal: AbortSignal.timeout(1000) }).then(
        async (answer) => ((await answer.text()) !== '' && answer.status === 200 ? undefined : String(answer.status)),
        (error: unknown) => String(error),
      );
      if (wrong === undefined) continue;
      silent++;
      example ??= `${path}: ${wrong}`;
    }
  }
  return { many, silent, ...(example === undefined ? {} : { example }) };
}

/** For how long the server's thread has had a processor, and waited for one, in milliseconds. https://docs.kernel.org/scheduler/sched-stats.html */
export function scheduled(gateway: Gateway): readonly [ranMs: number, waitedMs: number] {
  const { pid = 0 } = gateway.program.child;
  const [ran, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return [Number(ran) / 1e6, Number(waited) / 1e6];
}

/** Beside the server, on its processor, one that only refuses. */
export interface Control {
  readonly url: string;
  /** How long a piece of work took since the last time, in microseconds. */
  pace(): Promise<number>;
  stop(): void;
}

/** `isBeside`: on the server's processor; else on that of its clients, for what clients cost who only ask. */
export async function startControl(isBeside = true): Promise<Control> {
  const child = fork(join(import.meta.dirname, 'control.ts'));
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
  if (isBeside) giveProcessor(child.pid);
  if (isBeside) comesFirst(child.pid, 20);
  return {
    url: `http://127.0.0.1:${port}`,
    async pace() {
      child.send('');
      return ((await once(child, 'message')) as [{ readonly us: number }])[0].us;
    },
    stop: () => void child.kill(),
  };
}

/** What a load came to, with the rate of a second in which the server could have run. */
export interface Ran {
  readonly flooded: Flooded;
  /**
   * On a machine whose processors the server shares with its clients and its upstream, the load itself takes time from it, which
   * says nothing about the server: the time in which it waited for a processor is left out.
   */
  readonly ownRate: number;
  /** The same, where calls that are more work count for more; else that rate. */
  readonly work: number;
  /** Of the time in which it could have run, the share in which it did. */
  readonly busy: number;
  /** How long a piece of work took on its processor meanwhile, in microseconds: by how much it was slower than at another time. */
  readonly pace: number;
}

/** Calls in the time that a million pieces of work take: what a server does, however fast its processor is at that time. */
export const done = ({ work, pace }: Ran): number => work * pace;

/** What of a load counts: calls a second, or how much work they were. */
export type Weigh = (flooded: Flooded) => number;

const asCalls: Weigh = ({ rate }) => rate;

/** Who is asked, by whom, and what counts. */
export interface Trial {
  readonly gateway: Gateway;
  readonly control: Control;
  readonly crowd: Crowd;
  readonly weigh?: Weigh;
}

/** Asks for a load, and looks at what counts of it. */
export async function measured({ gateway, control, crowd, weigh = asCalls }: Trial, load: Parameters<Crowd['ask']>[0]): Promise<Ran> {
  const { seconds, before = seconds / 5 } = load;
  const asked = crowd.ask({ ...load, before });
  await sleep(before * 1000);
  const [[ran, waited], began] = [scheduled(gateway), performance.now()];
  await control.pace();
  await sleep((seconds - before) * 1000);
  const pace = await control.pace();
  const [ranAfter, waitedAfter] = scheduled(gateway);
  const elapsed = performance.now() - began;
  const flooded = await asked;
  const ready = 1 - Math.min(0.99, (waitedAfter - waited) / elapsed);
  return {
    flooded,
    ownRate: flooded.rate / ready,
    work: weigh(flooded) / ready,
    busy: (ranAfter - ran) / (elapsed - waitedAfter + waited),
    pace,
  };
}

export const atWidth = (trial: Trial, width: number, seconds: number): Promise<Ran> =>
  measured(trial, { key: KEY, pace: { width }, seconds });

/**
 * Clients that flood, on the other processor, make a server slower that they never ask: two processors of a guest may be one core. So the
 * peak is measured while just as many ask another server, `decoy`.
 */
export async function peakBeside(decoy: Crowd, rate: number, peak: () => Promise<Ran>, seconds: number): Promise<Ran> {
  const flood = decoy.ask({ key: KEY, pace: { rate }, seconds });
  const ran = await peak();
  await flood;
  return ran;
}

/** How many calls at once it serves most with, and what it then did. */
export async function bestWidth(trial: Trial, seconds: number): Promise<{ readonly width: number; readonly ran: Ran }> {
  const tried: { readonly width: number; readonly ran: Ran }[] = [];
  for (const width of WIDTHS) tried.push({ width, ran: await atWidth(trial, width, seconds) });
  return tried.reduce((best, one) => (done(one.ran) > done(best.ran) ? one : best));
}

export const tellRan = ({ ownRate, busy, pace }: Ran): string =>
  `${ownRate.toFixed(0)} a second (busy ${(busy * 100).toFixed(0)} %, pace ${pace.toFixed(0)} µs)`;

export const middle = (values: readonly number[]): number => percentile(values, 0.5);
