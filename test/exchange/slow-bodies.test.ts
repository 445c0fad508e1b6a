import { createServer, request as httpRequest, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { watchBodies } from '../../src/http/slow-bodies.ts';
import { startTestServer, TEST_KEY } from '../server.ts';

const PACE = { idleMs: 400, wholeMs: 600, bytesPerSecond: 1000, everyMs: 50 };

let server: Server | undefined;
const underWay = new Set<IncomingMessage>();
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  underWay.clear();
});

/** A server that watches; `answer` reads the body. The port, and what was cut. */
async function watched(answer: (request: IncomingMessage, response: ServerResponse) => void) {
  const cut: IncomingMessage[] = [];
  server = createServer((request, response) => {
    underWay.add(request);
    answer(request, response);
  });
  const watch = watchBodies(
    () => underWay,
    () => performance.now(),
    (request) => {
      cut.push(request);
      request.destroy();
    },
    PACE,
  );
  server.on('close', watch.stop);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as AddressInfo).port, cut };
}

/** Sends `bytes` every `everyMs` for `forMs`; gives the status, or what became of the connection. */
function send(port: number, bytes: number, everyMs: number, forMs: number): Promise<number | 'cut'> {
  return new Promise((resolve) => {
    const sent = httpRequest({ port, method: 'POST', agent: false }, (response) => resolve(response.resume().statusCode ?? 0));
    sent.on('error', () => resolve('cut'));
    const started = performance.now();
    const timer = setInterval(() => {
      if (sent.destroyed || performance.now() - started > forMs) {
        clearInterval(timer);
        sent.end();
      } else sent.write(Buffer.alloc(bytes));
    }, everyMs);
  });
}

const swallow = (request: IncomingMessage, response: ServerResponse): void => {
  request.on('error', () => {});
  request.resume().on('end', () => response.end());
};

describe('a body that comes slowly', () => {
  it.each([
    ['goes on for as long as it keeps the pace', 200, 50, 1500, 200],
    ['is cut where it merely holds on', 1, 50, 5000, 'cut'],
    ['is cut where nothing comes', 1, 3000, 5000, 'cut'],
  ])('%s', async (_name, bytes, everyMs, forMs, outcome) => {
    const { port, cut } = await watched(swallow);
    expect(await send(port, bytes, everyMs, forMs)).toBe(outcome);
    expect(cut).toHaveLength(outcome === 'cut' ? 1 : 0);
  });

  it('is not blamed on the client while what has come is not read', async () => {
    const { port, cut } = await watched((request, response) => {
      // Held back for longer than a client would be waited for.
      request.once('readable', () => setTimeout(() => swallow(request, response), 1500));
    });
    const piece = Buffer.alloc(4 * 1024 * 1024);
    const status = await new Promise((resolve) => {
      const sent = httpRequest({ port, method: 'POST', agent: false }, (response) => resolve(response.resume().statusCode));
      sent.on('error', () => resolve('cut'));
      sent.end(piece);
    });
    expect(status).toBe(200);
    expect(cut).toEqual([]);
  });
});

describe('the gateway', () => {
  it.each([
    ['JSON', '/v1/embeddings', 'application/json', '{"a"'],
    [
      'a form',
      '/v1/audio/transcriptions',
      'multipart/form-data; boundary=B',
      '--B\r\ncontent-disposition: form-data; name="model"\r\n\r\nsandbox/tr',
    ],
  ])(
    'says 408 to %s that does not go on, and is done with it',
    async (_name, path, type, begun) => {
      let ahead = 0;
      const clock = { now: () => Date.now(), monotonic: () => performance.now() + ahead };
      const own = await startTestServer({}, undefined, clock);
      const text = await new Promise<string>((resolve) => {
        const socket = connect(Number(new URL(own.url).port), '127.0.0.1');
        let seen = '';
        socket.on('data', (more) => (seen += more.toString()));
        socket.on('error', () => {});
        socket.on('close', () => resolve(seen));
        socket.write(
          `POST ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${TEST_KEY}\r\ncontent-type: ${type}\r\ncontent-length: 500\r\n\r\n${begun}`,
        );
        // Seen once as it began, then for longer than it may be silent.
        setTimeout(() => (ahead = 121_000), 3000);
      });
      expect(text).toMatch(/^HTTP\/1.1 408 /);
      await expect.poll(() => own.app.active()).toBe(0);
      expect(own.defects).toEqual([]);
      await own.close();
    },
    15_000,
  );
});
