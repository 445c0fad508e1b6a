import { GatewayError, gatewayFault, ownText } from '../ir/index.ts';
import { keptPiece } from './pieces.ts';

/** One server-sent event as it was dispatched. */
export interface SseFrame {
  /** `event:` field; absent when the stream did not name it. */
  readonly event?: string;
  /** `data:` lines joined by LF. */
  readonly data: string;
}

/** Takes one frame. */
export type OnFrame = (frame: SseFrame) => void;

/** Reads server-sent events from bytes however they are cut. https://html.spec.whatwg.org/multipage/server-sent-events.html#parsing-an-event-stream */
export interface SseReader {
  push(bytes: Buffer, onFrame: OnFrame): void;
  /** The bytes have ended: a last event without its blank line is dispatched too (providers leave it out, PROVIDERS §1). */
  end(onFrame: OnFrame): void;
}

const LF = 10;
const CR = 13;

/** The longest line that is read, and the longest event of several; a longer one is a fault of the upstream. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** Longer texts are most of what they were cut out of; to copy one that grows again and again would cost more than it saves. */
const LOOSE_CHARS = 4096;
/** What joining one more line to an event takes besides its characters. */
const LINE_COST = 64;
/** So many of the longest lines may come without an event: comments, fields that mean nothing. */
const UNHEARD_LINES = 2;

/**
 * A reader that decodes whole lines only, so a character split over two reads is never broken. CR alone ends a line
 * too; a CR at the end of a read waits for the next byte, which may be its LF. A class, since there is one for each stream.
 */
class LineReader implements SseReader {
  readonly #maxLineBytes: number;
  #rest: Buffer[] = [];
  #restBytes = 0;
  /** Bytes that have come since the last event. */
  #unheard = 0;
  #first = true;
  #event: string | undefined;
  #data: string | undefined;
  /** What the lines of an event after its first weigh. */
  #more = 0;

  constructor(maxLineBytes: number) {
    this.#maxLineBytes = maxLineBytes;
  }

  push(bytes: Buffer, onFrame: OnFrame): void {
    if (this.#unheard > UNHEARD_LINES * this.#maxLineBytes) this.#giveUp('comments without an end');
    this.#unheard += bytes.length;
    // The last line end in this read; a CR in last place may be half of one.
    let at = bytes.lastIndexOf(LF);
    if (bytes.length > 0) {
      const cr = bytes.lastIndexOf(CR, bytes.length - 2);
      if (cr > at && bytes.length > 1) at = cr;
    }
    // A CR kept back from the last read ends its line as soon as anything follows it.
    if (at < 0) {
      const last = this.#rest.at(-1);
      if (last && last[last.length - 1] === CR && bytes.length > 0) {
        const whole = this.#take(bytes);
        const cut = whole.length - bytes.length;
        this.#lines(this.#decode(whole.subarray(0, cut - 1)), onFrame);
        this.#keep(whole.subarray(cut));
        return;
      }
      this.#keep(bytes);
      return;
    }
    const whole = this.#take(bytes.subarray(0, at + 1));
    const crlf = whole.length > 1 && whole[whole.length - 1] === LF && whole[whole.length - 2] === CR;
    this.#lines(this.#decode(whole.subarray(0, whole.length - (crlf ? 2 : 1))), onFrame);
    this.#keep(bytes.subarray(at + 1));
    this.#keepLoose();
  }

  end(onFrame: OnFrame): void {
    const whole = this.#take(Buffer.alloc(0));
    if (whole.length > 0) this.#lines(this.#decode(whole), onFrame);
    this.#dispatch(onFrame);
  }

  #dispatch(onFrame: OnFrame): void {
    const event = this.#event;
    const data = this.#data;
    // Before it is told: whoever takes it may throw.
    this.#event = undefined;
    this.#data = undefined;
    this.#more = 0;
    if (data === undefined) return;
    this.#unheard = 0;
    onFrame(event === undefined ? { data } : { event, data });
  }

  #line(text: string, onFrame: OnFrame): void {
    if (text === '') {
      this.#dispatch(onFrame);
      return;
    }
    const data = this.#data;
    if (text.startsWith('data:')) {
      const value = text.charCodeAt(5) === 32 ? text.slice(6) : text.slice(5);
      this.#data = data === undefined ? value : this.#longer(data, value);
    } else if (text.startsWith('event:')) {
      this.#event = text.charCodeAt(6) === 32 ? text.slice(7) : text.slice(6);
    } else if (text === 'data') this.#data = data === undefined ? '' : this.#longer(data, '');
    // Comments, `id:` and `retry:` mean nothing to a gateway.
  }

  /** An event goes on: one that never ends is given up as a line is. */
  #longer(data: string, value: string): string {
    this.#more += value.length + LINE_COST;
    if (this.#more > this.#maxLineBytes) this.#giveUp('an event that is too long');
    return `${data}\n${value}`;
  }

  #lines(text: string, onFrame: OnFrame): void {
    let from = 0;
    if (text.includes('\r')) {
      for (const one of text.split(/\r\n|\r|\n/)) this.#line(one, onFrame);
      return;
    }
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      this.#line(text.slice(from, to), onFrame);
      from = to + 1;
    }
    this.#line(text.slice(from), onFrame);
  }

  /** What an event that has not ended yet says: it would keep all the text that was read with it. */
  #keepLoose(): void {
    if (this.#event !== undefined && this.#event.length <= LOOSE_CHARS) this.#event = ownText(this.#event);
    if (this.#data !== undefined && this.#data.length <= LOOSE_CHARS) this.#data = ownText(this.#data);
  }

  /** Nothing of it is left, so that what is told of it can be read in its place. */
  #giveUp(what: string): never {
    this.#rest = [];
    this.#restBytes = 0;
    this.#unheard = 0;
    this.#event = undefined;
    this.#data = undefined;
    this.#more = 0;
    throw new GatewayError(gatewayFault('upstream', `The upstream sent ${what}`, { code: 'upstream_line_too_long' }));
  }

  #keep(bytes: Buffer): void {
    if (bytes.length === 0) return;
    this.#restBytes += bytes.length;
    if (this.#restBytes > this.#maxLineBytes) this.#giveUp('a line that is too long');
    this.#rest.push(keptPiece(bytes));
  }

  #take(bytes: Buffer): Buffer {
    if (this.#rest.length === 0) return bytes;
    this.#rest.push(bytes);
    const whole = Buffer.concat(this.#rest);
    this.#rest = [];
    this.#restBytes = 0;
    return whole;
  }

  #decode(bytes: Buffer): string {
    let text = bytes.toString('utf8');
    if (this.#first && text.length > 0) {
      this.#first = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    return text;
  }
}

/** Nothing has been read. */
export const createSseReader = (maxLineBytes = MAX_LINE_BYTES): SseReader => new LineReader(maxLineBytes);

/** Writes a frame as SSE text. `data` must hold no line break, which JSON text never does. */
export const sseText = (data: string, event?: string): string =>
  event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`;
