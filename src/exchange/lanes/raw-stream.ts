import { type Fault, GatewayError, gatewayFault } from '../../ir/index.ts';
import type { RelayedFaults, Tapped } from '../../protocols/protocol.ts';
import type { UpstreamHeaders } from '../../upstream/send.ts';
import { createSseReader, type SseFrame } from '../../wire/sse.ts';
import { choicesOf, untilLastChoice } from '../choices.ts';
import { hideInBytes } from '../hide-secrets.ts';
import { createFrameText, endOf, factsOf, type FrameText } from './client-stream.ts';
import { type AnswerMode, headerOf, type LaneContext, laneHeaders, ownFault } from './lane.ts';
import { createRawRelay, type RawRelay } from './raw-relay.ts';

/** How long the last word after an upstream's error (`response.failed`) is waited for. */
const LAST_WORD_MS = 500;

/** Bytes that may come before the first event of content. */
const MAX_UNHEARD_BYTES = 64 * 1024 * 1024;

/** Comments that came before the first event and are kept for the client; more of them are let go. */
const MAX_EARLY_BYTES = 16 * 1024;

/** Where a stream stands. */
interface Streaming {
  readonly context: LaneContext;
  readonly upstream: UpstreamHeaders;
  readonly relay: RawRelay;
  readonly text: FrameText;
  readonly faults: RelayedFaults | undefined;
  /** What came before the client was told anything. */
  early: Buffer | undefined;
  /** Bytes that have come before the first event of content. */
  unheard: number;
  /** The first event of content has come. */
  started: boolean;
  over: boolean;
  lastWord: NodeJS.Timeout | undefined;
}

function newStreaming(context: LaneContext, upstream: UpstreamHeaders, dropUsageChunk: boolean): Streaming {
  const { call, target } = context;
  return {
    context,
    upstream,
    relay: createRawRelay(untilLastChoice(target.codec.tap, choicesOf(call)), dropUsageChunk),
    text: createFrameText(call.form),
    faults: call.client.relayedFaults?.(),
    early: undefined,
    unheard: 0,
    started: false,
    over: false,
    lastWord: undefined,
  };
}

function begin({ context, upstream, text }: Streaming): void {
  const contentType = context.call.form === 'sse' ? headerOf(upstream, 'content-type') : text.contentType;
  context.sink.begin(200, { ...laneHeaders(context, upstream, contentType), 'cache-control': 'no-cache' });
}

/** Whole events in the form that the client reads: as they are, or each event's JSON in the array or on its own. */
function dress({ context, text }: Streaming, bytes: Buffer): Buffer | string {
  if (context.call.form === 'sse') return bytes;
  let out = '';
  const onFrame = (frame: SseFrame): void => void (out += text.frame(frame.data, frame.event));
  const reader = createSseReader();
  reader.push(bytes, onFrame);
  reader.end(onFrame);
  return out;
}

function say(streaming: Streaming, events: Buffer): boolean {
  streaming.faults?.see(events);
  return streaming.context.sink.write(dress(streaming, events));
}

function sayFault({ context, faults, text }: Streaming, fault: Fault): void {
  const { call, sink } = context;
  (faults ?? call.client).faultFrame(fault, call.id, (data, event) => sink.write(text.frame(data, event)));
}

function close(streaming: Streaming, tapped: Tapped, fault?: Fault): void {
  const { context, lastWord } = streaming;
  streaming.over = true;
  clearTimeout(lastWord);
  if (fault) context.abortUpstream();
  context.done(endOf(tapped, 'upstream', fault));
}

const endedEarly = (begun: boolean): Fault =>
  begun
    ? gatewayFault('upstream', 'The upstream ended its stream before the reply was complete', { code: 'stream_ended_early' })
    : gatewayFault('upstream', 'The upstream sent an empty stream', { code: 'upstream_empty' });

/** What went wrong by the end of a stream, if anything did. `cut`: what broke it. */
function faultOf({ context, relay }: Streaming, { tapped, complete }: ReturnType<RawRelay['end']>, cut?: Fault): Fault | undefined {
  if (tapped.fault) return ownFault(context, tapped.fault);
  return complete ? undefined : (cut ?? endedEarly(relay.hasBegun()));
}

/** Says what is left, and how it ended. `live`: bytes that were on their way. */
function finish(streaming: Streaming, clean: boolean, live?: Buffer, cut?: Fault): void {
  const { context, early, relay, text } = streaming;
  const { sink, target } = context;
  const ending = relay.end(clean);
  const { held, error, tapped } = ending;
  const fault = faultOf(streaming, ending, cut);
  if (fault && !sink.begun) return close(streaming, tapped, fault);
  if (!sink.begun) begin(streaming);
  // The upstream's own error event is the client's dialect already, unless it speaks of our credential.
  const own = error && fault?.by === 'upstream' ? hideInBytes(target.provider.settings, error) : undefined;
  for (const rest of [early, live, held, own]) if (rest) say(streaming, rest);
  if (fault && !own) sayFault(streaming, fault);
  sink.end(text.close());
  return close(streaming, tapped, fault);
}

function finishNow(streaming: Streaming): void {
  if (!streaming.over) finish(streaming, true);
}

/** Whether it still fits into what is kept for the client. */
const isEarly = ({ early }: Streaming, out: Buffer): boolean => (early?.length ?? 0) + out.length <= MAX_EARLY_BYTES;

const endless = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream sent a stream that says nothing', { code: 'upstream_empty' }));

const isOpening = (streaming: Streaming, out: Buffer | undefined): boolean =>
  out !== undefined && isEarly(streaming, out) && streaming.context.target.codec.tap.opening?.(out) === true;

/** Bytes after those that were kept for the client, if any were. */
const afterEarly = ({ early }: Streaming, out: Buffer): Buffer => (early ? Buffer.concat([early, out]) : out);

/** Whole events on their way to the client. Of a stream that only says that it begins nothing is told: what follows may be an error. */
function pass(streaming: Streaming, out: Buffer): boolean {
  if (!streaming.context.sink.begun) {
    if (!streaming.started) {
      streaming.unheard += out.length;
      if (streaming.unheard > MAX_UNHEARD_BYTES) throw endless();
      if (isEarly(streaming, out)) streaming.early = afterEarly(streaming, out);
      return true;
    }
    begin(streaming);
  }
  const all = afterEarly(streaming, out);
  streaming.early = undefined;
  return say(streaming, all);
}

function take(streaming: Streaming, bytes: Buffer): boolean {
  if (streaming.over) return true;
  const { relay, context } = streaming;
  const out = relay.push(bytes);
  const hasFailed = relay.tapped().fault !== undefined;
  // An error in its place is nothing of an answer.
  const isOfAnswer = out !== undefined || !hasFailed;
  if (relay.hasBegun() && !streaming.started && isOfAnswer && !isOpening(streaming, out)) {
    streaming.started = true;
    context.onFirstToken();
  }
  if (relay.isOver() || (hasFailed && !context.sink.begun)) {
    finish(streaming, true, out);
    return true;
  }
  if (hasFailed) streaming.lastWord ??= setTimeout(finishNow, LAST_WORD_MS, streaming);
  return out ? pass(streaming, out) : true;
}

/** A stream of the client's own protocol: bytes pass, the finish event waits for the true end. */
export function rawStream(context: LaneContext, upstream: UpstreamHeaders, dropUsageChunk: boolean): AnswerMode {
  const streaming = newStreaming(context, upstream, dropUsageChunk);
  return {
    body: (bytes) => take(streaming, bytes),
    end: () => finishNow(streaming),
    fail(fault) {
      if (!streaming.over) finish(streaming, false, undefined, fault);
    },
    soFar: () => factsOf(streaming.relay.soFar()),
  };
}
