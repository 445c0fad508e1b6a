import { inflateSync } from 'node:zlib';

/** Pixels of a picture, four bytes each: red, green, blue, alpha. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly rgba: Uint8Array;
}

/** Larger ones are only described. */
const MAX_PIXELS = 16_777_216;
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
    for (let x = 1; x <= stride; x++) {
      const left = x > step ? (raw[row + x - step] ?? 0) : 0;
      const up = y > 0 ? (raw[row - stride - 1 + x] ?? 0) : 0;
      const corner = y > 0 && x > step ? (raw[row - stride - 1 + x - step] ?? 0) : 0;
      const guess = kind === 1 ? left : kind === 2 ? up : kind === 3 ? (left + up) >> 1 : paeth(left, up, corner);
      raw[row + x] = ((raw[row + x] ?? 0) + guess) & 0xff;
    }
  }
  return true;
}

/** Colours by the kind of pixel; grey, with alpha, by palette, or as they are. */
function toRgba(raw: Buffer, width: number, height: number, kind: number, { palette, alpha }: Parts): Uint8Array {
  const channels = CHANNELS[kind] ?? 1;
  const rgba = new Uint8Array(width * height * 4);
  for (let at = 0; at < width * height; at++) {
    const from = Math.floor(at / width) * (width * channels + 1) + 1 + (at % width) * channels;
    const value = (offset: number): number => raw[from + offset] ?? 0;
    const index = value(0);
    if (kind === 3)
      rgba.set([palette[index * 3] ?? 0, palette[index * 3 + 1] ?? 0, palette[index * 3 + 2] ?? 0, alpha[index] ?? 255], at * 4);
    else if (kind === 0 || kind === 4) rgba.set([index, index, index, kind === 4 ? value(1) : 255], at * 4);
    else rgba.set([value(0), value(1), value(2), kind === 6 ? value(3) : 255], at * 4);
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
