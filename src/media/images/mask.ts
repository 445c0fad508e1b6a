import { promisify } from 'node:util';
import { crc32, deflate, inflate } from 'node:zlib';
import { badField, type GatewayError } from '../../ir/index.ts';
import type { ImageFile, ImageMask } from './shape.ts';

/*
 * Masks in either form. OpenAI's clients say by transparency what is to be edited; Imagen and the makers of FLUX and Stable Diffusion
 * by white. https://platform.openai.com/docs/api-reference/images/createEdit#images-createedit-mask
 */

const deflated = promisify<Buffer, { level: number }, Buffer>(deflate);
const inflated = promisify<Buffer, { maxOutputLength: number }, Buffer>(inflate);

const SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** Pixels of a mask: as many as the largest image that models make. */
const MAX_PIXELS = 16_777_216;
/** Bytes that are worked on before others have their turn. */
const TURN_BYTES = 2 * 1024 * 1024;

const breathe = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const unreadable = (mask: ImageFile, why: string): GatewayError =>
  badField(mask.at, `Invalid request: '${mask.at}' ${why}; a PNG of 8 bits a channel, not interlaced, is understood`, 'invalid_image');

interface Png {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Of a palette: how opaque each entry is, and how bright. */
  readonly palette?: { readonly alpha: Buffer; readonly colours: Buffer };
  readonly hasAlpha: boolean;
  readonly data: Buffer;
}

/** Bytes a pixel, by the colour type. https://www.w3.org/TR/png-3/#6Colour-values */
const CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

function* chunksOf(data: Buffer): Iterable<{ readonly type: string; readonly body: Buffer }> {
  for (let at = 8; at + 12 <= data.length;) {
    const length = data.readUInt32BE(at);
    yield { type: data.toString('latin1', at + 4, at + 8), body: data.subarray(at + 8, at + 8 + length) };
    at += 12 + length;
  }
}

async function readPng(mask: ImageFile): Promise<Png> {
  if (mask.mediaType !== 'image/png') throw unreadable(mask, `is of type ${mask.mediaType}`);
  const width = mask.data.readUInt32BE(16);
  const height = mask.data.readUInt32BE(20);
  const [depth, type = 0, , , interlace] = mask.data.subarray(24, 29);
  const channels = CHANNELS[type];
  if (depth !== 8 || interlace !== 0 || channels === undefined) throw unreadable(mask, 'is a PNG of a kind that is not understood');
  if (width * height > MAX_PIXELS || width * height === 0) throw unreadable(mask, `has ${width}x${height} pixels`);
  const packed: Buffer[] = [];
  let colours = Buffer.alloc(0);
  let alpha = Buffer.alloc(0);
  for (const { type: name, body } of chunksOf(mask.data)) {
    if (name === 'IDAT') packed.push(body);
    else if (name === 'PLTE') colours = Buffer.from(body);
    else if (name === 'tRNS') alpha = Buffer.from(body);
  }
  const size = (width * channels + 1) * height;
  const data = await inflated(Buffer.concat(packed), { maxOutputLength: size + 1 }).catch(() => undefined);
  if (data?.length !== size) throw unreadable(mask, 'is a PNG whose pixels cannot be read');
  const palette = type === 3 ? { palette: { alpha, colours } } : {};
  return { width, height, channels, data, hasAlpha: type === 4 || type === 6 || (type === 3 && alpha.length > 0), ...palette };
}

/** The nearest of left, above and left above. https://www.w3.org/TR/png-3/#9Filter-type-4-Paeth */
function paeth(left: number, above: number, corner: number): number {
  const guess = left + above - corner;
  const [a, b, c] = [Math.abs(guess - left), Math.abs(guess - above), Math.abs(guess - corner)];
  return a <= b && a <= c ? left : b <= c ? above : corner;
}

/** Undoes the filter of one row, in place. https://www.w3.org/TR/png-3/#9Filters */
function unfilter(row: Buffer, before: Buffer | undefined, filter: number, channels: number): void {
  if (filter === 0) return;
  for (let at = 0; at < row.length; at++) {
    const left = at < channels ? 0 : (row[at - channels] ?? 0);
    const above = before?.[at] ?? 0;
    const corner = at < channels ? 0 : (before?.[at - channels] ?? 0);
    const add = filter === 1 ? left : filter === 2 ? above : filter === 3 ? (left + above) >> 1 : paeth(left, above, corner);
    row[at] = ((row[at] ?? 0) + add) & 0xff;
  }
}

/** Whether a pixel is to be edited: by its transparency, or by its brightness. */
function isEdited({ channels, palette }: Png, row: Buffer, x: number, byAlpha: boolean): boolean {
  const at = x * channels;
  const first = row[at] ?? 0;
  if (palette) return byAlpha ? (palette.alpha[first] ?? 255) < 128 : (palette.colours[first * 3] ?? 0) >= 128;
  return byAlpha ? (row[at + channels - 1] ?? 255) < 128 : first >= 128;
}

const chunk = (type: string, body: Buffer): Buffer => {
  const named = Buffer.concat([Buffer.from(type), body]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  sum.writeUInt32BE(crc32(named));
  return Buffer.concat([length, named, sum]);
};

async function writePng(width: number, height: number, type: number, rows: Buffer): Promise<Buffer> {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head[8] = 8;
  head[9] = type;
  const packed = await deflated(rows, { level: 6 });
  return Buffer.concat([SIGNATURE, chunk('IHDR', head), chunk('IDAT', packed), chunk('IEND', Buffer.alloc(0))]);
}

/** Both forms, as rows: white and black, or transparent and opaque. */
async function redraw(png: Png, to: ImageMask['form'], byAlpha: boolean): Promise<Buffer> {
  const { width, height, channels, data } = png;
  const stride = width * channels + 1;
  const bytes = to === 'luma' ? 1 : 4;
  const out = Buffer.alloc((width * bytes + 1) * height);
  let before: Buffer | undefined;
  let worked = 0;
  for (let y = 0; y < height; y++) {
    const row = data.subarray(y * stride + 1, (y + 1) * stride);
    unfilter(row, before, data[y * stride] ?? 0, channels);
    before = row;
    const from = y * (width * bytes + 1) + 1;
    for (let x = 0; x < width; x++) {
      const edited = isEdited(png, row, x, byAlpha);
      if (to === 'luma') out[from + x] = edited ? 255 : 0;
      else out[from + x * 4 + 3] = edited ? 0 : 255;
    }
    worked += stride;
    if (worked >= TURN_BYTES) {
      worked = 0;
      await breathe();
    }
  }
  return writePng(width, height, to === 'luma' ? 0 : 6, out);
}

/** The mask in the form that a target understands. Throws the 400 where it cannot be read. */
export async function maskAs(mask: ImageMask, form: ImageMask['form']): Promise<ImageMask> {
  if (mask.form === form) return mask;
  const png = await readPng(mask);
  // One that has no transparency is black and white already, whatever its client was told.
  if (form === 'luma' && !png.hasAlpha) return { ...mask, form };
  return { ...mask, form, mediaType: 'image/png', data: await redraw(png, form, mask.form === 'alpha') };
}
