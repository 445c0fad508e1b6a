import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WebSocket, WebSocketServer } from 'ws';
import { badField, type Fault, GatewayError, gatewayFault, isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import type { Call } from '../../exchange/call.ts';
import { parseBody } from '../../exchange/write-request.ts';
import type { ClientKey } from '../../policy/snapshot.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import type { ReplyHandler } from '../../state/reply-handler.ts';
import { type FinishedTurn, prepareTurn, runTurn } from '../../state/turns.ts';
import type { TurnPorts } from '../../state/turn-ports.ts';
import { ulid } from '../new-id.ts';
import { authenticate, UNAUTHENTICATED } from './authenticate.ts';
import { corsHeaders } from './cors.ts';
import type { GatewayPorts } from './visit.ts';
import { type ParsedPath, parsePath } from './paths.ts';
import { isStrict, modelOf, scanBody } from './read-call.ts';
import { noteRefusal } from './note-refusal.ts';
import { readRouting } from './read-routing.ts';

/** Bounds of connections. */
export interface SocketLimits {
  /** How long one may stand: OpenAI's own limit. */
  readonly lifeMs: number;
  /** A peer that does not answer a ping within this time is gone. */
  readonly pingMs: number;
  /** Turns that wait for the one that runs, and bytes of them. */
  readonly queued: number;
  readonly queuedBytes: number;
  readonly connections: number;
  /** Bytes on their way to a client that does not read, above which the provider must wait. */
  readonly buffered: number;
}

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
}

/** Who is at the other end. */
interface Peer {
  readonly key: ClientKey;
  readonly path: ParsedPath;
  readonly headers: IncomingMessage['headers'];
  /** Where the connection comes from. */
  readonly address: string | undefined;
}

/** Members of a `response.create` that are the transport's and no part of the request. */
const TRANSPORT: ReadonlySet<string> = new Set(['type', 'stream', 'stream_options', 'background', 'stream_id', 'generate']);

/** What goes over one connection. */
interface Session {
  drain(): void;
}

/** Writes texts to a socket, minding what is still on its way. */
interface Line {
  /** `false`: wait for `onDrain`. */
  send(text: string): boolean;
  onDrain(listener: () => void): void;
  error(status: number, error: JsonObject, streamId?: unknown): void;
  fault(fault: Fault, id: string, streamId?: unknown): void;
}

function createLine(socket: WebSocket, client: ClientCodec, buffered: number): Line {
  const drains: (() => void)[] = [];
  const isFlowing = (): boolean => socket.bufferedAmount < buffered;
  const send = (text: string): boolean => {
    socket.send(text, () => {
      if (isFlowing()) for (const drain of drains) drain();
    });
    return isFlowing();
  };
  const error: Line['error'] = (status, said, streamId) =>
    void send(JSON.stringify({ type: 'error', status, error: said, ...(typeof streamId === 'string' ? { stream_id: streamId } : {}) }));
  return {
    send,
    onDrain(listener) {
      drains.length = 0;
      drains.push(listener);
    },
    error,
    fault(fault, id, streamId) {
      const { status, body } = client.encodeFault(fault, id);
      error(status, isObject(body['error']) ? body['error'] : { message: fault.message, code: fault.code ?? null, param: null }, streamId);
    },
  };
}

/** The client of one turn. */
function turnHandler(socket: WebSocket, line: Line, gones: Set<() => void>, streamId: unknown): ReplyHandler {
  const named = typeof streamId === 'string' ? `{"stream_id":${JSON.stringify(streamId)},` : undefined;
  return {
    begun: false,
    get closed() {
      return socket.readyState !== socket.OPEN;
    },
    begin: () => undefined,
    frame(data) {
      // Some providers end their streams so, over SSE: no JSON text.
      if (data === '[DONE]') return true;
      return line.send(named === undefined ? data : named + data.slice(data.indexOf('{') + 1));
    },
    end: () => undefined,
    whole(status, _headers, body) {
      const error = parseObject(body.toString('utf8'))?.['error'];
      line.error(status, isObject(error) ? error : { message: 'The response failed', code: null, param: null }, streamId);
    },
    abort: () => socket.terminate(),
    onGone: (listener) => gones.add(listener),
    onDrain: (listener) => line.onDrain(listener),
  };
}

function callOf(body: JsonObject, id: string, at: number, peer: Peer, client: ClientCodec, gateway: GatewayPorts): Call {
  const snapshot = gateway.snapshot();
  const { key, path, headers, address } = peer;
  const { scanned, routing } = readRouting(scanBody(Buffer.from(JSON.stringify(body)), snapshot.config.limits.depth), { path, snapshot });
  return {
    id,
    at,
    started: gateway.clock.monotonic(),
    key,
    client,
    operation: 'generate',
    model: modelOf(scanned),
    stream: true,
    form: 'sse',
    strict: isStrict(headers, key.strict),
    body: scanned.body,
    scan: scanned.scan,
    headers,
    snapshot,
    ...(path.platform === undefined ? {} : { platform: path.platform }),
    ...(address === undefined ? {} : { address }),
    ...(routing ? { routing } : {}),
  };
}

/** The model that a message names, as far as it is one. */
const namedIn = ({ model }: JsonObject): { readonly model?: string } => (typeof model === 'string' && model.length <= 512 ? { model } : {});

/** Throws the fault of a message that is not a turn that can be run. */
function refuseMessage(message: JsonObject, isFull: boolean, isClosing: boolean): void {
  if (message['type'] !== 'response.create') {
    throw badField('type', "The only message that is understood is 'response.create'", 'unknown_event_type');
  }
  if (message['background'] === true) {
    throw badField('background', "Invalid request: 'background' is not there over a WebSocket", 'unsupported_parameter');
  }
  if (isClosing)
    throw new GatewayError(gatewayFault('overloaded', 'This connection is closing. Open a new one', { code: 'connection_closing' }));
  if (!isFull) return;
  throw new GatewayError(
    gatewayFault('rate_limit', 'Too many turns wait on this connection. Wait for the end of one', { code: 'too_many_turns' }),
  );
}

/** Notices a peer that is gone. */
function watchPeer(socket: WebSocket, everyMs: number): void {
  let isAlive = true;
  const timer = setInterval(() => {
    if (!isAlive) return socket.terminate();
    isAlive = false;
    socket.ping();
  }, everyMs).unref();
  socket.on('pong', () => (isAlive = true));
  socket.on('message', () => (isAlive = true));
  socket.on('close', () => clearInterval(timer));
}

function createSession(
  socket: WebSocket,
  peer: Peer,
  gateway: GatewayPorts,
  turns: TurnPorts,
  client: ClientCodec,
  limits: SocketLimits,
): Session {
  const line = createLine(socket, client, limits.buffered);
  const queue: { readonly message: JsonObject; readonly bytes: number }[] = [];
  let queuedBytes = 0;
  const gones = new Set<() => void>();
  /** The last turn: what a next one may continue that is kept nowhere else. */
  let memory: FinishedTurn | undefined;
  let running = false;
  let ending: (() => void) | undefined;

  const end = (code: number, reason: string): void => {
    ending = () => socket.close(code, reason);
    if (!running && queue.length === 0) ending();
  };
  const newId = (at: number): string => `req_${ulid(at)}`;

  const perform = async (message: JsonObject): Promise<void> => {
    const at = gateway.clock.now();
    const started = gateway.clock.monotonic();
    const id = newId(at);
    const { stream_id: streamId, previous_response_id: previous } = message;
    // A turn that failed takes with it what it continued: the client cannot know how far it came.
    const forget = (): void => {
      if (memory?.id === previous) memory = undefined;
    };
    gones.clear();
    const place = gateway.overload.enter(peer.key.id);
    try {
      if (typeof place !== 'function') throw new GatewayError(place);
      const body = { ...Object.fromEntries(Object.entries(message).filter(([name]) => !TRANSPORT.has(name))), stream: true };
      const run = message['generate'] === false ? prepareTurn : runTurn;
      const call = callOf(body, id, at, peer, client, gateway);
      // What it said of where to go is no part of what is answered and kept.
      const asked = call.routing ? parseBody(call.body) : body;
      await run(call, asked, turnHandler(socket, line, gones, streamId), turns, {
        recall: (wanted) => (memory?.id === wanted ? memory : undefined),
        onFinished: (turn) => (memory = turn),
        onFailed: forget,
      });
    } catch (error) {
      forget();
      const isFault = error instanceof GatewayError;
      if (!isFault) gateway.onDefect(error, id);
      const fault = isFault ? error.fault : gatewayFault('internal', 'The gateway failed on this request. Its log has the details');
      line.fault(fault, id, streamId);
      const asker = { id, at, started, method: 'POST', key: peer.key, client, snapshot: gateway.snapshot() };
      noteRefusal(asker, { kind: 'generate', protocol: client.id, ...namedIn(message) }, fault.status, fault, gateway);
    } finally {
      if (typeof place === 'function') place();
    }
  };
  /** One turn after another, in the order in which they came. */
  const next = (): void => {
    if (running) return;
    const waiting = queue.shift();
    if (!waiting) {
      ending?.();
      return;
    }
    running = true;
    queuedBytes -= waiting.bytes;
    void perform(waiting.message).finally(() => {
      running = false;
      next();
    });
  };
  const take = (data: Buffer): void => {
    let message: JsonObject | undefined;
    try {
      message = parseBody(scanBody(data, gateway.snapshot().config.limits.depth).body);
      const isFull = queue.length >= limits.queued || queuedBytes + data.length > limits.queuedBytes;
      refuseMessage(message, isFull, ending !== undefined);
      queue.push({ message, bytes: data.length });
      queuedBytes += data.length;
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      line.fault(error.fault, newId(gateway.clock.now()), message?.['stream_id']);
    }
    next();
  };
  const life = setTimeout(() => {
    const message = `This connection has stood for ${Math.round(limits.lifeMs / 60_000)} minutes, which is the limit. Open a new one to go on`;
    line.error(400, { type: 'invalid_request_error', code: 'websocket_connection_limit_reached', message, param: null });
    end(1000, 'connection limit reached');
  }, limits.lifeMs).unref();

  watchPeer(socket, limits.pingMs);
  // One Buffer, in text and binary messages alike: the server's binaryType is nodebuffer.
  socket.on('message', (data) => take(data as Buffer));
  socket.on('error', () => socket.terminate());
  socket.on('close', () => {
    clearTimeout(life);
    queue.length = 0;
    memory = undefined;
    for (const listener of gones) listener();
  });
  return { drain: () => end(1001, 'going away') };
}

/** Whether a page of this origin may connect: the rule of CORS, which browsers do not apply to WebSockets themselves. */
function isAllowedOrigin(headers: IncomingMessage['headers'], cors: readonly string[]): boolean {
  return headers.origin === undefined || 'access-control-allow-origin' in corsHeaders(headers, cors);
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

  /** Who connects. Throws the fault of one who may not. */
  const peerOf = (request: IncomingMessage): Peer => {
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
    if (draining || sessions.size >= limits.connections) {
      throw new GatewayError(gatewayFault('overloaded', 'No more connections are taken here just now', { code: 'connections_full' }));
    }
    return { key, path, headers, address: request.socket.remoteAddress };
  };

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
        peer = peerOf(request);
      } catch (error) {
        if (!(error instanceof GatewayError)) throw error;
        refuse(socket, error.fault, client, id);
        return;
      }
      serverOf(gateway.snapshot().config.limits.body)
        .then((sockets) =>
          sockets.handleUpgrade(request, socket, head, (connected) => {
            const session = createSession(connected, peer, gateway, turns, client, limits);
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
