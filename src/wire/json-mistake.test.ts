import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findJsonMistake } from './json-mistake.ts';

describe('the first mistake in JSON', () => {
  it.each([
    { text: '', at: 0, found: 'the end of the text' },
    { text: '{"a":1', at: 6, found: 'the end of the text' },
    { text: '{"a":1,}', at: 7, found: "'}'" },
    { text: '{"a" 1}', at: 5, found: 'an unexpected character' },
    { text: '{"a":\n  sk-secret}', at: 8, line: 2, column: 3, found: 'an unexpected character' },
    { text: '{"a":"x\ny"}', at: 7, found: 'a control character' },
    { text: '{"a":"\\x"}', at: 6, found: 'an unexpected character' },
    { text: '{"a":[1,2}', at: 9, found: "'}'" },
    { text: '{"a":[1,]}', at: 8, found: "']'" },
    { text: '{"a":01}', at: 6, found: 'an unexpected character' },
    { text: '{"a":1}{', at: 7, found: "'{'" },
    { text: "{'a':1}", at: 1, found: 'an unexpected character' },
    { text: '{"a":"open', at: 10, found: 'the end of the text' },
  ])('of $text', ({ text, ...is }) => expect(findJsonMistake(text)).toMatchObject(is));

  it('is none in what the engine takes, and one in what it does not', () => {
    const isJson = (text: string): boolean => {
      try {
        JSON.parse(text);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ maxLength: 2 }), (json, place, put) => {
        expect(findJsonMistake(json)).toBeUndefined();
        const at = place % (json.length + 1);
        const mutant = json.slice(0, at) + put + json.slice(at + 1);
        expect(findJsonMistake(mutant) === undefined, mutant).toBe(isJson(mutant));
      }),
      { numRuns: 1000 },
    );
  });

  it('costs no recursion and no evil time', () => {
    const started = performance.now();
    expect(findJsonMistake('['.repeat(1_000_000))?.at).toBe(1_000_000);
    expect(findJsonMistake(`{"a":"${'\\'.repeat(1_000_000)}`)?.found).toBe('the end of the text');
    expect(performance.now() - started).toBeLessThan(2000);
  });
});
