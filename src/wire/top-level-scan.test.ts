import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { editPieces, scanTopLevel } from './top-level-scan.ts';

const WANTED = new Set(['model', 'stream']);

function valuesOf(text: string): Record<string, unknown> | string {
  const body = Buffer.from(text);
  const scan = scanTopLevel(body, WANTED);
  if (typeof scan === 'string') return scan;
  return Object.fromEntries([...scan.values].map(([name, { from, to }]) => [name, JSON.parse(body.toString('utf8', from, to))]));
}

const REALITIES: readonly { name: string; text: string; found: Record<string, unknown> | string }[] = [
  {
    name: 'the usual body',
    text: '{"model":"gpt-5","messages":[{"role":"user","content":"hi"}],"stream":true}',
    found: { model: 'gpt-5', stream: true },
  },
  { name: 'spaces everywhere', text: ' {\n "model" : "m" ,\t"stream" : false }\r\n', found: { model: 'm', stream: false } },
  {
    name: 'a model inside a message is not the model',
    text: '{"metadata":{"model":"inner"},"a":[{"model":"x"}],"model":"outer"}',
    found: { model: 'outer' },
  },
  { name: 'braces, quotes and backslashes in strings', text: '{"a":"}]\\"{\\\\","model":"m\\"n"}', found: { model: 'm"n' } },
  { name: 'the word as a value', text: '{"a":"model","b":["stream"],"model":"m"}', found: { model: 'm' } },
  { name: 'model last, after a number', text: '{"temperature":0.5,"model":"m"}', found: { model: 'm' } },
  { name: 'null', text: '{"stream":null,"model":"m"}', found: { stream: null, model: 'm' } },
  { name: 'not ASCII', text: '{"a":"牌楼🏮","model":"模型"}', found: { model: '模型' } },
  { name: 'an empty object', text: '{}', found: {} },
  { name: 'a byte order mark', text: '\uFEFF{"model":"m"}', found: { model: 'm' } },
  { name: 'an escaped name', text: '{"mod\\u0065l":"m"}', found: 'odd' },
  { name: 'an escaped name that nobody wants', text: '{"a\\\\b":1,"made \\"x\\"":2,"\\u0061":3,"model":"m"}', found: { model: 'm' } },
  { name: 'an escape that is none', text: '{"a\\x":1,"model":"m"}', found: 'malformed' },
  { name: 'the model twice', text: '{"model":"a","model":"b"}', found: 'duplicate' },
  { name: 'an array', text: '[]', found: 'not-an-object' },
  { name: 'nothing', text: '', found: 'not-an-object' },
  { name: 'a body that was cut off', text: '{"model":"m","messages":[{"role":', found: 'unterminated' },
  { name: 'a string that was cut off', text: '{"model":"m', found: 'unterminated' },
  { name: 'something after the end', text: '{"model":"m"} x', found: 'trailing' },
  { name: 'no colon', text: '{"model" "m"}', found: 'malformed' },
  { name: 'no value', text: '{"model":,"stream":true}', found: 'malformed' },
  { name: 'a bare name', text: '{model:"m"}', found: 'malformed' },
];

describe('the scanner of top-level members', () => {
  it.each(REALITIES)('reads $name', ({ text, found }) => expect(valuesOf(text)).toEqual(found));

  it('refuses depth', () => {
    const deep = `{"a":${'['.repeat(200)}${']'.repeat(200)}}`;
    expect(scanTopLevel(Buffer.from(deep), WANTED, 128)).toBe('too-deep');
    expect(scanTopLevel(Buffer.from(deep), WANTED, 300)).toMatchObject({ depth: 201 });
  });

  it('finds what JSON.parse finds, for any object', () => {
    fc.assert(
      fc.property(
        fc.dictionary(fc.oneof(fc.constantFrom('model', 'stream'), fc.string()), fc.jsonValue({ maxDepth: 4 })),
        fc.constantFrom(0, 1, 2),
        (object, indent) => {
          const text = JSON.stringify(object, null, indent);
          const wanted = Object.fromEntries(
            Object.entries(JSON.parse(text) as Record<string, unknown>).filter(([name]) => WANTED.has(name)),
          );
          const found = valuesOf(text);
          // What is printed has its names as they are, or escaped because they must be: none of those is wanted.
          expect(found).toEqual(wanted);
        },
      ),
    );
  });

  it('replaces only what it is told to', () => {
    const body = Buffer.from('{"model":"old","x":1}');
    const pieces = editPieces(body, [
      { from: 1, to: 1, text: '"a":2,' },
      { from: 9, to: 14, text: '"new"' },
    ]);
    expect(Buffer.concat(pieces).toString()).toBe('{"a":2,"model":"new","x":1}');
    expect(editPieces(body, [])[0]).toBe(body);
  });

  it('has a body parsed that is full of escaped names, unless it was printed: nothing wanted is escaped there', () => {
    const escaped = (times: number): Buffer => Buffer.from(`{${'"\\u0061":0,'.repeat(times)}"model":"m"}`);
    expect(scanTopLevel(escaped(100), WANTED)).toMatchObject({ depth: 1 });
    expect(scanTopLevel(escaped(101), WANTED)).toBe('odd');
    expect(scanTopLevel(escaped(101), WANTED, 128, false)).toMatchObject({ depth: 1 });
  });

  it('takes evil text in linear time', () => {
    const evil = Buffer.from(`{"a":"${'\\\\'.repeat(50_000)}","model":"m"}`);
    const started = performance.now();
    expect(scanTopLevel(evil, WANTED)).toMatchObject({ depth: 1 });
    expect(performance.now() - started).toBeLessThan(200);
    const quotes = Buffer.from(`{"a":"${'\\"'.repeat(50_000)}","model":"m"}`);
    expect(scanTopLevel(quotes, WANTED)).toMatchObject({ depth: 1 });
  });
});
