// Ten times more calls than the server can serve, and one key that floods.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messages } from '../exchange/dialects.ts';
import type { Flooded, Load } from './flood.ts';
import { type Gateway, KEY, OTHER_KEY, startGateway } from './gateway.ts';
import { settings } from './paced.ts';
import { type Measured, ms, type Part, percentile } from './part.ts';
import { clearProcessor, comesFirst, giveProcessor, PROCESSORS, stepAside, stepBack, worksFirst } from './processors.ts';

/** A stream that is work: so many events, translated, in so many pieces over this time. */
const EVENTS = 8000;
const PIECES = 100;
const GAP_MS = 5;
const ROUNDS = 5;
/** Of what is compared by how fast the processor is at the time, which is known to a tenth. */
const TENFOLD_ROUNDS = 5;
/** Until V8 has compiled what is used, and no more. */
const WARM_S = 20;
/** A flood lasts so long; what is measured comes after its beginning, in which more are let in and end late. */
const ONSET_S = 18;
const FLOOD_S = 36;
/** A flood's clients are busy with what they are served: how soon refusals come is seen by others, who ask so often a second. */
const WATCHERS = 50;
/** And others, as often as a load balancer might, whether it lives. */
const CHECKS_MS = 250;
/** How many calls at once are tried to find the most that it serves: with fewer it would wait for its upstream. */
const WIDTHS = [48, 96];

/** A model of each provider: that of the crowd, and that of who asks for a little beside it. */
const MODEL = 'oai/up';
const CALM_MODEL = 'calm/up';
const LAST = 'message_stop';

/**
 * What is compared must be measured on a machine that is as busy: two processors may be one with two threads, each of which is a third
 * slower while the other works. These work all the time, and come last. Gives what ends them.
 */
function ballast(): () => void {
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
interface Crowd {
  ask(load: Pick<Load, 'key' | 'pace' | 'seconds' | 'before' | 'control'>): Promise<Flooded>;
  stop(): void;
}

function crowdOf(url: string, isFavoured = false, model = MODEL): Crowd {
  const body = JSON.stringify(messages.body(model, true));
  const child: ChildProcess = fork(join(import.meta.dirname, 'flood.ts'), { stdio: 'inherit' });
  if (isFavoured) comesFirst(child.pid ?? 0);
  return {
    async ask(load) {
      child.send({ ...load, url, body, last: LAST } satisfies Load);
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
async function watchHealth(gateway: Gateway, until: Promise<unknown>): Promise<Health> {
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
function scheduled(gateway: Gateway): readonly [ranMs: number, waitedMs: number] {
  const { pid = 0 } = gateway.program.child;
  const [ran, waited] = readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ');
  return [Number(ran) / 1e6, Number(waited) / 1e6];
}

/** Beside the server, on its processor, one that only refuses. */
interface Control {
  readonly url: string;
  /** How long a piece of work took since the last time, in microseconds. */
  pace(): Promise<number>;
  stop(): void;
}

/** `isBeside`: on the server's processor; else on that of its clients, for what clients cost who only ask. */
async function startControl(isBeside = true): Promise<Control> {
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
interface Ran {
  readonly flooded: Flooded;
  /**
   * On a machine whose processors the server shares with its clients and its upstream, the load itself takes time from it, which
   * says nothing about the server: the time in which it waited for a processor is left out.
   */
  readonly ownRate: number;
  /** Of the time in which it could have run, the share in which it did. */
  readonly busy: number;
  /** How long a piece of work took on its processor meanwhile, in microseconds: by how much it was slower than at another time. */
  readonly pace: number;
}

/** Calls in the time that a million pieces of work take: what a server does, however fast its processor is at that time. */
const done = ({ ownRate, pace }: Ran): number => ownRate * pace;

/** Asks for a load, and looks at what counts of it. */
async function measured(gateway: Gateway, control: Control, crowd: Crowd, load: Parameters<Crowd['ask']>[0]): Promise<Ran> {
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
  const share = (waitedAfter - waited) / elapsed;
  return {
    flooded,
    ownRate: flooded.rate / (1 - Math.min(0.99, share)),
    busy: (ranAfter - ran) / (elapsed - waitedAfter + waited),
    pace,
  };
}

const atWidth = (gateway: Gateway, control: Control, crowd: Crowd, width: number, seconds: number): Promise<Ran> =>
  measured(gateway, control, crowd, { key: KEY, pace: { width }, seconds });

/**
 * Clients that flood, on the other processor, make a server slower that they never ask: two processors of a guest may be one core. So the
 * peak is measured while just as many ask another server, `decoy`.
 */
async function peakBeside(decoy: Crowd, rate: number, peak: () => Promise<Ran>, seconds: number): Promise<Ran> {
  const flood = decoy.ask({ key: KEY, pace: { rate }, seconds });
  const ran = await peak();
  await flood;
  return ran;
}

/** How many calls at once it serves most with. */
async function bestWidth(gateway: Gateway, control: Control, crowd: Crowd, seconds: number): Promise<number> {
  let best = { width: 0, rate: 0 };
  for (const width of WIDTHS) {
    const rate = done(await atWidth(gateway, control, crowd, width, seconds));
    if (rate > best.rate) best = { width, rate };
  }
  return best.width;
}

const tellRan = ({ ownRate, busy, pace }: Ran): string =>
  `${ownRate.toFixed(0)} a second (busy ${(busy * 100).toFixed(0)} %, pace ${pace.toFixed(0)} µs)`;

const middle = (values: readonly number[]): number => percentile(values, 0.5);

/** Ten times the peak, measured in turn with it. `seconds`: of each measurement. */
async function* tenfoldRows(gateway: Gateway, seconds: number): AsyncIterable<Measured> {
  const url = `${gateway.url}${messages.path('oai/up', true)}`;
  const [crowd, watchers, control, other] = [crowdOf(url), crowdOf(url, true), await startControl(), await startControl(false)];
  const decoy = crowdOf(other.url);
  try {
    await crowd.ask({ key: KEY, pace: { width: Math.max(...WIDTHS) }, seconds: WARM_S });
    const shares: number[] = [];
    const refusals: number[] = [];
    const told: string[] = [];
    let [served, refused, failed, checks, silent] = [0, 0, 0, 0, 0];
    let example: string | undefined;
    let unheard: string | undefined;
    const width = await bestWidth(gateway, control, crowd, seconds);
    const { ownRate } = await atWidth(gateway, control, crowd, width, seconds);
    const peak = (): Promise<Ran> => peakBeside(decoy, ownRate * 9, () => atWidth(gateway, control, crowd, width, seconds), seconds);
    let before = await peak();
    for (let round = 0; round < TENFOLD_ROUNDS; round++) {
      const time = { key: KEY, seconds: FLOOD_S, before: ONSET_S };
      const watched = watchers.ask({ ...time, pace: { rate: WATCHERS }, control: control.url });
      const load = measured(gateway, control, crowd, { ...time, pace: { rate: ownRate * 10 - WATCHERS } });
      const health = await watchHealth(gateway, load);
      const flood = await load;
      const { flooded: tenfold } = flood;
      const { refused: seen, control: idle, rate, served: watchersServed } = await watched;
      // Those who watch are served as well, in the others' place.
      const ran = { ...flood, ownRate: flood.ownRate * (1 + rate / tenfold.rate) };
      // The machine is not as fast at all times: the peak is what it was before and is after.
      await sleep(2000);
      const after = await peak();
      shares.push((done(ran) / ((done(before) + done(after)) / 2)) * 100);
      refusals.push(percentile(seen, 0.99) - percentile(idle, 0.99));
      told.push(
        `${tellRan(ran)}, of ${tellRan(before)} and ${tellRan(after)}; refused p50 ${ms(middle(seen))} p99 ${ms(percentile(seen, 0.99))} of ${seen.length}, by one that does nothing else ${ms(percentile(idle, 0.99))}, by the flood's clients ${ms(percentile(tenfold.refused, 0.99))}`,
      );
      before = after;
      served += tenfold.served.length + watchersServed.length;
      refused += tenfold.refused.length;
      failed += tenfold.failed;
      example ??= tenfold.example;
      checks += health.many;
      silent += health.silent;
      unheard ??= health.example;
    }
    const share = middle(shares);
    yield {
      promise: 'overload.goodput',
      value: share,
      many: served,
      isKept: share >= 90 && failed === 0,
      detail: `${told.join('; ')}; ${failed} failed${example === undefined ? '' : `: ${example}`}`,
    };
    yield { promise: 'overload.refusals', value: middle(refusals), many: refused, isKept: middle(refusals) <= 10 };
    yield {
      promise: 'overload.health',
      value: silent,
      many: checks,
      isKept: silent === 0,
      ...(unheard === undefined ? {} : { detail: unheard }),
    };
  } finally {
    for (const one of [crowd, watchers, control, decoy, other]) one.stop();
  }
}

/** One key asks for ten times what there is; others ask for a little, of a provider of their own: how late the flooded one is, is not the server's doing. */
async function* fairnessRows(gateway: Gateway, seconds: number): AsyncIterable<Measured> {
  const url = `${gateway.url}${messages.path('oai/up', true)}`;
  const [few, many, control] = [crowdOf(url, true, CALM_MODEL), crowdOf(url), await startControl()];
  try {
    const { ownRate: peak } = await atWidth(gateway, control, many, await bestWidth(gateway, control, many, 2), 4);
    const light = { key: OTHER_KEY, pace: { rate: peak / 10 }, seconds, before: 1 };
    // What it runs through is compiled for that, too.
    await few.ask(light);
    const alone: Flooded[] = [];
    const beside: Flooded[] = [];
    const told: string[] = [];
    let lost = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(2000);
      const before = await few.ask(light);
      const flood = many.ask({ key: KEY, pace: { rate: peak * 10 }, seconds: seconds + 3 });
      // It floods already.
      await sleep(2000);
      const meanwhile = await few.ask(light);
      const flooded = await flood;
      alone.push(before);
      beside.push(meanwhile);
      lost += meanwhile.failed + meanwhile.refused.length;
      told.push(
        `${ms(percentile(before.served, 0.99))} → ${ms(percentile(meanwhile.served, 0.99))}, of it not the upstream's ${ms(percentile(before.beyond, 0.99))} → ${ms(percentile(meanwhile.beyond, 0.99))}, ${flooded.refused.length} of the flood refused, ${meanwhile.refused.length} of the others`,
      );
    }
    // The upstream runs on the same processors: what it takes longer itself is not the server's doing.
    const p99 = (all: readonly Flooded[], of: 'served' | 'beyond'): number =>
      percentile(
        all.flatMap((one) => one[of]),
        0.99,
      );
    const value = ((p99(beside, 'beyond') - p99(alone, 'beyond')) / p99(alone, 'served')) * 100;
    const calls = beside.reduce((sum, { served }) => sum + served.length, 0);
    yield { promise: 'overload.fairness', value, many: calls, isKept: value <= 10 && lost === 0, detail: told.join('; ') };
  } finally {
    few.stop();
    many.stop();
    control.stop();
  }
}

/** Bursts on a server that does nothing else: connections with short answers, and streams that stay. */
async function* burstRows(gateway: Gateway, kind: string, bursts: readonly number[]): AsyncIterable<Measured> {
  const crowd = crowdOf(`${gateway.url}${messages.path('oai/up', true)}`);
  try {
    let [many, refused] = [0, 0];
    const told: string[] = [];
    for (const burst of bursts) {
      const { asked, served, refused: away, failed, example } = await crowd.ask({ key: KEY, pace: { burst }, seconds: 0 });
      many += asked;
      refused += away.length + failed;
      told.push(
        `${burst}: ${served.length} served, p99 ${ms(percentile(served, 0.99))}, ${away.length} refused, ${failed} failed${example ?? ''}`,
      );
    }
    yield { promise: 'overload.burst', about: kind, value: refused, many, isKept: refused === 0, detail: told.join('; ') };
  } finally {
    crowd.stop();
  }
}

async function startUpstream(...how: readonly number[]): Promise<{ readonly child: ChildProcess; readonly url: string }> {
  const child = fork(join(import.meta.dirname, 'pieces.ts'), how.map(String));
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
  return { child, url: `http://127.0.0.1:${port}` };
}

/** What runs before upstreams of so many events in so many pieces. */
async function* before(
  [events, pieces, gapMs]: readonly [number, number, number],
  run: (gateway: Gateway) => AsyncIterable<Measured>,
): AsyncIterable<Measured> {
  const upstream = await startUpstream(events, pieces, gapMs);
  const calm = await startUpstream(events, pieces, gapMs);
  // Else what they take to answer, beside clients that flood, would look like the server's doing.
  worksFirst(upstream.child.pid);
  comesFirst(calm.child.pid);
  const gateway = await startGateway({ oai: settings(upstream.url), calm: settings(calm.url) }, true);
  const { pid } = gateway.program.child;
  // Its threads that help it, with the garbage say, run beside it, where its clients are, and before those: it waits for them.
  worksFirst(pid);
  giveProcessor(pid);
  const lighten = ballast();
  try {
    yield* run(gateway);
  } finally {
    lighten();
    await gateway.stop();
    for (const { child } of [upstream, calm]) child.kill();
  }
}

async function* rows(): AsyncIterable<Measured> {
  stepAside();
  const giveBack = clearProcessor();
  try {
    // Cold, and warm.
    yield* before([10, 2, 5], (gateway) => burstRows(gateway, 'short', [400, 2000, 2000]));
    yield* before([200, 100, 50], (gateway) => burstRows(gateway, 'streams', [1000, 1000]));
    yield* before([EVENTS, PIECES, GAP_MS], async function* (gateway) {
      yield* tenfoldRows(gateway, 8);
      yield* fairnessRows(gateway, 12);
    });
  } finally {
    giveBack();
    stepBack();
  }
}

export const overload: Part = { name: 'overload', rows };
