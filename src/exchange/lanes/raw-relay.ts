import { GatewayError, gatewayFault, isObject, parseObject } from '../../ir/index.ts';
import type { Tapped, TapRules } from '../../protocols/protocol.ts';
import { keptPiece } from '../../wire/pieces.ts';
import { createSseReader, MAX_LINE_BYTES, type SseFrame } from '../../wire/sse.ts';
import { searchFor } from './needles.ts';

const LF = 10;
const CR = 13;

/** What may be held back after the finish event: usage, the last word, with several choices those that still run. */
const MAX_HELD_BYTES = 8 * 1024 * 1024;
/** An unfinished event up to this size is joined with what follows it; of longer ones the pieces are only kept. */
const JOIN_BYTES = 64 * 1024;
/** A blank line is four bytes at most: so many of the last piece's bytes may belong to it. */
const SEAM = 3;

/** The byte after the last blank line, or 0: up to there the bytes are whole events. */
export function lastEventEnd(bytes: Buffer): number {
  const { length } = bytes;
  // As nearly always: the read ends where an event does.
  if (length > 1 && bytes[length - 1] === LF && bytes[length - 2] === LF) return length;
  for (let at = bytes.length - 1; at > 0;) {
    const lf = bytes.lastIndexOf(LF, at);
    const cr = bytes.lastIndexOf(CR, at);
    const end = lf > cr ? lf : cr;
    if (end <= 0) return 0;
    const before = bytes[end - 1];
    if (end === lf) {
      if (before === LF) return end + 1;
      if (before === CR && end > 1 && (bytes[end - 2] === LF || bytes[end - 2] === CR)) return end + 1;
    } else if (before === CR) return end + 1;
    at = end - 1;
  }
  return 0;
}

/** Cuts whole events apart, terminators included. */
function* eventsOf(bytes: Buffer): Iterable<Buffer> {
  let from = 0;
  for (let at = 0; at < bytes.length; at++) {
    if (bytes[at] !== LF && bytes[at] !== CR) continue;
    let next = at + (bytes[at] === CR && bytes[at + 1] === LF ? 2 : 1);
    const second = bytes[next];
    if (second !== LF && second !== CR) {
      at = next - 1;
      continue;
    }
    next += second === CR && bytes[next + 1] === LF ? 2 : 1;
    yield bytes.subarray(from, next);
    from = next;
    at = next - 1;
  }
  if (from < bytes.length) yield bytes.subarray(from);
}

/** Relays a stream's bytes of the client's own protocol and finds in them what the exchange must know. */
export interface RawRelay {
  /** What may go on to the client now: whole events only, so that a cut never leaves half of one; the rest is held. */
  push(bytes: Buffer): Buffer | undefined;
  /**
   * After the upstream's end: what was held, and what was found. `clean`: not cut. Of a stream that is not complete the
   * finish event is left out. `error`: the upstream's own error event, where it sent a whole one.
   */
  end(clean: boolean): {
    readonly held: Buffer | undefined;
    readonly error: Buffer | undefined;
    readonly tapped: Tapped;
    readonly complete: boolean;
  };
  tapped(): Tapped;
  /** Nothing that counts can follow: the last word was said, or an error. */
  isOver(): boolean;
  /** An event that is neither a comment nor the bare last word has been seen. */
  hasBegun(): boolean;
}

const NOTHING: Tapped = { done: false, finished: false };

interface Held {
  readonly bytes: Buffer;
  readonly finish: boolean;
}

const tooLong = (what: string): GatewayError =>
  new GatewayError(gatewayFault('upstream', `The upstream sent ${what}`, { code: 'upstream_line_too_long' }));

/** Joins pieces until a whole event is there. */
function createCarry(): { add(bytes: Buffer): Buffer | undefined; take(): Buffer | undefined } {
  let pieces: Buffer[] = [];
  let size = 0;
  const joined = (): Buffer => {
    const whole = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces, size);
    pieces = [];
    size = 0;
    return whole;
  };
  const keep = (bytes: Buffer): void => {
    if (bytes.length === 0) return;
    pieces.push(keptPiece(bytes));
    size += bytes.length;
    if (size <= MAX_LINE_BYTES) return;
    pieces = [];
    size = 0;
    throw tooLong('an event that is too long');
  };
  /** Whether the event that is kept ends in `bytes`; looked for only there, so that a long event is not searched again and again. */
  const endsIn = (bytes: Buffer): boolean => {
    const last = pieces.at(-1);
    if (!last) return lastEventEnd(bytes) > 0;
    return lastEventEnd(Buffer.concat([last.subarray(-SEAM), bytes])) > 0;
  };
  return {
    /** The whole events that are there now, or nothing. */
    add(bytes) {
      if (size > JOIN_BYTES && !endsIn(bytes)) {
        keep(bytes);
        return undefined;
      }
      if (size > 0) pieces.push(bytes);
      size += size > 0 ? bytes.length : 0;
      const whole = size > 0 ? joined() : bytes;
      const cut = lastEventEnd(whole);
      if (cut === whole.length) return whole;
      keep(cut === 0 ? whole : whole.subarray(cut));
      return cut === 0 ? undefined : whole.subarray(0, cut);
    },
    take: () => (size === 0 ? undefined : joined()),
  };
}

/** `dropUsageChunk`: the gateway asked for a usage chunk that the client did not ask for; it is taken out again. */
export function createRawRelay(rules: TapRules, dropUsageChunk: boolean): RawRelay {
  const search = searchFor(rules.needles);
  const carry = createCarry();
  let held: Held[] | undefined;
  let error: Buffer | undefined;
  let awaitsLast = false;
  let heldBytes = 0;
  let tapped: Tapped = NOTHING;
  let first = rules.first;
  let begun = false;

  const read = (event: Buffer): boolean => {
    let finish = false;
    const reader = createSseReader();
    const onFrame = (frame: SseFrame): void => {
      const { finish: isFinish, ...found } = rules.read(frame, tapped);
      tapped = found;
      finish ||= isFinish === true;
      first = false;
    };
    reader.push(event, onFrame);
    reader.end(onFrame);
    begun ||= !tapped.done && isData(event);
    return finish;
  };
  const hold = (bytes: Buffer, finish: boolean): void => {
    if (tapped.fault) {
      // Only the error itself, and the last word where the dialect has one after errors (`response.failed`).
      if (error && !tapped.done) return;
      // An event without its blank line would be none to a reader.
      const whole = lastEventEnd(bytes) === 0 ? [bytes, BLANK] : [bytes];
      error = Buffer.concat(error ? [error, ...whole] : whole);
      awaitsLast = finish && !tapped.done;
      return;
    }
    (held ??= []).push({ bytes, finish });
    heldBytes += bytes.length;
    if (held.length > 1 && heldBytes - (held[0] as Held).bytes.length > MAX_HELD_BYTES)
      throw tooLong('too much after the end of its reply');
  };
  const holdAll = (block: Buffer): void => {
    for (const event of eventsOf(block)) {
      if (tapped.fault && !awaitsLast) return;
      hold(event, read(event));
    }
  };
  /** Reads the events of a block that may matter; returns how many of its bytes may go on. `firstHit`: the first place of a needle. */
  const inspect = (block: Buffer, firstHit: number): number => {
    let free = 0;
    while (free < block.length) {
      const hit = first ? free : firstHit >= free ? firstHit : search(block, free);
      const start = hit < 0 ? block.length : free + lastEventEnd(block.subarray(free, hit));
      if (start > free) begun ||= isData(block.subarray(free, start));
      free = start;
      for (const event of eventsOf(block.subarray(start))) {
        const finish = read(event);
        if (finish || tapped.fault || tapped.done) {
          hold(event, finish);
          holdAll(block.subarray(start + event.length));
          return start;
        }
        free += event.length;
        break;
      }
    }
    return free;
  };

  return {
    tapped: () => tapped,
    isOver: () => tapped.done || (tapped.fault !== undefined && !awaitsLast),
    hasBegun: () => begun,
    push(bytes) {
      const block = carry.add(bytes);
      if (!block) return undefined;
      if (held || tapped.fault) {
        holdAll(block);
        return undefined;
      }
      const hit = first ? 0 : search(block, 0);
      if (hit < 0) {
        begun ||= isData(block);
        return block;
      }
      const free = inspect(block, hit);
      return free === 0 ? undefined : block.subarray(0, free);
    },
    end(clean) {
      const last = carry.take();
      // The last event may lack its blank line; of a stream that was cut it may be half of one, unless it is the last word.
      if (last && !tapped.done && (!tapped.fault || awaitsLast)) {
        const finish = read(last);
        if (clean || tapped.done || tapped.fault) hold(last, finish);
      }
      const complete = tapped.fault === undefined && begun && (tapped.done || (clean && tapped.finished && rules.finishIsEnd === true));
      const kept: Buffer[] = [];
      for (const { bytes, finish } of held ?? []) {
        // A last word without a reply before it is none.
        const isLeftOut = complete ? dropUsageChunk && isUsageChunk(bytes) : finish || (tapped.done && !tapped.fault);
        if (!isLeftOut) kept.push(bytes);
      }
      held = undefined;
      return { held: kept.length > 0 ? Buffer.concat(kept) : undefined, error: awaitsLast ? undefined : error, tapped, complete };
    },
  };
}

const BLANK = Buffer.from('\n\n');
const DATA = Buffer.from('data');

const DONE = Buffer.from('[DONE]');
const MAX_DONE_EVENT = 24;

/** Whether the block holds an event and not only comments; `[DONE]` alone, which some append in every dialect, says nothing. */
function isData(block: Buffer): boolean {
  if (block.length <= MAX_DONE_EVENT && block.indexOf(DONE) >= 0) return false;
  for (let at = block.indexOf(DATA); at >= 0; at = block.indexOf(DATA, at + 1)) {
    const before = at === 0 ? LF : block[at - 1];
    if (before === LF || before === CR || (at === 3 && block[0] === 0xef)) return true;
  }
  return false;
}

/** The chunk that `stream_options.include_usage` adds: no choices, only usage. */
function isUsageChunk(event: Buffer): boolean {
  if (event.indexOf('"usage"') < 0) return false;
  const text = event.toString('utf8');
  const data = parseObject(text.slice(text.indexOf('data:') + 5).trim());
  return data !== undefined && Array.isArray(data['choices']) && data['choices'].length === 0 && isObject(data['usage']);
}
