// Waits of the Responses API's WebSocket: every one ends when it was told to, and what is silent meanwhile says that it lives.
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { startDeaf } from '../fakes/deaf.ts';
import { type Family, providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { OVER_SOCKET, overSocket, SOCKET_FAMILIES } from '../fakes/web-sockets.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import type { Measured } from './part.ts';

const SET_MS = 1000;
const LATE_MS = 500;
/** Over an upstream of each protocol. */
const AT_ONCE = 5;
const keys = [{ name: 'stress', value: KEY }];
const LONG = { connect: 30_000, headers: 30_000, firstToken: 30_000, idle: 30_000, total: 60_000 };

type Write = (family: Family, response: Parameters<Behaviour>[1]) => void;

const head: Write = ({ type }, response) => response.writeHead(200, { 'content-type': type }).flushHeaders();
const begun: Write = (family, response) => {
  head(family, response);
  response.write(family.pieces.slice(0, 4).join(''));
};
/** A piece of text again and again. */
const chatty: Write = (family, response) => {
  begun(family, response);
  const timer = setInterval(() => response.write(family.pieces[family.provider === 'gem' ? 1 : 3]), 50);
  response.on('close', () => clearInterval(timer));
};

const CASES = [
  { promise: 'time.headers', write: (): void => {}, sets: { headers: SET_MS } },
  { promise: 'time.first-token', write: head, sets: { firstToken: SET_MS } },
  { promise: 'time.idle', write: begun, sets: { idle: SET_MS } },
  { promise: 'time.total', write: chatty, sets: { total: SET_MS } },
] as const;

/** Each protocol's upstream answers so; by its mark it is known which one is asked. */
const answering =
  (write: Write): Behaviour =>
  (one, response) =>
    write(SOCKET_FAMILIES[Number(/family-(\d)-/.exec(one.body)?.[1])] as Family, response);

/** By how much the latest of several clients was told later than was set, and how many were told of no timeout. */
async function late(baseUrl: string, sets: Partial<typeof LONG>): Promise<{ readonly value: number; readonly untold: number }> {
  const providers = Object.fromEntries(
    Object.entries(providersAt(baseUrl)).map(([name, one]) => [
      name,
      { ...one, health: 'off', timeouts: { ...LONG, ...sets } } as ProviderSettings,
    ]),
  );
  const server = await startTestServer({ providers, keys });
  const all = await Promise.all(
    SOCKET_FAMILIES.flatMap((family, at) =>
      Array.from({ length: AT_ONCE }, async () => {
        const began = performance.now();
        const got = await overSocket({ url: server.url, key: KEY, asked: family.ask(`family-${at}-`), withinMs: 20_000 });
        const ms = performance.now() - began - SET_MS;
        const says = got.isWhole && (got.status === 200 ? got.text.includes('response.failed') : got.status === 504);
        return { ms, says };
      }),
    ),
  );
  await server.close();
  return { value: Math.max(...all.map(({ ms }) => ms)), untold: all.filter(({ says }) => !says).length };
}

/** What is set ends it, and the client is told. */
export async function* websocketEnds(): AsyncIterable<Measured> {
  const of = { about: OVER_SOCKET, many: AT_ONCE * SOCKET_FAMILIES.length };
  const row = (promise: Measured['promise'], { value, untold }: Awaited<ReturnType<typeof late>>): Measured => ({
    promise,
    ...of,
    value,
    isKept: value <= LATE_MS && untold === 0,
    ...(untold === 0 ? {} : { detail: `${untold} were not told` }),
  });
  const deaf = await startDeaf();
  const connect = await late(deaf.url, { connect: SET_MS });
  await deaf.close();
  yield row('time.connect', connect);
  const upstream = await startFaultUpstream();
  for (const { promise, write, sets } of CASES) {
    upstream.behave = answering(write);
    yield row(promise, await late(upstream.url, sets));
  }
  await upstream.close();
}

const DELAY_S = 15;
const WATCH_MS = 48_000;

/** Upstreams that are silent from the start, and after their first text: pings, and nothing else. */
export async function* websocketAlive(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream((one, response) => {
    if (one.body.includes('after-text')) begun(SOCKET_FAMILIES[Number(/family-(\d)-/.exec(one.body)?.[1])] as Family, response);
  });
  const server = await startTestServer({ providers: providersAt(upstream.url), keys });
  const watch = async (family: Family, mark: string): Promise<readonly number[]> => {
    const began = performance.now();
    const heard: number[] = [];
    await overSocket({
      url: server.url,
      key: KEY,
      asked: family.ask(mark),
      withinMs: WATCH_MS,
      heard: () => void heard.push((performance.now() - began) / 1000),
    });
    return heard;
  };
  try {
    const all = await Promise.all(
      SOCKET_FAMILIES.flatMap((family, at) => [watch(family, `family-${at}-`), watch(family, `family-${at}-after-text`)]),
    );
    const silent = all.filter((_, at) => at % 2 === 0).map(([first = Infinity]) => first);
    const value = silent.reduce((worst, first) => (Math.abs(first - DELAY_S) > Math.abs(worst - DELAY_S) ? first : worst), DELAY_S);
    const gaps = all.flatMap((heard) => heard.slice(1).map((time, index) => time - (heard[index] ?? 0)));
    const longest = all.every((heard) => heard.length >= 3) ? Math.max(...gaps) : Infinity;
    const about = OVER_SOCKET;
    yield { promise: 'streams.alive-first', about, value, many: silent.length, isKept: Math.abs(value - DELAY_S) <= 0.5 };
    yield { promise: 'streams.alive-every', about, value: longest, many: gaps.length, isKept: longest <= DELAY_S + 0.5 };
  } finally {
    await server.close();
    await upstream.close();
  }
}
