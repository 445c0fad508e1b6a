import { inflateSync } from 'node:zlib';

/** Pixels of a picture, four bytes each: red, green, blue, alpha. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** Larger ones are only described: they are read in one go. */
const MAX_PIXELS = 2048 * 2048;
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

interface Parts {
  readonly head: Buffer;
  readonly palette: Buffer;
  readonly alpha: Buffer;
  readonly data: Buffer;
}

function partsOf(bytes: Buffer): Parts | undefined {
  const found: Record<string, Buffer[]> = { IHDR: [], PLTE: [], tRNS: [], IDAT: [] };
  let at = 8;
  while (at + 12 <= bytes.length) {
    const length = bytes.readUInt32BE(at);
    if (at + 12 + length > bytes.length) return undefined;
    found[bytes.toString('latin1', at + 4, at + 8)]?.push(bytes.subarray(at + 8, at + 8 + length));
    at += 12 + length;
  }
  const [head] = found['IHDR'] ?? [];
  if (head?.length !== 13) return undefined;
  const join = (name: string): Buffer => Buffer.concat(found[name] ?? []);
  return { head, palette: join('PLTE'), alpha: join('tRNS'), data: join('IDAT') };
}

const paeth = (left: number, up: number, corner: number): number => {
  const guess = left + up - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - up), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? up : corner;
};

/** Takes the filters off, row by row, in place. https://www.w3.org/TR/png-3/#9Filters */
function unfilter(raw: Buffer, height: number, stride: number, step: number): boolean {
  for (let y = 0; y < height; y++) {
    const row = y * (stride + 1);
    const kind = raw[row] ?? 0;
    if (kind > 4) return false;
    if (kind === 0) continue;
    const before = row - stride - 1;
    for (let x = 1; x <= stride; x++) {
      const left = x > step && kind !== 2 ? (raw[row + x - step] ?? 0) : 0;
      const up = y > 0 && kind !== 1 ? (raw[before + x] ?? 0) : 0;
      const corner = y > 0 && x > step && kind === 4 ? (raw[before + x - step] ?? 0) : 0;
      const guess = kind === 4 ? paeth(left, up, corner) : kind === 3 ? (left + up) >> 1 : left + up;
      raw[row + x] = ((raw[row + x] ?? 0) + guess) & 0xff;
    }
  }
  return true;
}

/** Colours by the kind of pixel; grey, with alpha, by palette, or as they are. */
function toRgba(raw: Buffer, width: number, height: number, kind: number, { palette, alpha }: Parts): Uint8Array {
  const channels = CHANNELS[kind] ?? 1;
  const rgba = new Uint8Array(width * height * 4).fill(255);
  let to = 0;
  for (let y = 0; y < height; y++) {
    let from = y * (width * channels + 1) + 1;
    for (let x = 0; x < width; x++, from += channels, to += 4) {
      const first = raw[from] ?? 0;
      if (kind === 3) {
        rgba[to] = palette[first * 3] ?? 0;
        rgba[to + 1] = palette[first * 3 + 1] ?? 0;
        rgba[to + 2] = palette[first * 3 + 2] ?? 0;
        rgba[to + 3] = alpha[first] ?? 255;
      } else {
        const isGrey = channels < 3;
        rgba[to] = first;
        rgba[to + 1] = isGrey ? first : (raw[from + 1] ?? 0);
        rgba[to + 2] = isGrey ? first : (raw[from + 2] ?? 0);
        if (kind > 3) rgba[to + 3] = raw[from + channels - 1] ?? 0;
      }
    }
  }
  return rgba;
}

/** Reads a PNG with 8 bits a channel, not interlaced. `undefined`: another form, broken, or too large to be worth it. */
export function decodePng(bytes: Buffer): Pixels | undefined {
  const parts = partsOf(bytes);
  if (!parts) return undefined;
  const { head, data } = parts;
  const [width, height] = [head.readUInt32BE(0), head.readUInt32BE(4)];
  const [depth, kind, , , interlaced] = head.subarray(8);
  const channels = CHANNELS[kind ?? -1];
  if (depth !== 8 || interlaced !== 0 || kind === undefined || channels === undefined) return undefined;
  if (width === 0 || height === 0 || width * height > MAX_PIXELS) return undefined;
  const stride = width * channels;
  try {
    const raw = inflateSync(data, { maxOutputLength: (stride + 1) * height });
    if (raw.length !== (stride + 1) * height || !unfilter(raw, height, stride, channels)) return undefined;
    return { width, height, rgba: toRgba(raw, width, height, kind, parts) };
  } catch {
    return undefined;
  }
}
