import { expect, it } from 'vitest';
import { countElements } from './count-elements.ts';

const count = (text: string, most = 100): number => countElements(Buffer.from(text), { from: 0, to: Buffer.byteLength(text) }, most);

it.each([
  ['[]', 0],
  ['[ \n ]', 0],
  ['"a"', 0],
  ['{}', 0],
  ['["a"]', 1],
  ['[1,2,3]', 1],
  ['[ 15339, 1917 ]', 1],
  ['["a","b"]', 2],
  ['[ "a" , "b,c" , "d]e" ]', 3],
  [String.raw`["a\"],[\"","b\\","c"]`, 3],
  ['["汉字，","😀,"]', 2],
  ['[[1,2],[3],[4,5,6]]', 3],
  ['[{"content":{"parts":[{"text":"a,b"},{"text":"c"}]}},{"content":{}}]', 2],
])('%s holds %d', (text, expected) => expect(count(text)).toBe(expected));

it('agrees with the parser on what it may meet', () => {
  const strings = ['', ',', '"', '\\', '\\"', '],[', '汉', '\n', '{'];
  for (let size = 1; size < 60; size++) {
    const list = Array.from({ length: size }, (_, at) => strings[(at * 7 + size) % strings.length] ?? '');
    expect(count(JSON.stringify(list))).toBe(size);
    expect(count(JSON.stringify(list, null, 2))).toBe(size);
    expect(count(JSON.stringify(list.map((text) => ({ text, of: [text, { text }] }))))).toBe(size);
  }
});

it('stops at the first above what is asked', () => {
  expect(count(JSON.stringify(Array.from({ length: 50 }, () => 'a')), 10)).toBe(11);
});
