import { readFileSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, constants } from 'node:zlib';

/*
 * Packs the bitmap font of the sandbox's pictures: `node scripts/font.ts [unifont.hex]`. The source is GNU Unifont
 * (Debian: `apt-get install unifont`), taken under the SIL Open Font License 1.1; see assets/README.md.
 *
 * Packed, before brotli: u16 number of runs; of each run u16 first code point, u16 count, u8 width in pixels (8 or 16);
 * then the glyphs of all runs, 16 rows of one byte, for wide ones the left halves of all rows before the right halves.
 */

const HEX = process.argv[2] ?? '/usr/share/unifont/unifont.hex';
const PACKED = new URL('../assets/font/unifont.bin.br', import.meta.url);

/** What pictures may show: Latin, Greek, Cyrillic, Hebrew, Arabic and Indic letters, symbols, kana, Chinese, Hangul, full-width forms. */
const KEPT: readonly (readonly [from: number, to: number])[] = [
  [0x20, 0x7e],
  [0xa0, 0x6ff],
  [0x900, 0x97f],
  [0xe00, 0xe7f],
  [0x1e00, 0x27ff],
  [0x2b00, 0x2bff],
  [0x2e80, 0x33ff],
  [0x4e00, 0x9fff],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe4f],
  [0xff00, 0xffef],
  [0xfffd, 0xfffd],
];

interface Glyph {
  readonly code: number;
  readonly rows: Buffer;
}

const glyphs: readonly Glyph[] = readFileSync(HEX, 'latin1')
  .split('\n')
  .map((line) => line.split(':', 2))
  .map(([code = '', rows = '']): Glyph => ({ code: Number.parseInt(code, 16), rows: Buffer.from(rows, 'hex') }))
  .filter(({ code, rows }) => (rows.length === 16 || rows.length === 32) && KEPT.some(([from, to]) => code >= from && code <= to))
  .toSorted((a, b) => a.code - b.code);

/** Rows of a wide glyph by halves: neighbours in a half look alike, and pack better. */
const halves = (rows: Buffer): Buffer =>
  rows.length === 16 ? rows : Buffer.concat([0, 1].map((half) => Buffer.from(rows.filter((_, at) => at % 2 === half))));

const runs: { readonly from: number; count: number; readonly width: number }[] = [];
for (const { code, rows } of glyphs) {
  const last = runs.at(-1);
  const width = rows.length / 2;
  if (last && last.from + last.count === code && last.width === width) last.count++;
  else runs.push({ from: code, count: 1, width });
}

const head = Buffer.alloc(2 + runs.length * 5);
head.writeUInt16BE(runs.length, 0);
for (const [index, { from, count, width }] of runs.entries()) {
  head.writeUInt16BE(from, 2 + index * 5);
  head.writeUInt16BE(count, 4 + index * 5);
  head.writeUInt8(width, 6 + index * 5);
}
const bytes = Buffer.concat([head, ...glyphs.map(({ rows }) => halves(rows))]);
const packed = brotliCompressSync(bytes, {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
    [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length,
  },
});
writeFileSync(PACKED, packed);
process.stdout.write(`${glyphs.length} glyphs in ${runs.length} runs: ${packed.length} bytes\n`);
