import type { WebSocket } from 'ws';
import type { ClientSink, OutHeaders } from '../../exchange/client-sink.ts';
import { type Fault, isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import type { ClientCodec } from '../../protocols/protocol.ts';
import type { ReplyHandler } from '../../state/reply-handler.ts';
import { WaitingTexts } from './waiting-texts.ts';

/** The way to one peer. */
export interface Line {
  /** `false`: wait for `onDrain`. */
  send(text: string): boolean;
  /** One listener, told whenever there is room again. */
  onDrain(listener: () => void): void;
  /** `headers`: those that this error would have by HTTP and that say what no member does. */
  error(status: number, error: JsonObject, streamId?: unknown, headers?: OutHeaders): void;
  fault(fault: Fault, id: string, streamId?: unknown): void;
  /** Closes it when all has gone out. */
  close(code: number, reason: string): void;
  /** Asks for a sign of life. */
  ping(): void;
  /** Where more waits to go out than may, nothing more is read until it has: whoever asks on and reads no answer is not listened to. */
  holdBack(): void;
  /** The peer is not listening now, as it has not taken what it was sent. */
  isBehind(): boolean;
  /** Monotonic milliseconds: nothing has gone out since then. */
  readonly idleSince: number;
  /** Letters of the texts that went out, or wait to. */
  readonly sent: number;
}

/** When to come back, as clients of this wire look for it: in the headers that the error would have had. */
const RETRY_AFTER = 'retry-after';

const comeBack = (headers: OutHeaders): { readonly headers?: OutHeaders } =>
  headers[RETRY_AFTER] === undefined ? {} : { headers: { [RETRY_AFTER]: headers[RETRY_AFTER] } };

const inSeconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)));

class SocketLine implements Line {
  idleSince = performance.now();
  sent = 0;
  readonly #socket: WebSocket;
  readonly #client: ClientCodec;
  /** What may not go out yet: each message on its way costs the socket more than its bytes. */
  readonly #waiting = new WaitingTexts();
  #drain: (() => void) | undefined;
  #close: (() => void) | undefined;

  constructor(socket: WebSocket, client: ClientCodec) {
    this.#socket = socket;
    this.#client = client;
    socket.on('ping', (data) => {
      socket.pong(data, false, this.#onOut);
      this.holdBack();
    });
  }
  send(text: string): boolean {
    this.idleSince = performance.now();
    this.sent += text.length;
    if (this.#isFlowing()) this.#socket.send(text, this.#onOut);
    else this.#waiting.push(text);
    return this.#isFlowing();
  }
  onDrain(listener: () => void): void {
    this.#drain = listener;
  }
  error(status: number, error: JsonObject, streamId?: unknown, headers: OutHeaders = {}): void {
    const named = typeof streamId === 'string' ? { stream_id: streamId } : {};
    this.send(JSON.stringify({ type: 'error', status, error, ...comeBack(headers), ...named }));
  }
  fault(fault: Fault, id: string, streamId?: unknown): void {
    const { status, body } = this.#client.encodeFault(fault, id);
    const error = isObject(body['error']) ? body['error'] : { message: fault.message, code: fault.code ?? null, param: null };
    const { retryAfterMs } = fault;
    this.error(status, error, streamId, retryAfterMs === undefined ? {} : { [RETRY_AFTER]: inSeconds(retryAfterMs) });
  }
  close(code: number, reason: string): void {
    this.#close = () => this.#socket.close(code, reason);
    if (this.#waiting.isEmpty) this.#close();
  }
  /** What waits goes out after it: it may be all that is on its way. */
  ping(): void {
    this.#socket.ping(undefined, undefined, this.#onOut);
  }
  holdBack(): void {
    if (!this.#isFlowing()) this.#socket.pause();
  }
  isBehind(): boolean {
    return this.#socket.bufferedAmount > 0;
  }
  #hasRoom(): boolean {
    return this.#socket.bufferedAmount === 0;
  }
  #isFlowing(): boolean {
    return this.#waiting.isEmpty && this.#hasRoom();
  }
  readonly #onOut = (): void => {
    while (!this.#waiting.isEmpty && this.#hasRoom()) this.#socket.send(this.#waiting.shift() ?? '', this.#onOut);
    if (this.#waiting.isEmpty) this.#close?.();
    if (!this.#isFlowing()) return;
    if (this.#socket.isPaused) this.#socket.resume();
    this.#drain?.();
  };
}

/** The way to a peer: nothing more goes out before what went was taken. */
export const createLine = (socket: WebSocket, client: ClientCodec): Line => new SocketLine(socket, client);

/** The client of one turn. `gones`: who is told when the connection is gone. */
export function turnHandler(socket: WebSocket, line: Line, gones: Set<() => void>, streamId: unknown): ReplyHandler {
  const named = typeof streamId === 'string' ? `{"stream_id":${JSON.stringify(streamId)},` : undefined;
  const isClosed = (): boolean => socket.readyState !== socket.OPEN;
  return {
    hasBegun: () => false,
    isClosed,
    begin: () => undefined,
    frame(data) {
      // One JSON text is one message: some providers end their streams with a word that is none.
      const text = data.trimStart();
      if (!text.startsWith('{')) return true;
      return line.send(named === undefined ? text : named + text.slice(1));
    },
    end: () => undefined,
    whole(status, headers, body) {
      const error = parseObject(body.toString('utf8'))?.['error'];
      line.error(status, isObject(error) ? error : { message: 'The response failed', code: null, param: null }, streamId, headers);
    },
    abort: () => socket.terminate(),
    onGone(listener) {
      if (isClosed()) listener();
      else gones.add(listener);
    },
    onDrain: (listener) => line.onDrain(listener),
  };
}

/** What keeps a silent turn's connection: a ping is nothing to the client, and a sign of life to every proxy before it. */
class PingSink implements ClientSink {
  readonly begun = true;
  readonly #socket: WebSocket;
  readonly #line: Line;
  #pingedAt = performance.now();
  #isOver = false;

  constructor(socket: WebSocket, line: Line) {
    this.#socket = socket;
    this.#line = line;
  }
  get closed(): boolean {
    return this.#isOver || this.#socket.readyState !== this.#socket.OPEN;
  }
  /** Monotonic milliseconds: nothing has gone out since then. */
  get idleSince(): number {
    return Math.max(this.#line.idleSince, this.#pingedAt);
  }
  write(): boolean {
    this.#pingedAt = performance.now();
    // Behind what waits it would say nothing.
    if (!this.#line.isBehind()) this.#line.ping();
    return true;
  }
  /** The turn is over. */
  end(): void {
    this.#isOver = true;
  }
  begin(): void {}
  abort(): void {}
  onGone(): void {}
  onDrain(): void {}
}

/** A way to the peer over which pings go, for whoever keeps answers alive, until it is ended. */
export const createPingSink = (socket: WebSocket, line: Line): ClientSink => new PingSink(socket, line);

/** What a turn has told a peer it may still be reading, and comes to our pings after it: so many more may go unanswered then. */
const BEHIND_PINGS = 9;
/** Letters that no peer needs long for, after the end of a turn. */
const FEW = 64 * 1024;

/** Notices a peer that is gone: a ping is not answered before the next one. `inTurn`: one is told something now. */
export function watchPeer(socket: WebSocket, line: Line, everyMs: number, inTurn: () => boolean): void {
  let unanswered = 0;
  /** What had been sent before the first ping that is not answered, and what of it was read for certain. */
  let [pinged, read] = [line.sent, line.sent];
  const isBehind = (): boolean => line.sent - read > (inTurn() ? 0 : FEW);
  const timer = setInterval(() => {
    if (unanswered > (isBehind() ? BEHIND_PINGS : 0)) return socket.terminate();
    if (unanswered === 0) pinged = line.sent;
    unanswered++;
    line.ping();
  }, everyMs).unref();
  socket.on('pong', () => {
    unanswered = 0;
    read = pinged;
  });
  // Who asks on may not have read so far.
  socket.on('message', () => (unanswered = 0));
  socket.on('close', () => clearInterval(timer));
}
