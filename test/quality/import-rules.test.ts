import { describe, expect, test } from 'vitest';
import { idleRows, importCircles, waitingPolicies, wrongImports } from './import-rules.ts';
import { isTest, readSource, readSources, type SourceFile } from './source-file.ts';

const files = readSources(['src']).filter(({ path }) => !isTest(path));
const source = (path: string, text: string): SourceFile => readSource(path, text);

describe('the source keeps to', () => {
  test('who may import whom', () => expect(wrongImports(files)).toEqual([]));
  test('a table of folders that are there', () => expect(idleRows(files)).toEqual([]));
  test('policy never waits', () => expect(waitingPolicies(files)).toEqual([]));
  test('no circles of imports', () => expect(importCircles(files)).toEqual([]));
});

describe('an import is found wrong', () => {
  const CASES: readonly (readonly [name: string, path: string, text: string, says: string])[] = [
    ['ir imports something', 'src/ir/a.ts', `import { sse } from '../wire/sse.ts';`, 'src/ir may not import src/wire/sse.ts'],
    ['a codec another', 'src/protocols/gemini/a.ts', `import { x } from '../openai-chat/x.ts';`, 'protocols never import each other'],
    ['a codec another, by its type', 'src/protocols/gemini/a.ts', `import type { X } from '../openai-chat/x.ts';`, 'protocols never'],
    ['chat the legacy codec', 'src/protocols/openai-chat/a.ts', `import { x } from '../openai-completions/x.ts';`, 'protocols never'],
    ['a codec a preset', 'src/protocols/gemini/a.ts', `import { groq } from '../../presets/groq.ts';`, 'may not import src/presets'],
    ['a preset a codec', 'src/presets/a.ts', `export { codec } from '../protocols/gemini/index.ts';`, 'may not import src/protocols'],
    ['policy a value of the configuration', 'src/policy/a.ts', `import { load } from '../config/load.ts';`, 'types of config'],
    ['the exchange the store', 'src/exchange/a.ts', `import type { Store } from '../store/store.ts';`, 'may not import src/store'],
    ['the exchange http, late', 'src/exchange/a.ts', `const x = await import('../http/new-id.ts');`, 'may not import src/http'],
    ['http the sandbox', 'src/http/a.ts', `import { sandbox } from '../sandbox/sandbox.ts';`, 'may not import src/sandbox'],
    ['something the composition', 'src/http/a.ts', `import { createApp } from '../app.ts';`, 'the composition'],
    ['a folder that nobody knows', 'src/misc/a.ts', `import { x } from '../ir/x.ts';`, 'has no row'],
  ];
  test.each(CASES)('%s', (_name, path, text, says) => {
    expect(wrongImports([source(path, text)])).toEqual([expect.stringContaining(says)]);
  });
});

test('rows of folders that are not there are found', () => {
  const found = idleRows([source('src/ir/a.ts', '')]);
  expect(found).toContainEqual(expect.stringContaining('src/wire is not there'));
  expect(found.join()).not.toContain('src/ir ');
});

describe('an import is found right', () => {
  const CASES: readonly (readonly [name: string, path: string, text: string])[] = [
    ['legacy completions stand on chat', 'src/protocols/openai-completions/a.ts', `import { x } from '../openai-chat/x.ts';`],
    ['policy knows types', 'src/policy/a.ts', `import type { Config } from '../config/config.ts';`],
    ['each name a type', 'src/policy/a.ts', `import { type Config, type Key } from '../config/config.ts';`],
    ['the composition imports all', 'src/app.ts', `import { x } from './store/x.ts';`],
    ['packages', 'src/ir/a.ts', `import { createHash } from 'node:crypto';`],
  ];
  test.each(CASES)('%s', (_name, path, text) => expect(wrongImports([source(path, text)])).toEqual([]));
});

test.each([
  ['await', 'export async function f() { await g(); }'],
  ['async only', 'export const f = async () => 1;'],
  ['for await', 'async function f(all) { for await (const one of all) g(one); }'],
])('policy that waits is found: %s', (_name, text) => {
  expect(waitingPolicies([source('src/policy/a.ts', text)]).length).toBeGreaterThan(0);
  expect(waitingPolicies([source('src/http/a.ts', text)])).toEqual([]);
});

describe('circles', () => {
  const two = (first: string, second: string): readonly SourceFile[] => [source('src/ir/a.ts', first), source('src/wire/b.ts', second)];
  const back = `import { a } from '../ir/a.ts';`;
  test('between files and folders are found', () => {
    const found = importCircles(two(`import { b } from '../wire/b.ts';`, back));
    expect(found).toEqual([expect.stringContaining('src/ir/a.ts → src/wire/b.ts'), expect.stringContaining('src/ir → src/wire → src/ir')]);
  });
  test('over three files', () => {
    const circle = ['b', 'c', 'a'].map((next, index) => source(`src/ir/${'abc'[index] ?? ''}.ts`, `export * from './${next}.ts';`));
    expect(importCircles(circle)).toHaveLength(1);
  });
  test('of types are none', () => expect(importCircles(two(`import type { B } from '../wire/b.ts';`, back))).toEqual([]));
});
