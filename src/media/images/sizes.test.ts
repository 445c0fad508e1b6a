import { describe, expect, it } from 'vitest';
import { createNotes } from '../../ir/index.ts';
import type { ImageRequest, ImageSizeWish } from './shape.ts';
import { listedSizeFor, pixelsFor, ratioFor, readSize, resolutionFor } from './sizes.ts';

const request = (size: ImageSizeWish): ImageRequest => ({ size, names: { size: 'size' } }) as unknown as ImageRequest;
const wish = (text: string): ImageRequest => request(readSize(text) ?? {});

describe('sizes that clients write', () => {
  it.each([
    ['1024x1536', { width: 1024, height: 1536, text: '1024x1536' }],
    ['1024*1536', { width: 1024, height: 1536, text: '1024*1536' }],
    ['1024 X 1536', { width: 1024, height: 1536, text: '1024 X 1536' }],
    ['16:9', { ratio: '16:9', text: '16:9' }],
    ['2k', { resolution: '2K', text: '2k' }],
    ['auto', { text: 'auto' }],
    ['large', undefined],
    ['0x10', undefined],
    ['99999x10', undefined],
    ['-1x10', undefined],
    ['0:9', undefined],
    ['1024', undefined],
    [`${'1'.repeat(100_000)}x`, undefined],
  ])('%.20s', (text, read) => expect(readSize(text)).toEqual(read));
});

/** What comes of a wish, and whether it is noted. */
const GPT = ['1024x1024', '1536x1024', '1024x1536'];
const DALL_E_2 = ['256x256', '512x512', '1024x1024'];

describe('sizes that providers are asked for', () => {
  it.each([
    ['1024x1024', '1:1', false],
    ['1536x1024', '3:2', false],
    ['1024x1792', '9:16', false],
    ['1920x1080', '16:9', false],
    ['16:9', '16:9', false],
    ['7:3', '21:9', false],
    ['1:4', '9:16', true],
    ['2K', undefined, false],
    ['auto', undefined, false],
  ])('the ratio for %s is %s', (text, found, noted) => {
    const notes = createNotes();
    expect([ratioFor(wish(text), notes), notes.list.length > 0]).toEqual([found, noted]);
  });

  it.each([
    ['16:9', GPT, '1536x1024', true],
    ['3:2', GPT, '1536x1024', false],
    ['1:1', GPT, '1024x1024', false],
    ['9:16', GPT, '1024x1536', true],
    ['1024x1024', DALL_E_2, '1024x1024', false],
    ['600x600', DALL_E_2, '512x512', true],
    ['auto', GPT, undefined, false],
  ])('of a list, for %s of %j: %s', (text, all, found, noted) => {
    const notes = createNotes();
    expect([listedSizeFor(wish(text), notes, all), notes.list.length > 0]).toEqual([found, noted]);
  });

  it.each([
    ['1024x1024', { step: 16, min: 256, max: 2048 }, [1024, 1024], false],
    ['1000x1000', { step: 32, min: 256, max: 1440 }, [992, 992], true],
    ['4096x2048', { step: 16, min: 256, max: 2048 }, [2048, 1024], true],
    ['64x64', { step: 16, min: 256, max: 2048 }, [256, 256], true],
    ['16:9', { step: 16, min: 256, max: 2048 }, [1360, 768], false],
    ['1:1', { step: 16, min: 256, max: 2048 }, [1024, 1024], false],
    ['2K', { step: 16, min: 256, max: 4096 }, [2048, 2048], false],
    ['auto', { step: 16, min: 256, max: 2048 }, undefined, false],
  ])('in a grid, for %s', (text, rules, found, noted) => {
    const notes = createNotes();
    const pixels = pixelsFor(wish(text), notes, rules);
    expect([pixels && [pixels.width, pixels.height], notes.list.length > 0]).toEqual([found, noted]);
  });

  it.each([
    ['1024x1024', undefined],
    ['1536x1024', undefined],
    ['2048x2048', '2K'],
    ['3840x2160', '4K'],
    ['4K', '4K'],
    ['9K', '4K'],
    ['16:9', undefined],
  ])('by resolution, for %s', (text, found) => expect(resolutionFor(wish(text))).toBe(found));
});
