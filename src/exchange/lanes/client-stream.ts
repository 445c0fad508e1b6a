import { type ChatRequest, type Fault, type JsonObject, type ReplyEvent, type Stop, type Usage } from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../../protocols/protocol.ts';
import type { UpstreamHeaders } from '../../upstream/send.ts';
import { sseText } from '../../wire/sse.ts';
import type { AttemptEnd, StreamForm } from '../call.ts';
import { type LaneContext, laneHeaders, ownFault, type SoFar } from './lane.ts';

/** How frames of one stream become text on the wire. */
export interface FrameText {
  readonly contentType: string;
  frame(data: string, event?: string): string;
  /** What closes a stream that was begun, broken or not. */
  close(): string;
}

/** Server-sent events, or Gemini's JSON array (element by element). */
export function createFrameText(form: StreamForm): FrameText {
  if (form === 'sse') return { contentType: 'text/event-stream; charset=utf-8', frame: sseText, close: () => '' };
  let first = true;
  return {
    contentType: 'application/json; charset=utf-8',
    frame(data) {
      const head = first ? '[' : ',\r\n';
      first = false;
      return head + data;
    },
    close: () => (first ? '[]' : ']'),
  };
}

/** Where the events of a reply go. */
export interface ReplyTaker {
  /** Takes an event; after `reply-end` or `fault` the attempt is done. */
  event(event: ReplyEvent): void;
  /** `false` when the client must catch up with what was taken since the last look: then wait for its drain. */
  flows(): boolean;
  isOver(): boolean;
  soFar(): SoFar;
}

/** The facts of a reply, gathered while it passes. */
export interface Seen {
  usage?: Usage;
  stop?: Stop;
  model?: string;
}

/** Takes notice of an event. */
export function see(seen: Seen, event: ReplyEvent): void {
  switch (event.type) {
    case 'reply-start':
      seen.model = event.model;
      return;
    case 'usage':
      seen.usage = event.usage;
      return;
    case 'reply-end':
      seen.stop = event.stop;
      return;
    default:
  }
}

/** What was seen, for the record. */
export const factsOf = (seen: Seen): SoFar => ({
  ...(seen.usage ? { usage: seen.usage } : {}),
  ...(seen.stop ? { stop: seen.stop } : {}),
  ...(seen.model === undefined ? {} : { upstreamModel: seen.model }),
});

/** How an attempt that went through `seen` ended. */
export const endOf = (seen: Seen, endedBy: AttemptEnd['endedBy'], fault?: Fault): AttemptEnd => ({
  endedBy,
  ...(fault ? { fault } : {}),
  ...factsOf(seen),
});

/** What the encoder of the client's dialect is told. */
export function replyContext(context: LaneContext, request: ChatRequest, body: JsonObject): ReplyContext {
  const replyId = context.call.prepared?.replyId;
  return {
    request,
    body,
    newId: context.newId,
    now: () => Math.floor(context.now() / 1000),
    notes: context.notes,
    requestId: context.call.id,
    ...(replyId === undefined ? {} : { replyId }),
  };
}

/** What the pieces below share. */
interface Writing {
  readonly context: LaneContext;
  readonly encoder: StreamEncoder;
  readonly upstream: UpstreamHeaders;
  readonly text: FrameText;
  readonly write: WriteFrame;
  readonly seen: Seen;
  /** What was encoded and has not gone to the client. */
  pending: string;
  /** The client has taken all that was written since the last look. */
  isFlowing: boolean;
  /** Content has come. */
  hasContent: boolean;
  isOver: boolean;
}

/** That a reply begins, and what it has read, proves nothing: an error may still keep its status. */
const isOpening = ({ type }: ReplyEvent): boolean => type === 'reply-start' || type === 'usage';

function begin({ context, upstream, text }: Writing): void {
  context.sink.begin(200, { ...laneHeaders(context, upstream, text.contentType), 'cache-control': 'no-cache' });
}

/** Writes an event; what follows the last one does not matter. */
function take(writing: Writing, event: ReplyEvent): void {
  const { context, encoder, write } = writing;
  if (event.type === 'fault') return breakOff(writing, event.fault);
  const opens = isOpening(event);
  if (!opens && !writing.hasContent) {
    writing.hasContent = true;
    context.onFirstToken();
  }
  encoder.event(event, write);
  if (event.type === 'reply-end') return finish(writing);
  if (writing.pending !== '' && (context.sink.begun || !opens)) send(writing);
}

function send(writing: Writing): void {
  const { sink } = writing.context;
  if (!sink.begun) begin(writing);
  writing.isFlowing = sink.write(writing.pending) && writing.isFlowing;
  writing.pending = '';
}

/** The last words; where nothing was sent yet the fault is left to whoever hears of the end. */
function breakOff(writing: Writing, said: Fault): void {
  const { context, encoder, write, seen } = writing;
  writing.isOver = true;
  const fault = ownFault(context, said);
  if (context.sink.begun) {
    encoder.event({ type: 'fault', fault }, write);
    context.sink.end(writing.pending + writing.text.close());
  }
  context.done(endOf(seen, 'upstream', fault));
}

function finish(writing: Writing): void {
  const { context, seen, text } = writing;
  writing.isOver = true;
  if (!context.sink.begun) begin(writing);
  context.sink.end(writing.pending + text.close());
  context.done(endOf(seen, 'upstream'));
}

/**
 * Writes events to the client; nothing is sent before the first one that is not a fault, so that a failure there keeps its status. A function and
 * what it shares, no class: with one V8 held all that a call had until the next large collection, which doubled the cost of a stream.
 */
export function createClientStream(
  context: LaneContext,
  encoder: StreamEncoder,
  upstream: UpstreamHeaders,
  listen?: (event: ReplyEvent) => void,
): ReplyTaker {
  const text = createFrameText(context.call.form);
  const writing: Writing = {
    context,
    encoder,
    upstream,
    text,
    write(data, event) {
      writing.pending += text.frame(data, event);
    },
    seen: {},
    pending: '',
    isFlowing: true,
    hasContent: false,
    isOver: false,
  };
  return {
    flows() {
      const since = writing.isFlowing;
      writing.isFlowing = true;
      return context.sink.flush?.() ?? since;
    },
    soFar: () => factsOf(writing.seen),
    isOver: () => writing.isOver,
    event(event) {
      if (writing.isOver) return;
      see(writing.seen, event);
      listen?.(event);
      take(writing, event);
    },
  };
}
