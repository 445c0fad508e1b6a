import { describe, expect, it } from 'vitest';
import type { Json } from '../../ir/index.ts';
import { createPartialArgs } from './partial-args.ts';

const put = (...pieces: Json[]): unknown => {
  const args = createPartialArgs();
  args.add(pieces);
  return args.value;
};
const text = (jsonPath: string, stringValue: string): Json => ({ jsonPath, stringValue });

describe('arguments in pieces', () => {
  it.each<readonly [string, readonly Json[], unknown]>([
    ['texts grow', [text('$.a', 'x'), text('$.a', 'y')], { a: 'xy' }],
    ['places nest', [text('$.a.b[1].c', 'x'), text('$.a.b[0].c', 'y')], { a: { b: [{ c: 'y' }, { c: 'x' }] } }],
    ['names in brackets', [text("$['a.b']", 'x'), text('$["c d"]', 'y')], { 'a.b': 'x', 'c d': 'y' }],
    ['snake case', [{ json_path: '$.a', number_value: 1 }], { a: 1 }],
    [
      'false and null',
      [
        { jsonPath: '$.a', boolValue: false },
        { jsonPath: '$.b', nullValue: null },
      ],
      { a: false, b: null },
    ],
    ['no path, no value, no piece', [text('a', 'x'), text('$', 'x'), text('$..', 'x'), { jsonPath: '$.a' }, 7], {}],
    ['an index beyond reason', [text('$.a[99999999]', 'x')], {}],
    ['a path beyond reason', [text(`$${'.a'.repeat(99)}`, 'x')], {}],
    ['a path to the root of all objects', [text('$.__proto__.x', 'x'), text("$['__proto__']", 'x')], {}],
    [
      'names of inherited members',
      [text('$.constructor.name', 'x'), text('$.toString', 'y')],
      { constructor: { name: 'x' }, toString: 'y' },
    ],
  ])('%s', (_name, pieces, wanted) => {
    expect(JSON.stringify(put(...pieces))).toBe(JSON.stringify(wanted));
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });
});
