import type { TapRules } from '../protocols/protocol.ts';
import type { UpstreamHeaders } from '../upstream/send.ts';
import type { Call } from './call.ts';
import { headerOf } from './lanes/lane.ts';

/** So much of its beginning is kept, up to the end of an event where that is near: a reply's head stands there, and what it says of its input. */
const HEAD_BYTES = 1024;
/** So much of each place is kept, in whole events … */
const PLACE_BYTES = 256;
/** … of which one that is longer is a giant: hardly words, but a picture or what a search has found. Of it some is kept … */
const GIANT_BYTES = 2048;
/** … and its beginning, which says what it is; how far back that is looked for. */
const OPENING_BYTES = 320;
const FAR_BYTES = 16 * 1024;
/** So much of what repeats the answer. */
const AGAIN_BYTES = 2048;
/** A piece that is no longer than this is kept as a whole. */
const PIECE_BYTES = 1024;
/** How far apart the places are at first, and how many there may be before half of them go … */
const APART_BYTES = 256;
const MOST_PLACES = 24;
/** … or how long all of them together, where they are more than one. */
const MOST_BYTES = 4 * 1024;
/** What came of an answer, in case it is cut before its usage is told. */
export interface Received {
  headers?: UpstreamHeaders;
  bytes: number;
  /** How many of them are in events longer than `GIANT_BYTES`, as far as these came in large pieces … */
  giant: number;
  /** … and in those that only repeat what was asked or said, which are in neither place nor giant. */
  repeated: number;
  /** The last of them goes on in the next piece. */
  goesOn: boolean;
  /** What is kept of those that repeat the answer: there are providers that say it in no other. */
  again: string;
  /**
   * Its beginning, and what stands at places that are equally far apart, as text with a byte in each character: a few say what all is
   * like, and the longer it becomes the farther apart they are, so that an answer that ends well has paid for little more than additions.
   * As bytes each would keep 8 KiB of Node's pool.
   */
  samples: string[];
  /** How long each was before what is no words was left out of it. */
  lengths: number[];
  /** How far apart these are. */
  apart: number;
  /** Where the next one is. */
  next: number;
  /** Where the giant event begins that stands at the last one; it is looked at once. */
  giantFrom: number;
  /** Which of its events repeat something. */
  readonly repeats: TapRules['repeats'];
  /** The body ended, and was not cut. */
  ended: boolean;
}

/** Nothing yet. Only of an answer that is generated anything is sampled. */
export const nothingReceived = ({ operation }: Pick<Call, 'operation'>, { repeats }: Pick<TapRules, 'repeats'>): Received => ({
  bytes: 0,
  giant: 0,
  repeated: 0,
  goesOn: false,
  again: '',
  samples: [],
  lengths: [],
  apart: APART_BYTES,
  next: operation === 'generate' ? 0 : Infinity,
  giantFrom: -1,
  repeats,
  ended: false,
});

/** What ends events, however their lines end. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
const BLANKS = ['\n\n', '\n\r\n', '\r\r'].map((blank) => Buffer.from(blank));

/** Where the first event ends of those that end in some bytes; `Infinity`: none does. Nobody ends lines in two ways. */
function firstEnd(bytes: Buffer): number {
  for (const blank of BLANKS) {
    const at = bytes.indexOf(blank);
    if (at >= 0) return at + blank.length;
  }
  return Infinity;
}

/** … and the last one; -1: none does. */
function lastEnd(bytes: Buffer): number {
  for (const blank of BLANKS) {
    const at = bytes.lastIndexOf(blank);
    if (at >= 0) return at + blank.length;
  }
  return -1;
}

/** What the event that begins there repeats. */
function repeatedAt({ repeats }: Received, piece: Buffer, start: number): 'question' | 'answer' | undefined {
  if (!repeats) return undefined;
  const opening = piece.subarray(start, start + OPENING_BYTES);
  return repeats(opening.toString('latin1', 0, Math.min(firstEnd(opening), OPENING_BYTES)));
}

/** Where the event begins that stands at a place of a piece, the piece itself where it has begun before that; `undefined`: far before it. */
function startOf(piece: Buffer, at: number): number | undefined {
  for (const far of [GIANT_BYTES, FAR_BYTES]) {
    const from = Math.max(0, at - far);
    const end = lastEnd(piece.subarray(from, at));
    if (end >= 0) return from + end;
    if (from === 0) return 0;
  }
  return undefined;
}

/** Where the event ends that stands at a place of a piece; `undefined`: far after it. */
function endOf(piece: Buffer, at: number): number | undefined {
  const end = firstEnd(piece.subarray(at, at + GIANT_BYTES));
  return end === Infinity ? undefined : at + end;
}

/** The beginning of the first piece. */
function headOf(piece: Buffer): string {
  return piece.toString('latin1', 0, endOf(piece, HEAD_BYTES - 1) ?? HEAD_BYTES);
}

/** What stands at a place of a giant event: what it is, and some of it. */
function giantAt(piece: Buffer, at: number, start: number | undefined): string {
  const opening = start === undefined ? '' : piece.toString('latin1', start, Math.min(at, start + OPENING_BYTES));
  return opening + piece.toString('latin1', at, Math.min(at + PLACE_BYTES, endOf(piece, at) ?? Infinity));
}

/** Every other place goes. */
function thin(received: Received): void {
  const { samples, lengths, apart } = received;
  const places = samples.length - 1;
  const stays = (_: unknown, at: number): boolean => at === 0 || at % 2 === 1;
  received.samples = samples.filter(stays);
  received.lengths = lengths.filter(stays);
  received.next += places % 2 === 0 ? 0 : apart;
  received.apart = apart * 2;
}

/** Whether there are more places than may be, or they are long. What stands at several of them is one text. */
function areMany({ samples }: Received): boolean {
  const places = samples.length - 1;
  if (places < 2) return false;
  let bytes = 0;
  for (let at = 1; at <= places; at++) if (samples[at] !== samples[at - 1]) bytes += (samples[at] as string).length;
  return places > MOST_PLACES || bytes > MOST_BYTES;
}

/** A piece that is the whole answer is not cut any more. */
const isAll = ({ headers = {} }: Received, piece: Buffer): boolean => Number(headerOf(headers, 'content-length')) === piece.length;

/** Keeps what stands at a place, and finds the next one. */
function keepPlace(received: Received, sample: string, length = sample.length): void {
  const { samples, lengths } = received;
  const last = samples.at(-1);
  samples.push(sample === last ? last : sample);
  lengths.push(length);
  received.next += received.apart;
  while (areMany(received)) thin(received);
}

/** Bytes written in letters, as those of seals, pictures and sounds are: no words, and half of what long events hold. */
const DATA = /[\w+/=-]{256,}/g;
/** In shorter events they are not looked for. */
const LONG_BYTES = 512;

/** Keeps the events at a place of a piece that begins at `begins` of all that came, as far as they are no giants. */
function keepEvents(received: Received, piece: Buffer, begins: number, start: number | undefined): void {
  const at = received.next - begins;
  // As long as the places are next to each other nothing is left out between them.
  const to = received.apart > APART_BYTES ? at : at + APART_BYTES - 1;
  const end = endOf(piece, Math.max(to, (start ?? at) + PLACE_BYTES));
  if (start !== undefined && end !== undefined && end - start <= GIANT_BYTES) {
    const events = piece.toString('latin1', start, end);
    return keepPlace(received, events.length > LONG_BYTES ? events.replaceAll(DATA, '') : events, events.length);
  }
  const from = begins + (start ?? at);
  const last = received.samples.at(-1);
  keepPlace(received, last !== undefined && received.giantFrom === from ? last : giantAt(piece, at, start));
  received.giantFrom = from;
}

/**
 * Passes by an event that begins at `start`, stands at a place and only repeats something, so that places are equally far apart in the rest.
 * Of shorter ones, which most places miss, those that are met stand for all.
 */
function passesBy(received: Received, piece: Buffer, begins: number, start: number): boolean {
  const { apart, again } = received;
  const repeated = repeatedAt(received, piece, start);
  if (!repeated) return false;
  const at = received.next - begins;
  const last = at + firstEnd(piece.subarray(at));
  const end = Math.min(piece.length, last);
  const isNext = apart === APART_BYTES;
  if (!isNext && end - start <= apart) return false;
  // Giants are counted before.
  if (end - start <= GIANT_BYTES) received.repeated += end - start;
  if (repeated === 'answer' && again.length + last - start <= AGAIN_BYTES) received.again += piece.toString('latin1', start, end);
  received.next = begins + end + (isNext ? 0 : at - start);
  return true;
}

/** Looks at a place of a piece. */
function lookAt(received: Received, piece: Buffer, begins: number): void {
  // Of AWS's binary stream each begins with a message, as no text does, and has no blank lines.
  if (piece.length <= PIECE_BYTES || piece[0] === 0) return keepPlace(received, piece.toString('latin1', 0, PIECE_BYTES));
  const start = startOf(piece, received.next - begins);
  if (start === undefined || !passesBy(received, piece, begins, start)) keepEvents(received, piece, begins, start);
}

function keepSamples(received: Received, piece: Buffer): void {
  const { bytes } = received;
  if (received.samples.length === 0) {
    if (isAll(received, piece)) return;
    const head = headOf(piece);
    received.samples.push(head);
    received.lengths.push(head.length);
    received.next = head.length;
  }
  // Of what comes at once no more is looked at than would be left of it.
  while (bytes - received.next > received.apart * MOST_PLACES * 2) thin(received);
  while (received.next < bytes) lookAt(received, piece, bytes - piece.length);
}

/**
 * Counts what of a piece is in giant events, and sees what its last event is, which may go on in the next piece. One look at each 4 KiB: what
 * has an end of an event in it is not in one.
 */
function countGiants(received: Received, piece: Buffer): void {
  let at = 0;
  let last = 0;
  while (piece.length - at > GIANT_BYTES) {
    const end = lastEnd(piece.subarray(at, at + GIANT_BYTES));
    const next = end >= 0 ? at + end : Math.min(piece.length, at + GIANT_BYTES + firstEnd(piece.subarray(at + GIANT_BYTES)));
    if (end < 0) received[repeatedAt(received, piece, at) ? 'repeated' : 'giant'] += next - at;
    last = at;
    at = next;
  }
  if (at < piece.length) last = at + Math.max(0, lastEnd(piece.subarray(at)));
  received.goesOn = firstEnd(piece.subarray(last)) === Infinity && repeatedAt(received, piece, last) !== undefined;
}

/** What of a piece follows an event that began before it and only repeats something. */
function afterRepeated(received: Received, piece: Buffer): Buffer {
  const end = firstEnd(piece);
  received.goesOn = end === Infinity;
  const left = received.goesOn ? NOTHING : piece.subarray(end);
  received.repeated += piece.length - left.length;
  received.next = Math.max(received.next, received.bytes - left.length);
  return left;
}

const NOTHING = Buffer.alloc(0);

/** A piece of the body has come. */
export function receive(received: Received, piece: Buffer): void {
  received.bytes += piece.length;
  const left = received.goesOn ? afterRepeated(received, piece) : piece;
  if (piece.length > (received.repeats ? PIECE_BYTES : GIANT_BYTES) && received.next !== Infinity) countGiants(received, left);
  if (received.bytes > received.next) keepSamples(received, left);
}
