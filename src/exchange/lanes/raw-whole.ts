import { type Fault, parseObject } from '../../ir/index.ts';
import type { UpstreamHeaders } from '../../upstream/send.ts';
import { endOf } from './client-stream.ts';
import { type AnswerMode, headerOf, type LaneContext, laneHeaders, notAnAnswer, ownFault } from './lane.ts';

/** A whole answer up to this size goes out in one write with its head. */
const SMALL = 64 * 1024;
/** Of larger ones this much is looked through for usage after they have passed. */
const TAIL = 1024 * 1024;
/** Of vectors, which are long and say nothing: before them or after them. */
const SHORT_TAIL = 4 * 1024;

/** An error's member near the head of a body, unless it is `null` (which Responses always say). */
const ERROR_MEMBER = /"error"\s*:\s*[^n\s]/;

/** An error inside a success status, at the head of a body; `undefined` when it is none. */
function errorInside(context: LaneContext, body: Buffer): Fault | undefined {
  if (!ERROR_MEMBER.test(body.toString('latin1', 0, 512))) return undefined;
  const parsed = parseObject(body.toString('utf8'));
  const error = parsed?.['error'];
  if (!parsed || error === undefined || error === null) return undefined;
  const said = context.target.codec.decodeFault(502, body.toString('utf8'));
  return ownFault(context, said);
}

const isSpace = (byte: number | undefined): boolean => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;

/** Whether bytes begin and end as a JSON object does: what was cut, or is something else, does not. */
function looksWhole(body: Buffer): boolean {
  let from = body[0] === 0xef ? 3 : 0;
  while (isSpace(body[from])) from++;
  return body[from] === 0x7b && endsWhole(body);
}

function endsWhole(body: Buffer): boolean {
  let to = body.length - 1;
  while (isSpace(body[to])) to--;
  return body[to] === 0x7d;
}

/** Where a reply stands. */
interface Passing {
  readonly context: LaneContext;
  readonly status: number;
  readonly upstream: UpstreamHeaders;
  readonly contentType: string;
  /** Its length, where that was announced. */
  readonly announced: number | undefined;
  readonly isVectors: boolean;
  /** Everything while it is small; then the end of it. */
  readonly pieces: Buffer[];
  /** Of `pieces`. */
  bytes: number;
  relaying: boolean;
  /** How it began, when that is no longer in `pieces`. */
  head: Buffer | undefined;
  /** The end of the last long piece of vectors. */
  last: Buffer | undefined;
}

function announcedLength(upstream: UpstreamHeaders): number | undefined {
  const isPacked = headerOf(upstream, 'content-encoding') !== '';
  const length = isPacked ? Number.NaN : Number.parseInt(headerOf(upstream, 'content-length'), 10);
  return Number.isNaN(length) ? undefined : length;
}

const newPassing = (context: LaneContext, status: number, upstream: UpstreamHeaders): Passing => ({
  context,
  status,
  upstream,
  contentType: headerOf(upstream, 'content-type') || 'application/json',
  announced: announcedLength(upstream),
  isVectors: context.call.operation === 'embed',
  pieces: [],
  bytes: 0,
  relaying: false,
  head: undefined,
  last: undefined,
});

/** Neither announced nor chunked: then a cut looks like an end. */
const isBounded = ({ announced, upstream }: Passing): boolean => announced !== undefined || headerOf(upstream, 'transfer-encoding') !== '';

function begin(passing: Passing, length: number | undefined): void {
  const { context, status, upstream, contentType } = passing;
  context.sink.begin(status, laneHeaders(context, upstream, contentType), length);
}

function keepTail(passing: Passing, chunk: Buffer): void {
  const { pieces, isVectors } = passing;
  const tail = isVectors ? SHORT_TAIL : TAIL;
  passing.bytes += chunk.length;
  pieces.push(chunk);
  let oldest = pieces[0];
  while (oldest && passing.bytes - oldest.length > tail) {
    passing.head ??= oldest;
    passing.bytes -= oldest.length;
    pieces.shift();
    oldest = pieces[0];
  }
}

/** Of vectors only what is looked through is kept, as copies: their buffers are used again. */
function keepEnds(passing: Passing, chunk: Buffer): void {
  passing.head ??= Buffer.from(chunk.subarray(0, SHORT_TAIL));
  const last = (passing.last ??= Buffer.allocUnsafe(SHORT_TAIL));
  chunk.copy(last, 0, chunk.length - SHORT_TAIL);
  passing.pieces.splice(0, passing.pieces.length, last);
  passing.bytes = SHORT_TAIL;
}

function passOn(passing: Passing, chunk: Buffer): boolean {
  const { sink } = passing.context;
  if (!passing.isVectors || !sink.pass || chunk.length <= SHORT_TAIL) {
    keepTail(passing, chunk);
    return sink.write(chunk);
  }
  keepEnds(passing, chunk);
  return sink.pass(chunk);
}

/** It is not small: what there is of it goes out, and what comes from now on as it comes. */
function relay(passing: Passing): boolean {
  passing.relaying = true;
  begin(passing, passing.announced);
  let flowing = true;
  passing.bytes = 0;
  for (const piece of passing.pieces.splice(0)) flowing = passOn(passing, piece);
  return flowing;
}

function take(passing: Passing, chunk: Buffer): boolean {
  if (passing.bytes === 0) passing.context.onFirstToken();
  if (passing.relaying) return passOn(passing, chunk);
  passing.bytes += chunk.length;
  passing.pieces.push(chunk);
  return passing.bytes > SMALL ? relay(passing) : true;
}

const malformed = ({ context }: Passing, what: string): void => context.done({ fault: notAnAnswer(context, what), endedBy: 'upstream' });

function endSmall(passing: Passing, body: Buffer): void {
  const { context } = passing;
  if (body.length === 0) return malformed(passing, 'an empty body');
  if (!looksWhole(body) || (!isBounded(passing) && !parseObject(body.toString('utf8')))) {
    return malformed(passing, 'something that is not JSON');
  }
  const tapped = context.target.codec.tap.whole(body);
  const fault = tapped.fault ? ownFault(context, tapped.fault) : errorInside(context, body);
  if (fault) return context.done(endOf(tapped, 'upstream', fault));
  begin(passing, body.length);
  context.sink.end(body);
  return context.done(endOf(tapped, 'upstream'));
}

function endRelayed(passing: Passing, tail: Buffer): void {
  const { context, head } = passing;
  const { sink, target } = context;
  if (!endsWhole(tail)) {
    sink.abort();
    return malformed(passing, 'half a reply');
  }
  sink.end();
  const tapped = target.codec.tap.whole(tail);
  const early = tapped.usage || !head ? tapped : { ...target.codec.tap.whole(head), ...tapped };
  return context.done(endOf(early, 'upstream'));
}

function end(passing: Passing): void {
  const { pieces } = passing;
  const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
  if (passing.relaying) endRelayed(passing, body);
  else endSmall(passing, body);
}

function fail({ context, relaying }: Passing, fault: Fault): void {
  if (relaying) context.sink.abort();
  context.done({ fault, endedBy: 'upstream' });
}

/** A whole reply in the client's own protocol: small ones in one write, larger ones as they come. */
export function rawWhole(context: LaneContext, status: number, upstream: UpstreamHeaders): AnswerMode {
  const passing = newPassing(context, status, upstream);
  return {
    body: (chunk) => take(passing, chunk),
    end: () => end(passing),
    fail: (fault) => fail(passing, fault),
  };
}
