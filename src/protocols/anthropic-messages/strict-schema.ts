import { isObject, type Json, type JsonObject, type Notes } from '../../ir/index.ts';

/*
 * JSON Schema as structured outputs and strict tools take it: every object closed, no limits on numbers and lengths, few
 * string formats. https://docs.claude.com/en/docs/build-with-claude/structured-outputs#json-schema-limitations
 */

const FORMATS = new Set(['date-time', 'time', 'date', 'duration', 'email', 'hostname', 'uri', 'ipv4', 'ipv6', 'uuid']);

/** Words that a schema may hold; `$schema` says nothing that is needed. */
const KEPT = new Set([
  '$ref',
  '$defs',
  'definitions',
  'type',
  'title',
  'description',
  'enum',
  'const',
  'default',
  'properties',
  'required',
  'additionalProperties',
  'items',
  'anyOf',
  'allOf',
]);

/** Deeper than any schema is; a guard against ones made to exhaust the stack. */
const MAX_DEPTH = 200;

interface Rewrite {
  /** Set once something was told in words instead. */
  loosened: boolean;
}

const mapValues = (from: JsonObject, change: (value: Json) => Json): JsonObject =>
  Object.fromEntries(Object.entries(from).map(([key, value]) => [key, value === undefined ? value : change(value)]));

function isKept(key: string, value: Json): boolean {
  if (key === 'format') return typeof value === 'string' && FORMATS.has(value);
  if (key === 'minItems') return value === 0 || value === 1;
  return KEPT.has(key);
}

function changeMember(key: string, value: Json, depth: number, state: Rewrite): Json {
  switch (key) {
    case 'properties':
    case '$defs':
    case 'definitions':
      return isObject(value) ? mapValues(value, (inner) => rewrite(inner, depth, state)) : value;
    case 'items':
      return rewrite(value, depth, state);
    case 'anyOf':
    case 'allOf':
      return Array.isArray(value) ? (value as readonly Json[]).map((inner) => rewrite(inner, depth, state)) : value;
    default:
      return value;
  }
}

const isObjectSchema = (schema: JsonObject): boolean => schema['type'] === 'object' || isObject(schema['properties']);

function rewriteObject(schema: JsonObject, depth: number, state: Rewrite): JsonObject {
  const out: Record<string, Json> = {};
  const told: string[] = [];
  for (const [key, value] of Object.entries(schema)) {
    if (value === undefined || key === '$schema') continue;
    if (key === 'oneOf' && Array.isArray(value) && !schema['anyOf']) out['anyOf'] = changeMember('anyOf', value, depth, state);
    else if (isKept(key, value)) out[key] = changeMember(key, value, depth, state);
    else told.push(`${key}: ${JSON.stringify(value)}`);
  }
  if (isObjectSchema(schema)) {
    if (schema['additionalProperties'] !== false && schema['additionalProperties'] !== undefined) state.loosened = true;
    out['additionalProperties'] = false;
  }
  if (told.length > 0) {
    state.loosened = true;
    const described = typeof out['description'] === 'string' ? `${out['description']}\n\n` : '';
    out['description'] = `${described}{${told.join(', ')}}`;
  }
  return out;
}

function rewrite(schema: Json, depth: number, state: Rewrite): Json {
  return isObject(schema) && depth < MAX_DEPTH ? rewriteObject(schema, depth + 1, state) : schema;
}

/** The schema in the words that the API holds a model to; what it has no word for moves into descriptions, with a note. */
export function strictSchema(schema: JsonObject, field: string, notes: Notes): JsonObject {
  const state: Rewrite = { loosened: false };
  const out = rewriteObject(schema, 0, state);
  if (state.loosened) notes.add(field, 'approximated', 'limits that the API does not hold a model to are said in descriptions');
  return out;
}
