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
/** So much of the end of what has passed is kept where each event reports. */
const REPORT_BYTES = 1024;
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
  /** The same with what was reported last, also where no event that says it has been read. */
  soFar(): Tapped;
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
export function createCarry(): { add(bytes: Buffer): Buffer | undefined; take(): Buffer | undefined } {
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

/** Where relaying one stream stands. */
interface Relay {
  readonly rules: TapRules;
  readonly search: ReturnType<typeof searchFor>;
  tapped: Tapped;
  /** The first frame is still to come, and is read whatever it is. */
  first: boolean;
  begun: boolean;
  /** The end of what has passed, where that reports, as so many bytes. */
  end: Buffer | undefined;
  endBytes: number;
  held: Held[] | undefined;
  heldBytes: number;
  /** The upstream's own error event. */
  error: Buffer | undefined;
  /** The dialect's last word may follow its error. */
  awaitsLast: boolean;
}

/** Reads one event; tells whether it and all after it are to be held. */
function read(relay: Relay, event: Buffer): boolean {
  let finish = false;
  const reader = createSseReader();
  const onFrame = (frame: SseFrame): void => {
    const { finish: isFinish, ...found } = relay.rules.read(frame, relay.tapped);
    relay.tapped = found;
    finish ||= isFinish === true;
    relay.first = false;
  };
  reader.push(event, onFrame);
  reader.end(onFrame);
  relay.begun ||= !relay.tapped.done && isData(event);
  return finish;
}

function holdError(relay: Relay, bytes: Buffer, finish: boolean): void {
  const { error, tapped } = relay;
  // Only the error itself, and the last word where the dialect has one after errors (`response.failed`).
  if (error && !tapped.done) return;
  // An event without its blank line would be none to a reader.
  const whole = lastEventEnd(bytes) === 0 ? [bytes, BLANK] : [bytes];
  relay.error = Buffer.concat(error ? [error, ...whole] : whole);
  relay.awaitsLast = finish && !tapped.done;
}

function hold(relay: Relay, bytes: Buffer, finish: boolean): void {
  if (relay.tapped.fault) return holdError(relay, bytes, finish);
  const held = (relay.held ??= []);
  held.push({ bytes, finish });
  relay.heldBytes += bytes.length;
  if (held.length > 1 && relay.heldBytes - (held[0] as Held).bytes.length > MAX_HELD_BYTES)
    throw tooLong('too much after the end of its reply');
}

/** Nothing that counts can follow: an error, after which no last word is due. */
const hasFailed = ({ tapped, awaitsLast }: Relay): boolean => tapped.fault !== undefined && !awaitsLast;

function holdAll(relay: Relay, block: Buffer): void {
  for (const event of eventsOf(block)) {
    if (hasFailed(relay)) return;
    hold(relay, event, read(relay, event));
  }
}

/** Reads the events of a block that may matter; returns how many of its bytes may go on. `firstHit`: the first place of a needle. */
function inspect(relay: Relay, block: Buffer, firstHit: number): number {
  let free = 0;
  while (free < block.length) {
    const hit = relay.first ? free : firstHit >= free ? firstHit : relay.search(block, free);
    const start = hit < 0 ? block.length : free + lastEventEnd(block.subarray(free, hit));
    if (start > free) relay.begun ||= isData(block.subarray(free, start));
    free = start;
    for (const event of eventsOf(block.subarray(start))) {
      const finish = read(relay, event);
      if (finish || relay.tapped.fault || relay.tapped.done) {
        hold(relay, event, finish);
        holdAll(relay, block.subarray(start + event.length));
        return start;
      }
      free += event.length;
      break;
    }
  }
  return free;
}

/** A copy: the bytes themselves are read over. */
function keepEnd(relay: Relay, block: Buffer): void {
  relay.end ??= Buffer.allocUnsafeSlow(REPORT_BYTES);
  relay.endBytes = block.copy(relay.end, 0, Math.max(0, block.length - REPORT_BYTES));
}

/** With the report of the last event that has passed. What is held was read. */
function soFar({ rules, tapped, end, endBytes, held }: Relay): Tapped {
  const usage = end && !held ? rules.reported?.(end.subarray(0, endBytes)) : undefined;
  return usage ? { ...tapped, usage } : tapped;
}

/** What of whole events may go on. */
function pass(relay: Relay, block: Buffer): Buffer | undefined {
  if (relay.held || relay.tapped.fault) {
    holdAll(relay, block);
    return undefined;
  }
  if (relay.rules.reported) keepEnd(relay, block);
  const hit = relay.first ? 0 : relay.search(block, 0);
  if (hit < 0) {
    relay.begun ||= isData(block);
    return block;
  }
  const free = inspect(relay, block, hit);
  return free === 0 ? undefined : block.subarray(0, free);
}

/** The last event may lack its blank line. It may also be half of one: unless it is the last word, it goes on with a complete reply only. */
function readLast(relay: Relay, last: Buffer, clean: boolean): void {
  if (relay.tapped.done || hasFailed(relay)) return;
  const finish = read(relay, last);
  if (relay.tapped.done || relay.tapped.fault) hold(relay, last, finish);
  // Left out as a finish event is: glued to it, the fault that follows could not be read.
  else if (clean) hold(relay, last, true);
}

/** The true end came. */
const isComplete = ({ tapped, begun, rules }: Relay, clean: boolean): boolean =>
  tapped.fault === undefined && begun && (tapped.done || (clean && tapped.finished && rules.finishIsEnd === true));

/** What was held, and goes on now that the end is known. */
function letGo(relay: Relay, complete: boolean, dropUsageChunk: boolean): Buffer | undefined {
  const { held = [], tapped } = relay;
  const kept: Buffer[] = [];
  for (const { bytes, finish } of held) {
    // A last word without a reply before it is none.
    const isLeftOut = complete ? dropUsageChunk && isUsageChunk(bytes) : finish || (tapped.done && !tapped.fault);
    if (!isLeftOut) kept.push(bytes);
  }
  relay.held = undefined;
  return kept.length > 0 ? Buffer.concat(kept) : undefined;
}

/** `dropUsageChunk`: the gateway asked for a usage chunk that the client did not ask for; it is taken out again. */
export function createRawRelay(rules: TapRules, dropUsageChunk: boolean): RawRelay {
  const carry = createCarry();
  const relay: Relay = {
    rules,
    search: searchFor(rules.needles),
    tapped: NOTHING,
    first: rules.first,
    begun: false,
    end: undefined,
    endBytes: 0,
    held: undefined,
    heldBytes: 0,
    error: undefined,
    awaitsLast: false,
  };
  return {
    tapped: () => relay.tapped,
    soFar: () => soFar(relay),
    isOver: () => relay.tapped.done || hasFailed(relay),
    hasBegun: () => relay.begun,
    push(bytes) {
      const block = carry.add(bytes);
      return block && pass(relay, block);
    },
    end(clean) {
      const last = carry.take();
      if (last) readLast(relay, last, clean);
      const complete = isComplete(relay, clean);
      const tapped = soFar(relay);
      const held = letGo(relay, complete, dropUsageChunk);
      return { held, error: relay.awaitsLast ? undefined : relay.error, tapped, complete };
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
