import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createCanvas, cubeIndex, drawText, OWN } from './canvas.ts';
import { drawPicture, INK, type Picture, pictureFile } from './draw-picture.ts';
import { glyphOf } from './font.ts';
import { drawable, fitText, textWidth, wrapText } from './lines.ts';
import { encodePng } from './png.ts';
import { decodePng } from './read-png.ts';

const rowsOf = (char: string): readonly string[] => {
  const { width, isSet } = glyphOf(char);
  return Array.from({ length: 16 }, (_, y) => Array.from({ length: width }, (__, x) => (isSet(x, y) ? '#' : '.')).join(''));
};

describe('glyphs', () => {
  it('have the dots of the font', () => {
    expect(rowsOf('A')).toEqual([
      '........',
      '........',
      '........',
      '........',
      '...##...',
      '..#..#..',
      '..#..#..',
      '.#....#.',
      '.#....#.',
      '.######.',
      '.#....#.',
      '.#....#.',
      '.#....#.',
      '.#....#.',
      '........',
      '........',
    ]);
    expect(rowsOf('十').filter((row) => row.includes('##########'))).toHaveLength(1);
  });

  it.each([
    ['Latin', 'a é ß ł', 8],
    ['Greek and Cyrillic', 'λ Ж', 8],
    ['Chinese', '牌楼龘，。！', 16],
    ['Japanese', 'あカ', 16],
    ['Korean', '한글', 16],
  ])('%s is there', (_, text, width) => {
    const unknown = rowsOf('\ufffd').join();
    for (const char of text.replaceAll(' ', '')) {
      expect(glyphOf(char).width, char).toBe(width);
      expect(rowsOf(char).join(), char).toContain('#');
      expect(rowsOf(char).join(), char).not.toBe(unknown);
    }
  });

  it.each(['🙂', '\ud800', '\u{10ffff}', ''])('%j is the replacement character', (char) => expect(rowsOf(char)).toEqual(rowsOf('\ufffd')));
});

describe('lines', () => {
  it.each([
    ['words', 'one two three', 56, ['one two', ' three']],
    ['Chinese anywhere, but not before a mark', '牌楼牌楼，牌楼', 64, ['牌楼牌', '楼，牌楼']],
    ['a long word is broken', 'abcdefgh', 24, ['abc', 'def', 'gh']],
    ['what is broken by hand', 'a\nb\n\nc', 100, ['a', 'b', '', 'c']],
    ['both kinds', 'ab 牌楼', 32, ['ab ', '牌楼']],
    ['narrower than a letter', '牌楼', 8, ['牌', '楼']],
  ])('%s', (_, text, width, lines) => {
    const broken = wrapText(text, width);
    expect(broken.map((line) => line.trimEnd())).toEqual(lines.map((line) => line.trim()).map((line) => line));
    expect(broken.join('').replace(/\s/g, '')).toBe(text.replace(/\s/g, ''));
  });

  it('take out what has no dots', () => {
    expect(drawable('e\u0301a\u200b\u0000\r\nb\u202e\ufe0f\tc')).toBe('éa\nb  c');
  });

  it('are as large as they fit, and end in an ellipsis where they do not', () => {
    expect(fitText('Hi', 200, 200, 10)).toMatchObject({ scale: 10, lines: ['Hi'] });
    const long = fitText('牌'.repeat(5000), 200, 100, 10);
    expect(long).toMatchObject({ scale: 1 });
    expect(long?.lines.at(-1)?.endsWith('…')).toBe(true);
    expect(long?.lines.every((line) => textWidth(line) <= 200)).toBe(true);
    expect(fitText('Hi', 8, 200, 3)).toBeUndefined();
    expect(fitText('Hi', 200, 8, 3)).toBeUndefined();
  });
});

/** A PNG of other makers' kind: colour type, channels, and a filter for each row. */
function pngOf(
  kind: number,
  rows: readonly (readonly number[])[],
  width: number,
  more: readonly (readonly [string, Buffer])[] = [],
  head = [8, kind, 0, 0, 0],
): Buffer {
  const chunk = (type: string, data: Buffer): Buffer => {
    const out = Buffer.concat([Buffer.alloc(4), Buffer.from(type, 'latin1'), data, Buffer.alloc(4)]);
    out.writeUInt32BE(data.length, 0);
    out.writeUInt32BE(crc32(out.subarray(4, out.length - 4)), out.length - 4);
    return out;
  };
  const ihdr = Buffer.alloc(13);
  ihdr.writeUInt32BE(width, 0);
  ihdr.writeUInt32BE(rows.length, 4);
  ihdr.set(head, 8);
  return Buffer.concat([
    Buffer.from('89504e470d0a1a0a', 'hex'),
    chunk('IHDR', ihdr),
    ...more.map(([type, data]) => chunk(type, data)),
    chunk('IDAT', deflateSync(Buffer.from(rows.flat()))),
    chunk('IEND', Buffer.alloc(0)),
  ]);
}

describe('PNG', () => {
  it('comes back as it was drawn', () => {
    const canvas = createCanvas(20, 10, [0x123456, 0xffffff]);
    drawText(canvas, 'A', 2, -3, 1, OWN + 1);
    const png = encodePng(canvas, { texts: { Description: '牌楼' } });
    const read = decodePng(png);
    expect(read).toMatchObject({ width: 20, height: 10 });
    const colours = [...canvas.pixels].flatMap((index) => {
      const colour = canvas.palette[index] ?? 0;
      return [colour >> 16, (colour >> 8) & 255, colour & 255, 255];
    });
    expect([...(read?.rgba ?? [])]).toEqual(colours);
    expect(png.includes(Buffer.from('牌楼'))).toBe(true);
  });

  it.each([
    ['grey', pngOf(0, [[0, 10, 20]], 2), [10, 10, 10, 255, 20, 20, 20, 255]],
    ['grey with alpha', pngOf(4, [[0, 10, 128]], 1), [10, 10, 10, 128]],
    ['colours', pngOf(2, [[0, 1, 2, 3]], 1), [1, 2, 3, 255]],
    ['colours with alpha', pngOf(6, [[0, 1, 2, 3, 4]], 1), [1, 2, 3, 4]],
    ['a palette', pngOf(3, [[0, 1]], 1, [['PLTE', Buffer.from([0, 0, 0, 7, 8, 9])]]), [7, 8, 9, 255]],
    ['filter left', pngOf(0, [[1, 10, 5]], 2), [10, 10, 10, 255, 15, 15, 15, 255]],
    [
      'filter up',
      pngOf(
        0,
        [
          [0, 10],
          [2, 5],
        ],
        1,
      ),
      [10, 10, 10, 255, 15, 15, 15, 255],
    ],
    [
      'filter mean',
      pngOf(
        0,
        [
          [0, 10, 20],
          [3, 5, 5],
        ],
        2,
      ),
      [10, 10, 10, 255, 20, 20, 20, 255, 10, 10, 10, 255, 20, 20, 20, 255],
    ],
    [
      'filter Paeth',
      pngOf(
        0,
        [
          [0, 10, 20],
          [4, 5, 5],
        ],
        2,
      ),
      [10, 10, 10, 255, 20, 20, 20, 255, 15, 15, 15, 255, 25, 25, 25, 255],
    ],
  ])('of others is read: %s', (_, png, rgba) => expect([...(decodePng(png)?.rgba ?? [])]).toEqual(rgba));

  it.each([
    ['nothing', Buffer.alloc(0)],
    ['a signature alone', Buffer.from('89504e470d0a1a0a', 'hex')],
    [
      'a length that lies',
      Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from('ffffffff49484452', 'hex'), Buffer.alloc(20)]),
    ],
    ['too few rows', pngOf(0, [[0, 1]], 2)],
    ['more pixels than are worth it', pngOf(0, [[0, 1]], 100_000_000)],
    ['no pixels', pngOf(0, [], 0)],
    ['sixteen bits', pngOf(0, [[0, 1, 1]], 1, [], [16, 0, 0, 0, 0])],
    ['interlaced', pngOf(0, [[0, 1]], 1, [], [8, 0, 0, 0, 1])],
    ['a filter that is none', pngOf(0, [[9, 1]], 1)],
    ['data that unpacks to more than it says', pngOf(0, [Array.from({ length: 100_000 }, () => 0)], 1)],
  ])('%s is not read, and does no harm', (_, bytes) => expect(decodePng(bytes)).toBeUndefined());

  it('cut anywhere is not read', () => {
    const png = pngOf(
      2,
      [
        [0, 1, 2, 3],
        [0, 4, 5, 6],
      ],
      1,
    );
    for (let at = 0; at < png.length - 24; at++) expect(decodePng(png.subarray(0, at))).toBeUndefined();
  });

  it('packs its rows as the standard wants', () => {
    const png = encodePng(createCanvas(3, 2, [0]));
    const at = png.indexOf('IDAT');
    expect([...inflateSync(png.subarray(at + 4, at + 4 + png.readUInt32BE(at - 4)))]).toEqual([0, OWN, OWN, OWN, 0, OWN, OWN, OWN]);
    expect(png.readUInt32BE(at + 4 + png.readUInt32BE(at - 4))).toBe(crc32(png.subarray(at, at + 4 + png.readUInt32BE(at - 4))));
  });
});

describe('pictures', () => {
  const picture: Picture = { width: 200, height: 100, text: '牌', caption: '', seed: 'a' };
  const dots = (wish: Picture): number => drawPicture(wish).pixels.reduce((sum, pixel) => sum + (pixel === INK ? 1 : 0), 0);

  it('show the very dots of a glyph', () => {
    const { pixels, width } = drawPicture({ ...picture, width: 64, height: 64 });
    const rows = Array.from({ length: 64 }, (_, y) =>
      [...pixels.subarray(y * width, (y + 1) * width)].map((pixel) => (pixel === INK ? '#' : '.')).join(''),
    );
    const glyph = rowsOf('牌');
    const first = rows.findIndex((row) => row.includes('#'));
    const left = 24;
    expect(rows.slice(first, first + 16).map((row) => row.slice(left, left + 16))).toEqual(glyph);
  });

  it.each([
    ['as small as they may be', { width: 16, height: 16 }],
    ['wide', { width: 4096, height: 16 }],
    ['high', { width: 16, height: 4096 }],
    ['without a text', { text: '' }],
    ['of emoji', { text: '🙂🙂' }],
    ['of letters that go the other way', { text: 'שלום مرحبا' }],
    ['with a given picture', { pasted: [{ width: 1, height: 1, rgba: Uint8Array.of(255, 0, 0, 255) }] }],
    ['with sixteen', { pasted: Array.from({ length: 16 }, () => ({ width: 3, height: 50, rgba: new Uint8Array(600).fill(255) })) }],
  ])('are drawn %s', (_, more) => {
    const wish = { ...picture, ...more };
    expect(decodePng(pictureFile(wish))).toMatchObject({ width: wish.width, height: wish.height });
    expect(pictureFile(wish).equals(pictureFile(wish))).toBe(true);
  });

  it('hold a given picture, and leave out what is transparent in it', () => {
    const red = cubeIndex(255, 0, 0);
    const reds = (alpha: number): number =>
      drawPicture({ ...picture, pasted: [{ width: 1, height: 1, rgba: Uint8Array.of(255, 0, 0, alpha) }] }).pixels.filter(
        (pixel) => pixel === red,
      ).length;
    expect(reds(255)).toBeGreaterThan(1000);
    expect(reds(0)).toBe(0);
  });

  it('come from the top when only a part is there', () => {
    expect(dots({ ...picture, share: 0.1 })).toBe(0);
    expect(dots({ ...picture, share: 0.5 })).toBeLessThan(dots(picture));
  });
});
