import { describe, expect, test } from 'vitest';
import { longParts, MAX_FILE_LINES, MAX_FUNCTION_LINES, undocumentedExports } from './shape-rules.ts';
import { isTest, readSource, readSources } from './source-file.ts';

const files = readSources(['src']).filter(({ path }) => !isTest(path));

describe('the source keeps to', () => {
  test('every export is described', () => expect(undocumentedExports(files)).toEqual([]));
  test('functions and files that can be read', () => expect(longParts(files)).toEqual([]));
});

const inHttp = (text: string) => [readSource('src/http/a.ts', text)];

test.each([
  ['a function', `export function f() {}`],
  ['a constant', `import { a } from './b.ts';\n\nexport const f = a;`],
  ['an interface', `interface A {}\n\nexport interface B {}`],
  ['a type', `// no doc comment\nexport type A = 1;`],
  ['a class', `export class A {}`],
  ['the maker of what is not', `interface Reader {}\n\nexport function createReader(): Reader {}`],
  ['after a gap', `/** A. */\nexport const a = 1;\n\nexport const b = 1;`],
])('an export without a description is found: %s', (_name, text) => expect(undocumentedExports(inHttp(text))).toHaveLength(1));

test.each([
  ['with one', `/** A. */\nexport function f() {}`],
  ['a run shares one', `/** Readers. */\nexport const a = 1;\nexport const b = 2;`],
  ['the maker of what is described', `/** A. */\nexport interface Reader {}\n\nexport function createReader(): Reader {}`],
  ['names of others', `export { a } from './b.ts';\nexport * from './c.ts';`],
])('a described export: %s', (_name, text) => expect(undocumentedExports(inHttp(text))).toEqual([]));

test('long functions and files are found', () => {
  const lines = (count: number): string => 'f();\n'.repeat(count);
  expect(longParts(inHttp(`function g() {\n${lines(MAX_FUNCTION_LINES)}}\n`))).toEqual([expect.stringContaining('g has')]);
  expect(longParts(inHttp(`const o = { m() {\n${lines(MAX_FUNCTION_LINES)}} };\n`))).toEqual([expect.stringContaining('m has')]);
  expect(longParts(inHttp(lines(MAX_FILE_LINES + 1)))).toEqual([expect.stringContaining('split it')]);
  expect(longParts(inHttp(`function g() {\n${lines(100)}}\n`))).toEqual([]);
});
