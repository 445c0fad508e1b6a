// Streams whose events come one by one and say when they left: the time that a gateway adds, and what ends while they run.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { chat, messages } from '../exchange/dialects.ts';
import { type Behaviour, startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startGateway } from './gateway.ts';
import { count, inParallel, ms, type Part, percentile, type Row } from './part.ts';
import { talk } from './talk.ts';

const EVENTS = 20;
const GAP_MS = 20;
const WIDTH = 20;
const FIRST_LIMIT_MS = 2;
const GAP_LIMIT_MS = 5;

const chunk = (content: string, finish: string | null = null): string =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [{ index: 0, delta: { content }, finish_reason: finish }] })}\n\n`;

/** Events at a steady pace, each with the moment at which it was written. */
const paced =
  (events: number, gap: number): Behaviour =>
  (_one, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    let left = events;
    const timer = setInterval(() => {
      if (left-- > 0) response.write(chunk(`@${performance.now().toFixed(3)}@`));
      else {
        clearInterval(timer);
        response.end(`${chunk('', 'stop')}data: [DONE]\n\n`);
      }
    }, gap);
    response.on('close', () => clearInterval(timer));
  };

const settings = (url: string): ProviderSettings => ({
  preset: 'openai-compatible',
  baseUrl: url,
  key: 'up-secret',
  protocols: ['openai-chat'],
});

/** What one stream took: to its first token, and how much longer each gap was than that of the upstream. */
interface Timed {
  readonly first: number;
  readonly stretched: readonly number[];
  readonly isRight: boolean;
}

async function timed(url: string, body: string, agent: Agent): Promise<Timed> {
  const began = performance.now();
  let first: number | undefined;
  let last: { readonly sent: number; readonly came: number } | undefined;
  let seen = 0;
  const stretched: number[] = [];
  const heard = (text: string): void => {
    const came = performance.now();
    for (const [, stamp] of text.matchAll(/@([\d.]+)@/g)) {
      const sent = Number(stamp);
      seen++;
      first ??= came - began;
      if (last) stretched.push(came - last.came - (sent - last.sent));
      last = { sent, came };
    }
  };
  const got = await talk({ url, body, agent, heard });
  return { first: first ?? Infinity, stretched, isRight: got.status === 200 && got.isWhole && seen === EVENTS };
}

interface Relay {
  readonly url: string;
  stop(): void;
}

async function startRelay(upstream: string): Promise<Relay> {
  const child = fork(join(import.meta.dirname, 'relay.ts'), [new URL(upstream).port]);
  const [said] = (await once(child, 'message')) as [{ readonly port: number }];
  return { url: `http://127.0.0.1:${said.port}`, stop: () => void child.kill() };
}

const firsts = (all: readonly Timed[], share: number): number =>
  percentile(
    all.map(({ first }) => first),
    share,
  );
const late = (all: readonly Timed[]): number => all.flatMap(({ stretched }) => stretched).filter((one) => one > GAP_LIMIT_MS).length;

/** One lane beside the same streams over a bare relay, at the same time: whatever else the machine does, it does to both. */
async function* timeRows(streams: number): AsyncIterable<Row> {
  const upstream = await startFaultUpstream(paced(EVENTS, GAP_MS));
  const gateway = await startGateway({ oai: settings(upstream.url) });
  const relay = await startRelay(upstream.url);
  const agent = new Agent({ keepAlive: true });
  try {
    for (const client of [chat, messages]) {
      const model = 'oai/up';
      const body = JSON.stringify(client.body(model, true));
      // Not all at the same moment: what is measured is the gateway, and not how long a queue at its door is.
      const soon = (): Promise<void> => sleep(Math.random() * GAP_MS * 2);
      const ways = {
        ours: () => soon().then(() => timed(gateway.url + client.path(model, true), body, agent)),
        relayed: () => soon().then(() => timed(relay.url, body, agent)),
        straight: () => soon().then(() => timed(upstream.url, body, agent)),
      };
      await inParallel(
        Array.from({ length: WIDTH * 10 }, () => ways.ours),
        WIDTH,
      );
      const jobs = Array.from({ length: streams }, () => async () => Promise.all([ways.ours(), ways.relayed(), ways.straight()]));
      const all = await inParallel(jobs, WIDTH);
      const [ours, relayed, straight] = [0, 1, 2].map((way) => all.map((one) => one[way] as Timed)) as [Timed[], Timed[], Timed[]];
      const added = firsts(ours, 0.99) - firsts(relayed, 0.99);
      const wrong = ours.filter(({ isRight }) => !isRight).length;
      yield {
        promise: `Time to the first token, p99, beyond that of a bare relay of bytes: ${client.id} over openai-chat`,
        limit: `< ${FIRST_LIMIT_MS} ms`,
        measured:
          `${ms(added)} (p50 ${ms(firsts(ours, 0.5) - firsts(relayed, 0.5))}; beyond none at all ${ms(firsts(ours, 0.99) - firsts(straight, 0.99))}` +
          ` and ${ms(firsts(ours, 0.5) - firsts(straight, 0.5))}), ${count(streams)} streams, ${wrong} wrong`,
        isKept: added < FIRST_LIMIT_MS && wrong === 0,
      };
      const gaps = ours.reduce((sum, { stretched }) => sum + stretched.length, 0);
      yield {
        promise: `Gaps longer than the upstream’s own + ${GAP_LIMIT_MS} ms: ${client.id} over openai-chat`,
        limit: 'as a bare relay (+ 1 in 1,000)',
        measured: `${count(late(ours))} of ${count(gaps)}; the relay ${count(late(relayed))}, neither ${count(late(straight))}`,
        isKept: late(ours) <= late(relayed) + gaps / 1000,
      };
    }
  } finally {
    agent.destroy();
    relay.stop();
    await gateway.stop();
    await upstream.close();
  }
}

export const time: Part = { name: 'time', rows: ({ streams }) => timeRows(streams) };

const BODY = JSON.stringify(chat.body('oai/up', true));

async function* lifeRows(streams: number): AsyncIterable<Row> {
  const upstream = await startFaultUpstream(paced(30, 100));
  const gateway = await startGateway({ oai: settings(upstream.url) });
  const agent = new Agent({ keepAlive: true });
  const url = `${gateway.url}/v1/chat/completions`;
  try {
    let failed = 0;
    let asked = 0;
    const until = performance.now() + 5000;
    upstream.behave = paced(3, 5);
    const load = Array.from({ length: 16 }, async () => {
      while (performance.now() < until) {
        asked++;
        const got = await talk({ url, body: BODY, agent });
        if (got.status !== 200 || !got.text.includes('[DONE]')) failed++;
      }
    });
    let reloads = 0;
    while (performance.now() < until) {
      await gateway.reload();
      reloads++;
    }
    await Promise.all(load);
    yield {
      promise: 'The configuration changes under load',
      limit: '0 failed requests',
      measured: `${failed} of ${count(asked)} failed, ${reloads} reloads`,
      isKept: failed === 0 && reloads > 0,
    };

    upstream.behave = paced(30, 100);
    const begun = { streams: 0 };
    const running = Array.from({ length: streams }, async () => {
      let isFirst = true;
      const got = await talk({
        url,
        body: BODY,
        agent,
        heard() {
          if (isFirst) begun.streams++;
          isFirst = false;
        },
      });
      return { isWhole: got.status === 200 && got.isWhole && got.text.includes('[DONE]'), endedAt: performance.now() };
    });
    while (begun.streams < streams) await sleep(5);
    gateway.program.child.kill('SIGTERM');
    const ends = await Promise.all(running);
    const code = await gateway.program.ended;
    const after = performance.now() - Math.max(...ends.map(({ endedAt }) => endedAt));
    const broken = ends.filter(({ isWhole }) => !isWhole).length;
    yield {
      promise: `SIGTERM with ${count(streams)} streams`,
      limit: '0 broken, exit within 1 s of the last',
      measured: `${broken} broken, exit code ${code ?? 'none'} ${ms(after)} after the last`,
      isKept: broken === 0 && after <= 1000 && code === 0,
    };
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}

export const life: Part = { name: 'life', rows: ({ streams }) => lifeRows(streams) };

const ROUNDS = 5;

/** The 99th percentile of answers of a provider that is well. */
async function p99Of(url: string, agent: Agent, requests: number): Promise<{ readonly p99: number; readonly failed: number }> {
  let failed = 0;
  const times = await inParallel(
    Array.from({ length: requests }, () => async () => {
      const began = performance.now();
      const got = await talk({ url, body: JSON.stringify(chat.body('well/up', false)), agent });
      if (got.status !== 200) failed++;
      return performance.now() - began;
    }),
    8,
  );
  return { p99: percentile(times, 0.99), failed };
}

async function* holeRows(held: number): AsyncIterable<Row> {
  const well = await startFaultUpstream((_one, response) => {
    setTimeout(() => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(chat.whole)), 10);
  });
  const hole = await startFaultUpstream();
  const gateway = await startGateway({ well: settings(well.url), dead: settings(hole.url) });
  const agent = new Agent({ keepAlive: true });
  const url = `${gateway.url}/v1/chat/completions`;
  const body = JSON.stringify(chat.body('dead/up', false));
  try {
    await p99Of(url, agent, 1000);
    const free: number[] = [];
    const crowded: number[] = [];
    let failed = 0;
    // In turn, and the middle of each: a machine that is busy for a while is so for both.
    for (let round = 0; round < ROUNDS; round++) {
      const alone = await p99Of(url, agent, 1000);
      hole.tries.length = 0;
      const holders = new Agent({ keepAlive: false });
      const waiting = Array.from({ length: held }, () => talk({ url, body, agent: holders, withinMs: 120_000 }));
      while (hole.tries.length < held) await sleep(10);
      await sleep(200);
      const beside = await p99Of(url, agent, 1000);
      holders.destroy();
      await Promise.all(waiting);
      await sleep(200);
      free.push(alone.p99);
      crowded.push(beside.p99);
      failed += alone.failed + beside.failed;
    }
    const usual = percentile(free, 0.5);
    const during = percentile(crowded, 0.5);
    yield {
      promise: `${count(held)} requests held on a dead upstream: p99 of the others`,
      limit: '+ 5 % or 2 ms',
      measured: `${ms(during)}; without them ${ms(usual)} (the middle of ${ROUNDS} rounds of 1,000); ${failed} failed`,
      isKept: during <= Math.max(usual * 1.05, usual + 2) && failed === 0,
    };
  } finally {
    agent.destroy();
    await gateway.stop();
    await well.close();
    await hole.close();
  }
}

export const hole: Part = { name: 'hole', rows: ({ streams }) => holeRows(streams) };
