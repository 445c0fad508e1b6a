import {
  createCollector,
  type Emit,
  type Fault,
  GatewayError,
  gatewayFault,
  parseObject,
  type Reply,
  type ReplyEvent,
  type Tool,
  unfold,
} from '../../ir/index.ts';
import type { ReplyContext } from '../../protocols/protocol.ts';
import type { UpstreamHeaders, UpstreamSink } from '../../upstream/send.ts';
import { createEventStreamReader } from '../../wire/aws-event-stream.ts';
import { createSseReader, type SseReader } from '../../wire/sse.ts';
import type { Decoded } from '../call.ts';
import { restoreTools } from '../restore-tools.ts';
import { createClientStream, endOf, replyContext, type Seen, see } from './client-stream.ts';
import { type AnswerMode, collectMode, createAnswer, type LaneContext, laneHeaders, notAnAnswer } from './lane.ts';

/** Listens to the events of a reply beside the client: sealed state, stored responses. */
export type Listener = (event: ReplyEvent) => void;

const sourceContext = (context: LaneContext): { maker: string; newId: LaneContext['newId'] } => ({
  maker: context.target.provider.maker,
  newId: context.newId,
});

/** What went wrong in reading the upstream: its own fault where it said one, else that it is not to be understood. */
const readFault = (context: LaneContext, error: unknown): Fault =>
  error instanceof GatewayError ? error.fault : notAnAnswer(context, 'something that cannot be read');

/** Writes a whole reply in the client's own words. */
function sendWhole(context: LaneContext, reply: Reply, reply2: ReplyContext, upstream: UpstreamHeaders, listen: Listener): void {
  const seen: Seen = {};
  unfold(reply, (event) => {
    see(seen, event);
    listen(event);
  });
  const body = context.call.client.encodeReply(reply, reply2);
  context.call.prepared?.onReply?.({ wire: body, reply });
  const bytes = Buffer.from(JSON.stringify(body));
  context.sink.begin(200, laneHeaders(context, upstream, 'application/json'), bytes.length);
  context.sink.end(bytes);
  context.done(endOf(seen, 'upstream'));
}

/** A whole reply with the client's own tool names. */
function restored(tools: readonly Tool[], reply: Reply): Reply {
  const collector = createCollector();
  unfold(
    reply,
    restoreTools(tools, (event) => collector.event(event)),
  );
  return { ...reply, parts: collector.result().reply.parts };
}

/** A whole reply, translated. */
function wholeMode(context: LaneContext, decoded: Decoded, upstream: UpstreamHeaders, listen: Listener): AnswerMode {
  return collectMode(context, (bytes) => {
    context.onFirstToken();
    const parsed = parseObject(bytes.toString('utf8'));
    if (!parsed) {
      context.done({
        fault: notAnAnswer(context, bytes.length === 0 ? 'an empty body' : 'something that is not JSON'),
        endedBy: 'upstream',
      });
      return;
    }
    const words = replyContext(context, decoded.request, decoded.body);
    try {
      const reply = restored(decoded.request.tools, context.target.codec.decodeReply(parsed, sourceContext(context)));
      if (context.call.stream) {
        const stream = createClientStream(context, context.call.client.streamEncoder(words), upstream, listen);
        unfold(reply, (event) => stream.event(event));
      } else sendWhole(context, reply, words, upstream, listen);
    } catch (error) {
      if (!context.sink.begun) context.done({ fault: readFault(context, error), endedBy: 'upstream' });
      else throw error;
    }
  });
}

/** Reads frames off an upstream stream, in whatever framing it has. */
function readerFor(context: LaneContext): SseReader {
  return context.target.wire.wire.framing === 'aws-event-stream' ? createEventStreamReader() : createSseReader();
}

/** A stream, translated event by event; also collected whole for a client that did not ask for one. */
function streamMode(context: LaneContext, decoded: Decoded, upstream: UpstreamHeaders, listen: Listener): AnswerMode {
  const reader = readerFor(context);
  const decoder = context.target.codec.streamDecoder(sourceContext(context));
  const words = replyContext(context, decoded.request, decoded.body);
  const collector = createCollector();
  const keep = context.call.prepared?.onReply !== undefined;
  const stream = createClientStream(context, context.call.client.streamEncoder(words), upstream, (event) => {
    listen(event);
    if (keep) collector.event(event);
    if (keep && event.type === 'reply-end') context.call.prepared?.onReply?.({ reply: collector.result().reply });
  });
  const emit: Emit = restoreTools(decoded.request.tools, (event) => stream.event(event));
  const finish = (cut?: Fault): void => {
    if (!stream.over) decoder.end(emit, cut);
  };
  const guarded = (work: () => void): void => {
    try {
      work();
    } catch (error) {
      context.abortUpstream();
      if (!stream.over) emit({ type: 'fault', fault: readFault(context, error) });
    }
  };
  const onFrame: Parameters<SseReader['push']>[1] = (frame) => {
    if (!stream.over) decoder.frame(frame, emit);
  };
  return {
    body(bytes) {
      if (stream.over) return true;
      guarded(() => {
        reader.push(bytes, onFrame);
        if (decoder.done) finish();
        else if (stream.over) context.abortUpstream();
      });
      return stream.flowing;
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
  };
}

/** The translated lane: decode, then encode. */
export function createTranslatedLane(context: LaneContext, decoded: Decoded, listen: Listener): UpstreamSink {
  return createAnswer(context, (_, headers, contentType) => {
    const isStream = contentType.startsWith('text/event-stream') || contentType.startsWith('application/vnd.amazon.eventstream');
    if (isStream && context.call.stream) return streamMode(context, decoded, headers, listen);
    if (contentType.includes('json') || contentType === '') return wholeMode(context, decoded, headers, listen);
    return collectMode(context, (body) => {
      const what = body.length === 0 ? 'an empty body' : `'${contentType.split(';')[0]}'`;
      context.done({ fault: notAnAnswer(context, what), endedBy: 'upstream' });
    });
  });
}

/** A fault for a reply that has to be cut off by the gateway (a deadline). */
export const deadlineFault = (what: 'first token' | 'total'): Fault =>
  gatewayFault(
    'timeout',
    what === 'total' ? 'The reply took longer than the time allowed for the whole call' : 'The upstream sent no first token in time',
    {
      code: what === 'total' ? 'upstream_total_timeout' : 'upstream_first_token_timeout',
    },
  );
