import { createServer, type Server, type Socket } from 'node:net';
import type { AddressInfo } from 'node:net';
import type { Fault } from '../../src/ir/index.ts';
import type { Send, UpstreamCall, UpstreamHeaders, UpstreamRequest } from '../../src/upstream/send.ts';

/** A server that speaks bytes. */
export interface RawServer {
  readonly origin: string;
  /** Connections that came so far. */
  readonly sockets: Socket[];
  close(): Promise<void>;
}

/** The port that a server listens on. */
export const portOf = (server: Pick<Server, 'address'>): number => (server.address() as AddressInfo).port;

/** Listens on loopback; `serve` gets each connection with its number. */
export async function startRaw(serve: (socket: Socket, number: number) => void): Promise<RawServer> {
  const sockets: Socket[] = [];
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.on('error', () => {});
    sockets.push(socket);
    serve(socket, sockets.length - 1);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${portOf(server)}`,
    sockets,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

/** Calls back with each request whose head has come, and what of it has. */
export function onRequest(socket: Socket, answer: (request: string, number: number) => void): void {
  let text = '';
  let number = 0;
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1');
    for (;;) {
      const end = text.indexOf('\r\n\r\n');
      if (end < 0) return;
      const length = Number(/\r\ncontent-length: (\d+)/.exec(text.slice(0, end))?.[1] ?? 0);
      if (text.length < end + 4 + length) return;
      const request = text.slice(0, end + 4 + length);
      text = text.slice(end + 4 + length);
      answer(request, number++);
    }
  });
}

/** How a request ended. */
export interface Got {
  status?: number;
  headers: UpstreamHeaders;
  body: string;
  fault?: Fault;
}

/** A request, with defaults. */
export const requestTo = (origin: string, more: Partial<UpstreamRequest> = {}): UpstreamRequest => ({
  origin,
  method: 'POST',
  path: '/v1/x',
  headers: { 'content-type': 'application/json' },
  body: [Buffer.from('{}')],
  timeouts: { connect: 20_000, headers: 20_000, idle: 20_000 },
  ...more,
});

/** Sends, and collects; fails when the sink is told something after its end, or in the wrong order. */
export function exchange(
  send: Send,
  request: UpstreamRequest,
): { readonly call: UpstreamCall; readonly got: Promise<Got>; readonly soFar: Got } {
  const soFar: Got = { headers: {}, body: '' };
  let call: UpstreamCall | undefined;
  const got = new Promise<Got>((resolve, reject) => {
    let over = false;
    const must = (isTrue: boolean, what: string): void => {
      if (!isTrue || over || call === undefined) reject(new Error(`${what} at the wrong time`));
    };
    call = send(request, {
      head(status, headers) {
        must(soFar.status === undefined, 'head');
        Object.assign(soFar, { status, headers: { ...headers } });
      },
      body(bytes) {
        must(soFar.status !== undefined && bytes.length > 0, 'body');
        soFar.body += bytes.toString('latin1');
        return true;
      },
      end() {
        must(soFar.status !== undefined, 'end');
        over = true;
        resolve(soFar);
      },
      fail(fault) {
        must(true, 'fail');
        over = true;
        resolve(Object.assign(soFar, { fault }));
      },
    });
  });
  if (!call) throw new Error('no call');
  return { call, got, soFar };
}

/** Sends and gives what came. */
export const ask = (send: Send, origin: string, more: Partial<UpstreamRequest> = {}): Promise<Got> =>
  exchange(send, requestTo(origin, more)).got;

/** A small answer that keeps its connection. */
export const OK_ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok';
