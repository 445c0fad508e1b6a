import { malformed, readFields } from './h1-response-head.ts';

/** Of a head, and of a body's trailers. */
export const MAX_SECTION_BYTES = 64 * 1024;
/** Of the extensions of one chunk. */
const MAX_EXTENSION_BYTES = 16 * 1024;
/** Digits of a chunk's size: below what a number holds exactly. */
const MAX_SIZE_DIGITS = 13;

const CR = 13;
const LF = 10;
const TAB = 9;
const SPACE = 32;
const SEMICOLON = 59;
const DEL = 127;

/** Where the next byte stands. */
const AT = { size: 0, afterSize: 1, extension: 2, sizeLf: 3, data: 4, dataCr: 5, dataLf: 6, trailers: 7 } as const;

/** How far a body in chunks (RFC 9112 §7.1) has come. */
export interface Chunks {
  at: number;
  /** Bytes of the chunk. */
  left: number;
  /** Digits of its size, and bytes of its extensions. */
  digits: number;
  extension: number;
  trailers: string;
}

/** No chunk has come. */
export const newChunks = (): Chunks => ({ at: AT.size, left: 0, digits: 0, extension: 0, trailers: '' });

/** Expects a body from its beginning. */
export function beginChunks(chunks: Chunks): void {
  chunks.at = AT.size;
  chunks.left = chunks.digits = chunks.extension = 0;
  chunks.trailers = '';
}

/** The value of a hexadecimal digit, or -1. */
function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 32;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

/** A byte of a chunk's size; these tell whether it may stand there. */
function size(chunks: Chunks, byte: number): boolean {
  const digit = hexDigit(byte);
  if (digit >= 0) {
    chunks.left = chunks.left * 16 + digit;
    // Leading zeros count too: nobody needs them.
    return ++chunks.digits <= MAX_SIZE_DIGITS;
  }
  if (chunks.digits === 0) return false;
  chunks.at = byte === CR ? AT.sizeLf : byte === SEMICOLON ? AT.extension : AT.afterSize;
  return byte === CR || byte === SEMICOLON || byte === SPACE || byte === TAB;
}

function afterSize(chunks: Chunks, byte: number): boolean {
  if (byte === CR) chunks.at = AT.sizeLf;
  else if (byte === SEMICOLON) chunks.at = AT.extension;
  else return (byte === SPACE || byte === TAB) && ++chunks.extension <= MAX_EXTENSION_BYTES;
  return true;
}

function extension(chunks: Chunks, byte: number): boolean {
  if (byte === CR) chunks.at = AT.sizeLf;
  else return (byte >= SPACE || byte === TAB) && byte !== DEL && ++chunks.extension <= MAX_EXTENSION_BYTES;
  return true;
}

/** A byte of the line with a chunk's size, or of what ends a chunk. */
function sizeLine(chunks: Chunks, byte: number): boolean {
  switch (chunks.at) {
    case AT.size:
      return size(chunks, byte);
    case AT.afterSize:
      return afterSize(chunks, byte);
    case AT.extension:
      return extension(chunks, byte);
    case AT.sizeLf:
      chunks.at = chunks.left === 0 ? AT.trailers : AT.data;
      return byte === LF;
    case AT.dataCr:
      chunks.at = AT.dataLf;
      return byte === CR;
    default:
      chunks.at = AT.size;
      chunks.digits = 0;
      chunks.extension = 0;
      return byte === LF;
  }
}

/** Where the body ends, or -1. */
function trailerSection(chunks: Chunks, bytes: Buffer, from: number): number {
  const before = chunks.trailers.length;
  const trailers = chunks.trailers + bytes.toString('latin1', from, from + MAX_SECTION_BYTES + 4);
  chunks.trailers = trailers;
  const end = trailers.startsWith('\r\n') ? 0 : trailers.indexOf('\r\n\r\n', Math.max(0, before - 3)) + 2;
  if (end === 1) {
    // Not yet; nor ever, when no field could begin so.
    if (trailers.length > MAX_SECTION_BYTES + 1 || (trailers[0] === '\r' && trailers.length > 1)) throw malformed();
    return -1;
  }
  if (end > MAX_SECTION_BYTES) throw malformed();
  readFields(trailers.slice(0, end), 0);
  return from + end + 2 - before;
}

/** The payload that has come of a chunk: where it ends. */
function payload(chunks: Chunks, bytes: Buffer, from: number, cuts: number[]): number {
  const end = Math.min(from + chunks.left, bytes.length);
  cuts.push(from, end);
  chunks.left -= end - from;
  if (chunks.left === 0) chunks.at = AT.dataCr;
  return end;
}

/**
 * Reads on without copying: `cuts` are where payloads begin and end in the bytes. Where the body ends, or -1. Throws `GatewayError` on what
 * are no chunks.
 */
export function readChunks(chunks: Chunks, bytes: Buffer, from: number, cuts: number[]): number {
  for (let next = from; next < bytes.length;) {
    if (chunks.at === AT.data) next = payload(chunks, bytes, next, cuts);
    else if (chunks.at === AT.trailers) return trailerSection(chunks, bytes, next);
    else if (!sizeLine(chunks, bytes[next++] as number)) throw malformed();
  }
  return -1;
}
