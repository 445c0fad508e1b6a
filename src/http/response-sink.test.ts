import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { leftByTurns } from '../../test/fakes/small-collections.ts';
import { createResponseSink, type ResponseSink } from './response-sink.ts';

/** As the server has it: more than that waits. */
const HIGH_WATER = 8 * 1024;
const PIECE = 16 * 1024;

let server: Server;
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

/** An answer that has begun, and the client's side of it, which nobody reads yet. */
async function begun(): Promise<{ sink: ResponseSink; waiting(): number; client: IncomingMessage }> {
  let gave: { sink: ResponseSink; waiting(): number } | undefined;
  server = createServer({ highWaterMark: HIGH_WATER }, (request, response) => {
    const sink = createResponseSink(request, response, {});
    sink.begin(200, { 'content-type': 'text/event-stream' });
    sink.write('data: 1\n\n');
    gave = { sink, waiting: () => response.writableLength };
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
  request.on('error', () => {});
  const [client] = (await once(request, 'response')) as [IncomingMessage];
  client.on('error', () => {});
  if (!gave) throw new Error('no request came');
  return { ...gave, client };
}

describe('what one turn brings', () => {
  it('goes out with the head and the end in one write; of later turns large pieces at once', async () => {
    const written: number[] = [];
    server = createServer((request, response) => {
      const sink = createResponseSink(request, response, {});
      const note = (): void => void written.push(request.socket.bytesWritten);
      sink.begin(200, { 'content-type': 'text/event-stream' });
      sink.write(Buffer.alloc(PIECE));
      sink.write(Buffer.alloc(PIECE));
      note();
      setImmediate(() => {
        note();
        sink.write(Buffer.alloc(PIECE));
        note();
        sink.end();
      });
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const request = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1' });
    const [client] = (await once(request, 'response')) as [IncomingMessage];
    client.resume();
    await once(client, 'end');
    const [atOnce = 0, afterTurn = 0, later = 0] = written;
    expect(atOnce).toBe(0);
    expect(afterTurn).toBeGreaterThan(2 * PIECE);
    expect(later).toBeGreaterThan(afterTurn + PIECE);
  });
});

describe('what a client takes', () => {
  it('is all that the system takes at once: who writes large pieces need not wait after each', async () => {
    const { sink, waiting } = await begun();
    expect([sink.write(Buffer.alloc(PIECE)), sink.write(Buffer.alloc(PIECE)), waiting()]).toEqual([true, true, 0]);
  });

  it.each([
    ['large', PIECE],
    ['small', 4000],
  ])('of one that does not read, no more than a %s piece beyond the mark waits, and it goes on once it reads', async (_, size) => {
    const { sink, waiting, client } = await begun();
    let drains = 0;
    sink.onDrain(() => drains++);
    const piece = Buffer.alloc(size);
    while (sink.write(piece)) await new Promise(setImmediate);
    expect(waiting()).toBeGreaterThan(0);
    expect(waiting()).toBeLessThan(HIGH_WATER + size + 64);
    const before = drains;
    client.resume();
    await expect.poll(() => drains).toBeGreaterThan(before);
    expect(sink.write(piece)).toBe(true);
  });
});

it('leaves nothing of what a turn brought, however old it has grown before', async () => {
  const { sink, client } = await begun();
  client.resume();
  const text = 'x'.repeat(PIECE);
  const left = leftByTurns(50, (turn) => {
    sink.write(`${turn}`);
    sink.write(text);
    sink.flush?.();
  });
  sink.end();
  // Of a turn that stays its text is all there, and more.
  expect(left).toBeLessThan(PIECE / 4);
});
