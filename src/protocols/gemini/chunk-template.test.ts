import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type JsonObject, parseObject, type ReplyEvent } from '../../ir/index.ts';
import { createChunkTemplate, plainDelta } from './chunk-template.ts';
import { createChunkReader } from './chunk-reader.ts';
import { gemini } from './index.ts';

const source = { maker: 'them', newId: (prefix: string): string => `${prefix}new` };

interface Shape {
  readonly spaces: number;
  readonly thought: boolean;
  readonly usage: boolean;
  readonly details: boolean;
}

/** A chunk as Google's servers print it, one way or another. */
function chunk(text: string, count: number, { spaces, thought, usage, details }: Shape): string {
  const usageMetadata = {
    promptTokenCount: 7,
    candidatesTokenCount: count,
    totalTokenCount: 7 + count,
    ...(details ? { promptTokensDetails: [{ modality: 'TEXT', tokenCount: 7 }], serviceTier: 'v2' } : {}),
  };
  const candidates = [{ content: { parts: [{ text, ...(thought ? { thought: true } : {}) }], role: 'model' }, index: 0 }];
  const body = { candidates, ...(usage ? { usageMetadata } : {}), modelVersion: 'gemini-2.5-flash', responseId: 'r1' };
  return JSON.stringify(body, null, spaces).replaceAll('\n', '');
}

const PLAIN: Shape = { spaces: 0, thought: false, usage: true, details: true };

function learned(data: string): ReturnType<typeof createChunkTemplate> {
  const template = createChunkTemplate();
  template.learn(data, parseObject(data) ?? {});
  return template;
}

describe('a chunk template', () => {
  it('knows what differs in text and counts only', () => {
    const template = learned(chunk('one', 1, PLAIN));
    const found = template.match(chunk('two "牌楼"\n', 1234, PLAIN));
    expect(found).toMatchObject({ kind: 'text', text: 'two "牌楼"\n', literal: '"two \\"牌楼\\"\\n"' });
    expect(parseObject(found?.usage ?? '')).toMatchObject({ candidatesTokenCount: 1234, totalTokenCount: 1241 });
  });

  it.each<readonly [string, string]>([
    ['a finish', chunk('two', 2, PLAIN).replace('"index":0', '"finishReason":"STOP","index":0')],
    ['another part', chunk('two', 2, PLAIN).replace('}],"role"', '},{"text":"x"}],"role"')],
    ['a signature', chunk('two', 2, PLAIN).replace('"two"', '"two","thoughtSignature":"x"')],
    ['another candidate', chunk('two', 2, PLAIN).replace('"index":0', '"index":1')],
    ['a count that is no number', chunk('two', 2, PLAIN).replace('"candidatesTokenCount":2', '"candidatesTokenCount":02')],
    ['a count that is gone', chunk('two', 2, PLAIN).replace('"candidatesTokenCount":2', '"candidatesTokenCount":')],
    ['more usage', chunk('two', 2, PLAIN).replace('"totalTokenCount"', '"thoughtsTokenCount":3,"totalTokenCount"')],
    ['no text', chunk('', 2, PLAIN)],
    ['a broken escape', chunk('two', 2, PLAIN).replace('two', 'tw\\x')],
    ['half of one', chunk('two', 2, PLAIN).slice(0, -9)],
  ])('is not deceived by %s', (_name, data) => {
    expect(learned(chunk('one', 1, PLAIN)).match(data)).toBeUndefined();
  });

  it('reads escapes that are not its own', () => {
    const data = chunk('two', 2, PLAIN).replace('two', '\\u003ctwo\\u003e \\/');
    expect(learned(chunk('one', 1, PLAIN)).match(data)).toMatchObject({ text: '<two> /', literal: '"\\u003ctwo\\u003e \\/"' });
  });
});

const told = fc.oneof(
  fc.string({ unit: 'grapheme' }),
  fc.constantFrom('"', '\\', '\\"', '","usageMetadata":{', '"}]', '\n', '\u0000', '"text":"', 'gemini-2.5-flash', 'model', 'probe', '7'),
);
const shape = fc.record({
  spaces: fc.constantFrom(0, 1),
  thought: fc.boolean(),
  usage: fc.boolean(),
  details: fc.boolean(),
});
const damage = fc.record({ at: fc.nat(400), put: fc.constantFrom('', '"', '0', '9', '\\', '{', '}', ',', 'x', ' '), cut: fc.nat(2) });

describe('whatever comes', () => {
  it('a template never says other than the parser', () => {
    fc.assert(
      fc.property(
        told,
        shape,
        fc.array(fc.tuple(told, fc.nat(99_999), shape, fc.option(damage)), { maxLength: 12 }),
        (first, form, rest) => {
          const template = learned(chunk(first, 1, form));
          for (const [text, count, other, hurt] of rest) {
            const whole = chunk(text, count, { ...form, ...(count % 3 === 0 ? other : {}) });
            const data = hurt ? whole.slice(0, hurt.at) + hurt.put + whole.slice(hurt.at + hurt.cut) : whole;
            const found = template.match(data);
            if (!found) continue;
            const value = parseObject(data) ?? expect.fail(`matched what is no JSON: ${data}`);
            expect(plainDelta(value)).toEqual({ kind: found.kind, text: found.text });
            expect(JSON.parse(found.literal)).toBe(found.text);
            expect(found.usage === undefined ? undefined : parseObject(found.usage)).toEqual(value['usageMetadata']);
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it('a stream with it says what a stream without it says', () => {
    const plain = (event: ReplyEvent): unknown => (event.type === 'part-delta' ? { type: event.type, text: event.text } : event);
    fc.assert(
      fc.property(fc.array(fc.tuple(told, fc.nat(999), shape), { minLength: 1, maxLength: 20 }), (chunks) => {
        const frames = [
          ...chunks.map(([text, count, form]) => chunk(text, count, { ...form, spaces: 0, details: false })),
          JSON.stringify({ candidates: [{ finishReason: 'STOP', index: 0 }] }),
        ];
        const fast: unknown[] = [];
        const decoder = gemini.streamDecoder(source);
        for (const data of frames) decoder.frame({ data }, (event) => fast.push(plain(event)));
        decoder.end((event) => fast.push(plain(event)));
        const slow: unknown[] = [];
        const reader = createChunkReader(source, (event) => slow.push(plain(event)));
        for (const data of frames) reader.chunk(JSON.parse(data) as JsonObject);
        reader.end();
        expect(fast).toEqual(slow);
      }),
      { numRuns: 200 },
    );
  });

  it('text that flows is told with its literal', () => {
    const literals: unknown[] = [];
    const decoder = gemini.streamDecoder(source);
    for (const text of ['a', 'b', 'c']) {
      decoder.frame({ data: chunk(text, 3, PLAIN) }, (event) => {
        if (event.type === 'part-delta') literals.push(event.literal);
      });
    }
    expect(literals).toEqual([undefined, '"b"', '"c"']);
  });
});
