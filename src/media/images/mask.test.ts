import { crc32, deflateSync, inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../ir/index.ts';
import { maskAs } from './mask.ts';
import type { ImageMask } from './shape.ts';

const chunk = (type: string, body: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
};

interface Drawn {
  readonly type: number;
  readonly channels: number;
  readonly rows: readonly (readonly number[])[];
  /** The filter of each row. */
  readonly filter?: number;
  readonly depth?: number;
  readonly interlace?: number;
  readonly more?: readonly Buffer[];
}

const at = (row: readonly number[] | undefined, index: number): number => row?.[index] ?? 0;

function paeth(a: number, b: number, c: number): number {
  const p = a + b - c;
  const [pa, pb, pc] = [Math.abs(p - a), Math.abs(p - b), Math.abs(p - c)];
  return pa <= pb && pa <= pc ? a : pb <= pc ? b : c;
}

/** A PNG, filtered as its writer liked. */
function png({ type, channels, rows, filter = 0, depth = 8, interlace = 0, more = [] }: Drawn): Buffer {
  const head = Buffer.alloc(13);
  head.writeUInt32BE((rows[0]?.length ?? 0) / channels, 0);
  head.writeUInt32BE(rows.length, 4);
  head[8] = depth;
  head[9] = type;
  head[12] = interlace;
  const bytes = rows.flatMap((row, y) => [
    filter,
    ...row.map((value, x) => {
      const [left, above, corner] = [at(row, x - channels), at(rows[y - 1], x), at(rows[y - 1], x - channels)];
      const guess = [0, left, above, (left + above) >> 1, paeth(left, above, corner)][filter] ?? 0;
      return (value - guess) & 0xff;
    }),
  ]);
  const parts = [chunk('IHDR', head), ...more, chunk('IDAT', deflateSync(Buffer.from(bytes))), chunk('IEND', Buffer.alloc(0))];
  return Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), ...parts]);
}

/** What is to be edited, pixel by pixel, of a mask that was drawn here: its rows are not filtered. */
function edited({ data, form }: ImageMask): readonly string[] {
  const width = data.readUInt32BE(16);
  const height = data.readUInt32BE(20);
  const start = data.indexOf('IDAT');
  const rows = inflateSync(data.subarray(start + 4, start + 4 + data.readUInt32BE(start - 4)));
  const bytes = form === 'luma' ? 1 : 4;
  expect(data[25]).toBe(form === 'luma' ? 0 : 6);
  return Array.from({ length: height }, (_row, y) =>
    Array.from({ length: width }, (_pixel, x) => {
      const from = y * (width * bytes + 1) + 1 + x * bytes;
      return (form === 'luma' ? rows[from] === 255 : rows[from + 3] === 0) ? '#' : '.';
    }).join(''),
  );
}

const mask = (data: Buffer, form: ImageMask['form'], mediaType = 'image/png'): ImageMask => ({ data, form, mediaType, at: 'mask' });
const WANTED = ['#..#', '.##.', '####'];
const pixels = (one: (isEdited: boolean, x: number, y: number) => readonly number[]): readonly (readonly number[])[] =>
  WANTED.map((row, y) => [...row].flatMap((letter, x) => one(letter === '#', x, y)));

const RGBA: Drawn = { type: 6, channels: 4, rows: pixels((isEdited, x, y) => [x * 60, y * 80, 200 - x * y, isEdited ? 0 : 255]) };
const GREY: Drawn = { type: 0, channels: 1, rows: pixels((isEdited) => [isEdited ? 250 : 3]) };

describe('masks', () => {
  it.each([0, 1, 2, 3, 4])('of transparency become white, rows filtered by %i', async (filter) => {
    expect(edited(await maskAs(mask(png({ ...RGBA, filter }), 'alpha'), 'luma'))).toEqual(WANTED);
  });

  const PALETTE: Drawn = {
    type: 3,
    channels: 1,
    rows: pixels((isEdited) => [isEdited ? 1 : 0]),
    more: [chunk('PLTE', Buffer.from([9, 9, 9, 255, 255, 255])), chunk('tRNS', Buffer.from([255, 0]))],
  };
  it.each([
    ['grey with transparency', { type: 4, channels: 2, rows: pixels((isEdited) => [7, isEdited ? 0 : 255]) }],
    ['a palette', PALETTE],
  ] as readonly (readonly [string, Drawn])[])('of %s too', async (_name, drawn) => {
    expect(edited(await maskAs(mask(png(drawn), 'alpha'), 'luma'))).toEqual(WANTED);
  });

  it.each([
    ['grey', GREY],
    ['colour', { type: 2, channels: 3, rows: pixels((isEdited) => (isEdited ? [255, 255, 255] : [0, 0, 0])) }],
    ['opaque colour', { type: 6, channels: 4, rows: pixels((isEdited) => (isEdited ? [255, 255, 255, 255] : [0, 0, 0, 255])) }],
  ] as readonly (readonly [string, Drawn])[])('of white become transparent: %s', async (_name, drawn) => {
    expect(edited(await maskAs(mask(png(drawn), 'luma'), 'alpha'))).toEqual(WANTED);
  });

  it('stay as they are where that is the form, or where nothing is transparent', async () => {
    const given = mask(png(RGBA), 'alpha');
    expect(await maskAs(given, 'alpha')).toBe(given);
    const grey = mask(png(GREY), 'alpha');
    expect(await maskAs(grey, 'luma')).toEqual({ ...grey, form: 'luma' });
  });

  const large = png(RGBA);
  large.writeUInt32BE(100_000, 16);
  const cut = png(RGBA);
  cut.writeUInt32BE(5, 16);
  it.each([
    ['another format', mask(Buffer.from('GIF89a          '), 'alpha', 'image/gif')],
    ['sixteen bits', mask(png({ ...RGBA, depth: 16 }), 'alpha')],
    ['interlaced', mask(png({ ...RGBA, interlace: 1 }), 'alpha')],
    ['of too many pixels', mask(large, 'alpha')],
    ['of other pixels than it says', mask(cut, 'alpha')],
    ['without pixels', mask(png({ ...RGBA, rows: [] }), 'alpha')],
  ])('are refused by their field: %s', async (_name, given) => {
    const error = await maskAs(given, 'luma').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(GatewayError);
    expect((error as GatewayError).fault).toMatchObject({ status: 400, param: 'mask', code: 'invalid_image' });
  });
});
