// Many streams that all have much to say, over real sockets: none of them keeps the event loop for long.
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createH1Send } from '../../src/upstream/h1-send.ts';

const STREAMS = 40;
const BYTES = 512 * 1024;
/** What working on a read takes here. */
const WORK_MS = 0.5;

let server: Server;
let origin: string;
const h1 = createH1Send();
beforeEach(async () => {
  const piece = Buffer.alloc(BYTES / 4, 'x');
  const waiting: ServerResponse[] = [];
  server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    waiting.push(response);
    // All have something to say at the same moment.
    for (const one of waiting.length < STREAMS ? [] : waiting.splice(0)) {
      for (let at = 0; at < BYTES; at += piece.length) one.write(piece);
      one.end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(() => {
  h1.close();
  server.closeAllConnections();
  server.close();
});

function work(): void {
  const until = performance.now() + WORK_MS;
  while (performance.now() < until);
}

/** Reads one stream to its end; gives its length. */
const readAll = (owner: string, onRead: () => void): Promise<number> =>
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

it('takes a few reads a turn, until all streams have come whole', async () => {
  const perTurn: number[] = [];
  let reads = 0;
  let isOver = false;
  const count = (): void => {
    if (reads > 0) perTurn.push(reads);
    reads = 0;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const all = await Promise.all(Array.from({ length: STREAMS }, (_, index) => readAll(`key ${index % 2}`, () => void reads++)));
  isOver = true;
  expect(all).toEqual(all.map(() => BYTES));
  // A turn is full after four of them, and after eight what is read still is put off; a part for each of both keys comes on top.
  expect(Math.max(...perTurn)).toBeLessThanOrEqual(12);
});
