// Clients that leave: before the headers, before the first token, in the middle, at every endpoint. The upstream must be let go at once.
import { Agent, request as httpRequest } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { DIALECTS } from '../exchange/dialects.ts';
import { type Family, FAMILIES, providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream, type Try } from '../fakes/fault-upstream.ts';
import { startTestServer } from '../server.ts';
import { type Gateway, KEY, startGateway } from './gateway.ts';
import { orderRows } from './left-orders.ts';
import { inParallel, type Measured, ms, pairName, type Part, percentile } from './part.ts';
import { talk } from './talk.ts';
import { websocketLeft, websocketLeftCounted } from './websocket-left.ts';

const LIMIT_MS = 250;
/** Clients that are there at once. */
const WIDTH = 50;
const WAIT_MS = 5000;

/** Where a client leaves. */
interface Place {
  readonly promise: 'time.left-headers' | 'time.left-first' | 'time.left-middle';
  /** How far the upstream goes with its answer. */
  readonly reach: (family: Family) => Behaviour;
  /** It leaves when the first bytes have come to it; else as soon as the upstream has gone that far. */
  readonly afterBytes: (family: Family) => boolean;
}

const head = (family: Family): Record<string, string> => ({ 'content-type': family.type });

const PLACES: readonly Place[] = [
  { promise: 'time.left-headers', reach: () => () => {}, afterBytes: () => false },
  {
    promise: 'time.left-first',
    reach: (family) => (_one, response) => {
      response.writeHead(200, head(family)).flushHeaders();
      if (family.type === 'text/event-stream') response.write(': wait\n\n');
    },
    afterBytes: () => false,
  },
  {
    promise: 'time.left-middle',
    reach: (family) => (_one, response) => {
      response.writeHead(200, head(family));
      for (const piece of family.pieces.slice(0, -1)) response.write(piece);
    },
    afterBytes: ({ isStream }) => isStream,
  },
];

/** Endpoints whose upstream is let go when a client leaves. What orders something that is kept goes on to its end: see `orderRows`. */
export const HURRIED: readonly Family[] = FAMILIES.filter(({ makes }) => makes !== 'kept');

/** What came of one client: after how many milliseconds its upstream was let go, and how often that was asked. */
interface Left {
  readonly ms: number;
  readonly tries: number;
}

interface Scene {
  readonly upstream: FaultUpstream;
  readonly gateway: Gateway;
  readonly agent: Agent;
  /** Waits for the try of this mark. */
  came(mark: string): Promise<Try>;
}

async function leave(scene: Scene, family: Family, place: Place, mark: string): Promise<Left> {
  const { path, type, body } = family.ask(mark);
  const { upstream, gateway, agent } = scene;
  const headers = { 'content-type': type, 'content-length': body.length, authorization: `Bearer ${KEY}` };
  const came = scene.came(mark);
  const sent = httpRequest(gateway.url + path, { method: 'POST', headers, agent });
  sent.on('error', () => {});
  const firstBytes = new Promise<void>((resolve) =>
    sent.on('response', (response) => {
      response.on('error', () => {});
      response.on('data', () => resolve());
    }),
  );
  sent.end(body);
  const one = await came;
  if (place.afterBytes(family)) await firstBytes;
  else await sleep(20);
  const leftAt = performance.now();
  sent.destroy();
  while (one.abandonedAt === undefined && performance.now() - leftAt < WAIT_MS) await sleep(1);
  const tries = upstream.tries.filter(({ text }) => text.includes(mark)).length;
  return { ms: (one.abandonedAt ?? Infinity) - leftAt, tries };
}

/** `clients` at each place of each endpoint. `limit`: in how many milliseconds an upstream must be let go. */
export async function* cancellationRows(clients: number, limit = LIMIT_MS): AsyncIterable<Measured> {
  const waiting = new Map<string, (one: Try) => void>();
  const upstream = await startFaultUpstream();
  const gateway = await startGateway(providersAt(upstream.url));
  const agent = new Agent({ keepAlive: false });
  const scene: Scene = { upstream, gateway, agent, came: (mark) => new Promise((resolve) => waiting.set(mark, resolve)) };
  let serial = 0;
  let again = 0;
  try {
    for (const place of PLACES) {
      for (const family of HURRIED) {
        upstream.tries.length = 0;
        const reach = place.reach(family);
        upstream.behave = (one, response) => {
          reach(one, response);
          const mark = /visitor-\d+-/.exec(one.text)?.[0] ?? '';
          waiting.get(mark)?.(one);
          waiting.delete(mark);
        };
        const jobs = Array.from({ length: clients }, () => () => leave(scene, family, place, `visitor-${++serial}-`));
        const left = await inParallel(jobs, WIDTH);
        const times = left.map((one) => one.ms);
        const value = Math.max(...times);
        again += left.filter(({ tries }) => tries !== 1).length;
        const detail = `at most; p99 ${ms(percentile(times, 0.99))}`;
        yield { promise: place.promise, about: family.name, value, many: clients, isKept: value <= limit, detail };
      }
    }
    yield { promise: 'time.left-again', value: again, many: serial, isKept: again === 0 };
  } finally {
    agent.destroy();
    await gateway.stop();
    await upstream.close();
  }
}

/** Clients that leave in the middle of a stream, of every protocol over every protocol: what had come is in the record. */
async function* leftCounted(clients: number): AsyncIterable<Measured> {
  const upstream = await startFaultUpstream();
  const server = await startTestServer({ providers: providersAt(upstream.url), keys: [{ name: 'stress', value: KEY }] });
  const agent = new Agent({ keepAlive: false });
  try {
    for (const client of DIALECTS) {
      for (const target of DIALECTS) {
        server.records.length = 0;
        upstream.behave = (_one, response) => {
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          for (const event of target.events.slice(0, target.before)) response.write(event);
        };
        const model = `${target.provider}/up`;
        await inParallel(
          Array.from({ length: clients }, () => async () => {
            const gone = new AbortController();
            await talk({
              url: server.url + client.path(model, true),
              body: JSON.stringify(client.body(model, true)),
              agent,
              signal: gone.signal,
              heard: (text) => text.includes('three') && gone.abort(),
            });
          }),
          WIDTH,
        );
        for (let tries = 0; tries < 500 && server.records.length < clients; tries++) await sleep(10);
        const counted = server.records.filter(({ output = 0, endedBy }) => output > 0 && endedBy === 'client').length;
        const value = clients - counted;
        yield { promise: 'time.left-counted', about: pairName(client.id, target.id), value, many: clients, isKept: value === 0 };
      }
    }
  } finally {
    agent.destroy();
    await server.close();
    await upstream.close();
  }
}

export const cancellation: Part = {
  name: 'cancellation',
  async *rows({ clients }) {
    yield* cancellationRows(clients);
    yield* orderRows(clients);
    yield* leftCounted(clients);
    yield* websocketLeft(clients);
    yield* websocketLeftCounted(clients);
  },
};
