import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createResponseParser, type ResponseEvents } from './h1-parser.ts';
import { createReadSize } from './read-size.ts';
import type { Reader, ReadTurns } from './read-turns.ts';

/** Where connections go. */
export interface Origin {
  readonly host: string;
  readonly port: number;
  readonly isTls: boolean;
  /** The TLS session to take up again. */
  session?: Buffer;
}

/** The request that has a connection. */
export interface Turn extends Reader {
  readonly isHead: boolean;
  /** The connection is made: write. */
  open(): void;
  readonly head: ResponseEvents['head'];
  /** `false` asks to wait. */
  body(bytes: Buffer): boolean;
  /** All of the request has been written. */
  isSent(): boolean;
  /** The answer is over. */
  end(): void;
  /** The connection is lost, or what it says is not HTTP. `untouched`: no byte of an answer had come. */
  lost(error: unknown, untouched: boolean): void;
}

/** One connection; one request at a time. */
export interface Connection {
  readonly socket: Socket;
  isOpen(): boolean;
  /** How long it took to connect: a few round trips. */
  connectMs(): number;
  begin(turn: Turn): void;
  resume(): void;
  /** As `resume`, where nobody but the others' turns was waited for. */
  goOn(): void;
  /** Nothing more is told. */
  destroy(): void;
}

/** What becomes of it between requests. */
interface Owner {
  idle(connection: Connection, keepMs: number): void;
  gone(connection: Connection): void;
}

const KEEP_ALIVE_PROBE_MS = 60_000;

function openSocket(origin: Origin, onread: OnReadOpts): Socket {
  const { host, port } = origin;
  const options = { host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS, onread };
  if (!origin.isTls) return connectPlain(options);
  // Loaded when it is first needed.
  const { connect } = process.getBuiltinModule('node:tls');
  const socket: TLSSocket = connect({
    ...options,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(origin.session ? { session: origin.session } : {}),
  });
  return socket.on('session', (session) => (origin.session = session));
}

/** Connects. The first request may begin at once: it is told when to write. */
export function openConnection(origin: Origin, owner: Owner, turns: ReadTurns): Connection {
  let turn: Turn | undefined;
  const since = performance.now();
  let connectMs: number | undefined;
  let untouched = true;
  let waits = false;
  const size = createReadSize();

  const lose = (error: unknown): void => {
    const lost = turn;
    turn = undefined;
    parser.stop();
    socket.destroy();
    lost?.lost(error, untouched);
  };
  const parser = createResponseParser({
    head(status, headers) {
      size.head(headers);
      turn?.head(status, headers);
    },
    body(bytes) {
      if (turn?.body(bytes) === false) waits = true;
    },
    end(keepMs) {
      const done = turn;
      turn = undefined;
      waits = false;
      size.end();
      if (!done) return;
      // Given back first: who hears of the end may send the next request at once.
      if (keepMs > 0 && done.isSent() && connection.isOpen() && socket.writableLength === 0) {
        socket.unref();
        owner.idle(connection, keepMs);
      } else socket.destroy();
      done.end();
    },
  });
  const read = (length: number, bytes: Buffer): boolean => {
    // Nobody asked: nothing that comes now can be an answer.
    if (!turn) {
      socket.destroy();
      return true;
    }
    const began = performance.now();
    untouched = false;
    waits = false;
    try {
      parser.push(bytes.subarray(0, length));
    } catch (error) {
      lose(error);
    }
    size.read(waits);
    if (waits) return false;
    const now = performance.now();
    // One that is idle must hear of its end.
    return !turn || turns.took(turn, now - began, now);
  };
  const socket = openSocket(origin, { buffer: size.next, callback: read });
  const connection: Connection = {
    socket,
    isOpen: () => !socket.destroyed && socket.writable && !socket.readableEnded,
    connectMs: () => connectMs ?? 0,
    begin(next) {
      turn = next;
      untouched = true;
      parser.begin(next.isHead);
      if (connectMs === undefined) return;
      socket.ref();
      next.open();
    },
    goOn() {
      if (!socket.destroyed) socket.resume();
    },
    resume() {
      size.resumed();
      connection.goOn();
    },
    destroy() {
      turn = undefined;
      parser.stop();
      socket.destroy();
    },
  };
  socket.once(origin.isTls ? 'secureConnect' : 'connect', () => {
    connectMs = performance.now() - since;
    turn?.open();
  });
  socket.on('error', lose);
  socket.on('end', () => {
    if (!turn || !parser.close()) lose(undefined);
  });
  socket.on('close', () => {
    lose(undefined);
    owner.gone(connection);
  });
  return connection;
}
