import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';
import { GatewayError, gatewayFault } from '../ir/index.ts';
import { createSseReader, sseText } from '../wire/sse.ts';

/** Takes what an exchange says to its client, read: a stream frame by frame, or one whole answer (errors too). */
export interface ReplyHandler {
  /** A stream has begun, perhaps by a keep-alive before the exchange said anything: errors are in-band. */
  hasBegun(): boolean;
  /** The client has hung up, or everything was said. */
  isClosed(): boolean;
  /** A stream begins. */
  begin(headers: OutHeaders): void;
  /** `false`: wait for `onDrain`. */
  frame(data: string, event?: string): boolean;
  /** The stream has ended by itself. */
  end(): void;
  whole(status: number, headers: OutHeaders, body: Buffer): void;
  /** What was said is not complete, and must not look so. */
  abort(): void;
  onGone(listener: () => void): void;
  onDrain(listener: () => void): void;
}

/** The largest whole answer that is held; a larger one is a fault. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

const tooLong = (): GatewayError =>
  new GatewayError(gatewayFault('upstream', 'The upstream answered with more than can be held', { code: 'upstream_malformed' }));

const isStream = (headers: OutHeaders): boolean => String(headers['content-type'] ?? '').startsWith('text/event-stream');

/** A class, since there is one for each call: an object literal with getters has a hidden class of its own, which outlives the call. */
class ReplySink implements ClientSink {
  readonly #handler: ReplyHandler;
  readonly #reader = createSseReader();
  readonly #pieces: Buffer[] = [];
  #head: { readonly status: number; readonly headers: OutHeaders } | undefined;
  #streaming = false;
  #ended = false;
  #flowing = true;
  #bytesHeld = 0;

  constructor(handler: ReplyHandler) {
    this.#handler = handler;
  }
  get begun(): boolean {
    return this.#head !== undefined || this.#handler.hasBegun();
  }
  get closed(): boolean {
    return this.#ended || this.#handler.isClosed();
  }
  begin(status: number, headers: OutHeaders): void {
    if (this.#head) return;
    this.#head = { status, headers };
    this.#streaming = status === 200 && isStream(headers);
    if (this.#streaming) this.#handler.begin(headers);
  }
  write(bytes: Buffer | string): boolean {
    if (!this.#ended) this.#take(bytes);
    return this.#flowing;
  }
  end(bytes?: Buffer | string): void {
    if (this.#ended) return;
    if (bytes !== undefined) this.#take(bytes);
    this.#ended = true;
    if (this.#isRead()) {
      this.#reader.end((frame) => this.#handler.frame(frame.data, frame.event));
      this.#handler.end();
    } else this.#handler.whole(this.#head?.status ?? 500, this.#head?.headers ?? {}, Buffer.concat(this.#pieces));
  }
  abort(): void {
    if (this.#ended) return;
    if (!this.#streaming && !this.#handler.hasBegun()) return this.#forget();
    this.#ended = true;
    this.#handler.abort();
  }
  onGone(listener: () => void): void {
    this.#handler.onGone(listener);
  }
  onDrain(listener: () => void): void {
    this.#handler.onDrain(listener);
  }

  /** What comes is read as a stream, in whichever way that began. */
  #isRead(): boolean {
    return this.#streaming || (this.#head === undefined && this.#handler.hasBegun());
  }
  #take(bytes: Buffer | string): void {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    if (!this.#isRead()) return this.#hold(buffer);
    this.#reader.push(buffer, (frame) => {
      this.#flowing = this.#handler.frame(frame.data, frame.event);
    });
  }
  #hold(buffer: Buffer): void {
    this.#bytesHeld += buffer.length;
    if (this.#bytesHeld <= MAX_WHOLE_BYTES) return void this.#pieces.push(buffer);
    this.#forget();
    throw tooLong();
  }
  /** Nothing of a whole answer was told yet: the fault that follows can be told as it should be. */
  #forget(): void {
    this.#head = undefined;
    this.#pieces.length = 0;
    this.#bytesHeld = 0;
  }
}

/** A client for an exchange whose words go to a handler. */
export const createReplySink = (handler: ReplyHandler): ClientSink => new ReplySink(handler);

/** Hands what was read on to an HTTP client. */
export function httpHandler(sink: ClientSink): ReplyHandler {
  return {
    hasBegun: () => sink.begun,
    isClosed: () => sink.closed,
    begin: (headers) => sink.begin(200, headers),
    frame: (data, event) => sink.write(sseText(data, event)),
    end: () => sink.end(),
    whole(status, headers, body) {
      sink.begin(status, headers, body.length);
      sink.end(body);
    },
    abort: () => sink.abort(),
    onGone: (listener) => sink.onGone(listener),
    onDrain: (listener) => sink.onDrain(listener),
  };
}
