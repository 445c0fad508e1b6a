import { isObject, type Json, type JsonObject } from '../ir/index.ts';
import { flatten, type Flattening, type FlatSchema, typesOf } from './flat-schema.ts';
import type { Hints } from './hints.ts';
import { matchesTamely, patternInstance } from './pattern-instance.ts';

/** Deeper than this only what is required is written; much deeper the schema cannot be met and `null` stands there. */
const SHALLOW = 6;
const DEEPEST = 24;
/** Values and schemas in one instance: a schema that requires itself twice grows without end. */
const MAX_VALUES = 2000;
const MAX_SCHEMAS = 20_000;
/** Of a string that is to be long. */
const MAX_LENGTH = 4000;

interface Making {
  readonly root: JsonObject;
  readonly hints: Hints;
  /** Optional members too, or only those that the hints say something about. */
  readonly include: 'all' | 'needed';
  /** Numbers of the text are used up one by one. */
  number: number;
  valuesLeft: number;
  readonly budget: Flattening['budget'];
}

const FORMATS: Readonly<Record<string, string>> = {
  date: '2026-01-31',
  'date-time': '2026-01-31T09:30:00Z',
  time: '09:30:00Z',
  duration: 'PT15M',
  email: 'sandbox@example.com',
  'idn-email': 'sandbox@example.com',
  hostname: 'example.com',
  'idn-hostname': 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  url: 'https://example.com/',
  iri: 'https://example.com/',
  'uri-reference': '/example',
  'iri-reference': '/example',
  'uri-template': '/example/{id}',
  uuid: '00000000-0000-4000-8000-000000000000',
  regex: '^a+$',
  'json-pointer': '/example',
  'relative-json-pointer': '0',
  byte: 'c2FuZGJveA==',
  binary: 'c2FuZGJveA==',
};

/** How a value of a format looks when it stands in a text. */
const IN_TEXT: Readonly<Record<string, RegExp>> = {
  date: /\b\d{4}-\d{2}-\d{2}\b/,
  'date-time': /\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?(?:Z|[+-]\d{2}:\d{2})/,
  email: /(?<![\w.+-])\w[\w.+-]*@[\w-]+(?:\.[\w-]+)+\b/,
  uri: /\bhttps?:\/\/[^\s"'<>)\]]+/,
  url: /\bhttps?:\/\/[^\s"'<>)\]]+/,
  uuid: /\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/i,
  ipv4: /\b(?:\d{1,3}\.){3}\d{1,3}\b/,
};

const PLACE = /city|location|place|town|country|region|destination|origin|address|城市|地点/i;
const WHOLE_TEXT = /query|question|prompt|input|message|text|body|content|search|task|subject|topic|instruction|问题|内容/i;

const numberOf = (value: Json | undefined): number | undefined => (typeof value === 'number' && Number.isFinite(value) ? value : undefined);
const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const lengthOf = (text: string): number => [...text].length;
const isNull = (schema: FlatSchema): boolean => typesOf(schema).join() === 'null' || schema['const'] === null;

/** The first branch that is not `null`; deep down, the `null` one. */
function branchAt(depth: number): (branches: readonly FlatSchema[]) => FlatSchema | undefined {
  return (branches) => (depth > SHALLOW ? branches.find(isNull) : undefined) ?? branches.find((branch) => !isNull(branch)) ?? branches[0];
}

const flat = (schema: JsonObject, { root, budget }: Making, depth: number): FlatSchema =>
  flatten(schema, { root, budget, choose: branchAt(depth) });

/** What kind of value a schema wants. */
function typeOf(schema: FlatSchema): string {
  const types = typesOf(schema);
  const named = types.find((type) => type !== 'null') ?? types[0];
  if (named !== undefined) return named;
  if (schema['properties'] || schema['required'] || schema['additionalProperties']) return 'object';
  if (schema['items'] || schema['prefixItems']) return 'array';
  if (schema['minimum'] !== undefined || schema['maximum'] !== undefined || schema['multipleOf'] !== undefined) return 'number';
  return 'string';
}

/** One of the listed values: the one that the text names, else the first. */
function pick(values: readonly Json[], hints: Hints): Json {
  const text = hints.text.toLowerCase();
  const named = values.find(
    (value) => typeof value === 'string' && value.length > 1 && text.includes(value.toLowerCase().replaceAll('_', ' ')),
  );
  return named ?? values.find((value) => value !== null) ?? null;
}

/** Whether a string keeps a schema's length and pattern. */
function fitsText(text: string, schema: FlatSchema): boolean {
  const length = lengthOf(text);
  if (length < (numberOf(schema['minLength']) ?? 0) || length > (numberOf(schema['maxLength']) ?? Number.POSITIVE_INFINITY)) return false;
  return typeof schema['pattern'] !== 'string' || matchesTamely(schema['pattern'], text);
}

/** A string cut or filled up to the length that a schema wants. */
function toLength(text: string, schema: FlatSchema): string {
  const chars = [...text].slice(0, Math.min(numberOf(schema['maxLength']) ?? MAX_LENGTH, MAX_LENGTH));
  const least = Math.min(numberOf(schema['minLength']) ?? 0, MAX_LENGTH);
  while (chars.length < least) chars.push(...'example '.slice(0, least - chars.length));
  return chars.join('');
}

/** What the hints offer for a string of this name, the best first. */
function* offeredTexts(name: string, schema: FlatSchema, hints: Hints): Iterable<string> {
  const value = hints.values.get(name);
  if (typeof value === 'string') yield value;
  if (typeof value === 'number' || typeof value === 'boolean') yield String(value);
  const format = typeof schema['format'] === 'string' ? schema['format'] : '';
  const inText = IN_TEXT[format]?.exec(hints.text)?.[0];
  if (inText !== undefined) yield inText;
  if (format !== '' && Object.hasOwn(FORMATS, format)) return;
  const topic = `${name} ${typeof schema['description'] === 'string' ? schema['description'] : ''}`;
  if (PLACE.test(name) || (PLACE.test(topic) && !WHOLE_TEXT.test(name))) yield* hints.places;
  yield* hints.quoted;
  if (hints.text !== '' && WHOLE_TEXT.test(topic)) yield hints.text;
  yield* hints.places;
}

function makeString(name: string, schema: FlatSchema, making: Making): string {
  for (const offered of offeredTexts(name, schema, making.hints)) if (offered !== '' && fitsText(offered, schema)) return offered;
  const format = typeof schema['format'] === 'string' ? FORMATS[schema['format']] : undefined;
  const pattern = typeof schema['pattern'] === 'string' ? patternInstance(schema['pattern']) : undefined;
  return toLength(pattern ?? format ?? (name === '' ? 'example' : `example ${name}`), schema);
}

/** The lowest and highest number that a schema takes; draft 4 wrote the exclusive ones as booleans. */
function boundsOf(schema: FlatSchema, step: number): { readonly low?: number; readonly high?: number } {
  const minimum = numberOf(schema['minimum']);
  const maximum = numberOf(schema['maximum']);
  const above = numberOf(schema['exclusiveMinimum']) ?? (schema['exclusiveMinimum'] === true ? minimum : undefined);
  const below = numberOf(schema['exclusiveMaximum']) ?? (schema['exclusiveMaximum'] === true ? maximum : undefined);
  const low = Math.max(minimum ?? Number.NEGATIVE_INFINITY, above === undefined ? Number.NEGATIVE_INFINITY : above + step);
  const high = Math.min(maximum ?? Number.POSITIVE_INFINITY, below === undefined ? Number.POSITIVE_INFINITY : below - step);
  return { ...(Number.isFinite(low) ? { low } : {}), ...(Number.isFinite(high) ? { high } : {}) };
}

/** How far from an exclusive bound a number that need not be whole stays. */
function stepOf(schema: FlatSchema, whole: boolean): number {
  const multiple = numberOf(schema['multipleOf']);
  if (multiple !== undefined && multiple > 0) return multiple;
  if (whole) return 1;
  const above = numberOf(schema['exclusiveMinimum']) ?? numberOf(schema['minimum']) ?? 0;
  const below = numberOf(schema['exclusiveMaximum']) ?? numberOf(schema['maximum']) ?? above + 2;
  return Math.min(1, Math.abs(below - above) / 4 || 1);
}

function makeNumber(name: string, schema: FlatSchema, making: Making, whole: boolean): number {
  const step = stepOf(schema, whole);
  const { low, high } = boundsOf(schema, step);
  const fits = (value: number): boolean =>
    value >= (low ?? Number.NEGATIVE_INFINITY) &&
    value <= (high ?? Number.POSITIVE_INFINITY) &&
    (!whole || Number.isInteger(value)) &&
    (schema['multipleOf'] === undefined || Number.isInteger(value / step));
  const named = numberOf(making.hints.values.get(name));
  if (named !== undefined && fits(named)) return named;
  const given = making.hints.numbers.findIndex((value, index) => index >= making.number && fits(value));
  const found = making.hints.numbers[given];
  if (found !== undefined) {
    making.number = given + 1;
    return found;
  }
  if (fits(1)) return 1;
  const base = low ?? high ?? 0;
  const grid = schema['multipleOf'] === undefined && !whole ? base : Math.ceil(base / step) * step;
  return fits(grid) ? grid : fits(0) ? 0 : Math.floor((high ?? grid) / step) * step;
}

/** Whether the text speaks of an optional member: by a value of its own, or one of its listed values. */
function isHinted(name: string, schema: JsonObject, hints: Hints): boolean {
  if (hints.values.has(name)) return true;
  const text = hints.text.toLowerCase();
  const listed = listOf(schema['enum']).some(
    (value) => typeof value === 'string' && value.length > 2 && text.includes(value.toLowerCase()),
  );
  const format = typeof schema['format'] === 'string' ? IN_TEXT[schema['format']] : undefined;
  return listed || (format?.test(hints.text) ?? false);
}

function wantedNames(schema: FlatSchema, properties: JsonObject, making: Making, depth: number): ReadonlySet<string> {
  const required = new Set(listOf(schema['required']).filter((name) => typeof name === 'string'));
  const names = Object.keys(properties);
  if (depth > SHALLOW) return required;
  // A tool that requires nothing still wants something: then its first member, if it has any.
  if (making.include === 'needed') {
    for (const name of names) {
      const member = properties[name];
      if (isObject(member) && isHinted(name, member, making.hints)) required.add(name);
    }
    if (required.size === 0 && names[0] !== undefined) required.add(names[0]);
    return required;
  }
  for (const name of names) required.add(name);
  return required;
}

function makeObject(schema: FlatSchema, making: Making, depth: number): JsonObject {
  const properties = isObject(schema['properties']) ? schema['properties'] : {};
  const wanted = wantedNames(schema, properties, making, depth);
  const out: Record<string, Json> = {};
  const more = isObject(schema['additionalProperties']) ? schema['additionalProperties'] : {};
  // In the order of the schema, as strict wires answer.
  for (const name of [...Object.keys(properties).filter((name) => wanted.has(name)), ...wanted]) {
    if (Object.hasOwn(out, name)) continue;
    const member = properties[name];
    out[name] = make(name, isObject(member) ? member : more, making, depth + 1);
  }
  const least = numberOf(schema['minProperties']) ?? 0;
  for (let i = 1; Object.keys(out).length < Math.min(least, 100); i++) out[`key${i}`] ??= make('', more, making, depth + 1);
  return out;
}

function makeArray(name: string, schema: FlatSchema, making: Making, depth: number): readonly Json[] {
  const first = listOf(schema['prefixItems'] ?? (Array.isArray(schema['items']) ? schema['items'] : undefined));
  const rest = isObject(schema['items']) ? schema['items'] : {};
  const least = Math.max(first.length, numberOf(schema['minItems']) ?? 0);
  const most = numberOf(schema['maxItems']) ?? Number.POSITIVE_INFINITY;
  const usual = depth > SHALLOW || schema['items'] === false ? 0 : 1;
  const count = Math.min(Math.max(least, usual), most, 1000);
  const out: Json[] = [];
  for (let index = 0; index < count; index++) {
    const item = first[index] ?? rest;
    const made = make(name, isObject(item) ? item : {}, making, depth + 1);
    out.push(schema['uniqueItems'] === true ? unlike(out, made, isObject(item) ? item : {}, making) : made);
  }
  return out;
}

/** The value, or another like it when it is there already. */
function unlike(others: readonly Json[], value: Json, schema: JsonObject, making: Making): Json {
  const taken = new Set(others.map((one) => JSON.stringify(one)));
  if (!taken.has(JSON.stringify(value))) return value;
  const plain = flat(schema, making, 0);
  const listed = listOf(plain['enum']).find((one) => !taken.has(JSON.stringify(one)));
  if (listed !== undefined) return listed;
  const step = numberOf(plain['multipleOf']) ?? 1;
  for (let i = 1; i <= others.length + 1; i++) {
    const other = typeof value === 'number' ? value + i * step : typeof value === 'string' ? `${value} ${i + 1}` : value;
    if (!taken.has(JSON.stringify(other))) return other;
  }
  return typeof value === 'boolean' ? !value : value;
}

/** A value that the schema says itself: `const`, one of `enum`, its default. */
function said(name: string, schema: FlatSchema, making: Making): Json | undefined {
  if (schema['const'] !== undefined) return schema['const'];
  const listed = listOf(schema['enum']);
  if (listed.length > 0) {
    const given = making.hints.values.get(name);
    return given !== undefined && listed.includes(given) ? given : pick(listed, making.hints);
  }
  return undefined;
}

function make(name: string, schema: JsonObject, making: Making, depth: number): Json {
  if (depth > DEEPEST || making.valuesLeft-- <= 0) return null;
  const plain = flat(schema, making, depth);
  const word = said(name, plain, making);
  if (word !== undefined) return word;
  switch (typeOf(plain)) {
    case 'object':
      return makeObject(plain, making, depth);
    case 'array':
      return makeArray(name, plain, making, depth);
    case 'integer':
      return makeNumber(name, plain, making, true);
    case 'number':
      return makeNumber(name, plain, making, false);
    case 'boolean':
      return making.hints.values.get(name) !== false;
    case 'null':
      return null;
    default:
      return makeString(name, plain, making);
  }
}

/**
 * A value that a JSON Schema accepts, filled from the hints where they fit. Follows `$ref`, `$defs`, `allOf`, the first
 * fitting branch of `anyOf` and `oneOf`, `enum`, `const`, formats, patterns, bounds, nested objects and arrays; not `not`, `if`,
 * `contains` or references to other documents. The same input gives the same value.
 */
export function schemaInstance(schema: JsonObject, hints: Hints, include: 'all' | 'needed' = 'all'): Json {
  return make('', schema, { root: schema, hints, include, number: 0, valuesLeft: MAX_VALUES, budget: { left: MAX_SCHEMAS } }, 0);
}
