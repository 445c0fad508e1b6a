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

/** The longest line that is read; a longer one is a fault of the upstream. */
export const MAX_LINE_BYTES = 32 * 1024 * 1024;
/** Longer texts are most of what they were cut out of; to copy one that grows again and again would cost more than it saves. */
const LOOSE_CHARS = 4096;

/**
 * A reader that decodes whole lines only, so a character split over two reads is never broken. CR alone ends a line
 * too; a CR at the end of a read waits for the next byte, which may be its LF.
 */
export function createSseReader(maxLineBytes = MAX_LINE_BYTES): SseReader {
  let rest: Buffer[] = [];
  let restBytes = 0;
  let first = true;
  let event: string | undefined;
  let data: string | undefined;

  const dispatch = (onFrame: OnFrame): void => {
    if (data !== undefined) onFrame(event === undefined ? { data } : { event, data });
    event = undefined;
    data = undefined;
  };
  const line = (text: string, onFrame: OnFrame): void => {
    if (text === '') {
      dispatch(onFrame);
      return;
    }
    if (text.startsWith('data:')) {
      const value = text.charCodeAt(5) === 32 ? text.slice(6) : text.slice(5);
      data = data === undefined ? value : `${data}\n${value}`;
    } else if (text.startsWith('event:')) {
      event = text.charCodeAt(6) === 32 ? text.slice(7) : text.slice(6);
    } else if (text === 'data') data = data === undefined ? '' : `${data}\n`;
    // Comments, `id:` and `retry:` mean nothing to a gateway.
  };
  const lines = (text: string, onFrame: OnFrame): void => {
    let from = 0;
    if (text.includes('\r')) {
      for (const one of text.split(/\r\n|\r|\n/)) line(one, onFrame);
      return;
    }
    for (let to = text.indexOf('\n'); to >= 0; to = text.indexOf('\n', from)) {
      line(text.slice(from, to), onFrame);
      from = to + 1;
    }
    line(text.slice(from), onFrame);
  };
  /** What an event that has not ended yet says: it would keep all the text that was read with it. */
  const keepLoose = (): void => {
    if (event !== undefined && event.length <= LOOSE_CHARS) event = ownText(event);
    if (data !== undefined && data.length <= LOOSE_CHARS) data = ownText(data);
  };
  const keep = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    restBytes += bytes.length;
    if (restBytes > maxLineBytes)
      throw new GatewayError(gatewayFault('upstream', 'The upstream sent a line that is too long', { code: 'upstream_line_too_long' }));
    rest.push(keptPiece(bytes));
  };
  const take = (bytes: Buffer): Buffer => {
    if (rest.length === 0) return bytes;
    rest.push(bytes);
    const whole = Buffer.concat(rest);
    rest = [];
    restBytes = 0;
    return whole;
  };
  const decode = (bytes: Buffer): string => {
    let text = bytes.toString('utf8');
    if (first && text.length > 0) {
      first = false;
      if (text.charCodeAt(0) === 0xfeff) text = text.slice(1);
    }
    return text;
  };

  return {
    push(bytes, onFrame) {
      // The last line end in this read; a CR in last place may be half of one.
      let at = bytes.lastIndexOf(LF);
      if (bytes.length > 0) {
        const cr = bytes.lastIndexOf(CR, bytes.length - 2);
        if (cr > at && bytes.length > 1) at = cr;
      }
      // A CR kept back from the last read ends its line as soon as anything follows it.
      if (at < 0) {
        const last = rest.at(-1);
        if (last && last[last.length - 1] === CR && bytes.length > 0) {
          const whole = take(bytes);
          const cut = whole.length - bytes.length;
          lines(decode(whole.subarray(0, cut - 1)), onFrame);
          keep(whole.subarray(cut));
          return;
        }
        keep(bytes);
        return;
      }
      const whole = take(bytes.subarray(0, at + 1));
      const crlf = whole.length > 1 && whole[whole.length - 1] === LF && whole[whole.length - 2] === CR;
      lines(decode(whole.subarray(0, whole.length - (crlf ? 2 : 1))), onFrame);
      keep(bytes.subarray(at + 1));
      keepLoose();
    },
    end(onFrame) {
      const whole = take(Buffer.alloc(0));
      if (whole.length > 0) lines(decode(whole), onFrame);
      dispatch(onFrame);
    },
  };
}

/** Writes a frame as SSE text. `data` must hold no line break, which JSON text never does. */
export const sseText = (data: string, event?: string): string =>
  event === undefined ? `data: ${data}\n\n` : `event: ${event}\ndata: ${data}\n\n`;
