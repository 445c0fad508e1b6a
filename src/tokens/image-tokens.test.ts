import { describe, expect, it } from 'vitest';
import { claudePatches, type ImageRule, tiles } from './image-tokens.ts';

const claude = claudePatches(1568, 1600);
const gpt4o = tiles(85, 170);

describe('tokens of an image', () => {
  it.each<[rule: string, count: ImageRule, width: number, height: number, detail: string | undefined, tokens: number]>([
    // https://platform.openai.com/docs/guides/images-vision: its own examples.
    ['OpenAI’s tiles', gpt4o, 1024, 1024, 'high', 765],
    ['OpenAI’s tiles, made to fit first', gpt4o, 2048, 4096, 'high', 1105],
    ['OpenAI’s tiles, low detail', gpt4o, 4096, 8192, 'low', 85],
    ['OpenAI’s tiles, never made larger', gpt4o, 1, 1, undefined, 255],
    ['Claude’s patches, small', claude, 1, 1, undefined, 6],
    ['Claude’s patches', claude, 560, 280, undefined, 205],
    ['Claude’s patches, at most', claude, 8000, 8000, undefined, 1605],
    ['Claude’s patches, long and thin', claude, 15_680, 10, undefined, 61],
  ])('%s (%#)', (_rule, count, width, height, detail, tokens) => {
    expect(count({ width, height, ...(detail === undefined ? {} : { detail }) })).toBe(tokens);
  });
});
