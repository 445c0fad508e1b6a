import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import { createChunkTemplate, type PlainDelta } from './chunk-template.ts';

/** A reader of a small chunk: `{"a":…,"text":"…","pad":…}` where nothing else may be odd. */
const read = (value: JsonObject): PlainDelta | undefined =>
  typeof value['text'] === 'string' && value['end'] === undefined && !isObject(value['a'])
    ? { kind: 'text', text: value['text'] }
    : undefined;

const chunk = (text: string, pad: string | undefined, a: unknown = 1): string =>
  JSON.stringify({ a, text, z: [null], ...(pad === undefined ? {} : { obfuscation: pad, y: 2 }) });

const told = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\\"', '","obfuscation":"', '"}', '\n', '\u0000', 'text":"'),
);

describe('a chunk template', () => {
  it('knows what differs in its text only', () => {
    const template = createChunkTemplate(read);
    template.learn(chunk('one', undefined), { kind: 'text', text: 'one' });
    expect(template.match(chunk('two "牌楼"', undefined))).toEqual({ kind: 'text', text: 'two "牌楼"', literal: '"two \\"牌楼\\""' });
    expect(template.match(chunk('two', undefined, 2))).toBeUndefined();
    expect(template.match(chunk('two', 'x'))).toBeUndefined();
  });

  it('sees past random padding', () => {
    const template = createChunkTemplate(read);
    template.learn(chunk('one', 'Ab1'), { kind: 'text', text: 'one' });
    expect(template.match(chunk('two', ''))?.text).toBe('two');
    expect(template.match(chunk('two', 'zzzzzzz'))?.text).toBe('two');
    expect(template.match(chunk('two', 'z"z'))).toBeUndefined();
  });

  it('does not learn where the text stands twice and the other place counts', () => {
    const template = createChunkTemplate(read);
    template.learn(chunk('same', undefined, 'same'), { kind: 'text', text: 'same' });
    expect(template.match(chunk('same', undefined, 'other'))).toBeUndefined();
    expect(template.match(chunk('x', undefined, 'same'))).toBeUndefined();
  });

  it('never says other than the parser, whatever comes', () => {
    const damaged = fc.record({
      text: told,
      pad: fc.option(fc.string({ maxLength: 6 }), { nil: undefined }),
      at: fc.nat(200),
      put: fc.string({ maxLength: 3 }),
      cut: fc.nat(3),
    });
    fc.assert(
      fc.property(
        told,
        fc.option(fc.constantFrom('', 'ab', 'Zz9'), { nil: undefined }),
        fc.array(damaged, { maxLength: 20 }),
        (first, pad, rest) => {
          const template = createChunkTemplate(read);
          template.learn(chunk(first, pad), { kind: 'text', text: first });
          for (const { text, pad: other, at, put, cut } of rest) {
            const whole = chunk(text, other);
            const data = put === '' && cut === 0 ? whole : whole.slice(0, at) + put + whole.slice(at + cut);
            const found = template.match(data);
            if (!found) continue;
            const value = parseObject(data);
            expect(value && read(value)).toEqual({ kind: found.kind, text: found.text });
            expect(JSON.parse(found.literal)).toBe(found.text);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('gives up on chunks that never repeat', () => {
    const template = createChunkTemplate(read);
    for (let a = 0; a < 40; a++) template.learn(chunk('x', undefined, a), { kind: 'text', text: 'x' });
    template.learn(chunk('x', undefined, 100), { kind: 'text', text: 'x' });
    expect(template.match(chunk('y', undefined, 100))).toBeUndefined();
  });
});
