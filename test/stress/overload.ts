// Ten times more calls than the server can serve, and one key that floods.
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { messages } from '../exchange/dialects.ts';
import { providersAt } from '../fakes/fault-families.ts';
import {
  atWidth,
  ballast,
  bestWidth,
  type Crowd,
  crowdOf,
  done,
  measured,
  middle,
  peakBeside,
  type Ran,
  startControl,
  tellRan,
  type Trial,
  watchHealth,
  WIDTHS,
} from './crowds.ts';
import type { Ask, Flooded } from './flood.ts';
import { type Gateway, KEY, OTHER_KEY, startGateway } from './gateway.ts';
import { mixedBurstRows, mixedFloodRows } from './mixed.ts';
import { settings } from './paced.ts';
import { type Measured, ms, type Part, percentile } from './part.ts';
import { clearProcessor, comesFirst, giveProcessor, stepAside, stepBack, worksFirst } from './processors.ts';

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

/** A model of each provider: that of the crowd, and that of who asks for a little beside it. */
const MODEL = 'oai/up';
const CALM_MODEL = 'calm/up';

const messagesOf = (model: string): readonly Ask[] => [
  {
    path: messages.path(model, true),
    type: 'application/json',
    body: JSON.stringify(messages.body(model, true)),
    last: 'message_stop',
  },
];
const CROWD = messagesOf(MODEL);
const CALM = messagesOf(CALM_MODEL);

/** What came of one flood of ten times the peak. */
interface Tenfold {
  /** Work done, in hundredths of what is done at the peak. */
  readonly share: number;
  /** How much later refusals come than the answers of one who does nothing else, in milliseconds: 99 of 100. */
  readonly refusalMs: number;
  readonly served: number;
  readonly refused: number;
  readonly failed: number;
  readonly example: string | undefined;
  readonly health: Awaited<ReturnType<typeof watchHealth>>;
  /** For whoever reads the numbers; with the peak after it. */
  readonly told: string;
  readonly after: Ran;
}

/** Those who take part in floods of ten times the peak. */
interface TenfoldTrial extends Trial {
  readonly watchers: Crowd;
  /** Calls a second at the peak. */
  readonly ownRate: number;
}

/** One flood, after a peak was measured and before the next is. */
async function tenfold(trial: TenfoldTrial, before: Ran, peak: () => Promise<Ran>): Promise<Tenfold> {
  const { gateway, control, watchers, ownRate } = trial;
  const time = { key: KEY, seconds: FLOOD_S, before: ONSET_S };
  const watched = watchers.ask({ ...time, pace: { rate: WATCHERS }, control: control.url });
  const load = measured(trial, { ...time, pace: { rate: ownRate * 10 - WATCHERS } });
  const health = await watchHealth(gateway, load);
  const flood = await load;
  const { flooded } = flood;
  const { refused: seen, control: idle, rate, served } = await watched;
  // Those who watch are served as well, in the others' place.
  const beside = 1 + rate / flooded.rate;
  const ran = { ...flood, ownRate: flood.ownRate * beside, work: flood.work * beside };
  // The machine is not as fast at all times: the peak is what it was before and is after.
  await sleep(2000);
  const after = await peak();
  return {
    share: (done(ran) / ((done(before) + done(after)) / 2)) * 100,
    refusalMs: percentile(seen, 0.99) - percentile(idle, 0.99),
    served: flooded.served.length + served.length,
    refused: flooded.refused.length,
    failed: flooded.failed,
    example: flooded.example,
    health,
    told: `${tellRan(ran)}, of ${tellRan(before)} and ${tellRan(after)}; refused p50 ${ms(middle(seen))} p99 ${ms(percentile(seen, 0.99))} of ${seen.length}, by one that does nothing else ${ms(percentile(idle, 0.99))}, by the flood's clients ${ms(percentile(flooded.refused, 0.99))}`,
    after,
  };
}

/** What all floods together say. */
function tenfoldMeasured(floods: readonly Tenfold[]): readonly Measured[] {
  const sum = (of: (flood: Tenfold) => number): number => floods.reduce((all, flood) => all + of(flood), 0);
  const first = <T>(of: (flood: Tenfold) => T | undefined): T | undefined => floods.map(of).find((one) => one !== undefined);
  const share = middle(floods.map((flood) => flood.share));
  const refusalMs = middle(floods.map((flood) => flood.refusalMs));
  const [failed, silent] = [sum((flood) => flood.failed), sum(({ health }) => health.silent)];
  const example = first((flood) => flood.example);
  const unheard = first(({ health }) => health.example);
  const detail = `${floods.map(({ told }) => told).join('; ')}; ${failed} failed${example === undefined ? '' : `: ${example}`}`;
  return [
    { promise: 'overload.goodput', value: share, many: sum(({ served }) => served), isKept: share >= 90 && failed === 0, detail },
    { promise: 'overload.refusals', value: refusalMs, many: sum(({ refused }) => refused), isKept: refusalMs <= 10 },
    {
      promise: 'overload.health',
      value: silent,
      many: sum(({ health }) => health.many),
      isKept: silent === 0,
      ...(unheard === undefined ? {} : { detail: unheard }),
    },
  ];
}

/** Ten times the peak, measured in turn with it. `seconds`: of each measurement. */
async function* tenfoldRows(gateway: Gateway, seconds: number): AsyncIterable<Measured> {
  const { url } = gateway;
  const [crowd, watchers] = [crowdOf(url, CROWD), crowdOf(url, CROWD, true)];
  const [control, other] = [await startControl(), await startControl(false)];
  const decoy = crowdOf(other.url, CROWD);
  const trial = { gateway, control, crowd };
  try {
    await crowd.ask({ key: KEY, pace: { width: Math.max(...WIDTHS) }, seconds: WARM_S });
    const { width } = await bestWidth(trial, seconds);
    const { ownRate } = await atWidth(trial, width, seconds);
    const peak = (): Promise<Ran> => peakBeside(decoy, ownRate * 9, () => atWidth(trial, width, seconds), seconds);
    const floods: Tenfold[] = [];
    let before = await peak();
    for (let round = 0; round < TENFOLD_ROUNDS; round++) {
      const flood = await tenfold({ ...trial, watchers, ownRate }, before, peak);
      floods.push(flood);
      before = flood.after;
    }
    yield* tenfoldMeasured(floods);
  } finally {
    for (const one of [crowd, watchers, control, decoy, other]) one.stop();
  }
}

/** One key asks for ten times what there is; others ask for a little, of a provider of their own: how late the flooded one is, is not the server's doing. */
async function* fairnessRows(gateway: Gateway, seconds: number): AsyncIterable<Measured> {
  const { url } = gateway;
  const [few, many, control] = [crowdOf(url, CALM, true), crowdOf(url, CROWD), await startControl()];
  const trial = { gateway, control, crowd: many };
  try {
    const { ownRate: peak } = await atWidth(trial, (await bestWidth(trial, 2)).width, 4);
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
  const crowd = crowdOf(gateway.url, CROWD);
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

interface Upstream {
  readonly child: ChildProcess;
  readonly url: string;
}

async function startUpstream(program: string, how: readonly number[]): Promise<Upstream> {
  const child = fork(join(import.meta.dirname, program), how.map(String));
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }];
  return { child, url: `http://127.0.0.1:${port}` };
}

type Run = (gateway: Gateway) => AsyncIterable<Measured>;

/** What runs before these providers, whose upstreams are ended after it. */
async function* beforeAll(
  providers: Parameters<typeof startGateway>[0],
  upstreams: readonly Upstream[],
  run: Run,
): AsyncIterable<Measured> {
  const gateway = await startGateway(providers, true);
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
    for (const { child } of upstreams) child.kill();
  }
}

/** What runs before upstreams of so many events in so many pieces. */
async function* before(how: readonly [events: number, pieces: number, gapMs: number], run: Run): AsyncIterable<Measured> {
  const upstream = await startUpstream('pieces.ts', how);
  const calm = await startUpstream('pieces.ts', how);
  // Else what they take to answer, beside clients that flood, would look like the server's doing.
  worksFirst(upstream.child.pid);
  comesFirst(calm.child.pid);
  yield* beforeAll({ oai: settings(upstream.url), calm: settings(calm.url) }, [upstream, calm], run);
}

/** What runs before an upstream of every endpoint, with pieces of so many bytes. */
async function* beforeMixed(how: readonly [bytes: number, pieces: number, gapMs: number], run: Run): AsyncIterable<Measured> {
  const upstream = await startUpstream('mixed-pieces.ts', how);
  worksFirst(upstream.child.pid);
  yield* beforeAll(providersAt(upstream.url), [upstream], run);
}

/** What runs on a processor that is its own. */
async function* apart(rows: () => AsyncIterable<Measured>): AsyncIterable<Measured> {
  stepAside();
  const giveBack = clearProcessor();
  try {
    yield* rows();
  } finally {
    giveBack();
    stepBack();
  }
}

async function* rows(): AsyncIterable<Measured> {
  // Cold, and warm.
  yield* before([10, 2, 5], (gateway) => burstRows(gateway, 'short', [400, 2000, 2000]));
  yield* before([200, 100, 50], (gateway) => burstRows(gateway, 'streams', [1000, 1000]));
  yield* before([EVENTS, PIECES, GAP_MS], async function* (gateway) {
    yield* tenfoldRows(gateway, 8);
    yield* fairnessRows(gateway, 12);
  });
}

async function* mixedRows(): AsyncIterable<Measured> {
  yield* beforeMixed([400, 100, 50], mixedBurstRows);
  yield* beforeMixed([12_800, PIECES, GAP_MS], mixedFloodRows);
}

export const overload: Part = { name: 'overload', rows: () => apart(rows) };
/** The same by everything at once. */
export const mixed: Part = { name: 'mixed', rows: () => apart(mixedRows) };
