import {
  createCollector,
  type Emit,
  type Fault,
  GatewayError,
  parseObject,
  type Reply,
  type ReplyEvent,
  type Tool,
  unfold,
} from '../../ir/index.ts';
import type { UpstreamHeaders } from '../../upstream/send.ts';
import { createEventStreamReader } from '../../wire/aws-event-stream.ts';
import { createSseReader, type SseReader } from '../../wire/sse.ts';
import type { Decoded } from '../call.ts';
import { restoreTools } from '../restore-tools.ts';
import { boundedDecoder } from './bounded-reply.ts';
import { createClientStream, endOf, factsOf, replyContext, type ReplyTaker, type Seen, see } from './client-stream.ts';
import { createShownImages } from './shown-images.ts';
import {
  type AnswerMode,
  collectMode,
  createAnswer,
  type Lane,
  type LaneContext,
  laneHeaders,
  notAnAnswer,
  ownFault,
  wrongTypeMode,
} from './lane.ts';

/** Listens to the events of a reply beside the client: sealed state, stored responses. */
export type Listener = (event: ReplyEvent) => void;

/** Makes what takes the events of an answer; called once the answer's head has come. */
export type MakeTaker = (context: LaneContext, upstream: UpstreamHeaders) => ReplyTaker;

const sourceContext = (context: LaneContext): { maker: string; newId: LaneContext['newId'] } => ({
  maker: context.target.provider.maker,
  newId: context.newId,
});

/** Writes a whole reply in the client's own words. */
function sendWhole(context: LaneContext, decoded: Decoded, reply: Reply, seen: Seen, upstream: UpstreamHeaders): void {
  const body = context.call.client.encodeReply(reply, replyContext(context, decoded.request, decoded.body));
  const bytes = Buffer.from(JSON.stringify(body));
  context.sink.begin(200, laneHeaders(context, upstream, 'application/json'), bytes.length);
  context.sink.end(bytes);
  context.done(endOf(seen, 'upstream'));
}

/** Takes events for a client that wants the reply whole. */
function createWholeTaker(context: LaneContext, decoded: Decoded, upstream: UpstreamHeaders, listen: Listener): ReplyTaker {
  const collector = createCollector();
  const seen: Seen = {};
  let over = false;
  return {
    isOver: () => over,
    flows: () => true,
    soFar: () => factsOf(seen),
    event(event) {
      if (over) return;
      see(seen, event);
      listen(event);
      collector.event(event);
      if (event.type === 'fault') {
        over = true;
        context.done(endOf(seen, 'upstream', ownFault(context, event.fault)));
      } else if (event.type === 'reply-end') {
        over = true;
        sendWhole(context, decoded, collector.result().reply, seen, upstream);
      }
    },
  };
}

/** Takes events for a client that wants a stream. */
function createStreamTaker(context: LaneContext, decoded: Decoded, upstream: UpstreamHeaders, listen: Listener): ReplyTaker {
  const encoder = context.call.client.streamEncoder(replyContext(context, decoded.request, decoded.body));
  return createClientStream(context, encoder, upstream, listen);
}

/** What takes a reply's events for the client of this call, as it asked. */
export function clientTaker(context: LaneContext, decoded: Decoded, upstream: UpstreamHeaders, listen: Listener): ReplyTaker {
  const taker = (context.call.stream ? createStreamTaker : createWholeTaker)(context, decoded, upstream, listen);
  const { showImage } = context;
  if (!showImage) return taker;
  return createShownImages(taker, showImage, { resume: () => context.resumeUpstream(), onDefect: context.onDefect });
}

const makesImages = ({ parts, others = [] }: Reply): boolean =>
  [parts, ...others.map((other) => other.parts)].some((all) => all.some((part) => part.kind === 'media'));

/** A whole reply with the client's own tool names. */
function restored(tools: readonly Tool[], reply: Reply): Reply {
  const collector = createCollector();
  const named = restoreTools(tools, collector.event);
  if (named === collector.event) return reply;
  unfold(reply, named);
  const { parts, others } = collector.result().reply;
  return { ...reply, parts, ...(others ? { others } : {}) };
}

/** A whole answer, decoded. `take` gets the reply. */
function wholeAnswer(context: LaneContext, decoded: Decoded, take: (reply: Reply) => void): AnswerMode {
  return collectMode(context, (bytes) => {
    const parsed = parseObject(bytes.toString('utf8'));
    let reply: Reply;
    try {
      if (!parsed) throw new GatewayError(notAnAnswer(context, bytes.length === 0 ? 'an empty body' : 'something that is not JSON'));
      reply = restored(decoded.request.tools, context.target.codec.decodeReply(parsed, sourceContext(context)));
    } catch (error) {
      if (!(error instanceof GatewayError)) throw error;
      context.done({ fault: ownFault(context, error.fault), endedBy: 'upstream' });
      return;
    }
    take(reply);
  });
}

/** A whole answer for the call's own client, as it asked. */
export function translatedWhole(context: LaneContext, decoded: Decoded, upstream: UpstreamHeaders, listen: Listener): AnswerMode {
  return wholeAnswer(context, decoded, (reply) => {
    if (context.call.stream || (context.showImage && makesImages(reply))) {
      const taker = clientTaker(context, decoded, upstream, listen);
      unfold(reply, (event) => taker.event(event));
      return;
    }
    const seen: Seen = {};
    unfold(reply, (event) => {
      see(seen, event);
      listen(event);
    });
    sendWhole(context, decoded, reply, seen, upstream);
  });
}

/** Reads frames off an upstream stream, in whatever framing it has. */
function readerFor(context: LaneContext): SseReader {
  return context.target.wire.wire.framing === 'aws-event-stream' ? createEventStreamReader() : createSseReader();
}

/** A stream, decoded event by event. */
function streamAnswer(context: LaneContext, decoded: Decoded, taker: ReplyTaker): AnswerMode {
  const reader = readerFor(context);
  const decoder = boundedDecoder(context.target.codec.streamDecoder(sourceContext(context)));
  const emit: Emit = restoreTools(decoded.request.tools, (event) => taker.event(event));
  const finish = (cut?: Fault): void => {
    if (!taker.isOver()) decoder.end(emit, cut);
  };
  /** What breaks the reading ends the reply with a fault; what breaks the writing is a defect. */
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      if (!(error instanceof GatewayError) || taker.isOver()) throw error;
      context.abortUpstream();
      taker.event({ type: 'fault', fault: error.fault });
    }
  };
  const onFrame: Parameters<SseReader['push']>[1] = (frame) => {
    if (!taker.isOver()) decoder.frame(frame, emit);
  };
  return {
    body(bytes) {
      if (taker.isOver()) return true;
      guarded(() => {
        reader.push(bytes, onFrame);
        if (decoder.isDone()) finish();
        else if (taker.isOver()) context.abortUpstream();
      });
      return taker.flows();
    },
    end() {
      guarded(() => {
        reader.end(onFrame);
        finish();
      });
    },
    fail(fault) {
      guarded(() => finish(fault));
    },
    soFar: () => taker.soFar(),
  };
}

/** A streamed answer for the call's own client, as it asked. */
export const translatedStream = (context: LaneContext, decoded: Decoded, upstream: UpstreamHeaders, listen: Listener): AnswerMode =>
  streamAnswer(context, decoded, clientTaker(context, decoded, upstream, listen));

const isStreamType = (contentType: string): boolean =>
  contentType.startsWith('text/event-stream') || contentType.startsWith('application/vnd.amazon.eventstream');

/** The translated lane: decode, then encode. */
export function createTranslatedLane(context: LaneContext, decoded: Decoded, listen: Listener): Lane {
  return createAnswer(context, (_, headers, contentType) => {
    if (isStreamType(contentType)) return translatedStream(context, decoded, headers, listen);
    if (contentType.includes('json') || contentType === '') return translatedWhole(context, decoded, headers, listen);
    return wrongTypeMode(context, contentType);
  });
}

/** The translated lane of one call among several for one client: its events go where they are told. */
export function createBranchLane(context: LaneContext, decoded: Decoded, makeTaker: MakeTaker): Lane {
  return createAnswer(context, (_, headers, contentType) => {
    if (isStreamType(contentType)) return streamAnswer(context, decoded, makeTaker(context, headers));
    if (contentType.includes('json') || contentType === '') {
      return wholeAnswer(context, decoded, (reply) => {
        const taker = makeTaker(context, headers);
        unfold(reply, (event) => taker.event(event));
      });
    }
    return wrongTypeMode(context, contentType);
  });
}
