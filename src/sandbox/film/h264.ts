import type { Canvas, Colour } from '../picture/canvas.ts';
import { type BitWriter, createBitWriter } from './bit-writer.ts';

/*
 * H.264 of the simplest kind (Baseline), without loss: a block of 16 × 16 pixels either continues the one beside it, or stands
 * in the stream as bare samples (I_PCM); in later frames what has not changed is skipped. Flat drawings come out small, and any
 * decoder plays them. Numbers of sections are those of ITU-T H.264 (08/2021).
 */

const SIZE = 16;
const NAL = { idr: 0x65, next: 0x41, sequence: 0x67, picture: 0x68 } as const;

/** The frame in blocks, as samples. */
interface Block {
  readonly luma: Uint8Array;
  /** Cb and Cr, 8 × 8 each. */
  readonly chroma: readonly [Uint8Array, Uint8Array];
}

/** Y, Cb, Cr of a colour by BT.709, in the usual narrow range. */
function toYcc(colour: Colour): readonly [number, number, number] {
  const [r, g, b] = [colour >> 16, (colour >> 8) & 0xff, colour & 0xff].map((part) => part / 255) as [number, number, number];
  const y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
  return [Math.round(16 + 219 * y), Math.round(128 + (224 * (b - y)) / 1.8556), Math.round(128 + (224 * (r - y)) / 1.5748)];
}

/** The first byte, then the rest with no start code in it (§7.4.1). */
function nal(head: number, payload: Buffer): Buffer {
  // At worst every third byte is an added one.
  const out = Buffer.alloc(2 + Math.ceil(payload.length * 1.5));
  out[0] = head;
  let length = 1;
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      out[length++] = 3;
      zeros = 0;
    }
    out[length++] = byte;
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return out.subarray(0, length);
}

/** Blocks of a picture, across and down. */
export interface Grid {
  readonly across: number;
  readonly down: number;
}

/** How many blocks a picture takes. */
export const gridOf = (width: number, height: number): Grid => ({ across: Math.ceil(width / SIZE), down: Math.ceil(height / SIZE) });

/** The least level that takes so many blocks (Table A-1), at no more than ten frames a second. */
const levelOf = ({ across, down }: Grid): number =>
  across * down <= 1620 ? 30 : across * down <= 3600 ? 31 : across * down <= 8192 ? 40 : 51;

/** Sequence parameter set (§7.3.2.1.1), with colours and the promise that frames are shown in the order in which they come (§E.1.1). */
export function sequenceSet(width: number, height: number): Buffer {
  const grid = gridOf(width, height);
  const out = createBitWriter();
  out.bits(66, 8);
  out.bits(0xc0, 8);
  out.bits(levelOf(grid), 8);
  // Set 0; frame numbers of 4 bits; order of output is order of decoding; one reference; no gaps.
  for (const value of [0, 0, 2, 1]) out.ue(value);
  out.bits(0, 1);
  out.ue(grid.across - 1);
  out.ue(grid.down - 1);
  out.bits(0b11, 2);
  const [right, bottom] = [(grid.across * SIZE - width) / 2, (grid.down * SIZE - height) / 2];
  out.bits(right + bottom > 0 ? 1 : 0, 1);
  if (right + bottom > 0) for (const value of [0, right, 0, bottom]) out.ue(value);
  // Usability: no aspect, no overscan; signal type unspecified, narrow range, colours of BT.709 three times.
  out.bits(0b1001, 4);
  out.bits(0b1010_1, 5);
  for (const value of [1, 1, 1]) out.bits(value, 8);
  // No chroma place, timing, buffering model, structure; then the restrictions.
  out.bits(0b00000_11, 7);
  for (const value of [0, 0, 10, 10, 0, 1]) out.ue(value);
  return nal(NAL.sequence, out.end());
}

/** Picture parameter set (§7.3.2.2): CAVLC, the loop filter under the slices' control. */
export function pictureSet(): Buffer {
  const out = createBitWriter();
  out.ue(0);
  out.ue(0);
  out.bits(0, 2);
  for (let count = 0; count < 3; count++) out.ue(0);
  out.bits(0, 3);
  for (let count = 0; count < 3; count++) out.ue(0);
  out.bits(0b100, 3);
  return nal(NAL.picture, out.end());
}

/** Reads blocks of a canvas; what lies outside repeats its edge. */
function createBlocks(palette: readonly Colour[]): (canvas: Canvas, column: number, row: number) => Block {
  const ycc = palette.map(toYcc);
  return ({ width, height, pixels }, column, row) => {
    const luma = new Uint8Array(256);
    const sums = [new Uint16Array(64), new Uint16Array(64)] as const;
    for (let y = 0; y < SIZE; y++) {
      const from = Math.min(row * SIZE + y, height - 1) * width;
      for (let x = 0; x < SIZE; x++) {
        const [Y, cb, cr] = ycc[pixels[from + Math.min(column * SIZE + x, width - 1)] ?? 0] ?? [16, 128, 128];
        luma[y * SIZE + x] = Y;
        const at = (y >> 1) * 8 + (x >> 1);
        sums[0][at] = (sums[0][at] ?? 0) + cb;
        sums[1][at] = (sums[1][at] ?? 0) + cr;
      }
    }
    const mean = (sum: Uint16Array): Uint8Array => Uint8Array.from(sum, (four) => (four + 2) >> 2);
    return { luma, chroma: [mean(sums[0]), mean(sums[1])] };
  };
}

/** Whether a square of samples only repeats the column to its left, or the row above. */
function repeats(own: Uint8Array, other: Uint8Array | undefined, side: number, way: 'left' | 'up'): boolean {
  if (!other) return false;
  for (let at = 0; at < own.length; at++) {
    const from = way === 'left' ? Math.floor(at / side) * side + side - 1 : (side - 1) * side + (at % side);
    if (own[at] !== other[from]) return false;
  }
  return true;
}

/** How samples follow from a neighbour: which one, and what that is called for luma and for chroma (Tables 8-4, 8-5). */
function followed(
  block: Block,
  left: Block | undefined,
  up: Block | undefined,
): { readonly luma: number; readonly chroma: number } | undefined {
  const luma = repeats(block.luma, up?.luma, 16, 'up') ? 0 : repeats(block.luma, left?.luma, 16, 'left') ? 1 : undefined;
  if (luma === undefined) return undefined;
  const both = (other: Block | undefined, way: 'left' | 'up'): boolean =>
    block.chroma.every((plane, at) => repeats(plane, other?.chroma[at], 8, way));
  if (both(up, 'up')) return { luma, chroma: 2 };
  return both(left, 'left') ? { luma, chroma: 1 } : undefined;
}

const I_PCM = 25;

/** Bare samples (§7.3.5). `base`: the number of the first intra type in this kind of slice. */
function writeBare(out: BitWriter, { luma, chroma }: Block, base: number): void {
  out.ue(base + I_PCM);
  out.align();
  out.bytes(luma);
  out.bytes(chroma[0]);
  out.bytes(chroma[1]);
}

/** `coeff_token` for no coefficients at all, by how many the neighbours have (Table 9-5): bare ones count as sixteen. */
function writeNoCoefficients(out: BitWriter, left: boolean | undefined, up: boolean | undefined): void {
  const known = [left, up].filter((one) => one !== undefined);
  const sum = known.filter(Boolean).length * 16;
  const near = known.length === 2 ? (sum + 1) >> 1 : sum;
  if (near >= 8) out.bits(0b0000_11, 6);
  else out.bits(1, 1);
}

function sliceHead(out: BitWriter, kind: 'first' | 'next', frameNumber: number): void {
  out.ue(0);
  out.ue(kind === 'first' ? 7 : 5);
  out.ue(0);
  out.bits(frameNumber & 15, 4);
  if (kind === 'first') {
    out.ue(0);
    out.bits(0, 2);
  } else {
    // The usual number and order of references, references kept by age.
    out.bits(0, 3);
  }
  // The usual quantiser; no loop filter: it would soften what is without loss.
  out.ue(0);
  out.ue(1);
}

/** What all frames of a film have in common. */
interface Film {
  readonly width: number;
  readonly height: number;
  readonly grid: Grid;
  readonly blockOf: ReturnType<typeof createBlocks>;
}

/** A frame that stands alone: every block follows from a neighbour, or is bare. */
function firstFrame({ grid: { across, down }, blockOf }: Film, canvas: Canvas): Buffer {
  const out = createBitWriter();
  sliceHead(out, 'first', 0);
  const blocks: Block[] = [];
  const bare: boolean[] = [];
  for (let at = 0; at < across * down; at++) {
    const block = blockOf(canvas, at % across, Math.floor(at / across));
    const left = at % across > 0 ? at - 1 : -1;
    const up = at - across;
    const way = followed(block, blocks[left], blocks[up]);
    blocks.push(block);
    bare.push(!way);
    if (!way) {
      writeBare(out, block, 0);
      continue;
    }
    // Intra 16 × 16 without coefficients; then the chroma mode; the quantiser stays.
    out.ue(1 + way.luma);
    out.ue(way.chroma);
    out.ue(0);
    writeNoCoefficients(out, bare[left], bare[up]);
  }
  return nal(NAL.idr, out.end());
}

/** A frame after `old`: blocks that are the same are skipped, the others bare. */
function nextFrame(film: Film, canvas: Canvas, old: Uint8Array, frameNumber: number): Buffer {
  const { across, down } = film.grid;
  const out = createBitWriter();
  sliceHead(out, 'next', frameNumber);
  let skipped = 0;
  for (let row = 0; row < down; row++) {
    const same = isSameRow(film, canvas, old, row);
    for (let column = 0; column < across; column++) {
      if (same || !hasChanged(film, canvas, old, column, row)) {
        skipped++;
        continue;
      }
      out.ue(skipped);
      skipped = 0;
      writeBare(out, film.blockOf(canvas, column, row), 5);
    }
  }
  if (skipped > 0) out.ue(skipped);
  return nal(NAL.next, out.end());
}

/** Whether every pixel of a row of blocks is as it was: mostly so. */
function isSameRow({ width, height }: Film, canvas: Canvas, old: Uint8Array, row: number): boolean {
  const [from, to] = [row * SIZE * width, Math.min((row + 1) * SIZE, height) * width];
  return Buffer.compare(canvas.pixels.subarray(from, to), old.subarray(from, to)) === 0;
}

function hasChanged({ width, height }: Film, canvas: Canvas, old: Uint8Array, column: number, row: number): boolean {
  const [left, right] = [column * SIZE, Math.min((column + 1) * SIZE, width)];
  for (let y = row * SIZE; y < Math.min((row + 1) * SIZE, height); y++)
    for (let x = left; x < right; x++) if (canvas.pixels[y * width + x] !== old[y * width + x]) return true;
  return false;
}

/** Encodes the frames of one film. */
export interface FrameEncoder {
  /** The next frame, as one NAL unit; the first stands alone. */
  frame(canvas: Canvas): Buffer;
}

export function createFrameEncoder(width: number, height: number, palette: readonly Colour[]): FrameEncoder {
  const film: Film = { width, height, grid: gridOf(width, height), blockOf: createBlocks(palette) };
  let before: Uint8Array | undefined;
  let frameNumber = 0;
  return {
    frame(canvas) {
      const bytes = before ? nextFrame(film, canvas, before, frameNumber) : firstFrame(film, canvas);
      before = canvas.pixels.slice();
      frameNumber++;
      return bytes;
    },
  };
}
