import { isObject, parseObject } from '../../ir/index.ts';
import type { Tapped, TapRules } from '../../protocols/protocol.ts';
import { createSseReader, MAX_LINE_BYTES, type SseFrame } from '../../wire/sse.ts';

const LF = 10;
const CR = 13;

/** Part of an unfinished event that is held back so that a cut never leaves half an event before the error; a longer one flows. */
const MAX_CARRY = 256 * 1024;

/** The byte after the last blank line, or 0: up to there the bytes are whole events. */
export function lastEventEnd(bytes: Buffer): number {
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
  /** What may go on to the client now; the rest is held. */
  push(bytes: Buffer): Buffer | undefined;
  /** After the upstream's end: what was held, and what was found. `clean`: not cut. */
  end(clean: boolean): { readonly held: Buffer | undefined; readonly tapped: Tapped; readonly complete: boolean };
  readonly tapped: Tapped;
  /** An event, not only comments, has been seen. */
  readonly begun: boolean;
}

const NOTHING: Tapped = { done: false, finished: false };

/** `dropUsageChunk`: the gateway asked for a usage chunk that the client did not ask for; it is taken out again. */
export function createRawRelay(rules: TapRules, dropUsageChunk: boolean): RawRelay {
  const needles = rules.needles.map((needle) => Buffer.from(needle));
  let carry: Buffer | undefined;
  let held: Buffer[] | undefined;
  let heldBytes = 0;
  let tapped: Tapped = NOTHING;
  let first = true;
  let begun = false;

  const hits = (bytes: Buffer): boolean => {
    for (const needle of needles) if (bytes.indexOf(needle) >= 0) return true;
    return false;
  };
  const read = (event: Buffer): boolean => {
    let finish = false;
    const reader = createSseReader();
    const onFrame = (frame: SseFrame): void => {
      const found = rules.read(frame, tapped);
      tapped = found;
      finish ||= found.finish === true;
    };
    reader.push(event, onFrame);
    reader.end(onFrame);
    return finish;
  };
  const hold = (bytes: Buffer): void => {
    (held ??= []).push(bytes);
    heldBytes += bytes.length;
  };
  const readHeld = (): void => {
    held = [Buffer.concat(held ?? [], heldBytes)];
    for (const event of eventsOf(held[0] as Buffer)) read(event);
  };
  /** Reads the events of a block that may matter; returns how many of its bytes may go on. */
  const inspect = (block: Buffer): number => {
    let at = 0;
    for (const event of eventsOf(block)) {
      if ((first && rules.first) || hits(event)) {
        if (isData(event)) first = false;
        if (read(event)) return at;
      }
      at += event.length;
    }
    return at;
  };

  return {
    get tapped() {
      return tapped;
    },
    get begun() {
      return begun;
    },
    push(bytes) {
      if (held) {
        hold(bytes);
        // The last word may be here: then nobody waits for the upstream to hang up.
        if (lastEventEnd(bytes) > 0) readHeld();
        return undefined;
      }
      const whole = carry ? Buffer.concat([carry, bytes]) : bytes;
      const cut = lastEventEnd(whole);
      const rest = cut < whole.length ? whole.subarray(cut) : undefined;
      const block = cut > 0 ? whole.subarray(0, cut) : undefined;
      carry = rest;
      let out = block;
      if (block) {
        begun ||= isData(block);
        if ((first && rules.first) || hits(block)) {
          const free = inspect(block);
          if (free < block.length) {
            hold(block.subarray(free));
            if (rest) hold(rest);
            carry = undefined;
            readHeld();
            return free > 0 ? block.subarray(0, free) : undefined;
          }
        }
      }
      if (rest && rest.length > MAX_CARRY) {
        if (hits(rest)) {
          hold(rest);
          carry = undefined;
        } else {
          out = whole;
          carry = undefined;
          begun = true;
        }
      }
      return out;
    },
    end(clean) {
      const last = held ? Buffer.concat(held, heldBytes) : carry;
      held = undefined;
      carry = undefined;
      const kept: Buffer[] = [];
      if (last) {
        for (const event of eventsOf(last)) {
          read(event);
          if (isData(event)) begun = true;
          if (!(dropUsageChunk && isUsageChunk(event))) kept.push(event);
        }
      }
      const complete = tapped.fault === undefined && (tapped.done || (clean && tapped.finished && rules.finishIsEnd === true));
      return { held: kept.length > 0 ? Buffer.concat(kept) : undefined, tapped, complete };
    },
  };
}

/** Whether the block holds an event and not only comments. */
function isData(block: Buffer): boolean {
  return block.indexOf('data') >= 0;
}

/** The chunk that `stream_options.include_usage` adds: no choices, only usage. */
function isUsageChunk(event: Buffer): boolean {
  if (event.indexOf('"usage"') < 0 || event.length > MAX_LINE_BYTES) return false;
  const text = event.toString('utf8');
  const data = parseObject(text.slice(text.indexOf('data:') + 5).trim());
  return data !== undefined && Array.isArray(data['choices']) && data['choices'].length === 0 && isObject(data['usage']);
}
