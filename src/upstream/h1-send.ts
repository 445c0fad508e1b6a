import { GatewayError } from '../ir/index.ts';
import { CONNECTION_FAULTS, connectionFault, errorCode } from './connection-fault.ts';
import { type BodyPump, pumpBody, writeWhole } from './h1-body.ts';
import { type Connection, openConnection, type Origin, type Turn } from './h1-connection.ts';
import { createIdleConnections, type IdleConnections } from './h1-pool.ts';
import { writeRequestHead } from './h1-request-head.ts';
import { createReadTurns, type ReadTurns } from './read-turns.ts';
import type { Send, UpstreamCall, UpstreamHeaders, UpstreamRequest, UpstreamSink } from './send.ts';

/** Origins that are remembered while nothing runs to them. */
const MAX_ORIGINS = 256;
/**
 * What is added to the time that connecting took: how soon a connection that had served before must be lost for the request to be sent again.
 * An upstream that lets an idle connection go just as we use it tells us within a round trip; what is lost later may have been at work on it.
 */
const STALE_MS = 100;
/** How long ago a connection may have served for what is not sent again: servers keep one for seconds, or say that they do not. */
const JUST_USED_MS = 1000;

/** Connections to one origin. */
interface Pool {
  readonly authority: string;
  readonly idle: IdleConnections;
  readonly open: Set<Connection>;
  readonly turns: ReadTurns;
  connect(): Connection;
}

function createPool(text: string, turns: ReadTurns): Pool {
  const { protocol, hostname, host, port } = new URL(text);
  const isTls = protocol === 'https:';
  const origin: Origin = {
    host: hostname.replace(/^\[(.*)\]$/, '$1'),
    port: port === '' ? (isTls ? 443 : 80) : Number(port),
    isTls,
  };
  const idle = createIdleConnections();
  const open = new Set<Connection>();
  return {
    authority: host,
    idle,
    open,
    turns,
    connect() {
      const gone = (lost: Connection): void => {
        idle.drop(lost);
        open.delete(lost);
      };
      const connection = openConnection(origin, { idle: idle.put, gone }, turns);
      open.add(connection);
      return connection;
    },
  };
}

/** What is waited for, and what it means that it does not come. */
const LATE = {
  connect: CONNECTION_FAULTS.connectTimeout,
  headers: CONNECTION_FAULTS.headersTimeout,
  idle: CONNECTION_FAULTS.idleTimeout,
} as const;
type Phase = keyof typeof LATE;
const MAX_TIMER_MS = 2 ** 31 - 1;

/** A request that can be written. */
interface Written {
  readonly request: UpstreamRequest;
  readonly head: string;
  /** Of a body that is held. */
  readonly length: number;
}

/** A request on its way and its answer: what its connection is told to do, and what the pieces below share. */
interface Running extends Turn {
  readonly pool: Pool;
  readonly sink: UpstreamSink;
  readonly isClosed: () => boolean;
  readonly timeouts: UpstreamRequest['timeouts'];
  /** Until an answer has come: it would be held for as long as that lasts, and is not sent again. */
  unanswered: Written | undefined;
  connection: Connection;
  /** The connection had served before. */
  isReused: boolean;
  /** It cannot, or must not, be sent twice. */
  readonly isOnlyOnce: boolean;
  phase: Phase;
  timer: NodeJS.Timeout | undefined;
  pump: BodyPump | undefined;
  over: boolean;
  begun: boolean;
  paused: boolean;
  openedAt: number;
}

function wait(running: Running, next: Phase): void {
  running.phase = next;
  clearTimeout(running.timer);
  running.timer = setTimeout(late, Math.min(running.timeouts[next], MAX_TIMER_MS), running);
}

function late(running: Running): void {
  fail(running, new GatewayError(LATE[running.phase]));
}

function finish(running: Running): void {
  running.over = true;
  clearTimeout(running.timer);
  running.pump?.stop();
  running.pool.turns.left(running);
}

function fail(running: Running, error: unknown): void {
  if (running.over) return;
  finish(running);
  running.connection.destroy();
  const { sink, phase, begun } = running;
  if (error instanceof GatewayError) sink.fail(error.fault);
  else if (phase === 'connect' && errorCode(error) === 'ETIMEDOUT') sink.fail(LATE.connect);
  else sink.fail(connectionFault(error, begun));
}

/** The connection is made. */
function write(running: Running): void {
  const { unanswered, connection } = running;
  if (!unanswered) return;
  const { request, head, length } = unanswered;
  running.openedAt = performance.now();
  wait(running, 'headers');
  if (!request.stream) return writeWhole(connection.socket, head, request.body, length);
  running.pump = pumpBody(connection.socket, head, request.stream, {
    progress() {
      if (!running.over && running.phase === 'headers') running.timer?.refresh();
    },
    broke: (error) => fail(running, error instanceof GatewayError ? error : new GatewayError(CONNECTION_FAULTS.requestInvalid)),
  });
}

function answerHead(running: Running, status: number, headers: UpstreamHeaders): void {
  if (running.over) return;
  running.begun = true;
  running.unanswered = undefined;
  // RFC 9112 §9.5: it does not want the rest.
  if (status >= 400) running.pump?.stop();
  wait(running, 'idle');
  running.sink.head(status, headers);
}

/** `false` asks to wait. */
function answerBody(running: Running, bytes: Buffer): boolean {
  if (running.over) return true;
  if (running.sink.body(bytes)) {
    if (!running.over) running.timer?.refresh();
    return true;
  }
  running.paused = true;
  clearTimeout(running.timer);
  return false;
}

function answerEnd(running: Running): void {
  if (running.over) return;
  finish(running);
  running.sink.end();
}

/**
 * RFC 9110 §9.2.2 has a request sent again only when it was not applied: a connection that had served before, was lost at once and without
 * a byte was closed while it was idle. Browsers do the same.
 */
const isStale = ({ isReused, isOnlyOnce, openedAt, connection, isClosed }: Running, untouched: boolean): boolean =>
  isReused && !isOnlyOnce && untouched && performance.now() - openedAt < connection.connectMs() + STALE_MS && !isClosed();

function lost(running: Running, error: unknown, untouched: boolean): void {
  if (running.over) return;
  if (!isStale(running, untouched)) return fail(running, error);
  running.isReused = false;
  running.connection = running.pool.connect();
  wait(running, 'connect');
  running.connection.begin(running);
}

function abort(running: Running): void {
  if (running.over) return;
  finish(running);
  running.connection.destroy();
}

/** The sink takes more. */
function goOn(running: Running): void {
  if (running.over || !running.paused) return;
  running.paused = false;
  wait(running, 'idle');
  running.connection.resume();
}

function newRunning(pool: Pool, written: Written, sink: UpstreamSink, isClosed: () => boolean): Running {
  const { method, owner = '', timeouts, stream, isOnce = false } = written.request;
  const isOnlyOnce = stream !== undefined || isOnce;
  // What cannot or must not be sent twice gets a connection that was just used, or a new one: they are not stale.
  const used = pool.idle.take(isOnlyOnce ? JUST_USED_MS : undefined);
  const running: Running = {
    isHead: method === 'HEAD',
    owner,
    since: performance.now(),
    waitsSince: undefined,
    resume() {
      if (!running.over) running.connection.goOn();
    },
    open: () => write(running),
    head: (status, headers) => answerHead(running, status, headers),
    body: (bytes) => answerBody(running, bytes),
    isSent: () => running.pump?.isDone() ?? true,
    end: () => answerEnd(running),
    lost: (error, untouched) => lost(running, error, untouched),
    pool,
    sink,
    isClosed,
    timeouts,
    unanswered: written,
    connection: used ?? pool.connect(),
    isReused: used !== undefined,
    isOnlyOnce,
    phase: 'connect',
    timer: undefined,
    pump: undefined,
    over: false,
    begun: false,
    paused: false,
    openedAt: 0,
  };
  return running;
}

/** Carries one request to its end, over a second connection where the first was closed before it was used. */
function startTurn(pool: Pool, written: Written, sink: UpstreamSink, isClosed: () => boolean): UpstreamCall {
  const running = newRunning(pool, written, sink, isClosed);
  if (!running.isReused) wait(running, 'connect');
  running.connection.begin(running);
  return { abort: () => abort(running), resume: () => goOn(running) };
}

/** Tells the sink of a request that is not sent; not before the caller has what it called for. */
function refuse(sink: UpstreamSink, error: unknown): UpstreamCall {
  let over = false;
  queueMicrotask(() => {
    if (over) return;
    over = true;
    sink.fail(error instanceof GatewayError ? error.fault : CONNECTION_FAULTS.requestInvalid);
  });
  return {
    abort: () => (over = true),
    resume: () => undefined,
  };
}

/** Sends over HTTP/1.1 on sockets of its own, with a pool for each origin, so that one dead upstream starves no other. */
export function createH1Send(turns: ReadTurns = createReadTurns()): { readonly send: Send; close(): void } {
  const pools = new Map<string, Pool>();
  let isOver = false;

  const poolOf = (origin: string): Pool => {
    const known = pools.get(origin);
    if (known) return known;
    if (pools.size >= MAX_ORIGINS) for (const [name, { open }] of pools) if (open.size === 0) pools.delete(name);
    const made = createPool(origin, turns);
    pools.set(origin, made);
    return made;
  };
  return {
    send(request, sink) {
      if (isOver) return refuse(sink, new GatewayError(CONNECTION_FAULTS.closed));
      try {
        const pool = poolOf(request.origin);
        let length = 0;
        for (const piece of request.body) length += piece.length;
        const head = writeRequestHead(request, pool.authority, request.stream ? request.stream.length : length);
        return startTurn(pool, { request, head, length }, sink, () => isOver);
      } catch (error) {
        return refuse(sink, error);
      }
    },
    close() {
      isOver = true;
      for (const { idle, open } of pools.values()) {
        idle.close();
        for (const { socket } of open) socket.destroy();
      }
      pools.clear();
    },
  };
}
