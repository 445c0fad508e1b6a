import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GatewayError } from '../../ir/index.ts';
import { countField, flagField, type Form, listField, numberField, readForm, textField, wordField } from './form.ts';

const TYPE = 'multipart/form-data; boundary=XX';
const form = (...parts: readonly string[]): Buffer =>
  Buffer.from(`${parts.map((part) => `--XX\r\n${part}\r\n`).join('')}--XX--\r\n`, 'latin1');

const faultOf = (work: () => unknown): GatewayError['fault'] | undefined => {
  try {
    work();
  } catch (error) {
    if (error instanceof GatewayError) return error.fault;
    throw error;
  }
  return undefined;
};

describe('a form', () => {
  it.each([
    ['a text', ['Content-Disposition: form-data; name="a"\r\n\r\nb'], { a: 'b' }],
    ['without quotes', ['content-disposition: form-data; name=a\r\n\r\nb'], { a: 'b' }],
    ['an empty one', ['Content-Disposition: form-data; name="a"\r\n\r\n'], { a: '' }],
    ['lines', ['Content-Disposition: form-data; name="a"\r\n\r\n1\r\n2\r\n'], { a: '1\r\n2\r\n' }],
    ['twice', Array.from({ length: 2 }, (_, at) => `Content-Disposition: form-data; name="a"\r\n\r\n${at}`), { a: ['0', '1'] }],
    ['a list', ['Content-Disposition: form-data; name="a[]"\r\n\r\nx'], { a: ['x'] }],
    ['a quote in a name', ['Content-Disposition: form-data; name="a\\"b"\r\n\r\nx'], { 'a"b': 'x' }],
  ])('has %s', (_, parts, fields) => expect(readForm(form(...parts), TYPE)).toEqual({ fields, files: [] }));

  it('has files, byte by byte', () => {
    const body = form(
      'Content-Disposition: form-data; name="image[]"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--X\r\n\x00\xff',
    );
    expect(readForm(body, TYPE).files).toEqual([
      { name: 'image', filename: 'a.png', mediaType: 'image/png', bytes: Buffer.from('\x89PNG\r\n--X\r\n\x00\xff', 'latin1') },
    ]);
  });

  it.each([
    ['no boundary', form('x'), 'multipart/form-data'],
    ['another boundary', form('Content-Disposition: form-data; name="a"\r\n\r\nb'), 'multipart/form-data; boundary=YY'],
    ['no end', Buffer.from('--XX\r\nContent-Disposition: form-data; name="a"\r\n\r\nb'), TYPE],
    ['no name', form('Content-Disposition: form-data\r\n\r\nb'), TYPE],
    ['no blank line', form('Content-Disposition: form-data; name="a"'), TYPE],
    ['nothing', Buffer.alloc(0), TYPE],
  ])('with %s is refused', (_, body, type) =>
    expect(faultOf(() => readForm(body, type))).toMatchObject({ status: 400, code: 'invalid_multipart' }),
  );

  it.each(['', '[]', '"x"', '{', 'null'])('%j is no JSON object', (text) =>
    expect(faultOf(() => readForm(Buffer.from(text), 'application/json'))).toMatchObject({ status: 400, code: 'invalid_json' }),
  );

  it('of any bytes is read or refused', () => {
    const whole = form(
      'Content-Disposition: form-data; name="a"; filename="b"\r\n\r\nc',
      'Content-Disposition: form-data; name="d"\r\n\r\ne',
    );
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.uint8Array({ maxLength: 8 }), fc.nat(whole.length), (at, noise, end) => {
        const bytes = Buffer.from(whole);
        bytes.set(noise.subarray(0, bytes.length - at), at);
        faultOf(() => readForm(bytes.subarray(0, end), TYPE));
      }),
      { numRuns: 500 },
    );
  });
});

describe('fields', () => {
  const fields = (values: Form['fields']): Form => ({ fields: values, files: [] });
  it('are read as JSON has them and as forms do', () => {
    expect([
      numberField(fields({ a: 2 }), 'a', 1, 3),
      numberField(fields({ a: '2.5' }), 'a', 1, 3),
      numberField(fields({ a: null }), 'a', 1, 3),
    ]).toEqual([2, 2.5, undefined]);
    expect([
      flagField(fields({ a: true }), 'a'),
      flagField(fields({ a: 'true' }), 'a'),
      flagField(fields({ a: 'false' }), 'a'),
      flagField(fields({}), 'a'),
    ]).toEqual([true, true, false, false]);
    expect([listField(fields({ a: 'x' }), 'a'), listField(fields({ a: ['x', 'y'] }), 'a'), listField(fields({}), 'a')]).toEqual([
      ['x'],
      ['x', 'y'],
      [],
    ]);
    expect(textField(fields({ a: null }), 'a')).toBeUndefined();
  });

  it.each([
    ['a number that is too small', () => numberField(fields({ a: 0 }), 'a', 1, 3)],
    ['a number that is none', () => numberField(fields({ a: 'x' }), 'a', 1, 3)],
    ['an object for a number', () => numberField(fields({ a: {} }), 'a', 1, 3)],
    ['a fraction', () => countField(fields({ a: 1.5 }), 'a', 1, 3)],
    ['a flag that is none', () => flagField(fields({ a: 'yes' }), 'a')],
    ['a word that is none', () => wordField(fields({ a: 'x' }), 'a', ['y'])],
    ['a list for a text', () => textField(fields({ a: [] }), 'a')],
  ])('%s is refused by name', (_, work) => expect(faultOf(work)).toMatchObject({ status: 400, param: 'a' }));
});
