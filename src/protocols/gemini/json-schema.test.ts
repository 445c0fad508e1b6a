import { describe, expect, it } from 'vitest';
import { createNotes, type JsonObject } from '../../ir/index.ts';
import { fromGoogleSchema, toGoogleSchema, toPlainSchema } from './json-schema.ts';

const down = (schema: JsonObject): { readonly schema: JsonObject; readonly notes: number } => {
  const notes = createNotes();
  return { schema: toGoogleSchema(schema, 'tools', notes), notes: notes.list.length };
};

describe("JSON Schema in Google's words", () => {
  const cases: readonly (readonly [string, JsonObject, JsonObject])[] = [
    ['types in capitals', { type: 'string', description: 'd' }, { type: 'STRING', description: 'd' }],
    ['a type that may be null', { type: ['integer', 'null'] }, { type: 'INTEGER', nullable: true }],
    ['several types', { type: ['string', 'integer'] }, { anyOf: [{ type: 'STRING' }, { type: 'INTEGER' }] }],
    ['words about the document', { $schema: 's', $id: 'i', $comment: 'c', type: 'object' }, { type: 'OBJECT' }],
    ['additionalProperties', { type: 'object', additionalProperties: false, properties: {} }, { type: 'OBJECT', properties: {} }],
    [
      'references',
      {
        type: 'object',
        properties: { a: { $ref: '#/$defs/a', description: 'here' } },
        $defs: { a: { type: 'string', description: 'there' } },
      },
      { type: 'OBJECT', properties: { a: { type: 'STRING', description: 'here' } } },
    ],
    [
      'definitions by their old name, with escapes',
      { type: 'array', items: { $ref: '#/definitions/a~1b' }, definitions: { 'a/b': { type: 'number' } } },
      { type: 'ARRAY', items: { type: 'NUMBER' } },
    ],
    [
      'allOf',
      {
        allOf: [
          { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
          { properties: { b: { type: 'string' } }, required: ['b'] },
        ],
      },
      { type: 'OBJECT', properties: { a: { type: 'STRING' }, b: { type: 'STRING' } }, required: ['a', 'b'] },
    ],
    ['a choice with null', { anyOf: [{ type: 'string' }, { type: 'null' }] }, { type: 'STRING', nullable: true }],
    ['oneOf', { oneOf: [{ type: 'string' }, { type: 'number' }] }, { anyOf: [{ type: 'STRING' }, { type: 'NUMBER' }] }],
    ['a constant', { const: 'x' }, { enum: ['x'], type: 'STRING' }],
    ['an enum of numbers', { type: 'integer', enum: [1, 2] }, { type: 'INTEGER', description: 'One of: 1, 2' }],
    ['an enum with null', { enum: ['a', null] }, { nullable: true, enum: ['a'], type: 'STRING' }],
    ['bounds', { type: 'integer', exclusiveMinimum: 0, maximum: 9 }, { type: 'INTEGER', minimum: 0, maximum: 9 }],
    ['formats that it knows and does not', { type: 'string', format: 'date-time' }, { type: 'STRING', format: 'date-time' }],
    ['other formats', { type: 'string', format: 'email' }, { type: 'STRING' }],
    ['a list of anything', { type: 'array' }, { type: 'ARRAY', items: {} }],
    [
      'a property by the name of a word',
      { type: 'object', properties: { type: { type: 'string' }, $ref: { type: 'string' } } },
      { type: 'OBJECT', properties: { type: { type: 'STRING' }, $ref: { type: 'STRING' } } },
    ],
  ];
  it.each(cases)('%s', (_name, schema, wanted) => {
    expect(down(schema).schema).toEqual(wanted);
  });

  it('a schema that holds itself ends, and that is noted', () => {
    const tree: JsonObject = { $ref: '#/$defs/node', $defs: { node: { type: 'object', properties: { child: { $ref: '#/$defs/node' } } } } };
    const { schema, notes } = down(tree);
    expect(JSON.stringify(schema).match(/"child"/g)).toHaveLength(3);
    expect(notes).toBe(1);
    expect(down({ $ref: '#', $defs: {} }).schema).toEqual({ type: 'OBJECT' });
    expect(down({ $ref: 'https://elsewhere.example/x' }).schema).toEqual({ type: 'OBJECT' });
  });

  it('two definitions that hold each other many times over stay small', () => {
    const properties = (name: string): JsonObject =>
      Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`p${at}`, { $ref: `#/$defs/${name}` }]));
    const schema: JsonObject = {
      $ref: '#/$defs/a',
      $defs: { a: { type: 'object', properties: properties('b') }, b: { type: 'object', properties: properties('a') } },
    };
    expect(JSON.stringify(down(schema).schema).length).toBeLessThan(1_000_000);
    const all = (name: string): JsonObject => ({ allOf: Array.from({ length: 40 }, () => ({ $ref: `#/$defs/${name}` })) });
    expect(down({ $ref: '#/$defs/a', $defs: { a: all('b'), b: all('a') } }).schema).toEqual({ type: 'OBJECT' });
  });
});

describe('JSON Schema for the fields that take it whole', () => {
  const plain = (schema: JsonObject): JsonObject => toPlainSchema(schema, 'tools', createNotes());
  const $defs = { a: { type: 'object', properties: { next: { $ref: '#/$defs/a', description: 'n' } } } } as const;
  it.each<readonly [string, JsonObject, JsonObject]>([
    [
      'words about the document go',
      { $schema: 's', $id: 'i', type: 'object', additionalProperties: false },
      { type: 'object', additionalProperties: false },
    ],
    ['references stay', { $ref: '#/$defs/b', $defs: { b: { type: 'string' } } }, { $ref: '#/$defs/b', $defs: { b: { type: 'string' } } }],
    [
      'definitions by their old name',
      { properties: { b: { $ref: '#/definitions/b' } }, definitions: { b: { type: 'string' } } },
      { properties: { b: { $ref: '#/$defs/b' } }, $defs: { b: { type: 'string' } } },
    ],
    [
      'a reference with words beside it is written out, within itself it is not',
      { properties: { a: { $ref: '#/$defs/a', description: 'first' } }, $defs: { b: { type: 'string' }, ...$defs } },
      {
        properties: { a: { type: 'object', properties: { next: { $ref: '#/$defs/a' } }, description: 'first' } },
        $defs: {
          b: { type: 'string' },
          a: { type: 'object', properties: { next: { type: 'object', properties: { next: { $ref: '#/$defs/a' } }, description: 'n' } } },
        },
      },
    ],
    [
      'allOf is joined',
      {
        items: { allOf: [{ $ref: '#/$defs/b' }, { properties: { y: {} } }] },
        $defs: { b: { type: 'object', properties: { x: { type: 'string' } } } },
      },
      {
        items: { type: 'object', properties: { x: { type: 'string' }, y: {} } },
        $defs: { b: { type: 'object', properties: { x: { type: 'string' } } } },
      },
    ],
  ])('%s', (_name, schema, wanted) => {
    expect(plain(schema)).toEqual(wanted);
  });

  it('stays small, whatever it holds', () => {
    const many = (name: string): JsonObject => ({
      properties: Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`p${at}`, { $ref: `#/$defs/${name}`, title: 't' }])),
    });
    const names = ['a', 'b', 'c', 'd', 'e'];
    const schema = {
      $ref: '#/$defs/a',
      title: 'root',
      $defs: Object.fromEntries(names.map((name, at) => [name, many(names[(at + 1) % 5] as string)])),
    };
    expect(JSON.stringify(plain(schema)).length).toBeLessThan(1_000_000);
  });
});

describe("Google's schema as JSON Schema", () => {
  it.each<readonly [string, JsonObject, JsonObject]>([
    [
      'types',
      { type: 'OBJECT', properties: { type: { type: 'STRING', nullable: true } } },
      { type: 'object', properties: { type: { type: ['string', 'null'] } } },
    ],
    ['types by number', { type: 5, items: { type: 2 } }, { type: 'array', items: { type: 'number' } }],
    ['choices', { anyOf: [{ type: 'BOOLEAN' }] }, { anyOf: [{ type: 'boolean' }] }],
  ])('%s', (_name, schema, wanted) => {
    expect(fromGoogleSchema(schema)).toEqual(wanted);
  });
});
