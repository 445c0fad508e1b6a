// What is tried again and how often, what is remembered of failures, and what a refusal says.
import { Agent } from 'node:http';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { FAULTS } from '../fakes/faults.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { CALLS, familyOf, isAskedOnce, isCount, LIMITED, type Pair, refusing, type Way, well, withPairs } from './pairs.ts';
import { inParallel, type Measured, ms, type Part, percentile } from './part.ts';
import { after, breaker, deadline, lastOne } from './set-aside.ts';
import { type Got, talk } from './talk.ts';
import { websocketRefusals } from './websocket-failures.ts';

/** So much later than it meant to may a busy machine do something. */
const LATE_MS = 50;
const keys = [{ name: 'stress', value: KEY }];

const REFUSALS = FAULTS.filter(({ outcome, waits, status }) => outcome === 'refused' && !waits && status);
const isMistake = (name: string): boolean => /^4(?:00|04|13|22)$/.test(name);

/** Each refusal at each endpoint: tries, and what is said. */
async function* everywhere(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream();
  const server = await startTestServer({ providers: providersAt(upstream.url), keys });
  const agent = new Agent({ keepAlive: true });
  const ask = async (family: Family, behave: Behaviour): Promise<Got> => {
    upstream.tries.length = 0;
    upstream.behave = behave;
    const { path, type, body } = family.ask('x');
    return talk({ url: server.url + path, type, body, agent });
  };
  try {
    for (const family of FAMILIES) {
      let [tries, again, silent, mistakes] = [0, 0, 0, 0];
      const untold: string[] = [];
      for (const fault of REFUSALS) {
        const got = await ask(family, fault.behave(family));
        tries = Math.max(tries, upstream.tries.length);
        if (Number(got.headers['x-pailou-attempts'] ?? 1) !== upstream.tries.length) untold.push(fault.name);
        if (isMistake(fault.name)) {
          mistakes++;
          again += upstream.tries.length - 1;
        }
        const mayTell = fault.hasRetryAfter === true && !isCount(family) && !family.isFile && !family.isLate;
        const says = /"message":"[^"]{5}/.test(got.text) && (!mayTell || Number(got.headers['retry-after']) > 0);
        if (!says) silent++;
      }
      const of = { about: family.name, many: REFUSALS.length };
      const detail = untold.length === 0 ? {} : { detail: `told otherwise of ${untold.join(', ')}` };
      yield { promise: 'retry.tries', ...of, value: tries, isKept: tries <= 3 && untold.length === 0, ...detail };
      yield { promise: 'retry.mistakes', ...of, many: mistakes, value: again, isKept: again === 0 };
      yield { promise: 'retry.refusals', ...of, value: silent, isKept: silent === 0 };
    }
  } finally {
    agent.destroy();
    await server.close();
    await upstream.close();
  }
}

const MISTAKES = [400, 404, 413, 422];

/** After clients' mistakes in a row the target is asked as before, at each endpoint. */
const mistakesCount = (calls: number): Promise<Measured> =>
  withPairs(LIMITED, async (pairs) => {
    const goneOn = await Promise.all(
      pairs.map(async ({ family, first, second, ask, isBack }) => {
        for (let i = 0; i < calls; i++) {
          first.behave = refusing(MISTAKES[i % MISTAKES.length] ?? 400);
          await ask();
        }
        first.behave = well(family);
        return second.tries.length + ((await isBack()) ? 0 : 1);
      }),
    );
    const value = goneOn.reduce((sum, one) => sum + one, 0);
    const detail = pairs.filter((_pair, at) => goneOn[at] !== 0).map(({ family }) => family.name);
    return {
      promise: 'retry.mistakes',
      value,
      many: calls * pairs.length,
      isKept: value === 0,
      ...(detail.length > 0 ? { detail: detail.join('; ') } : {}),
    };
  });

/** The furthest that values, of which those beyond 0 and 1 count as these, are from an even spread, as a share of all: https://doi.org/10.2307/2280095 */
function unevenness(values: readonly number[]): number {
  const sorted = Float64Array.from(values, (value) => Math.min(1, Math.max(0, value))).toSorted();
  return sorted.reduce((worst, value, at) => Math.max(worst, Math.abs(value - at / sorted.length)), 0);
}

/** Pauses of one endpoint before tries, as shares of their range; how many were late; and what goes by without one. */
interface Pauses {
  readonly shares: number[];
  readonly ways: number[];
  late: number;
}

async function oneRound(pair: Pair, pauses: Pauses): Promise<void> {
  const { family, first, second } = pair;
  // Each call is known by its mark.
  const asked = (way: Way, times: number, width: number): Promise<Got[]> =>
    inParallel(
      Array.from({ length: times }, (_none, at) => () => pair.ask(way, `call-${at}-`)),
      width,
    );
  // One call in ten may be repeated: these make room for the two tries more of all that follow.
  first.behave = well(family);
  await asked('first', 800, 16);
  first.behave = refusing(503, () => ({ 'retry-after': '0' }));
  for (const { tries } of [first, second]) tries.length = 0;
  await asked('both', 4, 1);
  pauses.ways.push(...second.tries.map(({ cameAt }, at) => cameAt - (first.tries[at]?.cameAt ?? 0)));
  const way = percentile(pauses.ways, 0.5);
  first.tries.length = 0;
  await asked('first', 40, 8);
  for (const tries of Map.groupBy(first.tries, ({ body }) => /call-\d+-/.exec(body)?.[0]).values()) {
    for (const [at, { cameAt }] of tries.slice(1).entries()) {
      const beyond = cameAt - (tries[at]?.cameAt ?? 0) - way;
      pauses.shares.push(beyond / (100 * (at + 1)));
      if (beyond > 100 * (at + 1) + LATE_MS) pauses.late++;
    }
  }
}

/**
 * Pauses as an upstream sees them that refuses each call and asks for no time of its own, of chat and of what is sent otherwise. (One that
 * hangs up may be asked at once: https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2.) What goes by without a pause, to another upstream,
 * is taken off.
 */
async function* jitter(rounds: number): AsyncIterable<Measured> {
  for (const family of [familyOf('openai-chat'), familyOf('rerank')]) {
    const { shares, ways, late } = await withPairs([family], async (pairs) => {
      const pauses: Pauses = { shares: [], ways: [], late: 0 };
      for (const pair of pairs) for (let round = 0; round < rounds; round++) await oneRound(pair, pauses);
      return pauses;
    });
    const value = unevenness(shares) * 100;
    // A machine that stands still makes all late that wait at that moment.
    const isKept = value <= 10 && late <= shares.length * 0.02 && shares.length >= rounds * 60;
    const detail = `${late} over ${LATE_MS} ms beyond their range; ${ms(percentile(ways, 0.5))} without a pause`;
    yield { promise: 'retry.jitter', about: family.name, value, many: shares.length, isKept, detail };
  }
}

/** What is granted however little goes on. */
const GRANTED = { toBegin: 10, aSecond: 1 };

/** Calls of all endpoints whose tries may be repeated, in turn, while nothing works: all of them share one budget. */
async function budget(calls: number): Promise<Measured> {
  const upstream = await startFaultUpstream((_one, response) => void response.socket?.end());
  const server = await startTestServer({ providers: providersAt(upstream.url), keys });
  const agent = new Agent({ keepAlive: true });
  const families = CALLS.filter((family) => !isAskedOnce(family));
  try {
    const began = performance.now();
    await inParallel(
      Array.from({ length: calls }, (_none, at) => () => {
        const { path, type, body } = (families[at % families.length] as Family).ask('x');
        return talk({ url: server.url + path, type, body, agent });
      }),
      32,
    );
    const granted = GRANTED.toBegin + (GRANTED.aSecond * (performance.now() - began)) / 1000;
    const repeated = upstream.tries.length - calls;
    const value = (Math.max(0, repeated - granted) / calls) * 100;
    const detail = `${repeated} in all, at ${families.length} endpoints`;
    return { promise: 'retry.budget', value, many: calls, isKept: value <= 10 && repeated > 0, detail };
  } finally {
    agent.destroy();
    await server.close();
    await upstream.close();
  }
}

export const retry: Part = {
  name: 'retry',
  async *rows({ requests }) {
    yield* everywhere();
    yield* websocketRefusals();
    yield await mistakesCount(20);
    yield* jitter(Math.min(8, Math.ceil(requests / 800)));
    yield await budget(Math.min(2000, requests));
    yield* after();
    yield* breaker();
    yield* lastOne(20);
    yield* deadline({ calls: 3, totalMs: 1000, lateMs: 500 });
  },
};
