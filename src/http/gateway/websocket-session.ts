import type { IncomingMessage } from 'node:http';
import type { WebSocket } from 'ws';
import { badField, type Fault, GatewayError, gatewayFault, type JsonObject } from '../../ir/index.ts';
import type { Call } from '../../exchange/call.ts';
import { parseBody } from '../../exchange/write-request.ts';
import type { ClientKey } from '../../policy/snapshot.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import { type FinishedTurn, prepareTurn, runTurn } from '../../state/turns.ts';
import type { TurnPorts } from '../../state/turn-ports.ts';
import { ulid } from '../new-id.ts';
import { noteRefusal } from './note-refusal.ts';
import type { ParsedPath } from './paths.ts';
import { isStrict, modelOf, scanBody } from './read-call.ts';
import { readRouting } from './read-routing.ts';
import type { GatewayPorts } from './visit.ts';
import { createLine, createPingSink, type Line, turnHandler, watchPeer } from './websocket-line.ts';

/** What a socket tells when either side has begun to close it. */
export const CLOSING = 'closing';

/** Bounds of connections. */
export interface SocketLimits {
  /** How long one may stand: OpenAI's own limit. */
  readonly lifeMs: number;
  /** A peer that does not answer a ping within this time is gone, unless there is much before it to be read. */
  readonly pingMs: number;
  /** Turns that wait for the one that runs, and bytes of them. */
  readonly queued: number;
  readonly queuedBytes: number;
  readonly connections: number;
}

/** Who is at the other end. */
export interface Peer {
  readonly key: ClientKey;
  readonly path: ParsedPath;
  readonly headers: IncomingMessage['headers'];
  /** Where the connection comes from. */
  readonly address: string | undefined;
}

/** What a session stands on. */
export interface SessionPorts {
  readonly peer: Peer;
  readonly gateway: GatewayPorts;
  readonly turns: TurnPorts;
  readonly client: ClientCodec;
  readonly limits: SocketLimits;
}

/** Members of a `response.create` that are the transport's and no part of the request. */
const TRANSPORT: ReadonlySet<string> = new Set(['type', 'stream', 'stream_options', 'background', 'stream_id', 'generate']);

/** What goes over one connection. */
export interface Session {
  drain(): void;
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
    throw new GatewayError(
      gatewayFault('overloaded', 'This connection is closing. Open a new one', { code: 'connection_closing', retryAfterMs: 1000 }),
    );
  if (!isFull) return;
  throw new GatewayError(
    gatewayFault('rate_limit', 'Too many turns wait on this connection. Wait for the end of one', { code: 'too_many_turns' }),
  );
}

/** What came and waits for its turn. */
interface Waiting {
  readonly message: JsonObject;
  readonly bytes: number;
  /** Gives back what it holds among the bodies of the server. */
  readonly release: () => void;
}

/** Where one connection stands. */
interface Connection extends SessionPorts {
  readonly socket: WebSocket;
  readonly line: Line;
  readonly queue: Waiting[];
  queuedBytes: number;
  /** Told when the connection is gone. */
  readonly gones: Set<() => void>;
  /** The last turn: what a next one may continue that is kept nowhere else. */
  memory: FinishedTurn | undefined;
  running: boolean;
  /** Closes it: no more turns are taken. */
  ending: (() => void) | undefined;
}

const newId = (at: number): string => `req_${ulid(at)}`;

/** Closes a connection once the turns that were taken are over. */
function endConnection(connection: Connection, code: number, reason: string): void {
  connection.ending = () => connection.line.close(code, reason);
  if (!connection.running && connection.queue.length === 0) connection.ending();
}

/** A turn that failed takes with it what it continued: the client cannot know how far it came. */
function forget(connection: Connection, { previous_response_id: previous }: JsonObject): void {
  if (connection.memory?.id === previous) connection.memory = undefined;
}

async function answer(connection: Connection, message: JsonObject, id: string, at: number): Promise<void> {
  const { socket, line, gones, peer, gateway, turns, client } = connection;
  const body = { ...Object.fromEntries(Object.entries(message).filter(([name]) => !TRANSPORT.has(name))), stream: true };
  const run = message['generate'] === false ? prepareTurn : runTurn;
  const call = callOf(body, id, at, peer, client, gateway);
  // What it said of where to go is no part of what is answered and kept.
  const asked = call.routing ? parseBody(call.body) : body;
  await run(call, asked, turnHandler(socket, line, gones, message['stream_id']), turns, {
    recall: (wanted) => (connection.memory?.id === wanted ? connection.memory : undefined),
    onFinished: (turn) => (connection.memory = turn),
    onFailed: () => forget(connection, message),
  });
}

/** The fault that an error is to the client. */
function faultOf(error: unknown, id: string, gateway: GatewayPorts): Fault {
  if (error instanceof GatewayError) return error.fault;
  gateway.onDefect(error, id);
  return gatewayFault('internal', 'The gateway failed on this request. Its log has the details');
}

/** Runs one turn, within what may be under way at once. */
async function perform(connection: Connection, { message, bytes }: Omit<Waiting, 'release'>): Promise<void> {
  const { gateway, peer, client, line, socket } = connection;
  const at = gateway.clock.now();
  const started = gateway.clock.monotonic();
  const id = newId(at);
  connection.gones.clear();
  const place = gateway.overload.enter(peer.key.id, bytes);
  const alive = createPingSink(socket, line);
  gateway.track(alive, '', {});
  try {
    if (typeof place !== 'function') throw new GatewayError(place);
    await answer(connection, message, id, at);
  } catch (error) {
    forget(connection, message);
    const fault = faultOf(error, id, gateway);
    line.fault(fault, id, message['stream_id']);
    const asker = { id, at, started, method: 'POST', key: peer.key, client, snapshot: gateway.snapshot() };
    noteRefusal(asker, { kind: 'generate', protocol: client.id, ...namedIn(message) }, fault.status, fault, gateway);
  } finally {
    alive.end();
    if (typeof place === 'function') place();
  }
}

/** One turn after another, in the order in which they came. */
function next(connection: Connection): void {
  if (connection.running) return;
  const waiting = connection.queue.shift();
  if (!waiting) {
    connection.ending?.();
    return;
  }
  connection.running = true;
  connection.queuedBytes -= waiting.bytes;
  // From here on the turn itself is counted.
  waiting.release();
  void perform(connection, waiting).finally(() => {
    connection.running = false;
    next(connection);
  });
}

/** Takes room among the bodies of the server for what has to wait. Throws the refusal where there is none. */
function holdWaiting({ running, gateway, peer }: Connection, bytes: number): () => void {
  if (!running) return () => undefined;
  const held = gateway.overload.hold(peer.key.id, bytes);
  if (typeof held !== 'function') throw new GatewayError(held);
  return held;
}

/** Takes a message, or says why not. */
function take(connection: Connection, data: Buffer): void {
  const { gateway, limits, queue, line } = connection;
  let message: JsonObject | undefined;
  try {
    message = parseBody(scanBody(data, gateway.snapshot().config.limits.depth).body);
    const isFull = queue.length >= limits.queued || connection.queuedBytes + data.length > limits.queuedBytes;
    refuseMessage(message, isFull, connection.ending !== undefined);
    queue.push({ message, bytes: data.length, release: holdWaiting(connection, data.length) });
    connection.queuedBytes += data.length;
  } catch (error) {
    if (!(error instanceof GatewayError)) throw error;
    line.fault(error.fault, newId(gateway.clock.now()), message?.['stream_id']);
  }
  line.holdBack();
  next(connection);
}

/** A connection does not stand for ever. */
function limitLife(connection: Connection): NodeJS.Timeout {
  const { lifeMs } = connection.limits;
  return setTimeout(() => {
    const message = `This connection has stood for ${Math.round(lifeMs / 60_000)} minutes, which is the limit. Open a new one to go on`;
    const code = 'websocket_connection_limit_reached';
    connection.line.error(400, { type: 'invalid_request_error', code, message, param: null });
    endConnection(connection, 1000, 'connection limit reached');
  }, lifeMs).unref();
}

/** The peer is gone, or says that it goes: nothing is made for it any more. */
function leave({ queue, gones }: Connection): void {
  for (const { release } of queue.splice(0)) release();
  for (const listener of gones) listener();
}

/** Answers the turns that come over one connection. `socket`: one that tells of `CLOSING`. */
export function createSession(socket: WebSocket, ports: SessionPorts): Session {
  const line = createLine(socket, ports.client);
  const connection: Connection = {
    ...ports,
    socket,
    line,
    queue: [],
    queuedBytes: 0,
    gones: new Set(),
    memory: undefined,
    running: false,
    ending: undefined,
  };
  const life = limitLife(connection);
  watchPeer(socket, line, ports.limits.pingMs, () => connection.running);
  // One Buffer, in text and binary messages alike: the server's binaryType is nodebuffer.
  socket.on('message', (data) => take(connection, data as Buffer));
  socket.on('error', () => socket.terminate());
  socket.on(CLOSING, () => leave(connection));
  socket.on('close', () => {
    clearTimeout(life);
    connection.memory = undefined;
    leave(connection);
  });
  return { drain: () => endConnection(connection, 1001, 'going away') };
}
