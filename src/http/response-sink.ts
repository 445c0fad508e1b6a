import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ClientSink, OutHeaders } from '../exchange/client-sink.ts';
import { reusePiece } from '../wire/pieces.ts';

const CRLF = '\r\n';
const LAST_CHUNK = '0\r\n\r\n';

/** How long a client may take nothing of the rest of an answer. node:http sets another timeout once all was taken. */
const STALLED_MS = 120_000;

/** Answers and chunks up to this size are joined with what goes before and after them; of larger ones copies would cost more than a writev. */
const JOINED_BYTES = 16 * 1024;

/** Text that one turn has gathered beyond this goes out before the turn is over, so that who writes is told at once when it is not taken. */
const GATHERED_BYTES = 64 * 1024;
/** And bytes that come together in such a piece. Not of the first turn, where the head has to go out as well: often it is the last one. */
const PIECE_BYTES = 4 * 1024;

const sizeOf = (pieces: readonly (Buffer | string)[]): number => {
  let bytes = 0;
  for (const piece of pieces) bytes += typeof piece === 'string' ? Buffer.byteLength(piece) : piece.length;
  return bytes;
};

/** Chunk framing: in the same buffer as the data where that is small, one write(2) an event. https://www.rfc-editor.org/rfc/rfc9112#section-7.1 */
function chunkOf(pieces: readonly (Buffer | string)[], last: boolean): readonly (Buffer | string)[] {
  const bytes = sizeOf(pieces);
  if (bytes === 0) return last ? [LAST_CHUNK] : [];
  const size = bytes.toString(16) + CRLF;
  const tail = last ? CRLF + LAST_CHUNK : CRLF;
  // Text becomes bytes here: of what cannot be written at once Node would hold three bytes a character, and the text.
  if (bytes > JOINED_BYTES && pieces.every(Buffer.isBuffer)) return [size, ...pieces, tail];
  const out = Buffer.allocUnsafe(size.length + bytes + tail.length);
  let at = out.write(size, 0, 'latin1');
  for (const piece of pieces) at += typeof piece === 'string' ? out.write(piece, at) : piece.copy(out, at);
  out.write(tail, at, 'latin1');
  return [out];
}

/** What the sink tells besides what every sink does. */
export interface ResponseSink extends ClientSink {
  /** Monotonic milliseconds: nothing has gone out since then. */
  readonly idleSince: number;
  /** Told once, when nothing more can go out. One listener. */
  onOver(listener: () => void): void;
}

/**
 * A client over node:http. What one turn of the event loop writes is joined; a client that does not read makes `write`
 * return false; hanging up before the end is told once.
 *
 * A class, since there is one for each call: an object literal with getters costs V8 a hidden class of its own, which
 * outlives the call and holds all of it until the next large collection.
 */
class HttpSink implements ResponseSink {
  begun = false;
  closed = false;
  idleSince = performance.now();
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #base: OutHeaders;
  #drains: (() => void)[] | undefined;
  #gones: (() => void)[] | undefined;
  #over: (() => void) | undefined;
  #ended = false;
  #gone = false;
  #framed = false;
  #headOut = false;
  /**
   * One array for all turns: a new one for each would have grown old by the time it is filled again, where turns are far apart, and then V8
   * keeps what a dead one holds until the next large collection.
   */
  readonly #queue: (Buffer | string)[] = [];
  #queued = 0;
  /** Of those, what is used again when it is out. */
  #passing: WeakSet<Buffer> | undefined;
  #scheduled = false;
  #said = false;

  constructor(request: IncomingMessage, response: ServerResponse, base: OutHeaders) {
    this.#request = request;
    this.#response = response;
    this.#base = base;
    response.on('drain', () => this.#drained());
    response.on('close', () => this.#hungUp());
    response.on('error', destroy);
  }

  begin(status: number, headers: OutHeaders, length?: number): void {
    if (this.begun || this.#gone) return;
    this.begun = true;
    const out: Record<string, string | readonly string[] | number> = { ...this.#base, ...headers };
    const request = this.#request;
    if (length !== undefined) out['content-length'] = length;
    else if (request.httpVersionMinor > 0 && request.method !== 'HEAD') {
      this.#framed = true;
      out['transfer-encoding'] = 'chunked';
      // A reverse proxy in front must not hold events back. https://nginx.org/en/docs/http/ngx_http_proxy_module.html#proxy_buffering
      out['x-accel-buffering'] = 'no';
    }
    this.#response.writeHead(status, out as Record<string, string>);
    if (this.#framed) this.#response.chunkedEncoding = false;
  }

  write(bytes: Buffer | string): boolean {
    if (this.closed) return true;
    if (bytes.length > 0) {
      this.#add(bytes);
      if (this.#queued >= (typeof bytes === 'string' || !this.#headOut ? GATHERED_BYTES : PIECE_BYTES)) this.#send();
      else if (!this.#scheduled) {
        this.#scheduled = true;
        process.nextTick(sendGathered, this);
      }
    }
    return this.#isTaken();
  }

  pass(bytes: Buffer): boolean {
    (this.#passing ??= new WeakSet()).add(bytes);
    return this.write(bytes);
  }

  end(bytes?: Buffer | string): void {
    if (this.closed) return;
    if (bytes !== undefined && bytes.length > 0) this.#add(bytes);
    this.#end();
    this.#send();
    // A client that does not read what is left is not waited for for ever.
    if (this.#response.writableLength > 0) this.#request.socket.setTimeout(STALLED_MS);
  }

  abort(): void {
    // What was said before is still told.
    this.#send();
    this.#end();
    this.#response.destroy();
  }

  onGone(listener: () => void): void {
    if (this.#gone && !this.#response.writableFinished) listener();
    else (this.#gones ??= []).push(listener);
  }

  onDrain(listener: () => void): void {
    (this.#drains ??= []).push(listener);
  }

  onOver(listener: () => void): void {
    this.#over = listener;
  }

  flush(): boolean {
    this.#send();
    return this.closed || this.#isTaken();
  }

  /** What was to be sent when the turn ends. */
  sendGathered(): void {
    this.#scheduled = false;
    this.#send();
  }

  /** Writes what this turn has gathered. */
  #send(): void {
    const ended = this.#ended;
    if (this.#gone || this.#said || (this.#queue.length === 0 && !ended)) return;
    this.#said = ended;
    this.idleSince = performance.now();
    const bytes = this.#framed ? chunkOf(this.#queue, ended) : [...this.#queue];
    // Before it goes out: what is written meanwhile is the next turn's.
    this.#queue.length = 0;
    this.#queued = 0;
    if (bytes.length > 0) this.#put(bytes);
    if (ended) this.#response.end();
  }

  /**
   * Writes pieces in one call of the system. node:http joins the head with what is written first where that is text: each
   * character of latin1 is the byte that it came from. What is written before `end` costs less than what `end` is given, for
   * which it makes a writev of the head, the bytes and an empty piece.
   */
  #put(pieces: readonly (Buffer | string)[]): void {
    const response = this.#response;
    const { socket } = response;
    socket?.cork();
    for (const piece of pieces) {
      if (typeof piece === 'string') response.write(piece);
      else if (!this.#headOut && piece.length <= JOINED_BYTES) response.write(piece.toString('latin1'), 'latin1');
      else if (this.#passing?.has(piece) === true) response.write(piece, (error) => void (error ? undefined : reusePiece(piece)));
      else response.write(piece);
      this.#headOut = true;
    }
    socket?.uncork();
  }

  /**
   * Whether more may come. node:http asks to wait by what it was given at once: of a large piece that the system took whole nothing is left,
   * and who writes goes on; the drain that is told all the same hurts nobody.
   */
  #isTaken(): boolean {
    const response = this.#response;
    return !response.writableNeedDrain || response.writableLength === 0;
  }

  #end(): void {
    this.#ended = true;
    this.#close();
  }

  #add(bytes: Buffer | string): void {
    this.#queued += bytes.length;
    const last = this.#queue.length - 1;
    const before = this.#queue[last];
    if (typeof bytes === 'string' && typeof before === 'string') this.#queue[last] = before + bytes;
    else this.#queue.push(bytes);
  }

  #close(): void {
    this.closed = true;
    const tell = this.#over;
    this.#over = undefined;
    tell?.();
  }

  #drained(): void {
    for (const drain of this.#drains ?? []) drain();
  }

  #hungUp(): void {
    if (this.#gone) return;
    this.#gone = true;
    this.#close();
    if (!this.#response.writableFinished) for (const listener of this.#gones ?? []) listener();
  }
}

const sendGathered = (sink: HttpSink): void => sink.sendGathered();

function destroy(this: ServerResponse): void {
  this.destroy();
}

/** The way back to a client over node:http. `base`: headers that every answer to it carries. */
export const createResponseSink = (request: IncomingMessage, response: ServerResponse, base: OutHeaders): ResponseSink =>
  new HttpSink(request, response, base);
