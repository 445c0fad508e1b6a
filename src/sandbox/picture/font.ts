import { readFileSync } from 'node:fs';
import { brotliDecompressSync } from 'node:zlib';

/** One character as dots: 16 rows, 8 or 16 wide. */
export interface Glyph {
  readonly width: 8 | 16;
  readonly isSet: (x: number, y: number) => boolean;
}

/** Height of every glyph. */
export const GLYPH_HEIGHT = 16;

interface Run {
  readonly from: number;
  readonly count: number;
  readonly width: 8 | 16;
  /** Where its glyphs begin. */
  readonly at: number;
}

interface Font {
  readonly bytes: Buffer;
  readonly runs: readonly Run[];
}

/** Made by `scripts/font.ts`, which describes it. */
const PACKED = new URL('../../../assets/font/unifont.bin.br', import.meta.url);
const MAX_BYTES = 4 * 1024 * 1024;
const UNKNOWN = 0xfffd;

let loaded: Font | undefined;

function readFont(): Font {
  const bytes = brotliDecompressSync(readFileSync(PACKED), { maxOutputLength: MAX_BYTES });
  const count = bytes.readUInt16BE(0);
  const runs: Run[] = [];
  let at = 2 + count * 5;
  for (let index = 0; index < count; index++) {
    const head = 2 + index * 5;
    const width = bytes.readUInt8(head + 4) === 8 ? 8 : 16;
    const run: Run = { from: bytes.readUInt16BE(head), count: bytes.readUInt16BE(head + 2), width, at };
    runs.push(run);
    at += run.count * width * 2;
  }
  return { bytes, runs };
}

/** The run that holds a code point, by halving. */
function runOf({ runs }: Font, code: number): Run | undefined {
  let low = 0;
  let high = runs.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const run = runs[middle];
    if (!run) return undefined;
    if (code < run.from) high = middle - 1;
    else if (code >= run.from + run.count) low = middle + 1;
    else return run;
  }
  return undefined;
}

/** The dots of a character; those of the replacement character for what the font lacks. The font is read when it is first used. */
export function glyphOf(char: string): Glyph {
  loaded ??= readFont();
  const font = loaded;
  const code = char.codePointAt(0) ?? UNKNOWN;
  const known = runOf(font, code);
  const run = known ?? runOf(font, UNKNOWN);
  if (!run) throw new Error('the font lacks the replacement character');
  const at = run.at + ((known ? code : UNKNOWN) - run.from) * run.width * 2;
  // Rows of the left half, then rows of the right half.
  return {
    width: run.width,
    isSet: (x, y) => (((font.bytes[at + (x >> 3) * GLYPH_HEIGHT + y] ?? 0) >> (7 - (x & 7))) & 1) === 1,
  };
}
