// Ten times more calls than the server can serve, and one key that floods.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messages } from '../exchange/dialects.ts';
import type { Flooded, Load } from './flood.ts';
import { type Gateway, KEY, OTHER_KEY, startGateway } from './gateway.ts';
import { settings } from './paced.ts';
import { type Measured, ms, type Part, percentile } from './part.ts';

/** A stream that is work: so many events, translated, in so many pieces over this time. */
const EVENTS = 8000;
const PIECES = 100;
const GAP_MS = 5;
const ROUNDS = 3;
/** A flood lasts so long; what is measured comes after its beginning, in which more are let in. */
const ONSET_S = 6;
const FLOOD_S = 14;
/** A flood's clients are busy with what they are served: how soon refusals come is seen by others, who ask so often a second. */
const WATCHERS = 50;
/** How many calls at once are tried to find the most that it serves. */
const WIDTHS = [24, 48, 96];

const BODY = JSON.stringify(messages.body('oai/up', true));
const LAST = 'message_stop';

/** Clients of one kind. */
interface Crowd {
  ask(load: Pick<Load, 'key' | 'pace' | 'seconds' | 'before'>): Promise<Flooded>;
  stop(): void;
}

function crowdOf(url: string): Crowd {
  const child: ChildProcess = fork(join(import.meta.dirname, 'flood.ts'), { stdio: 'inherit' });
  return {
    async ask(load) {
      child.send({ ...load, url, body: BODY, last: LAST } satisfies Load);
      return ((await once(child, 'message')) as [Flooded])[0];
    },
    stop: () => void child.kill(),
  };
}

/** Asks whether it lives, again and again. Gives how many were not answered within a second, and how many there were. */
async function watchHealth(gateway: Gateway, until: Promise<unknown>): Promise<{ readonly many: number; readonly silent: number }> {
  const over = until.then(() => true);
  let [many, silent] = [0, 0];
  while (!(await Promise.race([over, sleep(100, false)]))) {
    for (const path of ['/livez', '/readyz', '/v1/models']) {
      many++;
      const headers = { authorization: `Bearer ${KEY}` };
      const isRight = await fetch(gateway.url + path, { headers, signal: AbortSignal.timeout(1000) }).then(
        async (answer) => (await answer.text()) !== '' && answer.status === 200,
        () => false,
      );
      if (!isRight) silent++;
    }
  }
  return { many, silent };
}

/** For how long the server's thread has waited for a processor, in milliseconds. https://docs.kernel.org/scheduler/sched-stats.html */
function waitedMs(gateway: Gateway): number {
  const { pid = 0 } = gateway.program.child;
  return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[1]) / 1e6;
}

/** What a load came to, with the rate of a second in which the server could have run. */
interface Ran {
  readonly flooded: Flooded;
  /**
   * On a machine whose processors the server shares with its clients and its upstream, the load itself takes time from it, which
   * says nothing about the server: the time in which it waited for a processor is left out.
   */
  readonly ownRate: number;
}

async function ran(gateway: Gateway, load: Promise<Flooded>): Promise<Ran> {
  const [waited, began] = [waitedMs(gateway), performance.now()];
  const flooded = await load;
  const share = (waitedMs(gateway) - waited) / (performance.now() - began);
  return { flooded, ownRate: flooded.rate / (1 - Math.min(0.99, share)) };
}

/** The most that it serves. */
async function peakOf(gateway: Gateway, crowd: Crowd, seconds: number): Promise<Ran> {
  const runs: Ran[] = [];
  for (const width of WIDTHS) runs.push(await ran(gateway, crowd.ask({ key: KEY, pace: { width }, seconds })));
  return runs.reduce((most, one) => (one.ownRate > most.ownRate ? one : most));
}

const middle = (values: readonly number[]): number => percentile(values, 0.5);

/** Ten times the peak, measured in turn with it. `seconds`: of each measurement. */
async function* tenfoldRows(gateway: Gateway, seconds: number): AsyncIterable<Measured> {
  const url = `${gateway.url}${messages.path('oai/up', true)}`;
  const [crowd, watchers] = [crowdOf(url), crowdOf(url)];
  try {
    await crowd.ask({ key: KEY, pace: { width: 16 }, seconds: 2 });
    const shares: number[] = [];
    const refusals: number[] = [];
    const told: string[] = [];
    let [served, refused, failed, checks, silent] = [0, 0, 0, 0, 0];
    let example: string | undefined;
    for (let round = 0; round < ROUNDS; round++) {
      const peak = await peakOf(gateway, crowd, seconds / 2);
      const time = { key: KEY, seconds: FLOOD_S, before: ONSET_S };
      const watched = watchers.ask({ ...time, pace: { rate: WATCHERS } });
      const load = ran(gateway, crowd.ask({ ...time, pace: { rate: peak.ownRate * 10 } }));
      const health = await watchHealth(gateway, load);
      const { flooded: tenfold, ownRate } = await load;
      const seen = (await watched).refused;
      shares.push((ownRate / peak.ownRate) * 100);
      refusals.push(percentile(seen, 0.99));
      told.push(
        `${ownRate.toFixed(0)} of ${peak.ownRate.toFixed(0)} a second (by the clock ${tenfold.rate.toFixed(0)} of ${peak.flooded.rate.toFixed(0)}), refused p50 ${ms(middle(seen))} p99 ${ms(percentile(seen, 0.99))} of ${seen.length}, by the flood's clients p99 ${ms(percentile(tenfold.refused, 0.99))}`,
      );
      served += tenfold.served.length;
      refused += tenfold.refused.length;
      failed += tenfold.failed;
      example ??= tenfold.example;
      checks += health.many;
      silent += health.silent;
      await sleep(2000);
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
    yield { promise: 'overload.health', value: silent, many: checks, isKept: silent === 0 };
  } finally {
    crowd.stop();
    watchers.stop();
  }
}

/** One key asks for ten times what there is; others ask for a little. */
async function* fairnessRows(gateway: Gateway, seconds: number): AsyncIterable<Measured> {
  const url = `${gateway.url}${messages.path('oai/up', true)}`;
  const [few, many] = [crowdOf(url), crowdOf(url)];
  try {
    const { ownRate: peak } = await peakOf(gateway, many, 2);
    const light = { key: OTHER_KEY, pace: { rate: peak / 10 }, seconds };
    const moved: number[] = [];
    const told: string[] = [];
    let lost = 0;
    for (let round = 0; round < ROUNDS; round++) {
      await sleep(2000);
      const alone = await few.ask(light);
      const flood = many.ask({ key: KEY, pace: { rate: peak * 10 }, seconds: seconds + 3 });
      // It floods already.
      await sleep(2000);
      const beside = await few.ask(light);
      const flooded = await flood;
      const [before, after] = [percentile(alone.served, 0.99), percentile(beside.served, 0.99)];
      // The upstream runs on the same processors: what it takes longer itself is not the server's doing.
      const [ours, oursBeside] = [percentile(alone.beyond, 0.99), percentile(beside.beyond, 0.99)];
      moved.push(((oursBeside - ours) / before) * 100);
      lost += beside.failed + beside.refused.length;
      told.push(
        `${ms(before)} → ${ms(after)}, of it not the upstream's ${ms(ours)} → ${ms(oursBeside)}, ${flooded.refused.length} of the flood refused, ${beside.refused.length} of the others`,
      );
    }
    const value = middle(moved);
    yield { promise: 'overload.fairness', value, many: ROUNDS, isKept: value <= 10 && lost === 0, detail: told.join('; ') };
  } finally {
    few.stop();
    many.stop();
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

/** What runs before an upstream of so many events in so many pieces. */
async function* before(
  [events, pieces, gapMs]: readonly [number, number, number],
  run: (gateway: Gateway) => AsyncIterable<Measured>,
): AsyncIterable<Measured> {
  const upstream = fork(join(import.meta.dirname, 'pieces.ts'), [String(events), String(pieces), String(gapMs)]);
  const [{ port }] = (await once(upstream, 'message')) as [{ readonly port: number }];
  const gateway = await startGateway({ oai: settings(`http://127.0.0.1:${port}`) }, true);
  try {
    yield* run(gateway);
  } finally {
    await gateway.stop();
    upstream.kill();
  }
}

async function* rows(): AsyncIterable<Measured> {
  // Cold, and warm.
  yield* before([10, 2, 5], (gateway) => burstRows(gateway, 'short', [400, 2000, 2000]));
  yield* before([200, 100, 50], (gateway) => burstRows(gateway, 'streams', [1000, 1000]));
  yield* before([EVENTS, PIECES, GAP_MS], async function* (gateway) {
    yield* tenfoldRows(gateway, 4);
    yield* fairnessRows(gateway, 8);
  });
}

export const overload: Part = { name: 'overload', rows };
