import { GatewayError } from '../ir/index.ts';
import { CONNECTION_FAULTS, connectionFault, errorCode } from './connection-fault.ts';
import { type BodyPump, pumpBody, writeWhole } from './h1-body.ts';
import { type Connection, openConnection, type Origin, type Turn } from './h1-connection.ts';
import { createIdleConnections, type IdleConnections } from './h1-pool.ts';
import { writeRequestHead } from './h1-request-head.ts';
import { createReadTurns, type ReadTurns } from './read-turns.ts';
import type { Send, UpstreamCall, UpstreamRequest, UpstreamSink } from './send.ts';

/** Origins that are remembered while nothing runs to them. */
const MAX_ORIGINS = 256;
/**
 * What is added to the time that connecting took: how soon a connection that had served before must be lost for the request to be sent again.
 * An upstream that lets an idle connection go just as we use it tells us within a round trip; what is lost later may have been at work on it.
 */
const STALE_MS = 100;

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

/** Carries one request to its end, over a second connection where the first was closed before it was used. */
function startTurn(pool: Pool, written: Written, sink: UpstreamSink, isClosed: () => boolean): UpstreamCall {
  const { timeouts, stream, isOnce = false } = written.request;
  /** Until an answer has come: it would be held for as long as that lasts, and is not sent again. */
  let unanswered: Written | undefined = written;
  let phase: Phase = 'connect';
  let timer: NodeJS.Timeout | undefined;
  let pump: BodyPump | undefined;
  let over = false;
  let begun = false;
  let paused = false;
  let openedAt = 0;

  const wait = (next: Phase): void => {
    phase = next;
    clearTimeout(timer);
    timer = setTimeout(late, Math.min(timeouts[next], MAX_TIMER_MS));
  };
  const finish = (): void => {
    over = true;
    clearTimeout(timer);
    pump?.stop();
    pool.turns.left(turn);
  };
  const fail = (error: unknown): void => {
    if (over) return;
    finish();
    connection.destroy();
    if (error instanceof GatewayError) sink.fail(error.fault);
    else if (phase === 'connect' && errorCode(error) === 'ETIMEDOUT') sink.fail(LATE.connect);
    else sink.fail(connectionFault(error, begun));
  };
  const late = (): void => fail(new GatewayError(LATE[phase]));
  const turn: Turn = {
    isHead: written.request.method === 'HEAD',
    owner: written.request.owner ?? '',
    since: performance.now(),
    resume() {
      if (!over) connection.goOn();
    },
    open() {
      if (!unanswered) return;
      const { request, head, length } = unanswered;
      openedAt = performance.now();
      wait('headers');
      if (!stream) return writeWhole(connection.socket, head, request.body, length);
      pump = pumpBody(connection.socket, head, stream, {
        progress() {
          if (!over && phase === 'headers') timer?.refresh();
        },
        broke: (error) => fail(error instanceof GatewayError ? error : new GatewayError(CONNECTION_FAULTS.requestInvalid)),
      });
    },
    head(status, headers) {
      if (over) return;
      begun = true;
      unanswered = undefined;
      // RFC 9112 §9.5: it does not want the rest.
      if (status >= 400) pump?.stop();
      wait('idle');
      sink.head(status, headers);
    },
    body(bytes) {
      if (over) return true;
      if (sink.body(bytes)) {
        if (!over) timer?.refresh();
        return true;
      }
      paused = true;
      clearTimeout(timer);
      return false;
    },
    isSent: () => pump?.isDone() ?? true,
    end() {
      if (over) return;
      finish();
      sink.end();
    },
    lost(error, untouched) {
      if (over) return;
      // RFC 9110 §9.2.2 has a request sent again only when it was not applied: a connection that had served before, was lost at once and without
      // a byte was closed while it was idle. Browsers do the same.
      const isStale = isReused && untouched && performance.now() - openedAt < connection.connectMs() + STALE_MS && !isClosed();
      if (!isStale) return fail(error);
      isReused = false;
      connection = pool.connect();
      wait('connect');
      connection.begin(turn);
    },
  };
  // What cannot or must not be sent twice gets a connection that cannot be stale.
  const used = stream || isOnce ? undefined : pool.idle.take();
  let isReused = used !== undefined;
  let connection = used ?? pool.connect();
  if (!used) wait('connect');
  connection.begin(turn);
  return {
    abort() {
      if (over) return;
      finish();
      connection.destroy();
    },
    resume() {
      if (over || !paused) return;
      paused = false;
      wait('idle');
      connection.resume();
    },
  };
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
