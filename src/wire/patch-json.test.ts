import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../ir/index.ts';
import { patchJson } from './patch-json.ts';

const patched = (text: string, change: (value: JsonObject) => JsonObject): string => {
  const before = JSON.parse(text) as JsonObject;
  return Buffer.concat(patchJson(Buffer.from(text), before, change(before))).toString('utf8');
};
const without = (value: JsonObject, name: string): JsonObject => Object.fromEntries(Object.entries(value).filter(([key]) => key !== name));

const BIG = '12345678901234567890';

it.each<{ name: string; text: string; change: (value: JsonObject) => JsonObject; out: string }>([
  { name: 'nothing', text: ` { "a" : ${BIG} } `, change: (value) => value, out: ` { "a" : ${BIG} } ` },
  { name: 'a member', text: `{"a": 1.0, "seed": ${BIG}}`, change: (value) => ({ ...value, a: 2 }), out: `{"a":2,"seed":${BIG}}` },
  {
    name: 'a member less',
    text: `{"a":1,"b":[1.50, {"c" :${BIG}}]}`,
    change: (value) => without(value, 'a'),
    out: `{"b":[1.50, {"c" :${BIG}}]}`,
  },
  { name: 'all members less', text: '{"a":1}', change: (value) => without(value, 'a'), out: '{}' },
  { name: 'a member more', text: `{"seed":${BIG}}`, change: (value) => ({ ...value, m: { n: 1 } }), out: `{"seed":${BIG},"m":{"n":1}}` },
  { name: 'undefined', text: `{"a":1,"seed":${BIG}}`, change: (value) => ({ ...value, a: undefined }), out: `{"seed":${BIG}}` },
  {
    name: 'a member of an element',
    text: `{"messages":[{"role":"developer","x":${BIG}}, {"role":"user","y":1e400}]}`,
    change: (value) => {
      const [first, ...rest] = value['messages'] as [JsonObject, ...Json[]];
      return { ...value, messages: [{ ...first, role: 'system' }, ...rest] };
    },
    out: `{"messages":[{"role":"system","x":${BIG}},{"role":"user","y":1e400}]}`,
  },
  { name: 'an element more', text: '{"a":[1.0]}', change: (value) => ({ ...value, a: [1, 2] }), out: '{"a":[1,2]}' },
  { name: 'an empty array', text: '{"a":[ ]}', change: (value) => ({ ...value, a: [] }), out: '{"a":[]}' },
  {
    name: 'a name that is escaped',
    text: String.raw`{"\u0061":1.0,"b":2.0}`,
    change: (value) => ({ ...value, b: 3 }),
    out: '{"a":1,"b":3}',
  },
  { name: 'a name of other letters', text: '{"牌":1.0,"b":2.0}', change: (value) => ({ ...value, b: 3 }), out: '{"牌":1,"b":3}' },
  { name: 'a name twice', text: '{"a":1.0,"a":2.0,"b":1}', change: (value) => ({ ...value, b: 3 }), out: '{"a":2,"b":3}' },
  {
    name: 'brackets in text',
    text: '{"a":["]","[",{"b":"}"}],"c":1}',
    change: (value) => ({ ...value, c: 2 }),
    out: '{"a":["]","[",{"b":"}"}],"c":2}',
  },
])('what did not change stays as it was written: $name', ({ text, change, out }) => expect(patched(text, change)).toBe(out));

describe('it says the same as printing', () => {
  /** Numbers that begin with a seed. */
  const chance = (seed: number) => () => (seed = (seed * 48_271) % 2_147_483_647) / 2_147_483_647;
  const grown = (next: () => number, depth: number): Json => {
    const kind = Math.floor(next() * (depth > 3 ? 4 : 6));
    const size = Math.floor(next() * 4);
    if (kind === 0) return Math.floor(next() * 1000);
    if (kind === 1) return ['"', '\\', 'plain', '牌楼', ']}'][size] ?? '';
    if (kind === 2) return next() < 0.5;
    if (kind === 3) return null;
    if (kind === 4) return Array.from({ length: size }, () => grown(next, depth + 1));
    return Object.fromEntries(Array.from({ length: size }, (_, at) => [`k${at}`, grown(next, depth + 1)]));
  };
  const changed = (value: Json, next: () => number): Json => {
    if (next() < 0.3) return value;
    if (next() < 0.1) return grown(next, 3);
    if (Array.isArray(value)) return value.map((one: Json) => changed(one, next));
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(Object.entries(value).flatMap(([name, one]) => (next() < 0.1 ? [] : [[name, changed(one ?? null, next)]])));
  };
  it.each(Array.from({ length: 200 }, (_, at) => at + 1))('seed %d', (seed) => {
    const next = chance(seed);
    const before: JsonObject = { a: grown(next, 0), b: grown(next, 0), c: grown(next, 0) };
    const after = changed(before, next) as JsonObject;
    for (const space of [0, 2]) {
      const said = Buffer.concat(patchJson(Buffer.from(JSON.stringify(before, null, space)), before, after)).toString('utf8');
      expect(JSON.parse(said)).toEqual(after);
    }
  });
});
