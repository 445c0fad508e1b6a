import { type PartHead, readPartHead } from './multipart-head.ts';

/** What is wrong with a body: it ends early; the head of a part is too long, or none; what follows a boundary is neither a line nor the end. */
export type MultipartMistake = 'cut' | 'long_head' | 'bad_head' | 'bad_boundary';

/** Where the parts go, in order: `part`, its `data` as it comes, `partEnd`. */
export interface MultipartSink {
  part(head: PartHead): void;
  data(bytes: Buffer): void;
  partEnd(): void;
  /** The closing boundary was read; what comes behind it says nothing. */
  end(): void;
  /** Once, instead of all that would follow. */
  broken(mistake: MultipartMistake): void;
}

/** Reads a body piece by piece. */
export interface MultipartReader {
  push(bytes: Buffer): void;
  /** No more comes. */
  end(): void;
}

/** Names and types of a part; RFC 7578 knows no others. */
const HEAD_BYTES = 8 * 1024;
/** White space behind a boundary. */
const PADDING_BYTES = 256;
const HEAD_END = Buffer.from('\r\n\r\n');
const [CR, LF, DASH, SPACE, TAB] = [0x0d, 0x0a, 0x2d, 0x20, 0x09];

/** What is looked for next. */
type State = 'preamble' | 'boundary' | 'head' | 'start' | 'body' | 'over';

interface Reading {
  readonly mark: Buffer;
  readonly sink: MultipartSink;
  state: State;
  /** What was not understood yet: less than a boundary of a body, less than `HEAD_BYTES` of a head. */
  rest: Buffer;
}

/** Nothing more can be told of these bytes. */
const WAIT = -1;

function fail(reading: Reading, mistake: MultipartMistake): number {
  reading.state = 'over';
  reading.sink.broken(mistake);
  return WAIT;
}

/** Waits for more behind what stands from `at` on. */
function wait(reading: Reading, bytes: Buffer, at: number): number {
  reading.rest = bytes.subarray(at);
  return WAIT;
}

/** Where a beginning of `mark` stands at the end of these bytes; their length where none does. */
function tailFrom(bytes: Buffer, from: number, mark: Buffer): number {
  for (let at = bytes.indexOf(CR, Math.max(from, bytes.length - mark.length + 1)); at >= 0; at = bytes.indexOf(CR, at + 1))
    if (bytes.compare(mark, 0, bytes.length - at, at) === 0) return at;
  return bytes.length;
}

/** Bytes up to the next boundary: of a part, or before the first one. */
function readBody(reading: Reading, bytes: Buffer, at: number): number {
  const { mark, sink, state } = reading;
  const found = bytes.indexOf(mark, at);
  const to = found < 0 ? tailFrom(bytes, at, mark) : found;
  if (state === 'body' && to > at) sink.data(bytes.subarray(at, to));
  if (found < 0) return wait(reading, bytes, to);
  if (state === 'body') sink.partEnd();
  reading.state = 'boundary';
  return found + mark.length;
}

/** What stands behind a boundary: `--`, or the end of its line. https://www.rfc-editor.org/rfc/rfc2046#section-5.1.1 */
function readBoundary(reading: Reading, bytes: Buffer, from: number): number {
  let at = from;
  while (bytes[at] === SPACE || bytes[at] === TAB) at++;
  if (at - from > PADDING_BYTES) return fail(reading, 'bad_boundary');
  if (bytes.length < at + 2) return wait(reading, bytes, from);
  if (at === from && bytes[at] === DASH && bytes[at + 1] === DASH) {
    reading.state = 'over';
    reading.sink.end();
    return WAIT;
  }
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return fail(reading, 'bad_boundary');
  reading.state = 'head';
  return at;
}

/** The head of a part, from the end of the boundary's line on. */
function readHead(reading: Reading, bytes: Buffer, at: number): number {
  const end = bytes.indexOf(HEAD_END, at);
  if ((end < 0 ? bytes.length : end) - at > HEAD_BYTES) return fail(reading, 'long_head');
  if (end < 0) return wait(reading, bytes, at);
  const head = readPartHead(bytes.toString('utf8', Math.min(at + 2, end), end));
  if (!head) return fail(reading, 'bad_head');
  reading.sink.part(head);
  reading.state = 'start';
  return end + 2;
}

/** The line behind a head, which may be that of a boundary: a part without a body. */
function readStart(reading: Reading, bytes: Buffer, at: number): number {
  const { mark } = reading;
  const length = Math.min(mark.length, bytes.length - at);
  const isBoundary = bytes.compare(mark, 0, length, at, at + length) === 0;
  if (isBoundary && length < mark.length) return wait(reading, bytes, at);
  if (isBoundary) reading.sink.partEnd();
  reading.state = isBoundary ? 'boundary' : 'body';
  return at + (isBoundary ? length : 2);
}

const READERS: Readonly<Record<State, (reading: Reading, bytes: Buffer, at: number) => number>> = {
  preamble: readBody,
  boundary: readBoundary,
  head: readHead,
  start: readStart,
  body: readBody,
  over: () => WAIT,
};

/**
 * Reads `multipart/form-data` as it comes, without copying what is in its parts.
 * https://www.rfc-editor.org/rfc/rfc7578, https://www.rfc-editor.org/rfc/rfc2046#section-5.1
 */
export function createMultipartReader(boundary: string, sink: MultipartSink): MultipartReader {
  // The first boundary has no line before it.
  const reading: Reading = { mark: Buffer.from(`\r\n--${boundary}`, 'latin1'), sink, state: 'preamble', rest: Buffer.from('\r\n') };
  return {
    push(piece) {
      if (reading.state === 'over') return;
      const bytes = reading.rest.length === 0 ? piece : Buffer.concat([reading.rest, piece]);
      reading.rest = Buffer.alloc(0);
      for (let at = 0; at !== WAIT;) at = READERS[reading.state](reading, bytes, at);
    },
    end() {
      if (reading.state !== 'over') fail(reading, 'cut');
    },
  };
}
