/*
 * FLAC is without loss, so what is hidden in the lowest bits is there again when it is unpacked. Only what sounds of the
 * sandbox come back as is read: 16 bits, one channel. https://www.rfc-editor.org/rfc/rfc9639
 */

/** Longer sounds are read so far only: silence packs very well. */
const MAX_SAMPLES = 4_194_304;
const MAX_BYTES = 8 * 1024 * 1024;

interface BitReader {
  bits(count: number): number;
  signed(count: number): number;
  /** How many zeros stand before the next one. */
  unary(): number;
  align(): void;
  readonly done: () => boolean;
}

class EndOfFile extends Error {}

function createBitReader(bytes: Buffer, from: number): BitReader {
  let at = from;
  let open = 0;
  let left = 0;
  const bit = (): number => {
    if (left === 0) {
      if (at >= bytes.length) throw new EndOfFile();
      open = bytes[at++] ?? 0;
      left = 8;
    }
    left--;
    return (open >> left) & 1;
  };
  const bits = (count: number): number => {
    let value = 0;
    for (let n = 0; n < count; n++) value = value * 2 + bit();
    return value;
  };
  return {
    bits,
    signed(count) {
      const value = bits(count);
      return value >= 2 ** (count - 1) ? value - 2 ** count : value;
    },
    unary() {
      let zeros = 0;
      while (bit() === 0) zeros++;
      return zeros;
    },
    align() {
      left = 0;
    },
    done: () => at >= bytes.length,
  };
}

/** Where the frames begin: after the last block of metadata. */
function firstFrame(bytes: Buffer): number {
  for (let at = 4; at + 4 <= bytes.length;) {
    const head = bytes.readUInt8(at);
    at += 4 + bytes.readUIntBE(at + 1, 3);
    if (head & 0x80) return at;
  }
  return bytes.length;
}

const BLOCK_SIZES = [0, 192, 576, 1152, 2304, 4608];

/** Samples of the next frame; `undefined` where it is of another kind than is read here. §9.1 */
function frameHead(reader: BitReader): number | undefined {
  if (reader.bits(15) !== 0x7ffc) return undefined;
  reader.bits(1);
  const [sizeCode, rateCode, channels, depth] = [reader.bits(4), reader.bits(4), reader.bits(4), reader.bits(3)];
  // One channel; 16 bits, or as the file says, which the caller has looked at.
  if (channels !== 0 || (depth !== 4 && depth !== 0)) return undefined;
  reader.bits(1);
  // A number as UTF-8 has them: as many bytes follow as there are ones before the first zero.
  let ones = 0;
  while (reader.bits(1) === 1) ones++;
  reader.bits(ones > 0 ? 7 - ones + 8 * (ones - 1) : 7);
  const size =
    sizeCode === 6
      ? reader.bits(8) + 1
      : sizeCode === 7
        ? reader.bits(16) + 1
        : sizeCode > 7
          ? 2 ** sizeCode
          : (BLOCK_SIZES[sizeCode] ?? 0);
  if (rateCode > 11) reader.bits(rateCode === 12 ? 8 : 16);
  reader.bits(8);
  return size;
}

/** What prediction leaves over. §9.2.7 */
function readResidual(reader: BitReader, out: Int32Array, order: number): void {
  const width = reader.bits(2) === 0 ? 4 : 5;
  const parts = 2 ** reader.bits(4);
  let at = order;
  for (let part = 0; part < parts; part++) {
    const parameter = reader.bits(width);
    const end = Math.floor(((part + 1) * out.length) / parts);
    const bare = parameter === 2 ** width - 1 ? reader.bits(5) : undefined;
    for (; at < end; at++) {
      if (bare !== undefined) {
        out[at] = bare === 0 ? 0 : reader.signed(bare);
        continue;
      }
      const value = reader.unary() * 2 ** parameter + reader.bits(parameter);
      out[at] = value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    }
  }
}

/** Weights of the fixed predictors, the nearest sample first. §9.2.5 */
const FIXED: readonly (readonly number[])[] = [[], [1], [2, -1], [3, -3, 1], [4, -6, 4, -1]];

function predict(out: Int32Array, weights: readonly number[], shift: number): void {
  for (let at = weights.length; at < out.length; at++) {
    let sum = 0;
    for (let back = 0; back < weights.length; back++) sum += (weights[back] ?? 0) * (out[at - 1 - back] ?? 0);
    out[at] = (out[at] ?? 0) + Math.floor(sum / 2 ** shift);
  }
}

/** The samples of one channel; `undefined` for kinds that are not in use. §9.2 */
function subframe(reader: BitReader, size: number): Int32Array | undefined {
  reader.bits(1);
  const kind = reader.bits(6);
  const wasted = reader.bits(1) === 1 ? reader.unary() + 1 : 0;
  const depth = 16 - wasted;
  if (depth < 1) return undefined;
  const out = new Int32Array(size);
  const warmUp = (count: number): void => {
    for (let at = 0; at < count; at++) out[at] = reader.signed(depth);
  };
  if (kind === 0) out.fill(reader.signed(depth));
  else if (kind === 1) warmUp(size);
  else if (kind >= 8 && kind <= 12) {
    warmUp(kind - 8);
    readResidual(reader, out, kind - 8);
    predict(out, FIXED[kind - 8] ?? [], 0);
  } else if (kind >= 32) {
    const order = kind - 31;
    warmUp(order);
    const precision = reader.bits(4) + 1;
    const shift = reader.signed(5);
    const weights = Array.from({ length: order }, () => reader.signed(precision));
    readResidual(reader, out, order);
    predict(out, weights, Math.max(0, shift));
  } else return undefined;
  return wasted > 0 ? out.map((sample) => sample * 2 ** wasted) : out;
}

/** Unpacks a file of one channel of 16 bits, as far as it can be read. */
export function readFlac(bytes: Buffer): Int16Array | undefined {
  // Channels and depth stand in the stream's own description, each one less than it is.
  if (bytes.length < 42 || (bytes.readUInt16BE(20) & 0x0fff) >> 4 !== 0x0f) return undefined;
  const reader = createBitReader(bytes.subarray(0, MAX_BYTES), firstFrame(bytes));
  const blocks: Int32Array[] = [];
  let total = 0;
  try {
    while (!reader.done() && total < MAX_SAMPLES) {
      const size = frameHead(reader);
      const block = size === undefined || size === 0 ? undefined : subframe(reader, size);
      if (!block) break;
      reader.align();
      reader.bits(16);
      blocks.push(block);
      total += block.length;
    }
  } catch (error) {
    if (!(error instanceof EndOfFile)) throw error;
  }
  const samples = new Int16Array(total);
  let at = 0;
  for (const block of blocks) {
    samples.set(block, at);
    at += block.length;
  }
  return samples;
}
