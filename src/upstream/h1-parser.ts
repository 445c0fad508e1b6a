import { copyPiece } from '../wire/pieces.ts';
import { malformed, readFields, readResponseHead } from './h1-response-head.ts';
import type { UpstreamHeaders } from './send.ts';

/** What the bytes of a connection say. `end` comes last; after `stop`, or something that is not HTTP, nothing does. */
export interface ResponseEvents {
  head(status: number, headers: UpstreamHeaders): void;
  /** The payload of one read, in a buffer of its own. */
  body(bytes: Buffer): void;
  /** The body ended as its framing says. `keepMs`: how long the connection may serve again; 0: it may not. */
  end(keepMs: number): void;
}

/** Reads one answer after another from the bytes of a connection. */
export interface ResponseParser {
  /** Expects the answer to a request. */
  begin(isHead: boolean): void;
  /** More bytes; they are copied where they are kept. Throws `GatewayError` on what is not HTTP, after all that came before it was told. */
  push(bytes: Buffer): void;
  /** The connection was closed in order; `false`: too early. */
  close(): boolean;
  /** Tells nothing more. */
  stop(): void;
}

/** Of a head, and of a body's trailers. */
const MAX_HEAD_BYTES = 64 * 1024;
/** Of the extensions of one chunk. */
const MAX_EXTENSION_BYTES = 16 * 1024;
/** Announcements before an answer. */
const MAX_INTERIM = 32;
/** Digits of a chunk's size: below what a number holds exactly. */
const MAX_SIZE_DIGITS = 13;

const HEAD_END = Buffer.from('\r\n\r\n');
const BEGINNING = Buffer.from('HTTP/1.');
const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const SEMICOLON = 59;
const DEL = 127;

/** Where the next byte stands. */
const AT = {
  over: 0,
  head: 1,
  length: 2,
  untilClose: 3,
  size: 4,
  afterSize: 5,
  extension: 6,
  sizeLf: 7,
  data: 8,
  dataCr: 9,
  dataLf: 10,
  trailers: 11,
} as const;

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** Where a head ends in the bytes, its blank line included, or -1. Throws as soon as it can be none. */
function headEnd(bytes: Buffer, searched: number): number {
  for (let at = 0; at < BEGINNING.length && at < bytes.length; at++) if (bytes[at] !== BEGINNING[at]) throw malformed();
  const found = bytes.indexOf(HEAD_END, Math.max(0, searched - 3));
  const end = found < 0 ? -1 : found + HEAD_END.length;
  if ((end < 0 ? bytes.length : end) > MAX_HEAD_BYTES) throw malformed();
  return end;
}

/** Reads chunks (RFC 9112 §7.1) without copying: `cuts` are where payloads begin and end in the bytes. */
function createChunkReader(): { begin(): void; read(bytes: Buffer, from: number, cuts: number[]): number } {
  let at: number = AT.size;
  let left = 0;
  let digits = 0;
  let extension = 0;
  let trailers = '';

  /** One byte of a chunk's size line. */
  const sizeLine = (byte: number): boolean => {
    switch (at) {
      case AT.size: {
        const digit = hexDigit(byte);
        if (digit >= 0) {
          left = left * 16 + digit;
          // Leading zeros count too: nobody needs them.
          return ++digits <= MAX_SIZE_DIGITS;
        }
        if (digits === 0) return false;
        at = byte === CR ? AT.sizeLf : byte === SEMICOLON ? AT.extension : AT.afterSize;
        return byte === CR || byte === SEMICOLON || byte === SPACE || byte === TAB;
      }
      case AT.afterSize:
        if (byte === CR) at = AT.sizeLf;
        else if (byte === SEMICOLON) at = AT.extension;
        else return (byte === SPACE || byte === TAB) && ++extension <= MAX_EXTENSION_BYTES;
        return true;
      case AT.extension:
        if (byte === CR) at = AT.sizeLf;
        else return (byte >= SPACE || byte === TAB) && byte !== DEL && ++extension <= MAX_EXTENSION_BYTES;
        return true;
      case AT.sizeLf:
        at = left === 0 ? AT.trailers : AT.data;
        return byte === LF;
      case AT.dataCr:
        at = AT.dataLf;
        return byte === CR;
      default:
        at = AT.size;
        digits = 0;
        extension = 0;
        return byte === LF;
    }
  };
  /** Where the body ends, or -1. */
  const trailerSection = (bytes: Buffer, from: number): number => {
    const before = trailers.length;
    trailers += bytes.toString('latin1', from, from + MAX_HEAD_BYTES + 4);
    const end = trailers.startsWith('\r\n') ? 0 : trailers.indexOf('\r\n\r\n', Math.max(0, before - 3)) + 2;
    if (end === 1) {
      // Not yet; nor ever, when no field could begin so.
      if (trailers.length > MAX_HEAD_BYTES + 1 || (trailers[0] === '\r' && trailers.length > 1)) throw malformed();
      return -1;
    }
    if (end > MAX_HEAD_BYTES) throw malformed();
    readFields(trailers.slice(0, end), 0);
    return from + end + 2 - before;
  };
  return {
    begin() {
      at = AT.size;
      left = digits = extension = 0;
      trailers = '';
    },
    read(bytes, from, cuts) {
      for (let next = from; next < bytes.length;) {
        if (at === AT.data) {
          const end = Math.min(next + left, bytes.length);
          cuts.push(next, end);
          left -= end - next;
          next = end;
          if (left === 0) at = AT.dataCr;
        } else if (at === AT.trailers) return trailerSection(bytes, next);
        else if (!sizeLine(bytes[next++] as number)) throw malformed();
      }
      return -1;
    },
  };
}

/** One buffer with the payloads of a read. */
function gathered(bytes: Buffer, cuts: readonly number[]): Buffer {
  let length = 0;
  for (let at = 0; at < cuts.length; at += 2) length += (cuts[at + 1] as number) - (cuts[at] as number);
  const out = Buffer.allocUnsafe(length);
  let filled = 0;
  for (let at = 0; at < cuts.length; at += 2) filled += bytes.copy(out, filled, cuts[at], cuts[at + 1]);
  return out;
}

/** A small synchronous state machine; strict, because what two readers of one connection read differently can be smuggled. */
export function createResponseParser(events: ResponseEvents): ResponseParser {
  let at: number = AT.over;
  let isHead = false;
  let held: Buffer | undefined;
  let interim = 0;
  let left = 0;
  let keepMs = 0;
  const chunks = createChunkReader();

  /** A callback may have stopped it. */
  const isStopped = (): boolean => at === AT.over;
  const end = (hasMore: boolean): void => {
    at = AT.over;
    events.end(hasMore ? 0 : keepMs);
  };
  /** Reads heads from bytes that begin with one. Where the body begins, or -1. */
  const skipHeads = (bytes: Buffer, searched: number): number => {
    for (let from = 0, known = searched; ; known = 0) {
      const rest = from === 0 ? bytes : bytes.subarray(from);
      const length = headEnd(rest, known);
      if (length < 0) {
        // A copy: the bytes belong to whoever read them.
        held = Buffer.from(rest);
        return -1;
      }
      const head = readResponseHead(rest.toString('latin1', 0, length - 2), isHead);
      from += length;
      if (head) {
        keepMs = head.keepMs;
        left = head.length;
        if (head.framing === 'chunked') chunks.begin();
        at = head.framing === 'chunked' ? AT.size : head.framing === 'close' ? AT.untilClose : AT.length;
        events.head(head.status, head.headers);
        return from;
      }
      if (++interim > MAX_INTERIM) throw malformed();
    }
  };
  const readChunks = (bytes: Buffer, from: number): void => {
    const cuts: number[] = [];
    let over = -1;
    let broken: unknown;
    try {
      over = chunks.read(bytes, from, cuts);
    } catch (error) {
      broken = error;
    }
    if (cuts.length > 0) events.body(gathered(bytes, cuts));
    if (at === AT.over) return;
    if (broken !== undefined) throw broken;
    if (over >= 0) end(over < bytes.length);
  };
  const readBody = (bytes: Buffer, from: number): void => {
    if (at === AT.size) return readChunks(bytes, from);
    const to = at === AT.length ? Math.min(bytes.length, from + left) : bytes.length;
    if (to > from) events.body(copyPiece(bytes.subarray(from, to)));
    if (at !== AT.length) return;
    left -= to - from;
    if (left === 0) end(to < bytes.length);
  };
  const readHead = (bytes: Buffer): void => {
    const searched = held?.length ?? 0;
    const all = held ? Buffer.concat([held, bytes]) : bytes;
    held = undefined;
    const from = skipHeads(all, searched);
    if (from < 0 || isStopped()) return;
    if (at === AT.length && left === 0) end(from < all.length);
    else if (from < all.length) readBody(all, from);
  };
  return {
    begin(headOnly) {
      isHead = headOnly;
      at = AT.head;
      held = undefined;
      interim = 0;
    },
    push(bytes) {
      if (at === AT.over) return;
      try {
        if (at === AT.head) readHead(bytes);
        else readBody(bytes, 0);
      } catch (error) {
        at = AT.over;
        throw error;
      }
    },
    close() {
      if (at !== AT.untilClose) return false;
      end(false);
      return true;
    },
    stop() {
      at = AT.over;
    },
  };
}
