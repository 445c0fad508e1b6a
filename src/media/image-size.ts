/** Width and height in pixels. */
export interface ImageSize {
  readonly format: 'PNG' | 'JPEG' | 'GIF' | 'WebP' | 'BMP';
  readonly width: number;
  readonly height: number;
}

const ascii = (bytes: Buffer, from: number, to: number): string => bytes.toString('latin1', from, to);

/** PNG: the IHDR chunk is always first. https://www.w3.org/TR/png-3/#11IHDR */
const pngSize = (bytes: Buffer): ImageSize => ({ format: 'PNG', width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) });

/** GIF: logical screen size. https://www.w3.org/Graphics/GIF/spec-gif89a.txt §18 */
const gifSize = (bytes: Buffer): ImageSize => ({ format: 'GIF', width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) });

/** JPEG: the first frame header (SOF0…SOF15 without DHT, JPG, DAC) holds the size; other segments are skipped by their length. */
function jpegSize(bytes: Buffer): ImageSize | undefined {
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    if (marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc)
      return { format: 'JPEG', width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
    // Fill bytes and markers without a length.
    at += marker === 0xff ? 1 : marker >= 0xd0 && marker <= 0xd8 ? 2 : 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

/** WebP in its three forms. https://developers.google.com/speed/webp/docs/riff_container */
function webpSize(bytes: Buffer): ImageSize | undefined {
  const kind = ascii(bytes, 12, 16);
  if (kind === 'VP8X') return { format: 'WebP', width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  if (kind === 'VP8L') {
    const bits = bytes.readUInt32LE(21);
    return { format: 'WebP', width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
  }
  if (kind === 'VP8 ') return { format: 'WebP', width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  return undefined;
}

const bmpSize = (bytes: Buffer): ImageSize => ({ format: 'BMP', width: bytes.readInt32LE(18), height: Math.abs(bytes.readInt32LE(22)) });

/** An image's format and size, read from its first bytes; `undefined` when they are not of a known kind or too few. */
export function imageSize(bytes: Buffer): ImageSize | undefined {
  if (bytes.length < 4) return undefined;
  const jpeg = bytes[0] === 0xff && bytes[1] === 0xd8;
  if (jpeg) return jpegSize(bytes);
  if (bytes.length < 30 && !(bytes.length >= 10 && ascii(bytes, 0, 3) === 'GIF')) return undefined;
  if (ascii(bytes, 1, 4) === 'PNG') return pngSize(bytes);
  if (ascii(bytes, 0, 3) === 'GIF') return gifSize(bytes);
  if (ascii(bytes, 0, 4) === 'RIFF' && ascii(bytes, 8, 12) === 'WEBP') return webpSize(bytes);
  return ascii(bytes, 0, 2) === 'BM' ? bmpSize(bytes) : undefined;
}
