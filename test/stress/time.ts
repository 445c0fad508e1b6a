// What a gateway adds to the time of streams, beside a bare relay of bytes at the same moment: every way through it that streams.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { providersAt } from '../fakes/fault-families.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startGateway } from './gateway.ts';
import { watchHeldUp } from './held-up.ts';
import { type Lane, LANES, markOf, SOCKET_LANE, stamped } from './lanes.ts';
import { fallsInto, type Moment } from './moments.ts';
import { inParallel, type Measured, ms, type Part, percentile } from './part.ts';
import { comesFirst, giveProcessor, stepAside, stepBack, waitsAgain } from './processors.ts';
import { timed, type Timed } from './timed.ts';

const EVENTS = 8;
const GAP_MS = 10;
/** At once, through the gateway and through the relay: so few that it is about a tenth of what the gateway can do. */
const WIDTH = 6;
const ROUNDS = 5;
/** Streams of each lane in a round, of those that stand side by side elsewhere. */
const SHARE = 0.15;
/** Streams of each lane before anything counts, until the gateway's code is compiled. */
const WARM = 300;
const FIRST_LIMIT_MS = 2;
const GAP_LIMIT_MS = 5;
/** Of all gaps, so many may be longer. */
const LATE_LIMIT = 1 / 1000;

const WAYS_THROUGH = [...LANES, SOCKET_LANE];

interface Relay {
  readonly url: string;
  stop(): void;
}

async function startRelay(upstream: string): Promise<Relay> {
  const child = fork(join(import.meta.dirname, 'relay.ts'), [new URL(upstream).port]);
  const [said] = (await once(child, 'message')) as [{ readonly port: number }];
  return { url: `http://127.0.0.1:${said.port}`, stop: () => void child.kill() };
}

/** The same streams in the same moments: through the gateway, and through the relay. */
interface Ways<T> {
  readonly ours: T;
  readonly relayed: T;
}
type Streams = Ways<Timed[]>;

const WAYS = ['ours', 'relayed'] as const;

/** In an order that chance gives. https://en.wikipedia.org/wiki/Fisher–Yates_shuffle */
function shuffled<T>(all: readonly T[]): T[] {
  const mixed = [...all];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T];
  }
  return mixed;
}

/** One round of all lanes, mixed: what else the machine does for a while is not one lane's bad luck. */
async function oneRound(found: ReadonlyMap<Lane, Streams>, urls: Ways<string>, streams: number, agent: Agent): Promise<void> {
  const jobs = shuffled([...found].flatMap((lane) => Array.from({ length: streams }, () => lane)));
  const one = async (lane: Lane, way: keyof Streams, into: Timed[]): Promise<void> => {
    // Not both at the same moment: what is measured is the gateway, and not how long a queue at its door is.
    await sleep(Math.random() * GAP_MS * 2);
    const { isPacked, isSocket } = lane;
    const how = { ...(isPacked ? { isPacked } : {}), ...(isSocket && way === 'ours' ? { isSocket } : {}) };
    into.push(await timed(urls[way], lane.ask(markOf(lane)), EVENTS, agent, how));
  };
  await inParallel(
    jobs.map(
      ([lane, all]) =>
        () =>
          Promise.all(WAYS.map((way) => one(lane, way, all[way]))),
    ),
    WIDTH,
  );
}

/** What counts of the streams of one way: nobody was held up meanwhile. */
function calmOf(
  all: readonly Timed[],
  heldUp: readonly Moment[],
): { readonly firsts: number[]; readonly gaps: number; readonly late: number } {
  const firsts = all.filter(({ began }) => !fallsInto(began, heldUp)).map(({ first }) => first);
  const gaps = all
    .flatMap((stream) => stream.gaps)
    // From when its event was due.
    .filter(({ by, at }) => !fallsInto({ from: at - Math.max(0, by), to: at }, heldUp));
  return { firsts, gaps: gaps.length, late: gaps.filter(({ by }) => by > GAP_LIMIT_MS).length };
}

function* laneRows({ name }: Lane, all: Streams, heldUp: readonly Moment[]): Iterable<Measured> {
  const [ours, relayed] = [calmOf(all.ours, heldUp), calmOf(all.relayed, heldUp)];
  const added = (share: number): number => percentile(ours.firsts, share) - percentile(relayed.firsts, share);
  const wrong = all.ours.filter((one) => one.wrong !== undefined);
  yield {
    promise: 'streams.first-token',
    about: name,
    value: added(0.99),
    many: ours.firsts.length,
    isKept: added(0.99) < FIRST_LIMIT_MS && wrong.length === 0,
    detail:
      `p50 ${ms(added(0.5))}, p95 ${ms(added(0.95))}; the relay’s own p50 ${ms(percentile(relayed.firsts, 0.5))}, p99 ${ms(percentile(relayed.firsts, 0.99))}; ` +
      `${all.ours.length - ours.firsts.length} more when the machine or its clients were held up; ` +
      `${wrong.length} wrong${wrong[0]?.wrong === undefined ? '' : `: ${wrong[0].wrong}`}`,
  };
  const lateShare = ours.late / ours.gaps - relayed.late / relayed.gaps;
  yield {
    promise: 'streams.gap',
    about: name,
    value: Math.max(0, lateShare * 100),
    many: ours.gaps,
    isKept: lateShare <= LATE_LIMIT,
    detail: `${ours.late}; the relay ${relayed.late} of ${relayed.gaps}`,
  };
}

/** Until the code that these streams run through is compiled. */
const warm = (url: string, agent: Agent): Promise<unknown> =>
  inParallel(
    shuffled(WAYS_THROUGH.flatMap((lane) => Array.from({ length: WARM }, () => lane))).map(
      (lane) => () => timed(url, lane.ask(markOf(lane)), EVENTS, agent, lane),
    ),
    WIDTH * 2,
  );

async function* timeRows(streams: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream(stamped(EVENTS, 1));
  const gateway = await startGateway(providersAt(upstream.url));
  // A kernel of a guest machine has work of its own, milliseconds of it twice a second, which would stand before the gateway.
  giveProcessor(gateway.program.child.pid);
  comesFirst(gateway.program.child.pid);
  stepAside();
  comesFirst();
  const relay = await startRelay(upstream.url);
  const heldUp = await watchHeldUp();
  const agent = new Agent({ keepAlive: true });
  const urls = { ours: gateway.url, relayed: relay.url };
  try {
    await warm(gateway.url, agent);
    upstream.behave = stamped(EVENTS, GAP_MS);
    const found = new Map(WAYS_THROUGH.map((lane): [Lane, Streams] => [lane, { ours: [], relayed: [] }]));
    for (let number = 0; number < ROUNDS; number++) {
      upstream.tries.length = 0;
      await oneRound(found, urls, Math.ceil(streams * SHARE), agent);
    }
    const moments = await heldUp.moments();
    for (const [lane, all] of found) yield* laneRows(lane, all, moments);
  } finally {
    agent.destroy();
    heldUp.stop();
    relay.stop();
    await gateway.stop();
    await upstream.close();
    waitsAgain();
    stepBack();
  }
}

export const time: Part = { name: 'time', rows: ({ streams }) => timeRows(streams) };
