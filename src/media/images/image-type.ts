/** What images begin with; `....` stands for four bytes of any kind. */
const SIGNATURES: readonly (readonly [mediaType: string, signature: string])[] = [
  ['image/png', '\x89PNG\r\n\x1a\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/gif', 'GIF8'],
  ['image/webp', 'RIFF....WEBP'],
  ['image/avif', '....ftypavif'],
  ['image/heic', '....ftypheic'],
  ['image/bmp', 'BM'],
  ['image/svg+xml', '<svg'],
  ['image/svg+xml', '<?xml'],
];

const begins = (head: string, signature: string): boolean => [...signature].every((letter, at) => letter === '.' || letter === head[at]);

/** The type of an image by its first bytes; `undefined` when they are none. */
export function imageType(data: Buffer): string | undefined {
  const head = data.toString('latin1', 0, 16);
  return SIGNATURES.find(([, signature]) => begins(head, signature))?.[0];
}

/** PNG's chunks, one after another up to IEND. https://www.w3.org/TR/png-3/#5Chunk-layout */
function isWholePng(data: Buffer): boolean {
  let at = 8;
  while (at + 12 <= data.length) {
    const length = data.readUInt32BE(at);
    const type = data.toString('latin1', at + 4, at + 8);
    if (at === 8 && (type !== 'IHDR' || length !== 13)) return false;
    at += 12 + length;
    if (type === 'IEND') return at <= data.length;
  }
  return false;
}

/** RIFF says how long it is. https://developers.google.com/speed/webp/docs/riff_container */
const isWholeRiff = (data: Buffer): boolean => data.length >= 20 && data.readUInt32LE(4) + 8 <= data.length + 1;

/** JPEG ends with EOI; some cameras write something behind it. */
const isWholeJpeg = (data: Buffer): boolean => data.lastIndexOf(Buffer.from([0xff, 0xd9])) > 2;

const WHOLE: Readonly<Record<string, (data: Buffer) => boolean>> = {
  'image/png': isWholePng,
  'image/webp': isWholeRiff,
  'image/jpeg': isWholeJpeg,
  'image/gif': (data) => data.length >= 14,
};

/** Types that image models take. */
const TAKEN = Object.keys(WHOLE);

/** Why bytes are no image that a model takes; `undefined` when they are one. */
export function imageMistake(data: Buffer): string | undefined {
  const type = imageType(data);
  if (type === undefined) return 'is not an image: its bytes are of no known kind';
  const isWhole = WHOLE[type];
  if (!isWhole) return `is of type ${type}; taken are ${TAKEN.join(', ')}`;
  return isWhole(data) ? undefined : `is not a whole ${type}: it is cut off, or its lengths are wrong`;
}

/** The type of an image in base64. */
export const base64Type = (data: string): string => imageType(Buffer.from(data.slice(0, 32), 'base64')) ?? 'image/png';
