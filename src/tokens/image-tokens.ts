import type { ImageFacts } from './outline.ts';

/** Tokens of one image. */
export type ImageRule = (image: ImageFacts) => number;

interface Size {
  readonly width: number;
  readonly height: number;
}

const scaled = ({ width, height }: Size, by: number): Size => ({ width: width * by, height: height * by });

/** Made smaller, never larger, so that neither side is longer. */
const within = (size: Size, longest: number): Size => scaled(size, Math.min(1, longest / Math.max(size.width, size.height)));

const cells = ({ width, height }: Size, side: number): number =>
  Math.max(1, Math.ceil(width / side)) * Math.max(1, Math.ceil(height / side));

/** OpenAI's tiles: into 2048 × 2048, the short side to 768, tiles of 512. https://platform.openai.com/docs/guides/images-vision#calculating-costs */
export const tiles =
  (base: number, each: number): ImageRule =>
  (image) => {
    if (image.detail === 'low') return base;
    const fitted = within(image, 2048);
    const short = Math.min(fitted.width, fitted.height);
    return base + each * cells(scaled(fitted, Math.min(1, 768 / short)), 512);
  };

/** Claude: patches of 28 pixels after the image was made to fit. https://docs.claude.com/en/docs/build-with-claude/vision */
export const claudePatches =
  (longest: number, most: number): ImageRule =>
  (image) =>
    Math.min(most, cells(within(image, longest), 28)) + 5;
