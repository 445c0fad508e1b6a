import type { Notes } from '../../ir/index.ts';
import type { ImageRequest, ImageSizeWish } from './shape.ts';

/*
 * Sizes and aspect ratios, both ways. Clients say pixels (`1536x1024`), a ratio (`16:9`), a resolution (`2K`) or nothing; a provider
 * takes one of these, often from a list. What is not met exactly is noted.
 */

/** Ratios that image models know, by their words. https://ai.google.dev/gemini-api/docs/image-generation#aspect_ratios */
const RATIOS = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'] as const;

/** The longer side's share of the shorter in a word, `16:9`. */
function valueOf(ratio: string): number {
  const [width = 1, height = 1] = ratio.split(':').map(Number);
  return width / height;
}

const MAX_SIDE = 16_384;

/** Reads a size in any of its forms; `undefined` when it is none. */
export function readSize(text: string): ImageSizeWish | undefined {
  if (text === 'auto') return { text };
  const pixels = /^(\d{1,5})\s{0,2}[x*×]\s{0,2}(\d{1,5})$/i.exec(text);
  if (pixels) {
    const [width, height] = [Number(pixels[1]), Number(pixels[2])];
    return width > 0 && height > 0 && width <= MAX_SIDE && height <= MAX_SIDE ? { width, height, text } : undefined;
  }
  if (/^[1-9]\d?:[1-9]\d?$/.test(text)) return { ratio: text, text };
  return /^[1-9]K$/i.test(text) ? { resolution: text.toUpperCase(), text } : undefined;
}

/** The ratio that is wanted, as a number; `undefined` when none was said. */
function wantedRatio({ width, height, ratio }: ImageSizeWish): number | undefined {
  if (ratio !== undefined) return valueOf(ratio);
  return width === undefined || height === undefined ? undefined : width / height;
}

/** How far two ratios are apart, whichever is larger. */
const distance = (a: number, b: number): number => Math.abs(Math.log(a / b));

/** Within the rounding of sides to 16 pixels. */
const SAME = 0.02;

function nearest<T>(wanted: number, all: readonly T[], of: (one: T) => number): T | undefined {
  return all.toSorted((a, b) => distance(of(a), wanted) - distance(of(b), wanted))[0];
}

const sizeRatio = (size: string): number => {
  const [width = 1, height = 1] = size.split('x').map(Number);
  return width / height;
};

/** The ratio of a provider's list that is nearest to what is wanted; `undefined` when nothing was said. */
export function ratioFor({ size, names }: ImageRequest, notes: Notes, all: readonly string[] = RATIOS): string | undefined {
  const wanted = wantedRatio(size);
  if (wanted === undefined) return undefined;
  const found = nearest(wanted, all, valueOf) ?? '1:1';
  if (distance(valueOf(found), wanted) > SAME) notes.add(names.size, 'approximated', `the target makes ${found}, of ${all.join(' ')}`);
  return found;
}

/** The size of a provider's list whose ratio, then whose area, is nearest; `undefined` when nothing was said. */
export function listedSizeFor({ size, names }: ImageRequest, notes: Notes, all: readonly string[]): string | undefined {
  const wanted = wantedRatio(size);
  if (wanted === undefined) return undefined;
  const area = (size.width ?? 1024) * (size.height ?? 1024);
  const areaOf = (one: string): number => one.split('x').reduce((so, side) => so * Number(side), 1);
  const ratio = sizeRatio(nearest(wanted, all, sizeRatio) ?? '1024x1024');
  const same = all.filter((one) => distance(sizeRatio(one), ratio) < 1e-9);
  const found = nearest(area, same, areaOf) ?? '1024x1024';
  const exact = size.width === undefined ? distance(sizeRatio(found), wanted) <= SAME : found === `${size.width}x${size.height}`;
  if (!exact) notes.add(names.size, 'approximated', `the target makes ${found}, of ${all.join(' ')}`);
  return found;
}

/** What a provider that takes any pixels is asked for. */
export interface PixelRules {
  /** Sides are multiples of this. */
  readonly step: number;
  readonly min: number;
  readonly max: number;
  /** Pixels of an image whose ratio alone was said. */
  readonly area?: number;
}

const RESOLUTION_SIDE: Readonly<Record<string, number>> = { '1K': 1024, '2K': 2048, '4K': 4096 };

/** Width and height in a provider's grid; `undefined` when nothing was said. */
export function pixelsFor(
  { size, names }: ImageRequest,
  notes: Notes,
  { step, min, max, area = 1024 * 1024 }: PixelRules,
): { readonly width: number; readonly height: number } | undefined {
  const side = RESOLUTION_SIDE[size.resolution ?? ''];
  const ratio = wantedRatio(size) ?? (side === undefined ? undefined : 1);
  if (ratio === undefined) return undefined;
  const pixels = side === undefined ? area : side * side;
  const width = size.width ?? Math.sqrt(pixels * ratio);
  const height = size.height ?? Math.sqrt(pixels / ratio);
  const fit = Math.min(1, max / Math.max(width, height));
  const grid = (length: number): number => Math.min(max, Math.max(min, Math.round((length * fit) / step) * step));
  const found = { width: grid(width), height: grid(height) };
  const exact =
    size.width === undefined ? distance(found.width / found.height, ratio) <= SAME : found.width === width && found.height === height;
  if (!exact) notes.add(names.size, 'approximated', `the target makes ${found.width}x${found.height}`);
  return found;
}

/** `1K`, `2K` or `4K`: what was said, or what the longer side needs; `undefined` for the provider's usual. */
export function resolutionFor({ size }: ImageRequest, all: readonly string[] = ['1K', '2K', '4K']): string | undefined {
  if (size.resolution !== undefined) return all.includes(size.resolution) ? size.resolution : all.at(-1);
  const longer = Math.max(size.width ?? 0, size.height ?? 0);
  // Models round to their own sizes of a megapixel: 1536x1024 is still one of those.
  const needed = longer > 3200 ? '4K' : longer > 1600 ? '2K' : undefined;
  return needed === undefined || all.includes(needed) ? needed : all.at(-1);
}
