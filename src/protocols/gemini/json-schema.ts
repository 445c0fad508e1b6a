import { isObject, type Json, type JsonObject, type Notes } from '../../ir/index.ts';

/*
 * Google's `Schema` is a part of OpenAPI 3.0; clients send JSON Schema. https://ai.google.dev/api/caching#Schema
 */

/** Members that `Schema` has. */
const KEPT: ReadonlySet<string> = new Set(
  'title description nullable minItems maxItems required minProperties maxProperties minimum maximum minLength maxLength pattern example default propertyOrdering'.split(
    ' ',
  ),
);
/** Members whose loss changes nothing that the model must keep to. */
const IDLE: ReadonlySet<string> = new Set([
  '$schema',
  '$id',
  '$comment',
  '$defs',
  'definitions',
  'examples',
  'deprecated',
  'readOnly',
  'writeOnly',
  '$anchor',
]);
const FORMATS: ReadonlySet<string> = new Set(['float', 'double', 'int32', 'int64', 'enum', 'date-time']);
/** How often one definition may stand inside itself before it becomes any object. */
const MAX_UNROLL = 3;
const MAX_DEPTH = 64;

/** Definitions that hold each other grow with every round: a schema becomes this many at most. */
const MAX_SCHEMAS = 5000;

interface Reduction {
  /** How many schemas may still be looked at. */
  left: number;
  readonly root: JsonObject;
  readonly notes: Notes;
  readonly field: string;
}

/** What a local reference names; `undefined` for anything else. */
function lookUp(root: JsonObject, reference: string): JsonObject | undefined {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return undefined;
  let at: Json | undefined = root;
  for (const raw of reference.slice(2).split('/')) {
    const key = raw.replaceAll('~1', '/').replaceAll('~0', '~');
    at = isObject(at) && Object.hasOwn(at, key) ? at[key] : undefined;
  }
  return isObject(at) ? at : undefined;
}

/** Joins the members of `allOf` into one schema: properties and requirements add up, later words win. */
function joined(schemas: readonly JsonObject[]): JsonObject {
  let out: JsonObject = {};
  for (const schema of schemas) {
    const properties = {
      ...(isObject(out['properties']) ? out['properties'] : {}),
      ...(isObject(schema['properties']) ? schema['properties'] : {}),
    };
    const required = [
      ...new Set([
        ...(Array.isArray(out['required']) ? out['required'] : []),
        ...(Array.isArray(schema['required']) ? schema['required'] : []),
      ]),
    ];
    out = {
      ...out,
      ...schema,
      ...(Object.keys(properties).length > 0 ? { properties } : {}),
      ...(required.length > 0 ? { required } : {}),
    };
  }
  return out;
}

/** A schema with its reference followed and its `allOf` joined. */
function opened(schema: JsonObject, work: Reduction, seen: readonly string[]): { schema: JsonObject; seen: readonly string[] } {
  if (--work.left < 0) {
    work.notes.add(work.field, 'approximated', `a schema of more than ${MAX_SCHEMAS} was cut`);
    return { schema: {}, seen };
  }
  const reference = schema['$ref'];
  if (typeof reference === 'string') {
    const { $ref: _ref, ...beside } = schema;
    const target = lookUp(work.root, reference);
    const rounds = seen.filter((one) => one === reference).length;
    if (!target || rounds >= MAX_UNROLL || seen.length > MAX_DEPTH) {
      work.notes.add(
        work.field,
        'approximated',
        target ? 'a schema that holds itself is unrolled three times' : `the reference ${reference.slice(0, 80)} leads nowhere`,
      );
      return { schema: { type: 'object', ...beside }, seen };
    }
    return opened({ ...target, ...beside }, work, [...seen, reference]);
  }
  const all = schema['allOf'];
  if (!Array.isArray(all)) return { schema, seen };
  const { allOf: _all, ...rest } = schema;
  const parts = all.filter(isObject).map((part) => opened(part, work, seen));
  return {
    schema: joined([rest, ...parts.map((part) => part.schema)]),
    seen: [...seen, ...parts.flatMap((part) => part.seen.slice(seen.length))],
  };
}

function reduceType(schema: JsonObject): { type?: string; nullable?: true; types?: readonly string[] } {
  const { type } = schema;
  if (typeof type === 'string') return { type: type.toUpperCase() };
  if (!Array.isArray(type))
    return isObject(schema['properties']) ? { type: 'OBJECT' } : schema['items'] === undefined ? {} : { type: 'ARRAY' };
  const words = type.filter((one): one is string => typeof one === 'string' && one !== 'null').map((one) => one.toUpperCase());
  const nullable = type.includes('null') ? { nullable: true as const } : {};
  return words.length === 1 ? { type: words[0] as string, ...nullable } : { types: words, ...nullable };
}

const isNullType = (schema: JsonObject): boolean =>
  schema['type'] === 'null' || (Array.isArray(schema['enum']) && schema['enum'].length === 1 && schema['enum'][0] === null);

function reduceChoices(choices: readonly Json[], work: Reduction, seen: readonly string[]): JsonObject {
  const schemas = choices.filter(isObject);
  const real = schemas.filter((schema) => !isNullType(schema));
  const nullable = real.length < schemas.length ? { nullable: true } : {};
  const [only] = real;
  if (real.length === 1 && only) return { ...reduce(only, work, seen), ...nullable };
  return { anyOf: real.map((schema) => reduce(schema, work, seen)), ...nullable };
}

/** `enum` is of strings only: numbers and booleans become words of the description. */
function reduceEnum(values: readonly Json[], out: Record<string, Json | undefined>, work: Reduction): void {
  const words = values.filter((value) => value !== null);
  if (words.length < values.length) out['nullable'] = true;
  if (words.every((value) => typeof value === 'string')) {
    out['enum'] = words;
    out['type'] ??= 'STRING';
    return;
  }
  work.notes.add(work.field, 'approximated', 'enums of other things than strings are told in words');
  const said = typeof out['description'] === 'string' ? `${out['description']} ` : '';
  out['description'] = `${said}One of: ${words.map((value) => JSON.stringify(value)).join(', ')}`;
}

function reduceMember(key: string, value: Json, out: Record<string, Json | undefined>, work: Reduction, seen: readonly string[]): void {
  switch (key) {
    case 'type':
    case 'nullable':
      return;
    case 'properties':
      if (isObject(value))
        out['properties'] = Object.fromEntries(
          Object.entries(value).map(([name, one]) => [name, isObject(one) ? reduce(one, work, seen) : {}]),
        );
      return;
    case 'items':
      out['items'] = isObject(value) ? reduce(value, work, seen) : {};
      return;
    case 'anyOf':
    case 'oneOf':
      if (Array.isArray(value)) Object.assign(out, reduceChoices(value, work, seen));
      return;
    case 'const':
      reduceEnum([value], out, work);
      return;
    case 'enum':
      if (Array.isArray(value)) reduceEnum(value, out, work);
      return;
    case 'format':
      if (typeof value === 'string' && FORMATS.has(value)) out['format'] = value;
      else work.notes.add(work.field, 'approximated', 'string formats are not kept to');
      return;
    case 'exclusiveMinimum':
    case 'exclusiveMaximum':
      if (typeof value === 'number') out[key === 'exclusiveMinimum' ? 'minimum' : 'maximum'] ??= value;
      work.notes.add(work.field, 'approximated', 'exclusive bounds became inclusive ones');
      return;
    case 'additionalProperties':
      work.notes.add(work.field, 'approximated', 'additionalProperties is not known to the target');
      return;
    default:
      if (KEPT.has(key)) out[key] = value;
      else if (!IDLE.has(key)) work.notes.add(work.field, 'approximated', `${key.slice(0, 40)} is not known to the target`);
  }
}

function reduce(given: JsonObject, work: Reduction, before: readonly string[]): JsonObject {
  const { schema, seen } = opened(given, work, before);
  if (work.left < 0 || seen.length > MAX_DEPTH) return { type: 'OBJECT' };
  const { type, nullable, types } = reduceType(schema);
  const out: Record<string, Json | undefined> = {};
  if (type !== undefined && type !== 'NULL') out['type'] = type;
  if (nullable || schema['nullable'] === true) out['nullable'] = true;
  for (const [key, value] of Object.entries(schema)) if (value !== undefined) reduceMember(key, value, out, work, seen);
  if (types && types.length > 0) out['anyOf'] = types.map((one) => ({ type: one }));
  if (out['type'] === 'ARRAY') out['items'] ??= {};
  return out;
}

/** JSON Schema brought down to Google's `Schema`: references resolved, `allOf` joined, unknown words noted. */
export const toGoogleSchema = (schema: JsonObject, field: string, notes: Notes): JsonObject =>
  reduce(schema, { root: schema, field, notes, left: MAX_SCHEMAS }, []);

/** How many references are written out where they could stand as they are. */
const MAX_OPENED = 500;

const MAPS: ReadonlySet<string> = new Set(['properties', 'patternProperties', '$defs', 'definitions']);
const LISTS: ReadonlySet<string> = new Set(['anyOf', 'oneOf', 'prefixItems']);
const SINGLE: ReadonlySet<string> = new Set(['items', 'additionalProperties', 'not']);

const renamed = (reference: string): string => reference.replace(/^#\/definitions\//, '#/$defs/');

function plainMember(key: string, value: Json, work: Reduction, seen: readonly string[]): Json {
  if (key === '$ref' && typeof value === 'string') return renamed(value);
  if (SINGLE.has(key) && isObject(value)) return plain(value, work, seen);
  if (LISTS.has(key) && Array.isArray(value)) return value.map((one: Json) => (isObject(one) ? plain(one, work, seen) : one));
  if (!MAPS.has(key) || !isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, isObject(one) ? plain(one, work, seen) : one]));
}

/** A schema without `allOf`, and without words beside a reference. */
function plain(given: JsonObject, work: Reduction, before: readonly string[]): JsonObject {
  const { $schema: _schema, $id: _id, ...schema } = given;
  const { $ref: reference } = schema;
  const hasBeside = typeof reference === 'string' && Object.keys(schema).some((key) => !key.startsWith('$'));
  if (work.left < 0 || (hasBeside && before.includes(reference))) return hasBeside ? { $ref: renamed(reference) } : schema;
  const mustOpen = hasBeside || Array.isArray(schema['allOf']);
  if (mustOpen) work.notes.add(work.field, 'approximated', 'references with words beside them, and allOf, are written out');
  const { schema: open, seen } = mustOpen ? opened(schema, work, before) : { schema, seen: before };
  const out: Record<string, Json> = {};
  for (const [key, value] of Object.entries(open)) {
    if (value !== undefined) out[key === 'definitions' ? '$defs' : key] = plainMember(key, value, work, seen);
  }
  return out;
}

/**
 * JSON Schema for Google's fields that take it whole, but for `allOf` and for references that have more than words about the
 * document beside them. https://ai.google.dev/api/generate-content#FIELDS.response_json_schema
 */
export const toPlainSchema = (schema: JsonObject, field: string, notes: Notes): JsonObject =>
  plain(schema, { root: schema, field, notes, left: MAX_OPENED }, []);

/** `Type` by number, for clients that send enums so. */
const TYPES = ['', 'string', 'number', 'integer', 'boolean', 'array', 'object', 'null'];

/** Google's `Schema` as plain JSON Schema: types in lower case, `nullable` as a type. Members of maps of properties are names, not words. */
export function fromGoogleSchema(schema: JsonObject): JsonObject {
  const out: Record<string, Json | undefined> = {};
  for (const [key, value] of Object.entries(schema)) {
    if (key === 'type' && typeof value === 'string') out['type'] = value.toLowerCase();
    else if (key === 'type' && typeof value === 'number') {
      if (TYPES[value]) out['type'] = TYPES[value];
    } else if (key === 'properties' && isObject(value)) {
      out['properties'] = Object.fromEntries(
        Object.entries(value).map(([name, one]) => [name, isObject(one) ? fromGoogleSchema(one) : one]),
      );
    } else if (key === 'items' && isObject(value)) out['items'] = fromGoogleSchema(value);
    else if ((key === 'anyOf' || key === 'any_of') && Array.isArray(value))
      out['anyOf'] = value.map((one: Json) => (isObject(one) ? fromGoogleSchema(one) : one));
    else if (key !== 'nullable' && value !== null) out[key] = value;
  }
  if (schema['nullable'] === true && typeof out['type'] === 'string') out['type'] = [out['type'], 'null'];
  return out;
}
