import { describe, expect, it } from 'vitest';
import { patternsOfSources, slowest } from './patterns.ts';

/** Less than is promised, so that it takes seconds: what grows with the square of its text is far beyond the limit all the same. */
const SIZE = 5000;
const LIMIT_MS = 5;

describe('regular expressions', () => {
  it('of the sources take no time on evil text', () => {
    const slow = patternsOfSources()
      .map((pattern) => slowest(pattern, SIZE))
      .filter((found) => found.ms > LIMIT_MS);
    expect(slow).toEqual([]);
  }, 300_000);

  it.each([String.raw`\/+$`, String.raw`^(a+)+$`, String.raw`^data:([^;,]*)[^,]*;base64,`, String.raw`\[(?:\\.|[^\]])*\]`])(
    'that do are found: %s',
    (source) => expect(slowest({ where: 'here', source, flags: '' }, SIZE).ms).toBeGreaterThan(LIMIT_MS),
  );
});
