// What a gateway adds to the time of streams, beside a bare relay of bytes at the same moment: every way through it that streams.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { providersAt } from '../fakes/fault-families.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startGateway } from './gateway.ts';
import { type Lane, LANES, markOf, stamped } from './lanes.ts';
import { fallsInto, lateIn, type Moment, shared } from './moments.ts';
import { inParallel, isSettled, type Measured, median, ms, type Part, percentile } from './part.ts';
import { timed, type Timed } from './timed.ts';

const EVENTS = 8;
const GAP_MS = 10;
/** At once, so few that a machine with two processors is busy for a quarter of the time: else they wait for each other. */
const WIDTH = 10;
/** Each lane has so many rounds, and two more, and again, until what it adds is known so well or there are so many. */
const ROUNDS = 3;
const WITHIN_MS = 0.5;
const MOST_ROUNDS = 7;
/** Streams of each lane in a round, of those that stand side by side elsewhere. */
const SHARE = 0.15;
/** Streams of each lane before anything counts, until the gateway's code is compiled. */
const WARM = 150;
const FIRST_LIMIT_MS = 2;
const GAP_LIMIT_MS = 5;
/** Of all gaps, so many may be longer. */
const LATE_LIMIT = 1 / 1000;

interface Relay {
  readonly url: string;
  stop(): void;
}

async function startRelay(upstream: string): Promise<Relay> {
  const child = fork(join(import.meta.dirname, 'relay.ts'), [new URL(upstream).port]);
  const [said] = (await once(child, 'message')) as [{ readonly port: number }];
  return { url: `http://127.0.0.1:${said.port}`, stop: () => void child.kill() };
}

/** The same streams in the same moments: through the gateway, through the relay, and straight. */
interface Ways<T> {
  readonly ours: T;
  readonly relayed: T;
  readonly straight: T;
}
type Round = Ways<Timed[]>;

const COMPARED = ['ours', 'relayed'] as const;
const NAMES = [...COMPARED, 'straight'] as const;

const first = (all: readonly Timed[], share: number): number =>
  percentile(
    all.map((one) => one.first),
    share,
  );
const gapsOf = (all: readonly Timed[]): number => all.reduce((sum, { gaps }) => sum + gaps.length, 0);

/** In an order that chance gives. https://en.wikipedia.org/wiki/Fisher–Yates_shuffle */
function shuffled<T>(all: readonly T[]): T[] {
  const mixed = [...all];
  for (let at = mixed.length - 1; at > 0; at--) {
    const other = Math.floor(Math.random() * (at + 1));
    [mixed[at], mixed[other]] = [mixed[other] as T, mixed[at] as T];
  }
  return mixed;
}

/** One round of these lanes, mixed: what else the machine does for a while is not one lane's bad luck. */
async function oneRound(lanes: readonly Lane[], urls: Ways<string>, streams: number, agent: Agent): Promise<ReadonlyMap<Lane, Round>> {
  const found = new Map(lanes.map((lane): [Lane, Round] => [lane, { ours: [], relayed: [], straight: [] }]));
  const jobs = shuffled(lanes.flatMap((lane) => Array.from({ length: streams }, () => lane)));
  const one = async (lane: Lane, way: keyof Round): Promise<void> => {
    // Not all at the same moment: what is measured is the gateway, and not how long a queue at its door is.
    await sleep(Math.random() * GAP_MS * 2);
    found.get(lane)?.[way].push(await timed(urls[way], lane.ask(markOf(lane)), EVENTS, agent));
  };
  await inParallel(
    // The straight way is for whoever reads the details: some are enough, and it costs as much as the others.
    jobs.map((lane, at) => () => Promise.all((at % 4 === 0 ? NAMES : COMPARED).map((way) => one(lane, way)))),
    WIDTH,
  );
  return found;
}

/** All rounds of a lane together. */
const together = (rounds: readonly Round[]): Round => ({
  ours: rounds.flatMap(({ ours }) => ours),
  relayed: rounds.flatMap(({ relayed }) => relayed),
  straight: rounds.flatMap(({ straight }) => straight),
});

/** When streams through the gateway and through the relay were held up at once, whatever their lanes. */
function disturbed(lanes: Iterable<readonly Round[]>): Moment[] {
  const { ours, relayed } = together([...lanes].flat());
  return shared(lateIn(ours, GAP_LIMIT_MS), lateIn(relayed, GAP_LIMIT_MS));
}

/** What a lane adds, where nothing disturbed it. */
interface Added {
  readonly all: Round;
  /** The 99th percentile to the first event beyond the relay's, by rounds. */
  readonly added: readonly number[];
  readonly counted: number;
  /** Gaps that are late, and were so in no moment that disturbed both. */
  readonly late: Ways<number>;
  /** Of all gaps, so many more were late through the gateway than through the relay. */
  readonly lateShare: number;
}

function addedIn(rounds: readonly Round[], noise: readonly Moment[]): Added {
  const calm = (streams: readonly Timed[]): Timed[] => streams.filter(({ began }) => !fallsInto(began, noise));
  const lateOf = (streams: readonly Timed[]): number => lateIn(streams, GAP_LIMIT_MS).filter((one) => !fallsInto(one, noise)).length;
  const all = together(rounds);
  const late = { ours: lateOf(all.ours), relayed: lateOf(all.relayed), straight: lateOf(all.straight) };
  return {
    all,
    added: rounds.map(({ ours, relayed }) => first(calm(ours), 0.99) - first(calm(relayed), 0.99)),
    counted: calm(all.ours).length,
    late,
    lateShare: (late.ours - late.relayed) / gapsOf(all.ours),
  };
}

function* laneRows({ name }: Lane, { all, added, counted, late, lateShare }: Added): Iterable<Measured> {
  const { ours, relayed, straight } = all;
  const wrong = ours.filter((one) => one.wrong !== undefined);
  const value = median(added);
  yield {
    promise: 'streams.first-token',
    about: name,
    value,
    many: counted,
    isKept: value < FIRST_LIMIT_MS && wrong.length === 0,
    detail:
      `rounds ${added.map(ms).join(', ')}; p50 ${ms(first(ours, 0.5) - first(relayed, 0.5))}; beyond none at all ` +
      `${ms(first(ours, 0.99) - first(straight, 0.99))} and ${ms(first(ours, 0.5) - first(straight, 0.5))}; ` +
      `${ours.length - counted} more when the machine was held up; ${wrong.length} wrong${wrong[0]?.wrong === undefined ? '' : `: ${wrong[0].wrong}`}`,
  };
  yield {
    promise: 'streams.gap',
    about: name,
    value: Math.max(0, lateShare * 100),
    many: gapsOf(ours),
    isKept: lateShare <= LATE_LIMIT,
    detail: `${late.ours}; the relay ${late.relayed}, neither ${late.straight}`,
  };
}

/** Whether a lane that has had these rounds has its next one, which is of this number: an odd number of them, or the last is missing. */
function isOpen(rounds: readonly Round[], noise: readonly Moment[], number: number): boolean {
  if (rounds.length < number) return false;
  if (number < ROUNDS || number % 2 === 0) return true;
  const { added, lateShare } = addedIn(rounds, noise);
  return lateShare > LATE_LIMIT || !isSettled(added, WITHIN_MS);
}

async function* timeRows(streams: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream(stamped(EVENTS, 1));
  const gateway = await startGateway(providersAt(upstream.url));
  const relay = await startRelay(upstream.url);
  const agent = new Agent({ keepAlive: true });
  const urls = { ours: gateway.url, relayed: relay.url, straight: upstream.url };
  try {
    await inParallel(
      shuffled(LANES.flatMap((lane) => Array.from({ length: WARM }, () => lane))).map(
        (lane) => () => timed(gateway.url, lane.ask(markOf(lane)), EVENTS, agent),
      ),
      WIDTH,
    );
    upstream.behave = stamped(EVENTS, GAP_MS);
    const found = new Map(LANES.map((lane): [Lane, Round[]] => [lane, []]));
    for (let number = 0; number < MOST_ROUNDS; number++) {
      upstream.tries.length = 0;
      const noise = disturbed(found.values());
      const open = LANES.filter((lane) => isOpen(found.get(lane) ?? [], noise, number));
      const round = await oneRound(open, urls, Math.ceil(streams * SHARE), agent);
      for (const [lane, one] of round) found.get(lane)?.push(one);
    }
    const noise = disturbed(found.values());
    for (const [lane, rounds] of found) yield* laneRows(lane, addedIn(rounds, noise));
  } finally {
    agent.destroy();
    relay.stop();
    await gateway.stop();
    await upstream.close();
  }
}

export const time: Part = { name: 'time', rows: ({ streams }) => timeRows(streams) };
