import { Check } from 'typebox/schema';
import { describe, expect, it } from 'vitest';
import type { Json, JsonObject } from '../ir/index.ts';
import { readHints } from './hints.ts';
import { patternInstance } from './pattern-instance.ts';
import { schemaInstance } from './schema-instance.ts';

const EMPTY = readHints('');
const made = (schema: JsonObject, prompt = '', include: 'all' | 'needed' = 'all'): Json =>
  schemaInstance(schema, readHints(prompt), include);
const object = (properties: JsonObject, more: JsonObject = {}): JsonObject => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  ...more,
});

describe('schemaInstance makes what the schema accepts', () => {
  it.each<[name: string, schema: JsonObject]>([
    ['no schema at all', {}],
    [
      'every simple type',
      object({ a: { type: 'string' }, b: { type: 'integer' }, c: { type: 'number' }, d: { type: 'boolean' }, e: { type: 'null' } }),
    ],
    ['required names without properties', { type: 'object', required: ['x', 'y'] }],
    [
      'nested objects and lists',
      object({ rows: { type: 'array', minItems: 2, items: object({ cells: { type: 'array', items: { type: 'string' } } }) } }),
    ],
    ['enum and const', object({ a: { enum: ['x', 'y'] }, b: { const: { deep: [1] } }, c: { type: 'integer', enum: [3, 4] } })],
    ['a type or null', object({ a: { type: ['null', 'string'] }, b: { anyOf: [{ type: 'null' }, { type: 'integer', minimum: 4 }] } })],
    [
      'whole numbers between bounds',
      object({
        a: { type: 'integer', minimum: 5, maximum: 6 },
        b: { type: 'integer', exclusiveMinimum: 7 },
        c: { type: 'integer', maximum: -3 },
      }),
    ],
    [
      'fractions between exclusive bounds',
      object({ a: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 0.5 }, b: { type: 'number', exclusiveMaximum: 0 } }),
    ],
    ['multiples', object({ a: { type: 'integer', multipleOf: 7, minimum: 10 }, b: { type: 'number', multipleOf: 0.25, minimum: 0.3 } })],
    [
      'lengths of strings',
      object({
        a: { type: 'string', minLength: 40 },
        b: { type: 'string', maxLength: 3 },
        c: { type: 'string', minLength: 2, maxLength: 2 },
      }),
    ],
    [
      'formats',
      object(
        Object.fromEntries(
          [
            'date',
            'date-time',
            'time',
            'email',
            'hostname',
            'ipv4',
            'ipv6',
            'uri',
            'uri-reference',
            'uuid',
            'json-pointer',
            'duration',
          ].map((format) => [format.replaceAll('-', '_'), { type: 'string', format }]),
        ),
      ),
    ],
    [
      'patterns',
      object({ a: { type: 'string', pattern: '^[A-Z]{3}-\\d{4}$' }, b: { type: 'string', pattern: '^(?:red|green)\\.[a-f0-9]+$' } }),
    ],
    [
      'lists with bounds',
      object({ a: { type: 'array', items: { type: 'integer' }, minItems: 3, maxItems: 3 }, b: { type: 'array', maxItems: 0 } }),
    ],
    ['lists of different things', object({ a: { type: 'array', items: { enum: ['p', 'q', 'r'] }, minItems: 3, uniqueItems: true } })],
    [
      'different numbers, strings, truths',
      object({
        a: { type: 'array', items: { type: 'integer' }, minItems: 4, uniqueItems: true },
        b: { type: 'array', items: { type: 'string' }, minItems: 3, uniqueItems: true },
        c: { type: 'array', items: { type: 'boolean' }, minItems: 2, uniqueItems: true },
      }),
    ],
    ['tuples', { type: 'array', prefixItems: [{ type: 'string' }, { type: 'integer' }], items: false }],
    ['references', { $ref: '#/$defs/a', $defs: { a: object({ b: { $ref: '#/$defs/b~1c' } }), 'b/c': { type: 'integer', minimum: 2 } } }],
    [
      'definitions of older drafts',
      { ...object({ a: { $ref: '#/definitions/a' } }), definitions: { a: { type: 'string', maxLength: 1 } } },
    ],
    [
      'a reference with neighbours',
      { ...object({ a: { $ref: '#/$defs/a', maxLength: 4 } }), $defs: { a: { type: 'string', minLength: 4 } } },
    ],
    [
      'everything of allOf',
      { allOf: [object({ a: { type: 'string' } }), object({ b: { type: 'integer', minimum: 3 } }), { properties: { b: { maximum: 3 } } }] },
    ],
    ['anyOf beside properties', { ...object({ a: { type: 'string' } }), anyOf: [{ required: ['b'] }, { required: ['c'] }] }],
    ['one of several objects', { oneOf: [object({ kind: { const: 'a' }, x: { type: 'string' } }), object({ kind: { const: 'b' } })] }],
    [
      'a tree that may end',
      {
        $ref: '#/$defs/node',
        $defs: { node: object({ value: { type: 'integer' }, next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] } }) },
      },
    ],
    [
      'a tree of lists',
      {
        $ref: '#/$defs/node',
        $defs: { node: object({ name: { type: 'string' }, children: { type: 'array', items: { $ref: '#/$defs/node' } } }) },
      },
    ],
    ['maps', { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 2 }],
    ['nothing more than named', object({ a: { type: 'string' } }, { additionalProperties: false })],
  ])('%s', (_name, schema) => {
    for (const prompt of ['', 'Weather in "Oslo" on 2026-03-04 for 3 days, 17.5 degrees, mail me@example.org']) {
      const value = made(schema, prompt);
      expect([value, Check(schema as object, value)]).toEqual([value, true]);
      expect(made(schema, prompt)).toEqual(value);
    }
  });

  it.each<[name: string, schema: JsonObject]>([
    ['requires itself', { $ref: '#/$defs/a', $defs: { a: object({ a: { $ref: '#/$defs/a' } }) } }],
    ['requires itself twice', { $ref: '#/$defs/a', $defs: { a: object({ a: { $ref: '#/$defs/a' }, b: { $ref: '#/$defs/a' } }) } }],
    ['only refers to itself', { $ref: '#' }],
    [
      'refers to itself in every branch',
      {
        $ref: '#/$defs/a',
        $defs: { a: { anyOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }], oneOf: [{ $ref: '#/$defs/a' }, { $ref: '#/$defs/a' }] } },
      },
    ],
    [
      'wants a million items',
      { type: 'array', minItems: 1e6, items: { type: 'array', minItems: 1e6, items: { type: 'string', minLength: 1e9 } } },
    ],
    [
      'has a pattern that takes for ever',
      object({ a: { type: 'string', pattern: '^(a+)+$' }, b: { type: 'string', pattern: '((((x{999}){999}){999}){999})' } }),
    ],
    ['refers to nothing', object({ a: { $ref: 'https://example.com/other.json' }, b: { $ref: '#/$defs/missing' } })],
    ['is no schema', { type: 7, properties: 'x', required: 3, enum: {}, items: 'no', anyOf: 'a', minimum: 'b' }],
  ])('comes to an end when the schema %s', (_name, schema) => {
    expect(JSON.stringify(made(schema, `${'a'.repeat(60)}!`)).length).toBeLessThan(20_000_000);
  });
});

describe('schemaInstance uses what the prompt says', () => {
  const city = object({ city: { type: 'string' } });
  it.each<[prompt: string, schema: JsonObject, expected: Json]>([
    ["What's the weather in Paris?", city, { city: 'Paris' }],
    ['What is it like in New York today?', city, { city: 'New York' }],
    ['北京今天天气怎么样?', city, { city: '北京' }],
    ['Search for "solar eclipse"', object({ query: { type: 'string' } }), { query: 'solar eclipse' }],
    ['tell me about ducks', object({ query: { type: 'string' } }), { query: 'tell me about ducks' }],
    ['add 3 and 4.5', object({ a: { type: 'number' }, b: { type: 'number' } }), { a: 3, b: 4.5 }],
    [
      'the weather in Oslo in fahrenheit',
      object({ city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] } }),
      { city: 'Oslo', unit: 'fahrenheit' },
    ],
    ['book it for 2026-05-06', object({ date: { type: 'string', format: 'date' } }), { date: '2026-05-06' }],
    ['write to ann@example.org', object({ to: { type: 'string', format: 'email' } }), { to: 'ann@example.org' }],
    ['use {"id": 42, "tags": ["x"]}', object({ id: { type: 'integer' } }), { id: 42 }],
  ])('%s', (prompt, schema, expected) => expect(made(schema, prompt)).toEqual(expected));

  it('leaves out optional members of which nothing is said', () => {
    const schema = {
      type: 'object',
      properties: { city: { type: 'string' }, unit: { enum: ['celsius', 'fahrenheit'] }, days: { type: 'integer' } },
      required: ['city'],
    };
    expect(made(schema, 'weather in Rome', 'needed')).toEqual({ city: 'Rome' });
    expect(made(schema, 'weather in Rome in celsius', 'needed')).toEqual({ city: 'Rome', unit: 'celsius' });
    expect(schemaInstance(schema, EMPTY, 'needed')).toEqual({ city: 'example city' });
  });

  it('takes values of the same name from the results of tools', () => {
    const hints = readHints('How warm is it?', ['{"report":{"temperature":18.5,"sky":"clear"}}']);
    const schema = object({ temperature: { type: 'number' }, sky: { type: 'string' } });
    expect(schemaInstance(schema, hints)).toEqual({ temperature: 18.5, sky: 'clear' });
  });
});

describe('patternInstance', () => {
  it.each([
    '^a$',
    '^\\d{3}-\\d{4}$',
    '[a-zA-Z_][\\w]*',
    '^(foo|bar)+baz?$',
    '^[^abc]{2,}$',
    '^\\+?[1-9]\\d{1,14}$',
    '^#(?:[0-9a-f]{3}){1,2}$',
    '^\\S+@\\S+\\.\\S+$',
    '',
    'a|b',
    '^\\u0041$',
    '^[\\]\\-x]+$',
  ])('matches %s', (pattern) => expect(patternInstance(pattern)).toMatch(new RegExp(pattern, 'u')));
  it.each(['(?=b)a', '\\p{Lu}\\1', '^a\\bb$'])('gives up on %s', (pattern) => expect(patternInstance(pattern)).toBeUndefined());
});
