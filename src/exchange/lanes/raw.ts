import { createNotes, type Fault, gatewayFault, parseObject } from '../../ir/index.ts';
import type { Tapped } from '../../protocols/protocol.ts';
import type { UpstreamHeaders } from '../../upstream/send.ts';
import { createSseReader } from '../../wire/sse.ts';
import type { AttemptEnd, Call, Decoded } from '../call.ts';
import { choicesOf, untilLastChoice } from '../choices.ts';
import { hideInBytes } from '../hide-secrets.ts';
import { createFrameText } from './client-stream.ts';
import {
  type AnswerMode,
  createAnswer,
  headerOf,
  type Lane,
  type LaneContext,
  laneHeaders,
  notAnAnswer,
  ownFault,
  type SoFar,
  wrongTypeMode,
} from './lane.ts';
import { createRawRelay } from './raw-relay.ts';
import { translatedStream, translatedWhole } from './translated.ts';

/** A whole answer up to this size goes out in one write with its head. */
const SMALL = 64 * 1024;
/** Of larger ones this much is looked through for usage after they have passed. */
const TAIL = 1024 * 1024;
/** Of vectors, which are long and say nothing: before them or after them. */
const SHORT_TAIL = 4 * 1024;

const factsOf = (tapped: Tapped): SoFar => ({
  ...(tapped.usage ? { usage: tapped.usage } : {}),
  ...(tapped.stop ? { stop: tapped.stop } : {}),
  ...(tapped.model === undefined ? {} : { upstreamModel: tapped.model }),
});

const endOf = (tapped: Tapped, endedBy: AttemptEnd['endedBy'], fault?: Fault): AttemptEnd => ({
  endedBy,
  ...(fault ? { fault } : {}),
  ...factsOf(tapped),
});

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

/** A whole reply: small ones in one write, larger ones as they come. */
function wholeMode(context: LaneContext, status: number, upstream: UpstreamHeaders): AnswerMode {
  const { sink, target } = context;
  const contentType = headerOf(upstream, 'content-type') || 'application/json';
  const isPacked = headerOf(upstream, 'content-encoding') !== '';
  const announced = isPacked ? Number.NaN : Number.parseInt(headerOf(upstream, 'content-length'), 10);
  // Neither announced nor chunked: then a cut looks like an end.
  const isBounded = !Number.isNaN(announced) || headerOf(upstream, 'transfer-encoding') !== '';
  const pieces: Buffer[] = [];
  const isVectors = context.call.operation === 'embed';
  const tail = isVectors ? SHORT_TAIL : TAIL;
  let head: Buffer | undefined;
  let last: Buffer | undefined;
  let bytes = 0;
  let relaying = false;

  const begin = (): boolean => {
    relaying = true;
    sink.begin(status, laneHeaders(context, upstream, contentType), Number.isNaN(announced) ? undefined : announced);
    let flowing = true;
    bytes = 0;
    for (const piece of pieces.splice(0)) flowing = passOn(piece);
    return flowing;
  };
  const keepTail = (chunk: Buffer): void => {
    pieces.push(chunk);
    let oldest = pieces[0];
    while (oldest && bytes - oldest.length > tail) {
      head ??= oldest;
      bytes -= oldest.length;
      pieces.shift();
      oldest = pieces[0];
    }
  };
  /** Of vectors only what is looked through is kept, as copies: their buffers are used again. */
  const passOn = (chunk: Buffer): boolean => {
    if (!isVectors || !sink.pass || chunk.length <= SHORT_TAIL) {
      bytes += chunk.length;
      keepTail(chunk);
      return sink.write(chunk);
    }
    head ??= Buffer.from(chunk.subarray(0, SHORT_TAIL));
    last ??= Buffer.allocUnsafe(SHORT_TAIL);
    chunk.copy(last, 0, chunk.length - SHORT_TAIL);
    pieces.splice(0, pieces.length, last);
    bytes = SHORT_TAIL;
    return sink.pass(chunk);
  };
  const malformed = (what: string): void => context.done({ fault: notAnAnswer(context, what), endedBy: 'upstream' });
  const small = (body: Buffer): void => {
    if (body.length === 0) return malformed('an empty body');
    if (!looksWhole(body) || (!isBounded && !parseObject(body.toString('utf8')))) return malformed('something that is not JSON');
    const tapped = target.codec.tap.whole(body);
    const fault = tapped.fault ? ownFault(context, tapped.fault) : errorInside(context, body);
    if (fault) return context.done(endOf(tapped, 'upstream', fault));
    sink.begin(status, laneHeaders(context, upstream, contentType), body.length);
    sink.end(body);
    return context.done(endOf(tapped, 'upstream'));
  };
  return {
    body(chunk) {
      if (bytes === 0) context.onFirstToken();
      if (relaying) return passOn(chunk);
      bytes += chunk.length;
      pieces.push(chunk);
      return bytes > SMALL ? begin() : true;
    },
    end() {
      const body = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
      if (!relaying) return small(body);
      if (!endsWhole(body)) {
        sink.abort();
        return malformed('half a reply');
      }
      sink.end();
      const tapped = target.codec.tap.whole(body);
      const early = tapped.usage || !head ? tapped : { ...target.codec.tap.whole(head), ...tapped };
      return context.done(endOf(early, 'upstream'));
    },
    fail(fault) {
      if (relaying) sink.abort();
      context.done({ fault, endedBy: 'upstream' });
    },
  };
}

/** How long the last word after an upstream's error (`response.failed`) is waited for. */
const LAST_WORD_MS = 500;

/** Comments that came before the first event and are kept for the client; more of them are let go. */
const MAX_EARLY_BYTES = 16 * 1024;

/** Bytes one after another; `undefined` when there are none. */
const joined = (...pieces: readonly (Buffer | undefined)[]): Buffer | undefined => {
  const some = pieces.filter((piece) => piece !== undefined);
  return some.length > 1 ? Buffer.concat(some) : some[0];
};

/** A stream of the client's own protocol: bytes pass, the finish event waits for the true end. */
function streamMode(context: LaneContext, upstream: UpstreamHeaders, dropUsageChunk: boolean): AnswerMode {
  const { sink, call, target } = context;
  const relay = createRawRelay(untilLastChoice(target.codec.tap, choicesOf(call)), dropUsageChunk);
  const text = createFrameText(call.form);
  const faults = call.client.relayedFaults?.();
  let early: Buffer | undefined;
  let started = false;
  let over = false;
  let lastWord: NodeJS.Timeout | undefined;

  const begin = (): void => {
    const contentType = call.form === 'sse' ? headerOf(upstream, 'content-type') : text.contentType;
    sink.begin(200, { ...laneHeaders(context, upstream, contentType), 'cache-control': 'no-cache' });
  };
  /** Whole events in the form that the client reads: as they are, or each event's JSON in the array or on its own. */
  const dress = (bytes: Buffer): Buffer | string => {
    if (call.form === 'sse') return bytes;
    let out = '';
    const reader = createSseReader();
    reader.push(bytes, (frame) => (out += text.frame(frame.data, frame.event)));
    reader.end((frame) => (out += text.frame(frame.data, frame.event)));
    return out;
  };
  const say = (events: Buffer): boolean => {
    faults?.see(events);
    return sink.write(dress(events));
  };
  const close = (tapped: Tapped, fault?: Fault): void => {
    over = true;
    clearTimeout(lastWord);
    if (fault) context.abortUpstream();
    context.done(endOf(tapped, 'upstream', fault));
  };
  /** Says what is left, and how it ended. `live`: bytes that were on their way. */
  const finish = (clean: boolean, live?: Buffer, cut?: Fault): void => {
    const { held, error, tapped, complete } = relay.end(clean);
    const fault = tapped.fault ? ownFault(context, tapped.fault) : complete ? undefined : (cut ?? endedEarly(relay.hasBegun()));
    if (fault && !sink.begun) return close(tapped, fault);
    if (!sink.begun) begin();
    // The upstream's own error event is the client's dialect already, unless it speaks of our credential.
    const own = error && fault?.by === 'upstream' ? hideInBytes(target.provider.settings, error) : undefined;
    for (const rest of [early, live, held, own]) if (rest) say(rest);
    if (fault && !own) {
      (faults ?? call.client).faultFrame(fault, call.id, (data, event) => sink.write(text.frame(data, event)));
    }
    sink.end(text.close());
    return close(tapped, fault);
  };

  const isOpening = (out: Buffer | undefined): boolean =>
    out !== undefined && (early?.length ?? 0) + out.length <= MAX_EARLY_BYTES && target.codec.tap.opening?.(out) === true;

  return {
    body(bytes) {
      if (over) return true;
      const out = relay.push(bytes);
      // Of a stream that only says that it begins nothing is told: what follows may be an error.
      if (relay.hasBegun() && !started && !isOpening(out)) {
        started = true;
        context.onFirstToken();
      }
      if (relay.tapped().fault && !relay.isOver() && sink.begun) lastWord ??= setTimeout(() => over || finish(true), LAST_WORD_MS);
      if (relay.isOver() || (relay.tapped().fault && !sink.begun)) {
        finish(true, out);
        return true;
      }
      if (!out) return true;
      if (!sink.begun) {
        if (!started) {
          if ((early?.length ?? 0) + out.length <= MAX_EARLY_BYTES) early = joined(early, out);
          return true;
        }
        begin();
      }
      const all = joined(early, out);
      early = undefined;
      return all ? say(all) : true;
    },
    end() {
      if (!over) finish(true);
    },
    fail(fault) {
      if (!over) finish(false, undefined, fault);
    },
    soFar: () => factsOf(relay.tapped()),
  };
}

const endedEarly = (begun: boolean): Fault =>
  begun
    ? gatewayFault('upstream', 'The upstream ended its stream before the reply was complete', { code: 'stream_ended_early' })
    : gatewayFault('upstream', 'The upstream sent an empty stream', { code: 'upstream_empty' });

/** The call read into the shared language, for answers that came in another form than was asked for. */
function decodedCall(call: Call): Decoded {
  const body = call.prepared?.body ?? parseObject(call.body.toString('utf8')) ?? {};
  return { request: call.client.decodeRequest({ ...body, model: call.model, stream: call.stream }), body, notes: createNotes() };
}

const nobody = (): void => {};

/** The raw lane: the client's protocol on both sides, bytes untouched. Answers in the other form (some servers ignore `stream`) are translated into the one that was asked for. */
export function createRawLane(context: LaneContext, dropUsageChunk: boolean): Lane {
  return createAnswer(context, (status, headers, contentType) => {
    const { stream, operation } = context.call;
    const isStream = contentType.startsWith('text/event-stream');
    const isJson = contentType.includes('json') || contentType === '';
    if (stream && isStream) return streamMode(context, headers, dropUsageChunk);
    if (!stream && isJson) return wholeMode(context, status, headers);
    if (operation === 'generate' && (isJson || isStream)) {
      const mode = isJson ? translatedWhole : translatedStream;
      return mode(context, decodedCall(context.call), headers, nobody);
    }
    return wrongTypeMode(context, contentType);
  });
}
