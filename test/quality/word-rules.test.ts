import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { filesBelow, isTest, readSource, readSources, ROOT } from './source-file.ts';
import { decidesByVendor, hostNames, idleExceptions, machinePaths, oddNames, vagueNames, vendorWords } from './word-rules.ts';

const files = readSources(['src']).filter(({ path }) => !isTest(path));
const FOLDERS = ['src', 'test', 'scripts', 'docs', 'bin', 'schema'];
const PAGES = ['README.md', 'README.zh-CN.md', 'ARCHITECTURE.md', 'package.json'];

describe('the source keeps to', () => {
  test('vendors are data of presets', () => expect(vendorWords(files)).toEqual([]));
  test('every exception is needed', () => expect(idleExceptions(files)).toEqual([]));
  test('nothing asks which provider it is', () => expect(decidesByVendor(files)).toEqual([]));
  test('hosts belong to presets', () => expect(hostNames(files)).toEqual([]));
  test('names of files say what is inside', () => {
    const paths = filesBelow(['src', 'test', 'scripts'], ['.ts', '.js']).filter((path) => !path.startsWith('test/fixtures/'));
    expect(vagueNames(paths)).toEqual([]);
    expect(oddNames(paths.filter((path) => path.endsWith('.ts')))).toEqual([]);
  });
  test('no path of one machine', () => {
    const texts = [...filesBelow(FOLDERS, ['.ts', '.js', '.md', '.json', '.yaml']), ...PAGES];
    expect(machinePaths(texts.map((path) => ({ path, text: readFileSync(join(ROOT, path), 'utf8') })))).toEqual([]);
  });
});

const inHttp = (text: string) => [readSource('src/http/a.ts', text)];

test.each([
  ['as a text', `const name = 'deepseek-chat';`],
  ['as a name', `function dropForMistral() {}`],
  ['as a member', `const table = { groq: 1 };`],
  ['in a template', 'const path = `/openrouter/${id}`;'],
  ['in a pattern', `const known = /^claude-/;`],
  ['a model', `if (model === 'gpt-5') f();`],
])('a vendor outside the presets is found: %s', (_name, text) => {
  expect(vendorWords(inHttp(text))).toEqual([expect.stringContaining('src/http/a.ts:1')]);
  expect(vendorWords([readSource('src/presets/a.ts', text)])).toEqual([]);
});

test.each([
  ['in a comment', `// deepseek sends it twice`],
  ['a protocol', `const protocol = 'anthropic-messages';`],
  ['a word of English', `const all = together(a, b);`],
])('what is no vendor passes: %s', (_name, text) => expect(vendorWords(inHttp(text))).toEqual([]));

test('an exception lets its word pass, in its file only, and is told when idle', () => {
  const exceptions = [{ path: 'src/http/a.ts', word: /^groq$/, why: 'a test' }];
  expect(vendorWords(inHttp(`const a = 'groq';`), exceptions)).toEqual([]);
  expect(vendorWords([readSource('src/http/b.ts', `const a = 'groq';`)], exceptions)).toHaveLength(1);
  expect(idleExceptions(inHttp(`const a = 'groq';`), exceptions)).toEqual([]);
  expect(idleExceptions(inHttp(`const a = 1;`), exceptions)).toEqual([expect.stringContaining('needed no more')]);
});

test.each([
  ['its preset', `if (settings.preset === 'openai') f();`],
  ['not', `if ('anthropic' !== provider.preset.id) f();`],
  ['its name', `const x = provider.name === 'openai' ? 1 : 2;`],
  ['a switch', `switch (preset.id) { case 'gemini': f(); }`],
])('a decision by provider is found: %s', (_name, text) => expect(decidesByVendor(inHttp(text))).toHaveLength(1));

test.each([
  ['the protocol', `if (protocol === 'gemini') f();`],
  ['the built-in one', `if (settings.preset === 'sandbox') f();`],
  ['something of ours', `if (seal.maker === 'hidden') f();`],
])('no decision by provider: %s', (_name, text) => expect(decidesByVendor(inHttp(text))).toEqual([]));

test('hosts are found', () => {
  expect(hostNames(inHttp(`const url = 'https://api.acme.dev/v1';`))).toEqual([expect.stringContaining('api.acme.dev')]);
  expect(hostNames(inHttp('const url = `wss://${a}.x`; const b = `http://localhost:${p}`, c = "https://llm.example.com/x";'))).toEqual([]);
});

test.each(['src/utils.ts', 'src/http/helpers/a.ts', 'src/common/a.ts', 'src/http/string-utils.ts', 'test/test-helpers.ts'])(
  'a name that says nothing is found: %s',
  (path) => expect(vagueNames([path])).toHaveLength(1),
);
test.each(['src/http/new-id.ts', 'src/wire/fields.ts', 'src/store/common-table.ts'])('a name that says something: %s', (path) => {
  expect(vagueNames([path])).toEqual([]);
});
test('names other than kebab-case are found', () => {
  expect(oddNames(['src/http/newId.ts', 'src/http/new_id.ts', 'src/http/new-id.test.ts'])).toHaveLength(2);
});

test('paths of one machine are found, with their lines', () => {
  const file = (text: string) => [{ path: 'docs/a.md', text }];
  expect(machinePaths(file('one\nsee /work/main/x'))).toEqual([expect.stringContaining('docs/a.md:2')]);
  expect(machinePaths(file('read ../shared/spec'))).toHaveLength(1);
  expect(machinePaths(file('/home/ada/pailou/x'))).toHaveLength(1);
  expect(machinePaths(file('https://example.com/work/x, /home/, work/x'))).toEqual([]);
  expect(machinePaths([{ path: 'test/corpus/run.ts', text: '../shared/corpus' }])).toEqual([]);
});
