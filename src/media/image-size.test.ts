import { describe, expect, it } from 'vitest';
import { imageSize } from './image-size.ts';

const bytes = (...pieces: (string | readonly number[])[]): Buffer =>
  Buffer.concat([
    ...pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece, 'latin1') : Buffer.from(piece))),
    Buffer.alloc(40),
  ]);

const PNG = bytes('\x89PNG\r\n\x1a\n', [0, 0, 0, 13], 'IHDR', [0, 0, 1, 2, 0, 0, 0, 3]);
const GIF = bytes('GIF89a', [5, 1, 7, 0]);
const APP0 = [0xff, 0xe0, 0, 4, 1, 2];
const JPEG = bytes([0xff, 0xd8], APP0, [0xff, 0xff, 0xc2, 0, 11, 8, 1, 0, 2, 0]);
const VP8X = bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8X', [10, 0, 0, 0, 0, 0, 0, 0], [99, 0, 0], [49, 1, 0]);
const VP8L = bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8L', [0, 0, 0, 0, 0x2f], [0x03, 0x40, 0x01, 0x00]);
const VP8 = bytes('RIFF', [0, 0, 0, 0], 'WEBPVP8 ', [0, 0, 0, 0, 0, 0, 0, 0x9d, 0x01, 0x2a], [64, 0, 32, 0]);
const BMP = bytes('BM', Array<number>(16).fill(0), [8, 0, 0, 0], [0xf0, 0xff, 0xff, 0xff]);

describe('imageSize', () => {
  it.each<[name: string, image: Buffer, size: object]>([
    ['PNG', PNG, { format: 'PNG', width: 258, height: 3 }],
    ['GIF', GIF, { format: 'GIF', width: 261, height: 7 }],
    ['progressive JPEG behind another segment and a fill byte', JPEG, { format: 'JPEG', width: 512, height: 256 }],
    ['WebP, extended', VP8X, { format: 'WebP', width: 100, height: 306 }],
    ['WebP, lossless', VP8L, { format: 'WebP', width: 4, height: 6 }],
    ['WebP, lossy', VP8, { format: 'WebP', width: 64, height: 32 }],
    ['BMP from the top', BMP, { format: 'BMP', width: 8, height: 16 }],
  ])('%s', (_name, image, size) => expect(imageSize(image)).toEqual(size));

  it('knows nothing of text, of nothing, of what is cut off', () => {
    expect(imageSize(Buffer.from('a text that is long enough to hold any header'))).toBeUndefined();
    expect(imageSize(Buffer.alloc(0))).toBeUndefined();
    for (const image of [PNG, JPEG, VP8X, VP8L, VP8, BMP, GIF])
      for (let length = 0; length < 10; length++) expect(imageSize(image.subarray(0, length))).toBeUndefined();
  });
});
