import { describe, expect, it } from 'vitest';
import { firstString, hasElement, hasString, lastObject, lastString } from './find-member.ts';

const hasCount = (value: { readonly [key: string]: unknown }): boolean => typeof value['n'] === 'number';

describe('an object by its name', () => {
  it.each([
    { name: 'as it is', body: '{"usage":{"n":1}}', found: { n: 1 } },
    { name: 'with white space around', body: '{"usage" :\n\t{ "n": 1 }\r\n}', found: { n: 1 } },
    { name: 'the last of several', body: '{"usage":{"n":1},"x":{"usage":{"n":2}}}', found: { n: 2 } },
    { name: 'the last that fits', body: '{"usage":{"n":1},"x":{"usage":{"m":2}}}', found: { n: 1 } },
    {
      name: 'with braces and quotes in its texts',
      body: String.raw`{"usage":{"t":"}\"}","n":1,"o":{}}}`,
      found: { t: '}"}', n: 1, o: {} },
    },
    { name: 'none where it stands in a text', body: String.raw`{"text":"\"usage\":{\"n\":1}"}`, found: undefined },
    { name: 'none where the name is a value', body: '{"x":"usage","y":{"n":1}}', found: undefined },
    { name: 'none where it is no object', body: '{"usage":null}', found: undefined },
    { name: 'none where the body is cut', body: '{"usage":{"n":1', found: undefined },
  ])('$name', ({ body, found }) => expect(lastObject(Buffer.from(body), '"usage"', hasCount)).toEqual(found));
});

describe('a string by its name', () => {
  it.each([
    { name: 'the first and the last', body: '{"model":"a","x":{"model": "b"}}', first: 'a', last: 'b' },
    { name: 'with what is escaped in it', body: String.raw`{"model":"a\"b\\"}`, first: 'a"b\\', last: 'a"b\\' },
    { name: 'none where it is null', body: '{"model":null}', first: undefined, last: undefined },
    { name: 'none where it is cut', body: '{"model":"a', first: undefined, last: undefined },
    { name: 'none where it stands in a text', body: String.raw`{"x":"\"model\":\"a\""}`, first: undefined, last: undefined },
    { name: 'none where there is none', body: '{}', first: undefined, last: undefined },
  ])('$name', ({ body, first, last }) => {
    expect(firstString(Buffer.from(body), '"model"')).toBe(first);
    expect(lastString(Buffer.from(body), '"model"')).toBe(last);
  });

  it.each([
    { name: 'with that value', body: '{"type" : "call"}', found: true },
    { name: 'with another', body: '{"type":"text"}', found: false },
    { name: 'that value under another name', body: '{"name":"call","type":"text"}', found: false },
    { name: 'in a text', body: String.raw`{"x":"\"type\":\"call\""}`, found: false },
  ])('$name', ({ body, found }) => expect(hasString(Buffer.from(body), '"type"', '"call"')).toBe(found));
});

describe('a list by its name', () => {
  it.each([
    { name: 'with something in it', body: '{"calls" : [ {} ]}', found: true },
    { name: 'that is empty', body: '{"calls":[ ]}', found: false },
    { name: 'that is null', body: '{"calls":null}', found: false },
    { name: 'that is not there', body: '{}', found: false },
  ])('$name', ({ body, found }) => expect(hasElement(Buffer.from(body), '"calls"')).toBe(found));
});
