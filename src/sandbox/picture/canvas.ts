import { GLYPH_HEIGHT, glyphOf } from './font.ts';

/** A colour as 0xRRGGBB. */
export type Colour = number;

/** A picture of at most 256 colours, each pixel the number of one. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  /** Row by row. */
  readonly pixels: Uint8Array;
  readonly palette: readonly Colour[];
}

/** The colours of every picture that a pasted one is brought down to: six steps of red, green and blue. */
const CUBE: readonly Colour[] = Array.from({ length: 216 }, (_, at) => {
  const step = (value: number): number => (value % 6) * 51;
  return (step(Math.floor(at / 36)) << 16) | (step(Math.floor(at / 6)) << 8) | step(at);
});

/** Where the colours of a picture's own begin in its palette. */
export const OWN = CUBE.length;

/** The colour of the cube that is nearest. */
export const cubeIndex = (red: number, green: number, blue: number): number =>
  Math.round(red / 51) * 36 + Math.round(green / 51) * 6 + Math.round(blue / 51);

/** A canvas in its first own colour. `own`: at most 40. */
export function createCanvas(width: number, height: number, own: readonly Colour[]): Canvas {
  return { width, height, palette: [...CUBE, ...own], pixels: new Uint8Array(width * height).fill(OWN) };
}

/** Fills a rectangle, as far as it lies on the canvas. */
export function fillRect({ width, height, pixels }: Canvas, x: number, y: number, w: number, h: number, colour: number): void {
  const [left, right] = [Math.max(0, x), Math.min(width, x + w)];
  if (left >= right) return;
  for (let row = Math.max(0, y); row < Math.min(height, y + h); row++) pixels.fill(colour, row * width + left, row * width + right);
}

/** Fills a disc, as far as it lies on the canvas. */
export function fillDisc(canvas: Canvas, x: number, y: number, radius: number, colour: number): void {
  for (let row = -radius; row <= radius; row++) {
    const half = Math.floor(Math.sqrt(radius * radius - row * row));
    fillRect(canvas, x - half, y + row, 2 * half + 1, 1, colour);
  }
}

/** Draws one line of text, each dot `scale` pixels wide and high. */
export function drawText(canvas: Canvas, text: string, x: number, y: number, scale: number, colour: number): void {
  let left = x;
  for (const char of text) {
    const { width, isSet } = glyphOf(char);
    for (let row = 0; row < GLYPH_HEIGHT; row++)
      for (let column = 0; column < width; column++)
        if (isSet(column, row)) fillRect(canvas, left + column * scale, y + row * scale, scale, scale, colour);
    left += width * scale;
  }
}
