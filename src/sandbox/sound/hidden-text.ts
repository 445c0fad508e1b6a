import { crc32 } from 'node:zlib';
import { parseObject } from '../../ir/index.ts';

/*
 * What was said stands in the sound itself: in the lowest bit of every sample, which nobody hears, one copy after another.
 * So it is found again after the sound was put into another container, was cut, or was joined with others. A copy is
 * u32 mark, u32 bytes of the text, u32 CRC of the text, the text (JSON); the bits of each byte from the highest.
 */

/** Something that was said, and how. */
export interface HiddenText {
  readonly text: string;
  readonly voice: string;
  readonly speed: number;
}

/** One thing found in a sound. In samples. */
export interface Found extends HiddenText {
  readonly from: number;
  readonly to: number;
}

const MARK = 0x5061_694c;
const HEAD_BYTES = 12;
const MAX_BYTES = 64 * 1024;

const toJson = ({ text, voice, speed }: HiddenText): string => JSON.stringify({ text, voice, speed });

/** Reads the JSON of a hidden text; `undefined` when it is something else. */
export function fromJson(json: string): HiddenText | undefined {
  const { text, voice, speed } = parseObject(json) ?? {};
  if (typeof text !== 'string' || typeof voice !== 'string' || typeof speed !== 'number') return undefined;
  return speed >= 0.25 && speed <= 4 ? { text, voice, speed } : undefined;
}

/** One copy as bits, one in each byte. */
export function hiddenBits(hidden: HiddenText): Uint8Array {
  const body = Buffer.from(toJson(hidden));
  const head = Buffer.alloc(HEAD_BYTES);
  head.writeUInt32BE(MARK, 0);
  head.writeUInt32BE(body.length, 4);
  head.writeUInt32BE(crc32(body), 8);
  const bytes = Buffer.concat([head, body]);
  return Uint8Array.from({ length: bytes.length * 8 }, (_, at) => ((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
}

function bytesAt(samples: Int16Array, from: number, count: number): Buffer {
  const bytes = Buffer.alloc(count);
  for (let at = 0; at < count * 8; at++) bytes[at >> 3] = ((bytes[at >> 3] ?? 0) << 1) | ((samples[from + at] ?? 0) & 1);
  return bytes;
}

interface Copy {
  readonly hidden: HiddenText;
  readonly bits: number;
}

/** What may still be read: a sound that is full of marks with nothing behind them is not worth more than a real one. */
interface Effort {
  bits: number;
}

/** A copy that begins at a sample, its mark being there. */
function copyAt(samples: Int16Array, at: number, effort: Effort): Copy | undefined {
  const head = bytesAt(samples, at, HEAD_BYTES);
  const length = head.readUInt32BE(4);
  const bits = (HEAD_BYTES + length) * 8;
  if (length > MAX_BYTES || at + bits > samples.length) return undefined;
  effort.bits -= bits;
  if (effort.bits < 0) return undefined;
  const body = bytesAt(samples, at + HEAD_BYTES * 8, length);
  if (crc32(body) !== head.readUInt32BE(8)) return undefined;
  const hidden = fromJson(body.toString('utf8'));
  return hidden && { hidden, bits };
}

/**
 * Finds what was hidden, in the order in which it is said. `spans`: how long a text takes to say, in samples: a copy that
 * begins where its like should have ended is the same text said again.
 */
export function findHidden(samples: Int16Array, spans: (hidden: HiddenText) => number): readonly Found[] {
  const found: Found[] = [];
  const effort: Effort = { bits: samples.length * 2 };
  let window = 0;
  for (let at = 0; at < samples.length; at++) {
    window = ((window << 1) | ((samples[at] ?? 0) & 1)) >>> 0;
    const from = at - 31;
    const copy = window === MARK && from >= 0 ? copyAt(samples, from, effort) : undefined;
    if (!copy) continue;
    const last = found.at(-1);
    if (!last || from >= last.to || toJson(last) !== toJson(copy.hidden)) {
      found.push({ ...copy.hidden, from, to: Math.min(samples.length, from + spans(copy.hidden)) });
    }
    at = from + copy.bits - 1;
    window = 0;
  }
  return found;
}
