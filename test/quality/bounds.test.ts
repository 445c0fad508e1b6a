import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { BOUNDS, HELD, WITHOUT_ROW } from './bounds.ts';
import { isTest, readSource, readSources, ROOT } from './source-file.ts';

const files = readSources(['src']).filter(({ path }) => !isTest(path));
const rows = new Set(BOUNDS.map(({ row }) => row));

/** The table of a page after its heading: the first cells, less its head. */
function firstCells(page: string, heading: string): readonly string[] {
  const text = readFileSync(join(ROOT, page), 'utf8');
  const section = text.split(`\n## ${heading}\n`)[1]?.split('\n## ')[0] ?? '';
  const lines = section.split('\n').filter((line) => line.startsWith('|'));
  return lines.slice(2).map((line) => (line.split('|')[1] ?? '').trim());
}

const cellsOf = (page: string, heading: string): number => firstCells(page, heading).length;

describe('what may grow', () => {
  test('is known, each by its file and name, with what bounds it', () => {
    const found = files.flatMap(({ path, held }) => held.map(({ name }) => `${path} ${name}`));
    const known = Object.entries(HELD).flatMap(([path, names]) => Object.keys(names).map((name) => `${path} ${name}`));
    expect([...new Set(found)].toSorted()).toEqual(known.toSorted());
  });
  test('is bounded by a row of the page, or by what it is', () => {
    const bounds = Object.values(HELD).flatMap((names) => Object.values(names));
    expect(bounds.filter((bound) => !rows.has(bound) && !WITHOUT_ROW.includes(bound))).toEqual([]);
  });
  test('has the caps that the page was written from', () => {
    const caps = BOUNDS.flatMap(({ caps: some }) => some);
    expect(caps.filter(([file, text]) => !readFileSync(join(ROOT, file), 'utf8').includes(text))).toEqual([]);
  });
  test('is told on the page, in both languages', () => {
    expect(firstCells('docs/reliability.md', 'What is bounded')).toEqual(BOUNDS.map(({ row }) => row));
    expect(cellsOf('docs/reliability.zh-CN.md', '各项上限')).toBe(BOUNDS.length);
  });
});

const heldIn = (text: string, path = 'src/http/a.ts') => readSource(path, text).held.map(({ name }) => name);

test.each([
  ['a map of the module', `const known = new Map<string, number>();`],
  ['a list of the module that grows', `const known: string[] = [];\nexport const add = (a: string) => known.push(a);`],
  ['a map of a factory', `function createA() { const known = new Map(); return { put: () => known.set(1, 2) }; }`],
  ['a list that an inner function lengthens', `function openA() { const known = []; return () => known.push(1); }`],
  ['a list in the state of a factory', `const createA = () => ({ known: [] });`],
  ['a queue in the state of a factory', `function newA() { const state = { known: new Set() }; return state; }`],
  ['a member of a class', `class A { known = []; }`],
  ['a private member of a class', `class A { #known = new Map(); }`],
  ['a cache that is made later', `function createA() { let known; return () => { known = new LRUCache({ max: 3 }); }; }`],
  ['what an arrow makes', `const known = () => new Map();`],
])('%s is found', (_name, text) => expect(heldIn(text).map((name) => name.replace('#', ''))).toEqual(['known']));

test.each([
  ['a table', `const known = new Map([['a', 1]]);`],
  ['a list that stays as it is', `const known: string[] = [];`],
  ['a list of one call', `function read() { const known = []; known.push(1); return known; }`],
  ['a list in an answer', `const read = () => ({ known: [] });`],
  ['what is no collection', `const known = new Date();`],
])('%s is not', (_name, text) => expect(heldIn(text)).toEqual([]));

test('codecs hold what is of one request or stream; what they keep in their module is found', () => {
  const inCodec = (text: string) => heldIn(text, 'src/protocols/gemini/a.ts');
  expect(inCodec(`function createDecoder() { const known = new Map(); return () => known.set(1, 2); }`)).toEqual([]);
  expect(inCodec(`const known = new Map();`)).toEqual(['known']);
});
