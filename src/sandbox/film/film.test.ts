import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { type Canvas, createCanvas, fillRect, OWN } from '../picture/canvas.ts';
import { createBitWriter } from './bit-writer.ts';
import { filmFile, stillFile } from './film.ts';
import { createFrameEncoder, gridOf, pictureSet, sequenceSet } from './h264.ts';

/** Reads what a bit writer wrote. */
function createBitReader(bytes: Buffer) {
  let at = 0;
  const bits = (count: number): number => {
    let value = 0;
    for (let n = 0; n < count; n++, at++) value = value * 2 + (((bytes[at >> 3] ?? 0) >> (7 - (at & 7))) & 1);
    return value;
  };
  const lastOne = (bytes.length - 1) * 8 + 7 - Math.log2((bytes.at(-1) ?? 0) & -(bytes.at(-1) ?? 0));
  return {
    bits,
    ue(): number {
      let zeros = 0;
      while (zeros < 32 && bits(1) === 0) zeros++;
      return 2 ** zeros - 1 + bits(zeros);
    },
    align(): void {
      at = Math.ceil(at / 8) * 8;
    },
    /** Whether more stands there than the closing bit. */
    more: () => at < lastOne,
  };
}

/** Without the bytes that keep start codes out; the first is the kind of unit. */
function payloadOf(unit: Buffer): Buffer {
  const out: number[] = [];
  for (let at = 1; at < unit.length; at++) {
    if (unit[at] === 3 && unit[at - 1] === 0 && unit[at - 2] === 0 && at > 2) continue;
    out.push(unit[at] ?? 0);
  }
  return Buffer.from(out);
}

interface Planes {
  readonly y: Uint8Array;
  readonly cb: Uint8Array;
  readonly cr: Uint8Array;
}

/** A decoder of just what the encoder uses, written from the standard and not from the encoder. */
function createDecoder(width: number, height: number) {
  const { across, down } = gridOf(width, height);
  const stride = across * 16;
  const planes: Planes = {
    y: new Uint8Array(stride * down * 16),
    cb: new Uint8Array((stride * down * 16) / 4),
    cr: new Uint8Array((stride * down * 16) / 4),
  };
  /** Fills one square of a plane: `bare` samples, or the column to the left (1), or the row above (0). */
  function square(plane: Uint8Array, side: number, at: number, from: (() => number) | 'left' | 'up'): void {
    const wide = across * side;
    const [left, top] = [(at % across) * side, Math.floor(at / across) * side];
    for (let y = top; y < top + side; y++)
      for (let x = left; x < left + side; x++)
        plane[y * wide + x] =
          typeof from === 'function' ? from() : ((from === 'left' ? plane[y * wide + left - 1] : plane[(top - 1) * wide + x]) ?? 0);
  }
  const bare = (reader: ReturnType<typeof createBitReader>, at: number): void => {
    reader.align();
    const byte = (): number => reader.bits(8);
    square(planes.y, 16, at, byte);
    square(planes.cb, 8, at, byte);
    square(planes.cr, 8, at, byte);
  };
  return {
    planes,
    frame(unit: Buffer): void {
      const reader = createBitReader(payloadOf(unit));
      const isFirst = (unit[0] ?? 0) % 32 === 5;
      expect(reader.ue()).toBe(0);
      expect(reader.ue()).toBe(isFirst ? 7 : 5);
      reader.ue();
      reader.bits(4);
      if (isFirst) reader.ue();
      reader.bits(isFirst ? 2 : 3);
      expect([reader.ue(), reader.ue()]).toEqual([0, 1]);
      const coefficients: number[] = [];
      for (let at = 0; at < across * down; at++) {
        if (!isFirst) {
          at += reader.ue();
          if (at >= across * down || !reader.more()) return expect(at).toBe(across * down);
        }
        const type = reader.ue() - (isFirst ? 0 : 5);
        coefficients[at] = type === 25 ? 16 : 0;
        if (type === 25) {
          bare(reader, at);
          continue;
        }
        expect(isFirst && (type === 1 || type === 2)).toBe(true);
        const chroma = reader.ue();
        expect(reader.ue()).toBe(0);
        const beside = [at % across > 0 ? coefficients[at - 1] : undefined, coefficients[at - across]].filter((one) => one !== undefined);
        const near = beside.length === 2 ? Math.floor(((beside[0] ?? 0) + (beside[1] ?? 0) + 1) / 2) : (beside[0] ?? 0);
        expect(near >= 8 ? reader.bits(6) : reader.bits(1)).toBe(near >= 8 ? 3 : 1);
        square(planes.y, 16, at, type === 1 ? 'up' : 'left');
        for (const plane of [planes.cb, planes.cr]) square(plane, 8, at, chroma === 2 ? 'up' : 'left');
      }
      expect(reader.more()).toBe(false);
    },
  };
}

/** BT.709 in the narrow range, straight from its definition. */
function lumaOf(colour: number): number {
  const [r, g, b] = [16, 8, 0].map((shift) => ((colour >> shift) & 0xff) / 255);
  return Math.round(16 + 219 * (0.2126 * (r ?? 0) + 0.7152 * (g ?? 0) + 0.0722 * (b ?? 0)));
}

/** Luma as it should be, within the picture. */
const wantedLuma = ({ width, height, pixels, palette }: Canvas, stride: number): readonly (readonly [number, number])[] =>
  Array.from({ length: width * height }, (_, at) => [
    Math.floor(at / width) * stride + (at % width),
    lumaOf(palette[pixels[at] ?? 0] ?? 0),
  ]);

describe('frames', () => {
  it.each([
    [64, 48],
    [50, 34],
    [160, 96],
  ])('%d×%d come back without loss, frame after frame', (width, height) => {
    const canvas = createCanvas(width, height, [0xaaccee, 0x112233, 0xff8800]);
    const encoder = createFrameEncoder(width, height, canvas.palette);
    const decoder = createDecoder(width, height);
    for (let frame = 0; frame < 20; frame++) {
      fillRect(canvas, (frame * 7) % width, (frame * 5) % height, 9, 13, OWN + (frame % 3));
      if (frame === 10) fillRect(canvas, 0, 0, width, height, 17);
      decoder.frame(encoder.frame(canvas));
      const wrong = wantedLuma(canvas, gridOf(width, height).across * 16).filter(([at, luma]) => decoder.planes.y[at] !== luma);
      expect(wrong).toEqual([]);
    }
  });

  it('hold no start code, and say what size they are', () => {
    const set = sequenceSet(50, 34);
    const reader = createBitReader(payloadOf(set));
    expect([reader.bits(8), reader.bits(8), reader.bits(8)]).toEqual([66, 0xc0, 30]);
    expect([reader.ue(), reader.ue(), reader.ue(), reader.ue(), reader.bits(1), reader.ue(), reader.ue()]).toEqual([0, 0, 2, 1, 0, 3, 2]);
    expect([reader.bits(3), reader.ue(), reader.ue(), reader.ue(), reader.ue()]).toEqual([0b111, 0, 7, 0, 7]);
    const canvas = createCanvas(32, 32, [0]);
    for (let at = 0; at < 1024; at++) canvas.pixels[at] = (at * 37) % 216;
    const bytes = createFrameEncoder(32, 32, canvas.palette).frame(canvas);
    for (const unit of [set, pictureSet(), bytes]) for (const last of [0, 1, 2]) expect(unit.indexOf(Buffer.from([0, 0, last]))).toBe(-1);
  });
});

describe('bits', () => {
  it('are read as they were written', () => {
    const out = createBitWriter();
    const values = [0, 1, 2, 3, 7, 8, 254, 255, 65_534, 3];
    for (const value of values) out.ue(value);
    out.align();
    out.bytes(Uint8Array.of(1, 2, 3));
    const reader = createBitReader(out.end());
    expect(values.map(() => reader.ue())).toEqual(values);
    reader.align();
    expect([reader.bits(8), reader.bits(8), reader.bits(8), reader.more()]).toEqual([1, 2, 3, false]);
  });
});

describe('films', () => {
  const film = { seconds: 4, picture: { width: 160, height: 96, text: '纸船 boat', caption: '', seed: 'x' } };

  it('are the same for the same wish, in every version (this one was played by ffmpeg 5.1 and Chromium 156)', () => {
    const hash = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex').slice(0, 16);
    expect(hash(filmFile(film))).toBe('8363e4da3a493882');
    expect(filmFile(film).equals(filmFile({ ...film, seconds: 8 }))).toBe(false);
  });

  it('show another moment at another time', () => {
    expect(stillFile(film, 0).equals(stillFile(film, 0.5))).toBe(false);
    expect(stillFile(film, 1).equals(stillFile(film, 0.99))).toBe(true);
  });
});
