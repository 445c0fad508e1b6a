import { crc32, deflateSync } from 'node:zlib';
import type { Canvas } from './canvas.ts';

const SIGNATURE = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]);

function chunk(type: string, data: Buffer): Buffer {
  const out = Buffer.alloc(12 + data.length);
  out.writeUInt32BE(data.length, 0);
  out.write(type, 4, 'latin1');
  data.copy(out, 8);
  out.writeUInt32BE(crc32(out.subarray(4, 8 + data.length)), 8 + data.length);
  return out;
}

/** Text in the file, as UTF-8. https://www.w3.org/TR/png-3/#11iTXt */
const textChunk = (keyword: string, text: string): Buffer =>
  chunk('iTXt', Buffer.concat([Buffer.from(`${keyword}\0\0\0\0\0`, 'latin1'), Buffer.from(text)]));

/** What goes into the file beside the pixels. */
export interface PngExtras {
  /** A text by keyword. */
  readonly texts?: Readonly<Record<string, string>>;
  /** The colour that is not there. */
  readonly transparent?: number;
}

/** Writes a canvas as PNG with a palette. https://www.w3.org/TR/png-3/ */
export function encodePng({ width, height, pixels, palette }: Canvas, { texts = {}, transparent }: PngExtras = {}): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  // 8 bits, palette, deflate, filters of the standard, not interlaced.
  head.set([8, 3, 0, 0, 0], 8);
  const colours = Buffer.from(palette.flatMap((colour) => [colour >> 16, (colour >> 8) & 0xff, colour & 0xff]));
  const rows = Buffer.alloc((width + 1) * height);
  for (let y = 0; y < height; y++) rows.set(pixels.subarray(y * width, (y + 1) * width), y * (width + 1) + 1);
  const alpha = transparent === undefined ? [] : [chunk('tRNS', Buffer.from(palette.map((_, at) => (at === transparent ? 0 : 255))))];
  return Buffer.concat([
    SIGNATURE,
    chunk('IHDR', head),
    ...Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text)),
    chunk('PLTE', colours),
    ...alpha,
    chunk('IDAT', deflateSync(rows, { level: 6 })),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}
