// Every wait ends when it was told to, and what is silent meanwhile says that it lives.
import { Agent } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { chat, type Dialect, DIALECTS } from '../exchange/dialects.ts';
import { startDeaf } from '../fakes/deaf.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startTestServer } from '../server.ts';
import { KEY } from './gateway.ts';
import { inParallel, type Measured, type Part } from './part.ts';
import { talk } from './talk.ts';
import { websocketAlive, websocketEnds } from './websocket-waits.ts';

const SET_MS = 1000;
const LATE_MS = 500;
const AT_ONCE = 20;
const keys = [{ name: 'stress', value: KEY }];

const head: Behaviour = (_one, response) => response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
const first: Behaviour = (one, response) => {
  head(one, response);
  for (const event of chat.events.slice(0, 3)) response.write(event);
};
const chatty: Behaviour = (one, response) => {
  first(one, response);
  const timer = setInterval(() => response.write(chat.events[2]), 50);
  response.on('close', () => clearInterval(timer));
};

const CASES = [
  { promise: 'time.headers', behave: (): void => {}, sets: { headers: SET_MS } },
  { promise: 'time.first-token', behave: head, sets: { firstToken: SET_MS } },
  { promise: 'time.idle', behave: first, sets: { idle: SET_MS } },
  { promise: 'time.total', behave: chatty, sets: { total: SET_MS } },
] as const;

const LONG = { connect: 30_000, headers: 30_000, firstToken: 30_000, idle: 30_000, total: 60_000 };

async function late(baseUrl: string, sets: Partial<typeof LONG>): Promise<number> {
  const settings = { ...chat.settings(baseUrl), health: 'off', timeouts: { ...LONG, ...sets } } as ProviderSettings;
  const server = await startTestServer({ providers: { oai: settings }, keys });
  const agent = new Agent();
  const body = JSON.stringify(chat.body('oai/up', true));
  const times = await inParallel(
    Array.from({ length: AT_ONCE }, () => async () => {
      const began = performance.now();
      await talk({ url: `${server.url}/v1/chat/completions`, body, agent, withinMs: 20_000 });
      return performance.now() - began - SET_MS;
    }),
    AT_ONCE,
  );
  agent.destroy();
  await server.close();
  return Math.max(...times);
}

async function* ends(): AsyncIterable<Measured> {
  const deaf = await startDeaf();
  const connect = await late(deaf.url, { connect: SET_MS });
  await deaf.close();
  yield { promise: 'time.connect', value: connect, many: AT_ONCE, isKept: connect <= LATE_MS };
  const upstream = await startFaultUpstream();
  for (const { promise, behave, sets } of CASES) {
    upstream.behave = behave;
    const value = await late(upstream.url, sets);
    yield { promise, value, many: AT_ONCE, isKept: value <= LATE_MS };
  }
  await upstream.close();
}

const DELAY_S = 15;
const WATCH_MS = 48_000;

/** When a client heard something, in seconds after it asked. */
async function heardBy(url: string, dialect: Dialect, agent: Agent): Promise<readonly number[]> {
  const began = performance.now();
  const heard: number[] = [];
  const body = JSON.stringify(dialect.body(`${dialect.provider}/up`, true));
  await talk({
    url: url + dialect.path(`${dialect.provider}/up`, true),
    body,
    agent,
    withinMs: WATCH_MS,
    heard: () => void heard.push((performance.now() - began) / 1000),
  });
  return heard;
}

/** Upstreams that are silent from the start, and after their first text: for all at once, since it takes its time. */
async function* alive(): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream();
  const providers = Object.fromEntries(DIALECTS.map((one) => [one.provider, one.settings(upstream.url)]));
  const server = await startTestServer({ providers, keys });
  const agent = new Agent();
  try {
    const all = await Promise.all(DIALECTS.map((dialect) => heardBy(server.url, dialect, agent)));
    for (const [at, { id }] of DIALECTS.entries()) {
      const heard = all[at] ?? [];
      const begin = heard[0] ?? Infinity;
      const gaps = heard.slice(1).map((time, index) => time - (heard[index] ?? 0));
      const longest = gaps.length >= 2 ? Math.max(...gaps) : Infinity;
      yield { promise: 'streams.alive-first', about: `${id}, streamed`, value: begin, many: 1, isKept: Math.abs(begin - DELAY_S) <= 0.5 };
      yield {
        promise: 'streams.alive-every',
        about: `${id}, streamed`,
        value: longest,
        many: gaps.length,
        isKept: longest <= DELAY_S + 0.5,
      };
    }
  } finally {
    agent.destroy();
    await sleep(50);
    await server.close();
    await upstream.close();
  }
}

export const waits: Part = {
  name: 'waits',
  async *rows() {
    yield* ends();
    yield* alive();
    yield* websocketEnds();
    yield* websocketAlive();
  },
};
