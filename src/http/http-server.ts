import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { type Connections, createConnections, isIdle } from './connections.ts';
import { UNSENT_BYTES } from './listeners.ts';
import { watchBodies } from './slow-bodies.ts';

/** Whatever a client sends, it has come whole by then. Long before, `watchBodies` cuts what does not go on. */
const REQUEST_MS = 24 * 3_600_000;

/** How long one who sent something unreadable may take to read that. */
const UNREADABLE_MS = 2000;

/** What is wrong with bytes that are no request, by node:http's word for it. */
const UNREADABLE: Readonly<Record<string, readonly [number, string, string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'Request Header Fields Too Large', 'The request headers are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'Request Timeout', 'The request did not come whole in time'],
};

/** The answer to bytes that are no request: nothing is known of the dialect of who sent them. */
function answerUnreadable(code: string | undefined): string {
  const [status, reason, message] = UNREADABLE[code ?? ''] ?? [400, 'Bad Request', 'The request is not valid HTTP'];
  const body = JSON.stringify({ error: { message, type: 'invalid_request_error', param: null, code: 'invalid_http' } });
  const head = `HTTP/1.1 ${status} ${reason}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}`;
  return `${head}\r\n\r\n${body}`;
}

const FULL = JSON.stringify({
  error: {
    message: 'The server has as many connections as it may have (limits.connections). Try again shortly',
    type: 'server_error',
    param: null,
    code: 'connections_full',
  },
});
const NO_ROOM = `HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\nretry-after: 1\r\ncontent-type: application/json\r\ncontent-length: ${FULL.length}\r\n\r\n${FULL}`;
const ignore = (): void => undefined;

/** Tells a client that there is no room for it, whatever it was going to ask, and closes. */
export function refuseConnection(socket: Socket): void {
  socket.on('error', ignore);
  socket.end(NO_ROOM, () => socket.destroy());
}

/** Health: alive as long as it answers; ready until it drains. */
function answerHealth(url: string | undefined, draining: boolean): { status: number; text: string } | undefined {
  if (url === '/livez') return { status: 200, text: 'ok\n' };
  if (url === '/readyz') return draining ? { status: 503, text: 'draining\n' } : { status: 200, text: 'ok\n' };
  return undefined;
}

/** What the server hands on, and what it asks. */
export interface ServerPorts {
  readonly monotonic: () => number;
  readonly isDraining: () => boolean;
  /** `isBeyond`: there is no room for its connection. */
  readonly request: (request: IncomingMessage, response: ServerResponse, isBeyond: boolean) => void;
  readonly upgrade: (request: IncomingMessage, socket: Socket, head: Buffer) => void;
}

/** Requests: health is answered here, all others are counted and handed on. */
function listenTo(ports: ServerPorts, connections: Connections): Server {
  const onIdle = (socket: Socket): void => {
    if (ports.isDraining()) socket.end();
  };
  return createServer(
    {
      // Clients that offer another protocol (Java's: h2c) are answered in this one.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
      keepAliveTimeout: 75_000,
      headersTimeout: 30_000,
      requestTimeout: REQUEST_MS,
      connectionsCheckingInterval: 5000,
      maxHeaderSize: 64 * 1024,
      noDelay: true,
      highWaterMark: UNSENT_BYTES,
    },
    (request, response) => {
      const isDraining = ports.isDraining();
      const health = answerHealth(request.url, isDraining);
      if (health) {
        response.writeHead(health.status, { 'content-type': 'text/plain' }).end(health.text);
        return;
      }
      connections.began(request.socket, response, onIdle);
      if (isDraining || connections.mustLeave()) response.setHeader('connection', 'close');
      ports.request(request, response, connections.isBeyond(request.socket));
    },
  );
}

/** Answers bytes that are no request, and clients whose requests do not go on. */
function answerMistakes(server: Server, connections: Connections, monotonic: () => number): void {
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // An answer that has begun must not have another in its middle.
    const hasBegun = connections.sockets.get(socket as Socket)?.open[0]?.headersSent === true;
    if (!socket.writable || hasBegun) {
      socket.destroy();
      return;
    }
    socket.end(answerUnreadable(error.code));
    setTimeout(() => socket.destroy(), UNREADABLE_MS).unref();
  });
  const bodies = watchBodies(connections.requests, monotonic, ({ socket }) => {
    server.emit('clientError', Object.assign(new Error('the body does not go on'), { code: 'ERR_HTTP_REQUEST_TIMEOUT' }), socket);
  });
  server.on('close', bodies.stop);
}

/** The HTTP server, with who is connected to it. It does not listen yet. */
export function createHttpServer(ports: ServerPorts): { readonly server: Server; readonly connections: Connections } {
  const connections = createConnections(ports.monotonic);
  const server = listenTo(ports, connections);
  server.on('upgrade', (request, socket: Socket, head) => {
    if (connections.isBeyond(socket)) return refuseConnection(socket);
    // Counted like a request: closed politely when the server drains.
    connections.connected(socket).upgraded = true;
    ports.upgrade(request, socket, head);
  });
  server.on('connection', connections.connected);
  answerMistakes(server, connections, ports.monotonic);
  return { server, connections };
}

/**
 * Closes it once nothing is under way: `closed` comes then. Whoever is connected after `graceMs` is cut off, and `cut`
 * comes. Returns what calls the deadline off.
 */
export function closeServer(
  { server, connections }: ReturnType<typeof createHttpServer>,
  graceMs: number,
  cut: () => void,
  closed: () => void,
) {
  const { sockets } = connections;
  // Sockets without a request are closed at once: `server.close` would wait for them.
  for (const [socket, connection] of sockets) if (isIdle(connection)) socket.destroy();
  const force = setTimeout(() => {
    for (const socket of sockets.keys()) socket.destroy();
    cut();
  }, graceMs);
  if (server.listening) server.close(closed);
  else connections.onEmpty(() => server.close(closed));
  return () => clearTimeout(force);
}
