// Clients of the Responses API's WebSocket that leave, by a close of its protocol or without one: the upstream must be let go at once.
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { type Family, providersAt } from '../fakes/fault-families.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream, type Try } from '../fakes/fault-upstream.ts';
import { OVER_SOCKET, SOCKET_FAMILIES } from '../fakes/web-sockets.ts';
import { startTestServer } from '../server.ts';
import { KEY, startGateway } from './gateway.ts';
import { inParallel, type Measured, ms, percentile } from './part.ts';

const LIMIT_MS = 250;
/** Clients that are there at once. */
const WIDTH = 50;
const WAIT_MS = 5000;

/** Where a client leaves. */
interface Place {
  readonly promise: 'time.left-headers' | 'time.left-first' | 'time.left-middle';
  /** How far the upstream goes with its answer. */
  readonly reach: (family: Family) => Behaviour;
  /** It leaves when something has come to it; else as soon as the upstream has gone that far. */
  readonly afterMessage: boolean;
}

const PLACES: readonly Place[] = [
  { promise: 'time.left-headers', reach: () => () => {}, afterMessage: false },
  {
    promise: 'time.left-first',
    reach:
      ({ type }) =>
      (_one, response) => {
        response.writeHead(200, { 'content-type': type }).flushHeaders();
        response.write(': wait\n\n');
      },
    afterMessage: false,
  },
  {
    promise: 'time.left-middle',
    reach:
      ({ type, pieces }) =>
      (_one, response) =>
        void response.writeHead(200, { 'content-type': type }).write(pieces.slice(0, 4).join('')),
    afterMessage: true,
  },
];

const WAYS: readonly ((socket: WebSocket) => void)[] = [
  (socket) => socket.terminate(),
  (socket) => socket.close(),
  // Hears no answer to that, and so keeps its connection.
  (socket) => {
    socket.pause();
    socket.close();
  },
];

interface Scene {
  readonly upstream: FaultUpstream;
  readonly url: string;
  /** Waits for the try of this mark. */
  came(mark: string): Promise<Try>;
}

/** What came of one client: after how many milliseconds its upstream was let go, and how often that was asked. */
async function leave({ upstream, url, came }: Scene, place: Place, at: number): Promise<{ readonly ms: number; readonly tries: number }> {
  const mark = `visitor-${at}-`;
  const family = SOCKET_FAMILIES[at % SOCKET_FAMILIES.length] as Family;
  const { path, body } = family.ask(mark);
  const asked = came(mark);
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers: { authorization: `Bearer ${KEY}` } });
  const heard = new Promise<void>((resolve) => socket.on('message', () => resolve()));
  socket.on('error', () => {});
  socket.on('open', () => socket.send(body, { binary: false }));
  const one = await asked;
  if (place.afterMessage) await heard;
  else await sleep(20);
  const leftAt = performance.now();
  // Each way over each protocol.
  WAYS[Math.floor(at / SOCKET_FAMILIES.length) % WAYS.length]?.(socket);
  while (one.abandonedAt === undefined && performance.now() - leftAt < WAIT_MS) await sleep(1);
  socket.terminate();
  return { ms: (one.abandonedAt ?? Infinity) - leftAt, tries: upstream.tries.filter((known) => known.body.includes(mark)).length };
}

/** Answers as far as it goes, and tells whoever waits for the try. */
const reaching =
  (place: Place, waiting: Map<string, (one: Try) => void>): Behaviour =>
  (one, response) => {
    const [mark = '', at] = /visitor-(\d+)-/.exec(one.body) ?? [];
    place.reach(SOCKET_FAMILIES[Number(at) % SOCKET_FAMILIES.length] as Family)(one, response);
    waiting.get(mark)?.(one);
    waiting.delete(mark);
  };

/** `clients` at each place, over an upstream of each protocol in turn. */
export async function* websocketLeft(clients: number): AsyncIterable<Measured> {
  const waiting = new Map<string, (one: Try) => void>();
  const upstream = await startFaultUpstream();
  const gateway = await startGateway(providersAt(upstream.url));
  const scene: Scene = { upstream, url: gateway.url, came: (mark) => new Promise((resolve) => waiting.set(mark, resolve)) };
  let [serial, again] = [0, 0];
  const left = (place: Place, many: number): Promise<Awaited<ReturnType<typeof leave>>[]> => {
    upstream.tries.length = 0;
    upstream.behave = reaching(place, waiting);
    return inParallel(
      Array.from({ length: many }, () => () => leave(scene, place, serial++)),
      WIDTH,
    );
  };
  try {
    // The first connections load what all others have.
    await left(PLACES[2] as Place, SOCKET_FAMILIES.length * WAYS.length);
    serial = 0;
    for (const place of PLACES) {
      const found = await left(place, clients);
      const times = found.map((one) => one.ms);
      const value = Math.max(...times);
      again += found.filter(({ tries }) => tries !== 1).length;
      const detail = `at most; p99 ${ms(percentile(times, 0.99))}`;
      yield { promise: place.promise, about: OVER_SOCKET, value, many: clients, isKept: value <= LIMIT_MS, detail };
    }
    yield { promise: 'time.left-again', about: OVER_SOCKET, value: again, many: serial, isKept: again === 0 };
  } finally {
    await gateway.stop();
    await upstream.close();
  }
}

/** Clients that leave in the middle: what had come is in the record. */
export async function* websocketLeftCounted(clients: number): AsyncIterable<Measured> {
  const middle = PLACES[2] as Place;
  const waiting = new Map<string, (one: Try) => void>();
  const upstream = await startFaultUpstream(reaching(middle, waiting));
  const server = await startTestServer({ providers: providersAt(upstream.url), keys: [{ name: 'stress', value: KEY }] });
  const scene: Scene = { upstream, url: server.url, came: (mark) => new Promise((resolve) => waiting.set(mark, resolve)) };
  try {
    await inParallel(
      Array.from({ length: clients }, (_, at) => () => leave(scene, middle, at)),
      WIDTH,
    );
    for (let tries = 0; tries < 500 && server.records.length < clients; tries++) await sleep(10);
    const counted = server.records.filter(({ output = 0, endedBy }) => output > 0 && endedBy === 'client').length;
    const value = clients - counted;
    yield { promise: 'time.left-counted', about: OVER_SOCKET, value, many: clients, isKept: value === 0 };
  } finally {
    await server.close();
    await upstream.close();
  }
}
