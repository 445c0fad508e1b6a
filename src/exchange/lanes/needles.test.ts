import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { searchFor } from './needles.ts';

describe('several needles at once', () => {
  it('are found where one after another would be', () => {
    const words = ['ab', 'abc', '"e"', '[DONE]', 'ba'];
    const search = searchFor(words);
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '"', 'e', '[DONE', ']', '楼'), maxLength: 60 });
    fc.assert(
      fc.property(letters, fc.nat({ max: 80 }), (text, from) => {
        const bytes = Buffer.from(text);
        const places = words.map((word) => bytes.indexOf(word, Math.min(from, bytes.length))).filter((place) => place >= 0);
        expect(search(bytes, from)).toBe(places.length > 0 && from < bytes.length ? Math.min(...places) : -1);
      }),
      { numRuns: 2000 },
    );
  });
});
