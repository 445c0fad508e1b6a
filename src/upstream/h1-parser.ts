import { copyPiece } from '../wire/pieces.ts';
import { beginChunks, type Chunks, MAX_SECTION_BYTES, newChunks, readChunks } from './h1-chunks.ts';
import { malformed, readResponseHead, type ResponseHead } from './h1-response-head.ts';
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

/** Announcements before an answer. */
const MAX_INTERIM = 32;

const HEAD_END = Buffer.from('\r\n\r\n');
const BEGINNING = Buffer.from('HTTP/1.');

/** Where the next byte stands. */
const AT = { over: 0, head: 1, length: 2, untilClose: 3, chunked: 4 } as const;

/** Where bytes stand after a head, as its framing says. */
const BODY_AT = { length: AT.length, close: AT.untilClose, chunked: AT.chunked } as const;

/** Where a head ends in the bytes, its blank line included, or -1. Throws as soon as it can be none. */
function headEnd(bytes: Buffer, searched: number): number {
  for (let at = 0; at < BEGINNING.length && at < bytes.length; at++) if (bytes[at] !== BEGINNING[at]) throw malformed();
  const found = bytes.indexOf(HEAD_END, Math.max(0, searched - 3));
  const end = found < 0 ? -1 : found + HEAD_END.length;
  if ((end < 0 ? bytes.length : end) > MAX_SECTION_BYTES) throw malformed();
  return end;
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

/** What the pieces below share. */
interface Parsing {
  readonly events: ResponseEvents;
  readonly chunks: Chunks;
  at: number;
  isHead: boolean;
  /** A head that has not come whole. */
  held: Buffer | undefined;
  interim: number;
  /** Of a body with a length. */
  left: number;
  keepMs: number;
}

/** A callback may have stopped it. */
const isOver = ({ at }: Parsing): boolean => at === AT.over;

function end(parsing: Parsing, hasMore: boolean): void {
  parsing.at = AT.over;
  parsing.events.end(hasMore ? 0 : parsing.keepMs);
}

function beginBody(parsing: Parsing, { status, headers, framing, length, keepMs }: ResponseHead): void {
  parsing.keepMs = keepMs;
  parsing.left = length;
  if (framing === 'chunked') beginChunks(parsing.chunks);
  parsing.at = BODY_AT[framing];
  parsing.events.head(status, headers);
}

/** Reads heads from bytes that begin with one. Where the body begins, or -1. */
function skipHeads(parsing: Parsing, bytes: Buffer, searched: number): number {
  for (let from = 0, known = searched; ; known = 0) {
    const rest = from === 0 ? bytes : bytes.subarray(from);
    const length = headEnd(rest, known);
    if (length < 0) {
      // A copy: the bytes belong to whoever read them.
      parsing.held = Buffer.from(rest);
      return -1;
    }
    const head = readResponseHead(rest.toString('latin1', 0, length - 2), parsing.isHead);
    from += length;
    if (head) {
      beginBody(parsing, head);
      return from;
    }
    if (++parsing.interim > MAX_INTERIM) throw malformed();
  }
}

function readChunked(parsing: Parsing, bytes: Buffer, from: number): void {
  const cuts: number[] = [];
  let over = -1;
  let broken: unknown;
  try {
    over = readChunks(parsing.chunks, bytes, from, cuts);
  } catch (error) {
    broken = error;
  }
  if (cuts.length > 0) parsing.events.body(gathered(bytes, cuts));
  if (isOver(parsing)) return;
  if (broken !== undefined) throw broken;
  if (over >= 0) end(parsing, over < bytes.length);
}

function readBody(parsing: Parsing, bytes: Buffer, from: number): void {
  if (parsing.at === AT.chunked) return readChunked(parsing, bytes, from);
  const to = parsing.at === AT.length ? Math.min(bytes.length, from + parsing.left) : bytes.length;
  if (to > from) parsing.events.body(copyPiece(bytes.subarray(from, to)));
  if (parsing.at !== AT.length) return;
  parsing.left -= to - from;
  if (parsing.left === 0) end(parsing, to < bytes.length);
}

function readHead(parsing: Parsing, bytes: Buffer): void {
  const { held } = parsing;
  const all = held ? Buffer.concat([held, bytes]) : bytes;
  parsing.held = undefined;
  const from = skipHeads(parsing, all, held?.length ?? 0);
  if (from < 0 || isOver(parsing)) return;
  if (parsing.at === AT.length && parsing.left === 0) end(parsing, from < all.length);
  else if (from < all.length) readBody(parsing, all, from);
}

function push(parsing: Parsing, bytes: Buffer): void {
  if (isOver(parsing)) return;
  try {
    if (parsing.at === AT.head) readHead(parsing, bytes);
    else readBody(parsing, bytes, 0);
  } catch (error) {
    parsing.at = AT.over;
    throw error;
  }
}

/** A small synchronous state machine; strict, because what two readers of one connection read differently can be smuggled. */
export function createResponseParser(events: ResponseEvents): ResponseParser {
  const parsing: Parsing = { events, chunks: newChunks(), at: AT.over, isHead: false, held: undefined, interim: 0, left: 0, keepMs: 0 };
  return {
    begin(isHead) {
      parsing.isHead = isHead;
      parsing.at = AT.head;
      parsing.held = undefined;
      parsing.interim = 0;
    },
    push: (bytes) => push(parsing, bytes),
    close() {
      if (parsing.at !== AT.untilClose) return false;
      end(parsing, false);
      return true;
    },
    stop() {
      parsing.at = AT.over;
    },
  };
}
