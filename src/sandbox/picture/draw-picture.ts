import { checksum } from '../seals.ts';
import { type Canvas, type Colour, createCanvas, cubeIndex, drawText, fillDisc, fillRect, OWN } from './canvas.ts';
import { drawable, fitText, textWidth, wrapText } from './lines.ts';
import { encodePng } from './png.ts';
import type { Pixels } from './read-png.ts';

/** What a picture is to show. */
export interface Picture {
  readonly width: number;
  readonly height: number;
  /** Drawn in, as large as it fits. */
  readonly text: string;
  /** One small line at the foot. */
  readonly caption: string;
  /** Colours and shapes follow from it. */
  readonly seed: string;
  /** Pictures that were given: those that could be read are pasted in. */
  readonly pasted?: readonly Pixels[];
  readonly transparent?: boolean;
  /** How much of it is there, from the top: 1 is all. */
  readonly share?: number;
}

/** Own colours of a picture, by their place in the palette. */
export const INK = OWN + 1;
const SHAPE = OWN + 2;
const PANEL = OWN + 3;

/** A hue at a lightness, as a colour. https://www.w3.org/TR/css-color-4/#hsl-to-rgb */
function hsl(hue: number, saturation: number, lightness: number): Colour {
  const part = (offset: number): number => {
    const k = (offset + hue / 30) % 12;
    const strength = saturation * Math.min(lightness, 1 - lightness);
    return Math.round(255 * (lightness - strength * Math.max(-1, Math.min(k - 3, 9 - k, 1))));
  };
  return (part(0) << 16) | (part(8) << 8) | part(4);
}

const numberOf = (seed: string): number => Number.parseInt(checksum(seed), 16);

function coloursOf(seed: string): readonly Colour[] {
  const hue = numberOf(seed) % 360;
  return [hsl(hue, 0.55, 0.82), hsl(hue, 0.6, 0.16), hsl((hue + 24) % 360, 0.6, 0.74), 0xffffff];
}

/** A few discs, so that no two pictures look the same. */
function shapes(canvas: Canvas, seed: string): void {
  const { width, height } = canvas;
  for (let index = 0; index < 4; index++) {
    const x = numberOf(`${seed}/x${index}`) % width;
    const y = numberOf(`${seed}/y${index}`) % height;
    const radius = Math.max(2, Math.floor((Math.min(width, height) * (8 + (numberOf(`${seed}/r${index}`) % 16))) / 100));
    fillDisc(canvas, x, y, radius, SHAPE);
  }
}

/** Puts a picture into a box, its proportions kept, in the nearest colours; what is transparent there stays as it is here. */
function paste(canvas: Canvas, { width, height, rgba }: Pixels, box: { x: number; y: number; width: number; height: number }): void {
  const scale = Math.min(box.width / width, box.height / height);
  const [w, h] = [Math.max(1, Math.floor(width * scale)), Math.max(1, Math.floor(height * scale))];
  const [left, top] = [box.x + Math.floor((box.width - w) / 2), box.y + Math.floor((box.height - h) / 2)];
  for (let y = 0; y < h; y++) {
    for (let x = 0; x < w; x++) {
      const at = (Math.floor(y / scale) * width + Math.floor(x / scale)) * 4;
      if ((rgba[at + 3] ?? 0) < 128) continue;
      canvas.pixels[(top + y) * canvas.width + left + x] = cubeIndex(rgba[at] ?? 0, rgba[at + 1] ?? 0, rgba[at + 2] ?? 0);
    }
  }
}

/** Writes a text into the middle of a box. */
function writeIn(canvas: Canvas, text: string, y: number, height: number, margin: number): void {
  const fitted = fitText(text, canvas.width - 2 * margin, height, Math.max(1, Math.floor(Math.min(canvas.width, canvas.height) / 48)));
  if (!fitted) return;
  const { lines, scale, lineHeight } = fitted;
  let top = y + Math.floor((height - lines.length * lineHeight) / 2);
  for (const line of lines) {
    const shown = line.trim();
    drawText(canvas, shown, Math.floor((canvas.width - textWidth(shown) * scale) / 2), top, scale, INK);
    top += lineHeight;
  }
}

/** Draws a picture. The same picture always gives the same dots. */
export function drawPicture({ width, height, text, caption, seed, pasted = [], share = 1 }: Picture): Canvas {
  const canvas = createCanvas(width, height, coloursOf(seed));
  shapes(canvas, seed);
  const margin = Math.max(2, Math.floor(Math.min(width, height) / 20));
  const foot = caption !== '' && width >= 160 && height >= 96 ? 16 * Math.max(1, Math.floor(Math.min(width, height) / 512)) + margin : 0;
  const upper = pasted.length === 0 ? 0 : Math.floor((height - foot) * 0.6);
  for (const [index, pixels] of pasted.entries()) {
    const slot = Math.floor((width - 2 * margin) / pasted.length);
    paste(canvas, pixels, { x: margin + index * slot, y: margin, width: slot, height: Math.max(1, upper - margin) });
  }
  writeIn(canvas, drawable(text), upper + margin, Math.max(0, height - upper - foot - 2 * margin), margin);
  if (foot > 0) {
    const scale = Math.max(1, Math.floor(Math.min(width, height) / 512));
    const [line = ''] = wrapText(drawable(caption), Math.floor((width - 2 * margin) / scale));
    fillRect(canvas, 0, height - foot, width, foot, PANEL);
    drawText(canvas, line, margin, height - foot + Math.floor((foot - 16 * scale) / 2), scale, INK);
  }
  if (share < 1) fillRect(canvas, 0, Math.floor(height * share), width, height, OWN);
  return canvas;
}

/** A picture as PNG; what it shows stands in it as text too. */
export function pictureFile(picture: Picture): Buffer {
  return encodePng(drawPicture(picture), {
    texts: { Description: picture.text.slice(0, 4000), Comment: picture.caption.slice(0, 4000), Software: 'Pailou sandbox' },
    ...(picture.transparent === true ? { transparent: OWN } : {}),
  });
}
