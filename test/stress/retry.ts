// What is tried again and how often, what is remembered of failures, and what a refusal says.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { chat } from '../exchange/dialects.ts';
import { FAMILIES, type Family, providersAt } from '../fakes/fault-families.ts';
import { FAULTS } from '../fakes/faults.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { inParallel, type Measured, ms, type Part, percentile } from './part.ts';
import { type Got, talk } from './talk.ts';
import { websocketRefusals } from './websocket-failures.ts';

const AFTER_S = 3;
/** So much later than it meant to may a busy machine do something. */
const LATE_MS = 50;
const keys = [{ name: 'stress', value: KEY }];

const well: Behaviour = (_one, response) =>
  void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chat.whole));
const failing =
  (status: number, headers: () => Record<string, string> = () => ({})): Behaviour =>
  (_one, response) =>
    void response
      .writeHead(status, { 'content-type': 'application/json', ...headers() })
      .end('{"error":{"message":"it broke","type":"server_error","code":null,"param":null}}');

/** Two upstreams behind one route, `m`; the second is always well. */
interface Two {
  readonly first: FaultUpstream;
  readonly second: FaultUpstream;
  readonly server: TestServer;
  ask(model?: string): Promise<Got>;
}

async function withTwo<T>(work: (two: Two) => Promise<T>, settings: Partial<ProviderSettings> = {}): Promise<T> {
  const [first, second] = await Promise.all([startFaultUpstream(well), startFaultUpstream(well)]);
  const at = (url: string): ProviderSettings => ({ ...chat.settings(url), ...settings }) as ProviderSettings;
  const server = await startTestServer({
    providers: { first: at(first.url), second: at(second.url) },
    models: {
      m: { targets: [{ to: 'first/up' }], fallback: ['second/up'] },
      n: { targets: [{ to: 'first/other' }], fallback: ['second/up'] },
    },
    keys,
  } as unknown as Parameters<typeof startTestServer>[0]);
  const agent = new Agent({ keepAlive: true });
  const ask = (model = 'm'): Promise<Got> =>
    talk({ url: `${server.url}/v1/chat/completions`, body: JSON.stringify(chat.body(model, false)), agent });
  try {
    return await work({ first, second, server, ask });
  } finally {
    agent.destroy();
    await server.close();
    await Promise.all([first.close(), second.close()]);
  }
}

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
        const isCount = family.name.startsWith('count of tokens');
        const says = /"message":"[^"]{5}/.test(got.text) && (!fault.hasRetryAfter || isCount || Number(got.headers['retry-after']) > 0);
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

/** After clients' mistakes in a row the target is asked as before. */
const mistakesCount = (): Promise<Measured> =>
  withTwo(async ({ first, second, ask }) => {
    first.behave = failing(400);
    for (let i = 0; i < 20; i++) await ask();
    first.behave = well;
    await ask();
    const value = second.tries.length;
    return { promise: 'retry.mistakes', about: 'health', value, many: 20, isKept: value === 0 };
  });

/** The furthest that values, of which those beyond 0 and 1 count as these, are from an even spread, as a share of all: https://doi.org/10.2307/2280095 */
function unevenness(values: readonly number[]): number {
  const sorted = Float64Array.from(values, (value) => Math.min(1, Math.max(0, value))).toSorted();
  return sorted.reduce((worst, value, at) => Math.max(worst, Math.abs(value - at / sorted.length)), 0);
}

/**
 * Pauses as an upstream sees them that refuses each call and asks for no time of its own. (One that hangs up may be asked at once:
 * https://www.rfc-editor.org/rfc/rfc9110#section-9.2.2.) What goes by without a pause, to another upstream, is taken off.
 */
const jitter = (rounds: number): Promise<Measured> =>
  withTwo(async ({ first, second, server }) => {
    const agent = new Agent({ keepAlive: true });
    const asked = (model: string, times: number, width: number): Promise<Got[]> =>
      inParallel(
        // Each is known by its body.
        Array.from({ length: times }, (_none, at) => () => {
          const body = JSON.stringify({ ...chat.body(model, false), user: String(at) });
          return talk({ url: `${server.url}/v1/chat/completions`, body, agent });
        }),
        width,
      );
    const shares: number[] = [];
    const ways: number[] = [];
    let late = 0;
    for (let round = 0; round < rounds; round++) {
      // One call in ten may be repeated: these make room for the two tries more of all that follow.
      first.behave = well;
      await asked('first/up', 800, 16);
      first.behave = failing(503, () => ({ 'retry-after': '0' }));
      for (const { tries } of [first, second]) tries.length = 0;
      await asked('m', 4, 1);
      ways.push(...second.tries.map(({ cameAt }, at) => cameAt - (first.tries[at]?.cameAt ?? 0)));
      const way = percentile(ways, 0.5);
      first.tries.length = 0;
      await asked('first/up', 40, 8);
      for (const tries of Map.groupBy(first.tries, ({ body }) => body).values()) {
        for (const [at, { cameAt }] of tries.slice(1).entries()) {
          const beyond = cameAt - (tries[at]?.cameAt ?? 0) - way;
          shares.push(beyond / (100 * (at + 1)));
          if (beyond > 100 * (at + 1) + LATE_MS) late++;
        }
      }
    }
    agent.destroy();
    const value = unevenness(shares) * 100;
    // A machine that stands still makes all late that wait at that moment.
    const isKept = value <= 10 && late <= shares.length * 0.02 && shares.length >= rounds * 60;
    const detail = `${late} over ${LATE_MS} ms beyond their range; ${ms(percentile(ways, 0.5))} without a pause`;
    return { promise: 'retry.jitter', value, many: shares.length, isKept, detail };
  });

/** What is granted however little goes on. */
const GRANTED = { toBegin: 10, aSecond: 1 };

const budget = (calls: number): Promise<Measured> =>
  withTwo(async ({ first, server }) => {
    const agent = new Agent({ keepAlive: true });
    first.behave = (_one, response) => void response.socket?.end();
    const url = `${server.url}/v1/chat/completions`;
    const body = JSON.stringify(chat.body('first/up', false));
    const began = performance.now();
    await inParallel(
      Array.from({ length: calls }, () => () => talk({ url, body, agent })),
      32,
    );
    agent.destroy();
    const granted = GRANTED.toBegin + (GRANTED.aSecond * (performance.now() - began)) / 1000;
    const repeated = first.tries.length - calls;
    const value = (Math.max(0, repeated - granted) / calls) * 100;
    return { promise: 'retry.budget', value, many: calls, isKept: value <= 10 && repeated > 0, detail: `${repeated} in all` };
  });

async function* after(): AsyncIterable<Measured> {
  for (const [promise, form] of [
    ['retry.after-seconds', () => String(AFTER_S)],
    ['retry.after-date', () => new Date(Date.now() + AFTER_S * 1000).toUTCString()],
  ] as const) {
    const found = await withTwo(async ({ first, ask }) => {
      let until = 0;
      first.behave = (one, response) => {
        const value = form();
        until = Number.isNaN(Number(value)) ? Date.parse(value) : Date.now() + Number(value) * 1000;
        failing(429, () => ({ 'retry-after': value }))(one, response);
      };
      await ask();
      first.behave = well;
      const early = { same: 0, others: 0 };
      let calls = 0;
      while (Date.now() < until - 20) {
        const before = first.tries.length;
        await ask('m');
        const between = first.tries.length;
        await ask('n');
        // What came while its time ran out is neither.
        if (Date.now() >= until) break;
        early.same += between - before;
        early.others += first.tries.length - between;
        calls += 2;
        await sleep(20);
      }
      await sleep(1100);
      const isBack = (await ask()).headers['x-pailou-served-by'] === 'first/up';
      return { early, calls, isBack };
    });
    const { early, calls, isBack } = found;
    yield { promise, value: early.same, many: calls / 2, isKept: early.same === 0 && isBack };
    yield {
      promise: 'retry.after-shared',
      about: promise === 'retry.after-date' ? 'date' : 'seconds',
      value: early.others,
      many: calls / 2,
      isKept: early.others === 0,
    };
  }
}

async function* breaker(): AsyncIterable<Measured> {
  yield* await withTwo(async ({ first, ask }) => {
    first.behave = failing(500);
    let lost = 0;
    for (let i = 0; i < 30; i++) if ((await ask()).status !== 200) lost++;
    const opened = first.tries.length;
    await sleep(5200);
    first.tries.length = 0;
    first.behave = (one, response) => void setTimeout(() => failing(500)(one, response), 300);
    await Promise.all(Array.from({ length: 50 }, () => ask()));
    const probes = first.tries.length;
    return [
      { promise: 'retry.breaker', value: opened, many: 1, isKept: opened === 5 && lost === 0 },
      { promise: 'retry.probe', value: probes, many: 50, isKept: probes === 1 },
    ] as const;
  });
}

/** Both targets of a route fail until they are set aside, which shows in that a call asks one of them only: one is still asked. */
const lastOne = (calls: number): Promise<Measured> =>
  withTwo(async ({ first, second, ask }) => {
    const came = (): number => first.tries.length + second.tries.length;
    first.behave = failing(500);
    second.behave = failing(500);
    for (let i = 0; i < 5; i++) await ask();
    const opening = came();
    let refused = 0;
    for (let i = 0; i < calls; i++) {
      const before = came();
      await ask();
      if (came() === before) refused++;
    }
    const since = came() - opening;
    first.behave = well;
    second.behave = well;
    const isBack = (await ask()).status === 200;
    const isKept = refused === 0 && opening === 10 && since === calls && isBack;
    return { promise: 'retry.last', value: refused, many: calls, isKept, detail: `asked ${opening} times until then, ${since} after` };
  });

const deadline = (calls: number): Promise<Measured> =>
  withTwo(
    async ({ first, second, ask }) => {
      first.behave = () => {};
      second.behave = () => {};
      const times = await inParallel(
        Array.from({ length: calls }, () => async () => {
          const began = performance.now();
          await ask();
          return performance.now() - began - 1000;
        }),
        calls,
      );
      const value = Math.max(...times);
      return { promise: 'retry.deadline', value, many: calls, isKept: value <= 500 };
    },
    { timeouts: { connect: 500, headers: 700, firstToken: 700, idle: 700, total: 1000 } },
  );

export const retry: Part = {
  name: 'retry',
  async *rows({ requests }) {
    yield* everywhere();
    yield* websocketRefusals();
    yield await mistakesCount();
    yield await jitter(Math.min(8, Math.ceil(requests / 800)));
    yield await budget(Math.min(2000, requests));
    yield* after();
    yield* breaker();
    yield await lastOne(20);
    yield await deadline(20);
  },
};
