import { describe, expect, test } from 'vitest';
import { longParts, MAX_FILE_LINES, MAX_FUNCTION_LINES, outlivingCalls, undocumentedExports } from './shape-rules.ts';
import { isTest, readSource, readSources } from './source-file.ts';

const files = readSources(['src']).filter(({ path }) => !isTest(path));

describe('the source keeps to', () => {
  test('every export is described', () => expect(undocumentedExports(files)).toEqual([]));
  test('functions and files that can be read', () => expect(longParts(files)).toEqual([]));
  test('nothing that outlives the call it was made for', () => expect(outlivingCalls(files)).toEqual([]));
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

test.each([
  ['a getter', `function f() { return { get a() { return 1; } }; }`],
  ['a setter', `const f = (b) => ({ set a(c) { b = c; } });`],
  ['a getter in a method of a class', `class A { m() { return { get a() { return 1; } }; } }`],
  ['a getter by the name of one that is made once, elsewhere', `function f() { return { get isEmpty() { return true; } }; }`],
  ['a generator', `function f() { function* a() {} return a(); }`],
  ['a generator at once', `const f = async () => { await g(); return (async function* () {})(); };`],
  ['a generator as a method', `function f() { return { async *a() {} }; }`],
  ['what iterates', `function f() { return { *[Symbol.iterator]() {} }; }`],
  ['a generator in a generator', `function* f() { yield* (function* () {})(); }`],
  ['a class', `const f = () => class A {};`],
])('what is made for each call is found: %s', (_name, text) => expect(outlivingCalls(inHttp(text))).toHaveLength(1));

test.each([
  ['a getter of the module', `export const a = { get b() { return 1; } };`],
  ['a getter of a class', `class A { get b() { return 1; } }`],
  ['a generator of the module', `export async function* f() {}`],
  ['generators of an object of the module', `export const codec = define({ async *decode() {}, *encode() {} });`],
  ['a generator of a class', `class A { *b() {} }`],
])('made once: %s', (_name, text) => expect(outlivingCalls(inHttp(text))).toEqual([]));

test('what is made once for a process may have getters', () => {
  const text = `function f() { return { get isEmpty() { return true; }, get size() { return 0; } }; }`;
  expect(outlivingCalls([readSource('src/store/journal.ts', text)])).toEqual([expect.stringContaining(`getter 'size'`)]);
});
