// Every wait ends when it was told to, at every endpoint; and what is silent meanwhile says that it lives.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { startDeaf } from '../fakes/deaf.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { FAULTS } from '../fakes/faults.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { isCount } from './pairs.ts';
import type { Measured, Part } from './part.ts';
import { type Got, type Said, talk } from './talk.ts';
import { websocketAlive, websocketEnds } from './websocket-waits.ts';

/** How waits are seen to end. */
interface Ending {
  /** How long one may be, and how much later its end. */
  readonly setMs: number;
  readonly lateMs: number;
  /** Of each endpoint at once. */
  readonly clients: number;
  /** Endpoints begin so much after each other: a crowd that comes and goes at one moment would be what is measured. */
  readonly apartMs: number;
}

/** What ends so much before its time was ended by something else. */
const EARLY_MS = 50;
const keys = [{ name: 'stress', value: KEY }];

const CASES = [
  { promise: 'time.headers', fault: 'a black hole', wait: 'headers' },
  { promise: 'time.first-token', fault: 'headers and a stall', wait: 'firstToken' },
  { promise: 'time.idle', fault: 'a stall in the middle', wait: 'idle' },
  { promise: 'time.total', fault: 'no end, a little at a time', wait: 'total' },
] as const;

const LONG = { connect: 30_000, headers: 30_000, firstToken: 30_000, idle: 30_000, total: 60_000 };

/** What the upstream is asked by one client of a family, so that it knows which one it was. */
const markOf = (family: Family, client: number): string => `family-${FAMILIES.indexOf(family)}-${client}-`;

const failing =
  (name: string): Behaviour =>
  (one, response) => {
    const family = FAMILIES[Number(/family-(\d+)-\d+-/.exec(one.text)?.[1])];
    const fault = FAULTS.find((known) => known.name === name);
    if (!family || !fault) return void response.writeHead(400).end();
    fault.behave(family)(one, response);
  };

function ask(base: string, family: Family, agent: Agent, mark: string, more: Pick<Said, 'withinMs' | 'heard'>): Promise<Got> {
  const { path, type, body } = family.ask(mark);
  return talk({ url: base + path, type, body, agent, ...more });
}

/** When a client was told, beyond the time that was set. */
interface Told {
  /** Since the upstream was asked, or since its client asked where that waits for the connection or for all. */
  readonly late: number;
  /** Since its client asked: nothing can have begun before that. */
  readonly all: number;
}

/** When each client was told, by family. */
async function late(
  { url, tries }: Pick<FaultUpstream, 'url' | 'tries'>,
  families: readonly Family[],
  wait: keyof typeof LONG,
  { setMs, clients, apartMs }: Ending,
): Promise<Map<Family, readonly Told[]>> {
  const providers = Object.fromEntries(
    Object.entries(providersAt(url)).map(([name, one]) => [
      name,
      { ...one, health: 'off', timeouts: { ...LONG, [wait]: setMs } } as ProviderSettings,
    ]),
  );
  const server = await startTestServer({ providers, keys });
  const agent = new Agent();
  const one = async (family: Family, client: number): Promise<Told> => {
    const mark = markOf(family, client);
    const began = performance.now();
    await ask(server.url, family, agent, mark, { withinMs: 20_000 });
    const ended = performance.now();
    const asked = wait === 'total' ? undefined : tries.findLast(({ text }) => text.includes(mark));
    return { late: ended - (asked?.cameAt ?? began) - setMs, all: ended - began - setMs };
  };
  try {
    const all = families.map(async (family, at) => {
      await sleep(at * apartMs);
      return [family, await Promise.all(Array.from({ length: clients }, (_none, client) => one(family, client)))] as const;
    });
    return new Map(await Promise.all(all));
  } finally {
    agent.destroy();
    await server.close();
  }
}

function* lateRows(promise: Measured['promise'], found: ReadonlyMap<Family, readonly Told[]>, { lateMs }: Ending): Iterable<Measured> {
  for (const [{ name: about }, times] of found) {
    const value = Math.max(...times.map(({ late: by }) => by));
    const isEarly = times.some(({ all }) => all < -EARLY_MS);
    yield { promise, about, value, many: times.length, isKept: value <= lateMs && !isEarly };
  }
}

/** All waits of all endpoints. */
export async function* endRows(ending: Ending): AsyncIterable<Measured> {
  const deaf = await startDeaf();
  yield* lateRows('time.connect', await late({ url: deaf.url, tries: [] }, FAMILIES, 'connect', ending), ending);
  await deaf.close();
  const upstream = await startFaultUpstream();
  for (const { promise, fault, wait } of CASES) {
    upstream.behave = failing(fault);
    upstream.tries.length = 0;
    // Counting waits for no piece: its answer is a number.
    const waiting = wait === 'firstToken' ? FAMILIES.filter((family) => !isCount(family)) : FAMILIES;
    yield* lateRows(promise, await late(upstream, waiting, wait, ending), ending);
  }
  await upstream.close();
}

const DELAY_S = 15;
const WATCH_MS = 48_000;

/** How a client gets it: in events, as one text, or as bytes. */
const seenAs = ({ seen, isStream, type, isFile }: Family): NonNullable<Family['seen']> =>
  seen ?? (isStream ? 'events' : type === 'application/json' || isFile ? 'text' : 'bytes');

/** White space before what comes whole means nothing, but before sound; and a number, a task, a job are there at once. */
const isKeptAlive = (family: Family): boolean => seenAs(family) !== 'bytes' && !isCount(family) && !family.name.startsWith('video');

/** Comments, pings and white space: all that may be said while nothing has come. */
const isSign = (text: string): boolean => text.replaceAll(/^(?::.*|event: ping|data: \{"type": ?"ping"\})$/gm, '').trim() === '';

/** One client's seconds since it asked at which it heard something. */
interface Heard {
  readonly times: readonly number[];
  readonly got: Got;
}

async function heardBy(base: string, family: Family, agent: Agent): Promise<Heard> {
  const began = performance.now();
  const times: number[] = [];
  const heard = (): void => void times.push((performance.now() - began) / 1000);
  const got = await ask(base, family, agent, markOf(family, 0), { withinMs: WATCH_MS, heard });
  return { times, got };
}

const gapsOf = ({ times }: Heard): readonly number[] => times.slice(1).map((time, at) => time - (times[at] ?? 0));

function* aliveRows(family: Family, silent: Heard, stalled: Heard | undefined): Iterable<Measured> {
  const about = family.name;
  // Who has been told something before has heard nothing since.
  const [begin = Infinity] = family.isLate ? gapsOf(silent).filter((gap) => gap > 1) : silent.times;
  const isQuiet = silent.got.status === 200 && (family.isLate || isSign(silent.got.text));
  const gaps = [silent, ...(stalled ? [stalled] : [])].map(gapsOf);
  const longest = gaps.every(({ length }) => length >= 2) ? Math.max(...gaps.flat()) : Infinity;
  const detail = isQuiet ? {} : { detail: `${silent.got.status} ${silent.got.text.slice(0, 200)}` };
  yield { promise: 'streams.alive-first', about, value: begin, many: 1, isKept: isQuiet && Math.abs(begin - DELAY_S) <= 0.5, ...detail };
  yield { promise: 'streams.alive-every', about, value: longest, many: gaps.flat().length, isKept: longest <= DELAY_S + 0.5 };
}

/** Upstreams that are silent from the start, and after their first text: for all at once, since it takes its time. */
async function* alive(): AsyncIterable<Measured> {
  const start = async (fault: string): Promise<{ upstream: FaultUpstream; url: string; close(): Promise<void> }> => {
    const upstream = await startFaultUpstream(failing(fault));
    const server = await startTestServer({
      providers: providersAt(upstream.url),
      keys,
      server: { host: '127.0.0.1', port: 0, workers: 1, trustedProxies: [], cors: ['*'], keepAlive: { whole: true } },
    });
    return { upstream, url: server.url, close: () => server.close().then(() => upstream.close()) };
  };
  const [silent, stalled] = await Promise.all([start('a black hole'), start('a stall in the middle')]);
  const agent = new Agent();
  try {
    const families = FAMILIES.filter(isKeptAlive);
    const all = await Promise.all(
      families.map((family) =>
        Promise.all([heardBy(silent.url, family, agent), family.isStream ? heardBy(stalled.url, family, agent) : undefined]),
      ),
    );
    for (const [at, family] of families.entries()) {
      const found = all[at];
      if (found) yield* aliveRows(family, ...found);
    }
  } finally {
    agent.destroy();
    await Promise.all([silent.close(), stalled.close()]);
  }
}

export const waits: Part = {
  name: 'waits',
  async *rows() {
    yield* endRows({ setMs: 1000, lateMs: 500, clients: 4, apartMs: 60 });
    yield* alive();
    yield* websocketEnds();
    yield* websocketAlive();
  },
};
