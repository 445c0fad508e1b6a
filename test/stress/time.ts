// What a gateway adds to the time of streams, beside a bare relay of bytes at the same moment.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { chat, messages } from '../exchange/dialects.ts';
import { startFaultUpstream } from '../fakes/fault-upstream.ts';
import { startGateway } from './gateway.ts';
import { inParallel, type Measured, ms, pairName, type Part, percentile } from './part.ts';
import { paced, settings } from './paced.ts';
import { talk } from './talk.ts';

const EVENTS = 20;
const GAP_MS = 20;
const WIDTH = 20;
const ROUNDS = 5;
const FIRST_LIMIT_MS = 2;
const GAP_LIMIT_MS = 5;

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
const wayOf = (all: readonly (readonly Timed[])[], way: number): readonly Timed[] => all.map((one) => one[way] as Timed);
const late = (all: readonly Timed[]): number => all.flatMap(({ stretched }) => stretched).filter((one) => one > GAP_LIMIT_MS).length;

/** One lane beside the same streams over a bare relay, at the same time: whatever else the machine does, it does to both. */
async function* timeRows(streams: number): AsyncIterable<Measured> {
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
      const one = async (): Promise<readonly Timed[]> => Promise.all([ways.ours(), ways.relayed(), ways.straight()]);
      const all: (readonly Timed[])[] = [];
      const added: number[] = [];
      // The middle of several rounds: one in which something else took the machine says nothing of the gateway.
      for (let round = 0; round < ROUNDS; round++) {
        const these = await inParallel(
          Array.from({ length: Math.ceil(streams / ROUNDS) }, () => one),
          WIDTH,
        );
        all.push(...these);
        added.push(firsts(wayOf(these, 0), 0.99) - firsts(wayOf(these, 1), 0.99));
      }
      const [ours, relayed, straight] = [wayOf(all, 0), wayOf(all, 1), wayOf(all, 2)];
      const about = pairName(client.id, chat.id);
      const value = percentile(added, 0.5);
      const wrong = ours.filter(({ isRight }) => !isRight).length;
      yield {
        promise: 'streams.first-token',
        about,
        value,
        many: all.length,
        isKept: value < FIRST_LIMIT_MS && wrong === 0,
        detail:
          `rounds ${added.map(ms).join(', ')}; p50 ${ms(firsts(ours, 0.5) - firsts(relayed, 0.5))}; beyond none at all ` +
          `${ms(firsts(ours, 0.99) - firsts(straight, 0.99))} and ${ms(firsts(ours, 0.5) - firsts(straight, 0.5))}; ${wrong} wrong`,
      };
      const gaps = ours.reduce((sum, { stretched }) => sum + stretched.length, 0);
      yield {
        promise: 'streams.gap',
        about,
        value: Math.max(0, ((late(ours) - late(relayed)) / gaps) * 100),
        many: gaps,
        isKept: late(ours) <= late(relayed) + gaps / 1000,
        detail: `${late(ours)}; the relay ${late(relayed)}, neither ${late(straight)}`,
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
