// Many streams that all have much to say, over real sockets: none of them keeps the event loop for long.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { afterAll, afterEach, expect, it } from 'vitest';
import { createH1Send } from '../../src/upstream/h1-send.ts';
import { makeCertificate } from '../fakes/certificate.ts';

const STREAMS = 40;
const BYTES = 512 * 1024;
/** What working on a read takes here. */
const WORK_MS = 0.5;

const trusted = getCACertificates('default');
const localhost = makeCertificate(['localhost']);
const h1 = createH1Send();
let server: Server;
afterAll(() => h1.close());
afterEach(() => {
  setDefaultCACertificates(trusted);
  server.closeAllConnections();
  server.close();
});

/** An upstream of which all streams have something to say at the same moment. `closes`: nothing else says where they end. */
async function start(isTls: boolean, closes: boolean): Promise<string> {
  const piece = Buffer.alloc(BYTES / 4, 'x');
  const waiting: ServerResponse[] = [];
  const answer = (_: IncomingMessage, response: ServerResponse): void => {
    if (closes) response.useChunkedEncodingByDefault = false;
    response.writeHead(200, { 'content-type': 'text/event-stream', ...(closes ? { connection: 'close' } : {}) }).flushHeaders();
    waiting.push(response);
    for (const one of waiting.length < STREAMS ? [] : waiting.splice(0)) {
      for (let at = 0; at < BYTES; at += piece.length) one.write(piece);
      one.end();
    }
  };
  setDefaultCACertificates([localhost.cert]);
  server = isTls ? createTlsServer({ cert: localhost.cert, key: localhost.key }, answer) : createServer(answer);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `${isTls ? 'https' : 'http'}://localhost:${(server.address() as AddressInfo).port}`;
}

function work(): void {
  const until = performance.now() + WORK_MS;
  while (performance.now() < until);
}

/** Reads one stream to its end; gives its length. */
const readAll = (origin: string, owner: string, onRead: () => void): Promise<number> =>
  new Promise((resolve, reject) => {
    let bytes = 0;
    const request = { origin, owner, method: 'POST', path: '/', headers: {}, body: [] };
    h1.send(
      { ...request, timeouts: { connect: 60_000, headers: 60_000, idle: 60_000 } },
      {
        head: () => undefined,
        body(piece) {
          bytes += piece.length;
          work();
          onRead();
          return true;
        },
        end: () => resolve(bytes),
        fail: (fault) => reject(new Error(fault.message)),
      },
    );
  });

it.each([
  { name: 'streams in chunks', isTls: false, closes: false },
  { name: 'streams that end with their connection', isTls: false, closes: true },
  { name: 'streams over TLS', isTls: true, closes: false },
  { name: 'streams over TLS that end with their connection', isTls: true, closes: true },
])('takes a few reads a turn, until all have come whole: $name', async ({ isTls, closes }) => {
  const origin = await start(isTls, closes);
  const perTurn: number[] = [];
  let reads = 0;
  let isOver = false;
  const count = (): void => {
    if (reads > 0) perTurn.push(reads);
    reads = 0;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const all = await Promise.all(Array.from({ length: STREAMS }, (_, index) => readAll(origin, `key ${index % 2}`, () => void reads++)));
  isOver = true;
  expect(all).toEqual(all.map(() => BYTES));
  // A turn is full after four of them, and after eight what is read still is put off; a part for each of both keys comes on top.
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(12);
});
