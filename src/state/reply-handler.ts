import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';
import { createSseReader, sseText } from '../wire/sse.ts';

/** Takes what an exchange says to its client, read: a stream frame by frame, or one whole answer (errors too). */
export interface ReplyHandler {
  /** A stream has begun, perhaps by a keep-alive before the exchange said anything: errors are in-band. */
  readonly begun: boolean;
  /** The client has hung up, or everything was said. */
  readonly closed: boolean;
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

/** The largest whole answer that is held; a larger one is broken off. */
const MAX_WHOLE_BYTES = 64 * 1024 * 1024;

const isStream = (headers: OutHeaders): boolean => String(headers['content-type'] ?? '').startsWith('text/event-stream');

/** A client for an exchange whose words go to a handler. */
export function createReplySink(handler: ReplyHandler): ClientSink {
  const reader = createSseReader();
  const pieces: Buffer[] = [];
  let head: { readonly status: number; readonly headers: OutHeaders } | undefined;
  let streaming = false;
  let ended = false;
  let flowing = true;
  let bytesHeld = 0;

  const hold = (buffer: Buffer): void => {
    bytesHeld += buffer.length;
    if (bytesHeld <= MAX_WHOLE_BYTES) pieces.push(buffer);
    else if (!ended) {
      ended = true;
      pieces.length = 0;
      handler.abort();
    }
  };
  const take = (bytes: Buffer | string): void => {
    const buffer = typeof bytes === 'string' ? Buffer.from(bytes) : bytes;
    if (!streaming && !(head === undefined && handler.begun)) hold(buffer);
    else
      reader.push(buffer, (frame) => {
        flowing = handler.frame(frame.data, frame.event);
      });
  };
  return {
    get begun() {
      return head !== undefined || handler.begun;
    },
    get closed() {
      return ended || handler.closed;
    },
    begin(status, headers) {
      if (head) return;
      head = { status, headers };
      streaming = status === 200 && isStream(headers);
      if (streaming) handler.begin(headers);
    },
    write(bytes) {
      if (!ended) take(bytes);
      return flowing;
    },
    end(bytes) {
      if (ended) return;
      if (bytes !== undefined) take(bytes);
      if (bytesHeld > MAX_WHOLE_BYTES) return;
      ended = true;
      if (streaming || (head === undefined && handler.begun)) {
        reader.end((frame) => handler.frame(frame.data, frame.event));
        handler.end();
      } else handler.whole(head?.status ?? 500, head?.headers ?? {}, Buffer.concat(pieces));
    },
    abort() {
      if (ended) return;
      if (!streaming && !handler.begun) {
        // Nothing of a whole answer was told yet: the fault that follows can be told as it should be.
        head = undefined;
        pieces.length = 0;
        bytesHeld = 0;
        return;
      }
      ended = true;
      handler.abort();
    },
    onGone: (listener) => handler.onGone(listener),
    onDrain: (listener) => handler.onDrain(listener),
  };
}

/** Hands what was read on to an HTTP client. */
export function httpHandler(sink: ClientSink): ReplyHandler {
  return {
    get begun() {
      return sink.begun;
    },
    get closed() {
      return sink.closed;
    },
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
