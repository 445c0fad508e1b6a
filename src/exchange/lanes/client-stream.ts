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

/** Writes events to the client; nothing is sent before the first one that is not a fault, so that a failure there keeps its status. */
class ClientStream implements ReplyTaker {
  readonly #context: LaneContext;
  readonly #encoder: StreamEncoder;
  readonly #upstream: UpstreamHeaders;
  readonly #listen: ((event: ReplyEvent) => void) | undefined;
  readonly #text: FrameText;
  readonly #write: WriteFrame;
  readonly #seen: Seen = {};
  #flowing = true;
  #over = false;
  #first = true;
  #pending = '';

  constructor(context: LaneContext, encoder: StreamEncoder, upstream: UpstreamHeaders, listen?: (event: ReplyEvent) => void) {
    this.#context = context;
    this.#encoder = encoder;
    this.#upstream = upstream;
    this.#listen = listen;
    this.#text = createFrameText(context.call.form);
    this.#write = (data, event) => {
      this.#pending += this.#text.frame(data, event);
    };
  }

  flows(): boolean {
    const since = this.#flowing;
    this.#flowing = true;
    return this.#context.sink.flush?.() ?? since;
  }

  soFar(): SoFar {
    return factsOf(this.#seen);
  }

  isOver(): boolean {
    return this.#over;
  }

  event(event: ReplyEvent): void {
    if (this.#over) return;
    see(this.#seen, event);
    this.#listen?.(event);
    if (event.type === 'fault') {
      this.#fail(event.fault);
      return;
    }
    if (this.#first && event.type !== 'reply-start' && event.type !== 'usage') {
      this.#first = false;
      this.#context.onFirstToken();
    }
    this.#encoder.event(event, this.#write);
    if (event.type === 'reply-end') this.#end();
    // That a reply begins, and what it has read, proves nothing: wait for what follows, an error may still keep its status.
    else if (this.#pending !== '' && (this.#context.sink.begun || (event.type !== 'reply-start' && event.type !== 'usage'))) this.#send();
  }

  #begin(): void {
    const { sink } = this.#context;
    if (sink.begun) return;
    sink.begin(200, { ...laneHeaders(this.#context, this.#upstream, this.#text.contentType), 'cache-control': 'no-cache' });
  }

  #send(): void {
    this.#begin();
    this.#flowing = this.#context.sink.write(this.#pending) && this.#flowing;
    this.#pending = '';
  }

  #end(): void {
    this.#over = true;
    this.#begin();
    this.#context.sink.end(this.#pending + this.#text.close());
    this.#context.done(endOf(this.#seen, 'upstream'));
  }

  #fail(said: Fault): void {
    this.#over = true;
    const { sink } = this.#context;
    const fault = ownFault(this.#context, said);
    if (sink.begun) {
      this.#encoder.event({ type: 'fault', fault }, this.#write);
      sink.end(this.#pending + this.#text.close());
    }
    this.#context.done(endOf(this.#seen, 'upstream', fault));
  }
}

/** What takes a reply's events to the client. */
export const createClientStream = (
  context: LaneContext,
  encoder: StreamEncoder,
  upstream: UpstreamHeaders,
  listen?: (event: ReplyEvent) => void,
): ReplyTaker => new ClientStream(context, encoder, upstream, listen);
