import { connect as connectPlain, isIP, type OnReadOpts, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { createResponseParser, type ResponseEvents, type ResponseParser } from './h1-parser.ts';
import { createReadSize, type ReadSize } from './read-size.ts';
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

/** A connection, and what the pieces below share. */
interface Line extends Connection {
  readonly owner: Owner;
  readonly turns: ReadTurns;
  readonly size: ReadSize;
  readonly parser: ResponseParser;
  turn: Turn | undefined;
  /** How long it took to connect, once it has. */
  tookMs: number | undefined;
  /** No byte has come since the turn began. */
  untouched: boolean;
  /** The reader asks to wait. */
  waits: boolean;
  /** What was read and put off, as a copy. */
  late: Buffer | undefined;
}

function lose(line: Line, error: unknown): void {
  // What had come before.
  workOff(line);
  const { turn } = line;
  line.destroy();
  turn?.lost(error, line.untouched);
}

/** An answer is over. */
function answerEnd(line: Line, keepMs: number): void {
  const { turn, socket } = line;
  line.turn = undefined;
  line.waits = false;
  line.size.end();
  if (!turn) return;
  // Given back first: who hears of the end may send the next request at once.
  if (keepMs > 0 && turn.isSent() && line.isOpen() && socket.writableLength === 0) {
    socket.unref();
    line.owner.idle(line, keepMs);
  } else socket.destroy();
  turn.end();
}

/** Works on what was read, from `began` (monotonic milliseconds) on; `false` reads no more for now. */
function work(line: Line, bytes: Buffer, began: number): boolean {
  line.untouched = false;
  line.waits = false;
  try {
    line.parser.push(bytes);
  } catch (error) {
    lose(line, error);
  }
  line.size.read(line.waits);
  if (line.waits) return false;
  const now = performance.now();
  // One that is idle must hear of its end.
  return !line.turn || line.turns.took(line.turn, now - began, now);
}

/** Works on what was put off; `false` reads no more for now. */
function workOff(line: Line): boolean {
  const { late } = line;
  line.late = undefined;
  return !late || work(line, late, performance.now());
}

/** Bytes have come; `false` reads no more for now. */
function read(line: Line, length: number, bytes: Buffer): boolean {
  // Nobody asked: nothing that comes now can be an answer.
  if (!line.turn) {
    line.socket.destroy();
    return true;
  }
  const piece = bytes.subarray(0, length);
  // Of TLS more comes than is asked for: what was decrypted with what was read.
  if (line.late) {
    line.late = Buffer.concat([line.late, piece]);
    return false;
  }
  // Looked at once for both: each look costs.
  const now = performance.now();
  if (!line.turns.putsOff(line.turn, now)) return work(line, piece, now);
  line.late = Buffer.from(piece);
  return false;
}

function begin(line: Line, turn: Turn): void {
  line.turn = turn;
  line.untouched = true;
  line.parser.begin(turn.isHead);
  if (line.tookMs === undefined) return;
  line.socket.ref();
  turn.open();
}

function newLine(origin: Origin, owner: Owner, turns: ReadTurns): Line {
  const size = createReadSize();
  const parser = createResponseParser({
    head(status, headers) {
      size.head(headers);
      line.turn?.head(status, headers);
    },
    body(bytes) {
      if (line.turn?.body(bytes) === false) line.waits = true;
    },
    end: (keepMs) => answerEnd(line, keepMs),
  });
  const socket = openSocket(origin, {
    buffer: () => size.next(turns.isCrowded()),
    callback: (length, bytes: Buffer) => read(line, length, bytes),
  });
  const line: Line = {
    owner,
    turns,
    size,
    parser,
    socket,
    turn: undefined,
    tookMs: undefined,
    untouched: true,
    waits: false,
    late: undefined,
    isOpen: () => !socket.destroyed && socket.writable && !socket.readableEnded,
    connectMs: () => line.tookMs ?? 0,
    begin: (turn) => begin(line, turn),
    goOn() {
      if (!socket.destroyed && workOff(line)) socket.resume();
    },
    resume() {
      size.resumed();
      line.goOn();
    },
    destroy() {
      line.turn = undefined;
      line.late = undefined;
      parser.stop();
      socket.destroy();
    },
  };
  return line;
}

/** Connects. The first request may begin at once: it is told when to write. */
export function openConnection(origin: Origin, owner: Owner, turns: ReadTurns): Connection {
  const since = performance.now();
  const line = newLine(origin, owner, turns);
  const { socket, parser } = line;
  socket.once(origin.isTls ? 'secureConnect' : 'connect', () => {
    line.tookMs = performance.now() - since;
    line.turn?.open();
  });
  socket.on('error', (error) => lose(line, error));
  socket.on('end', () => {
    workOff(line);
    if (!line.turn || !parser.close()) lose(line, undefined);
  });
  socket.on('close', () => {
    lose(line, undefined);
    owner.gone(line);
  });
  return line;
}
