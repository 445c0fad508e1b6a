import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocketServer } from 'ws';
import { type Fault, GatewayError, gatewayFault } from '../../ir/index.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import type { TurnPorts } from '../../state/turn-ports.ts';
import { clientAddress } from '../client-address.ts';
import { ulid } from '../new-id.ts';
import { authenticate, UNAUTHENTICATED } from './authenticate.ts';
import { corsHeaders } from './cors.ts';
import { parsePath } from './paths.ts';
import type { GatewayPorts } from './visit.ts';
import { createSession, type Peer, type Session, type SocketLimits } from './websocket-session.ts';

const LIMITS: SocketLimits = {
  lifeMs: 60 * 60_000,
  pingMs: 30_000,
  queued: 32,
  queuedBytes: 64 * 1024 * 1024,
  connections: 10_000,
};

/** Connections of the Responses API's WebSocket form. */
export interface WebSockets {
  /** Takes a connection over, or answers why not. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Lets the turns that run end and closes; no more are taken. */
  drain(): void;
  readonly size: number;
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  503: 'Service Unavailable',
};

/** When one that is not let in may try again. */
const COME_BACK_MS = 1000;

/** So long may one that was refused take to read that. */
const REFUSED_MS = 2000;

/** An answer to a request that does not become a connection. */
function refuse(socket: Duplex, fault: Fault, client: ClientCodec, id: string): void {
  const { status, body } = client.encodeFault(fault, id);
  const text = JSON.stringify(body);
  const head = [
    `HTTP/1.1 ${status} ${REASONS[status] ?? 'Refused'}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    `x-request-id: ${id}`,
    'connection: close',
    ...(fault.retryAfterMs === undefined ? [] : [`retry-after: ${Math.ceil(fault.retryAfterMs / 1000)}`]),
    // What the handshake must say, to one that got it wrong: https://www.rfc-editor.org/rfc/rfc6455#section-4.4
    ...(status === 400 ? ['sec-websocket-version: 13'] : []),
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${text}`);
  // Node waits for it no more: one that keeps its side open would be there for ever.
  setTimeout(() => socket.destroy(), REFUSED_MS).unref();
}

/** Whether a page of this origin may connect: the rule of CORS, which browsers do not apply to WebSockets themselves. */
function isAllowedOrigin(headers: IncomingMessage['headers'], cors: readonly string[]): boolean {
  return headers.origin === undefined || 'access-control-allow-origin' in corsHeaders(headers, cors);
}

/** Who connects. Throws the fault of one who may not. `isFull`: no more connections are taken. */
function peerOf(request: IncomingMessage, gateway: GatewayPorts, isFull: boolean): Peer {
  const { headers } = request;
  const { config } = gateway.snapshot();
  const path = parsePath(request.url ?? '/');
  if (path?.endpoint !== 'responses') {
    throw new GatewayError(gatewayFault('not_found', 'There is a WebSocket at /v1/responses only', { code: 'unknown_path' }));
  }
  if (!isAllowedOrigin(headers, config.server.cors)) {
    throw new GatewayError(
      gatewayFault('permission', 'Pages of this origin may not connect (server.cors)', { code: 'origin_not_allowed' }),
    );
  }
  const key = authenticate(gateway.snapshot(), headers, path.query);
  if (typeof key === 'string') throw new GatewayError(gatewayFault('authentication', UNAUTHENTICATED[key], { code: 'invalid_api_key' }));
  if (isFull) {
    const message = 'No more connections are taken here just now';
    throw new GatewayError({ ...gatewayFault('overloaded', message, { code: 'connections_full' }), retryAfterMs: COME_BACK_MS });
  }
  return { key, path, headers, address: clientAddress(request, config.server.trustedProxies) };
}

/** Takes connections over. Loaded for the first one: a start needs none. */
async function loadServer(refused: (socket: Duplex, fault: Fault) => void): Promise<WebSocketServer> {
  const [{ WebSocketServer: Server }, { ClosingSocket }] = await Promise.all([import('ws'), import('./closing-socket.ts')]);
  // Its own pongs would be written however much waits to go out.
  const server = new Server({ noServer: true, clientTracking: false, perMessageDeflate: false, autoPong: false, WebSocket: ClosingSocket });
  server.on('wsClientError', (error, socket) => {
    refused(socket, gatewayFault('bad_request', `This is no handshake of a WebSocket: ${error.message}`, { code: 'invalid_handshake' }));
  });
  return server;
}

/** GET /responses as a WebSocket (Open Responses 2026-04-24). */
export function createWebSockets(gateway: GatewayPorts, turns: TurnPorts, limits: SocketLimits = LIMITS): WebSockets {
  const sessions = new Set<Session>();
  let draining = false;
  let server: Promise<WebSocketServer> | undefined;
  const newId = (): string => `req_${ulid(gateway.clock.now())}`;
  const clientOf = (): ClientCodec => {
    const client = gateway.clients.get('openai-responses');
    if (!client) throw new Error('no client codec for openai-responses');
    return client;
  };

  const connect = async (request: IncomingMessage, socket: Duplex, head: Buffer, peer: Peer): Promise<void> => {
    const client = clientOf();
    const sockets = await (server ??= loadServer((refused, fault) => refuse(refused, fault, client, newId())));
    // As it is in force now.
    sockets.options.maxPayload = gateway.snapshot().config.limits.body;
    sockets.handleUpgrade(request, socket, head, (connected) => {
      const session = createSession(connected, { peer, gateway, turns, client, limits });
      sessions.add(session);
      connected.on('close', () => sessions.delete(session));
      if (draining) session.drain();
    });
  };

  return {
    get size() {
      return sessions.size;
    },
    upgrade(request, socket, head) {
      const id = newId();
      // Node has left the socket to us: a reset before the connection stands must not end the process.
      socket.on('error', () => socket.destroy());
      let peer: Peer;
      try {
        peer = peerOf(request, gateway, draining || sessions.size >= limits.connections);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        refuse(socket, error.fault, clientOf(), id);
        return;
      }
      connect(request, socket, head, peer).catch((error: unknown) => {
        gateway.onDefect(error, id);
        socket.destroy();
      });
    },
    drain() {
      draining = true;
      for (const session of sessions) session.drain();
    },
  };
}
