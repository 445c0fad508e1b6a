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
  buffered: 1024 * 1024,
};

/** Connections of the Responses API's WebSocket form. */
export interface WebSockets {
  /** Takes a connection over, or answers why not. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Lets the turns that run end and closes; no more are taken. */
  drain(): void;
  readonly size: number;
}

const REASONS: Readonly<Record<number, string>> = { 401: 'Unauthorized', 403: 'Forbidden', 404: 'Not Found', 503: 'Service Unavailable' };

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
    throw new GatewayError(gatewayFault('overloaded', 'No more connections are taken here just now', { code: 'connections_full' }));
  }
  return { key, path, headers, address: clientAddress(request, config.server.trustedProxies) };
}

/** GET /responses as a WebSocket (Open Responses 2026-04-24). */
export function createWebSockets(gateway: GatewayPorts, turns: TurnPorts, limits: SocketLimits = LIMITS): WebSockets {
  const sessions = new Set<Session>();
  let draining = false;
  let server: Promise<WebSocketServer> | undefined;

  // Loaded for the first connection: a start needs none.
  const serverOf = (maxPayload: number): Promise<WebSocketServer> =>
    (server ??= import('ws').then(
      ({ WebSocketServer: Server }) => new Server({ noServer: true, clientTracking: false, perMessageDeflate: false, maxPayload }),
    ));

  return {
    get size() {
      return sessions.size;
    },
    upgrade(request, socket, head) {
      const client = gateway.clients.get('openai-responses');
      if (!client) throw new Error('no client codec for openai-responses');
      const id = `req_${ulid(gateway.clock.now())}`;
      // Node has left the socket to us: a reset before the connection stands must not end the process.
      socket.on('error', () => socket.destroy());
      let peer: Peer;
      try {
        peer = peerOf(request, gateway, draining || sessions.size >= limits.connections);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        refuse(socket, error.fault, client, id);
        return;
      }
      serverOf(gateway.snapshot().config.limits.body)
        .then((sockets) =>
          sockets.handleUpgrade(request, socket, head, (connected) => {
            const session = createSession(connected, { peer, gateway, turns, client, limits });
            sessions.add(session);
            connected.on('close', () => sessions.delete(session));
            if (draining) session.drain();
          }),
        )
        .catch((error: unknown) => {
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
