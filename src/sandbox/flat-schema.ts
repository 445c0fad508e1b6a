import { isObject, type Json, type JsonObject } from '../ir/index.ts';

/** A schema that says everything itself: references followed, `allOf` merged, one branch of `anyOf` or `oneOf` chosen. */
export type FlatSchema = JsonObject;

/** References and branches that are followed in a row before giving up on a schema that only refers to itself. */
const MAX_NESTED = 32;

/** What a `$ref` into the same document points at: `#`, `#/$defs/x`, or an `$anchor` or `$id` of a definition. */
function target(root: JsonObject, ref: string): JsonObject | undefined {
  if (ref === '#') return root;
  if (ref.startsWith('#/')) {
    let at: unknown = root;
    for (const step of ref.slice(2).split('/')) {
      const key = decodeURIComponent(step).replaceAll('~1', '/').replaceAll('~0', '~');
      at = isObject(at) ? at[key] : Array.isArray(at) ? (at as unknown[])[Number(key)] : undefined;
    }
    return isObject(at) ? at : undefined;
  }
  const defs = root['$defs'] ?? root['definitions'];
  if (!isObject(defs)) return undefined;
  const found = Object.values(defs).find((one) => isObject(one) && (one['$id'] === ref || `#${String(one['$anchor'])}` === ref));
  return isObject(found) ? found : undefined;
}

const listOf = (value: Json | undefined): readonly Json[] => (Array.isArray(value) ? (value as readonly Json[]) : []);
const objectsOf = (value: Json | undefined): readonly JsonObject[] => listOf(value).filter(isObject);

/** The types that a schema names, in lower case (Gemini writes them large). */
export const typesOf = (schema: JsonObject): readonly string[] =>
  (typeof schema['type'] === 'string' ? [schema['type']] : listOf(schema['type'])).map((type) => String(type).toLowerCase());

const TIGHTER: Readonly<Record<string, (a: number, b: number) => number>> = {
  minimum: Math.max,
  exclusiveMinimum: Math.max,
  minLength: Math.max,
  minItems: Math.max,
  minProperties: Math.max,
  maximum: Math.min,
  exclusiveMaximum: Math.min,
  maxLength: Math.min,
  maxItems: Math.min,
  maxProperties: Math.min,
};

function mergeMember(key: string, a: Json, b: Json): Json {
  if (key === 'properties' && isObject(a) && isObject(b)) {
    const out: Record<string, Json | undefined> = { ...a };
    for (const [name, schema] of Object.entries(b)) {
      const before = out[name];
      out[name] = isObject(before) && isObject(schema) ? mergeSchemas(before, schema) : schema;
    }
    return out;
  }
  if (key === 'required') return [...new Set([...listOf(a), ...listOf(b)])];
  if (key === 'enum') return listOf(a).filter((one) => listOf(b).some((other) => JSON.stringify(other) === JSON.stringify(one)));
  if (key === 'type') {
    const common = typesOf({ type: a }).filter((type) => typesOf({ type: b }).includes(type));
    return common.length > 0 ? common : b;
  }
  const tighter = TIGHTER[key];
  return tighter && typeof a === 'number' && typeof b === 'number' ? tighter(a, b) : b;
}

/** Both schemas in one, the second tightening the first. */
function mergeSchemas(a: JsonObject, b: JsonObject): JsonObject {
  const out: Record<string, Json | undefined> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = out[key];
    if (value !== undefined) out[key] = before === undefined ? value : mergeMember(key, before, value);
  }
  return out;
}

function without(schema: JsonObject, ...keys: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(schema).filter(([key]) => !keys.includes(key)));
}

/** How a branch is chosen: the branches, flat, in; one of them out. */
export type ChooseBranch = (branches: readonly FlatSchema[]) => FlatSchema | undefined;

/** How schemas of one document are made flat. */
export interface Flattening {
  readonly root: JsonObject;
  readonly choose: ChooseBranch;
  /** Schemas that may still be looked at, all together: some refer to themselves in every branch. */
  readonly budget: { left: number };
}

/** Makes a schema flat. What cannot be resolved (foreign references, too much nesting) is left out, so anything goes there. */
export function flatten(schema: JsonObject, how: Flattening, nested = 0): FlatSchema {
  if (nested > MAX_NESTED || how.budget.left-- <= 0) return {};
  const inner = (one: JsonObject): FlatSchema => flatten(one, how, nested + 1);
  let flat = without(schema, '$ref', 'allOf', 'anyOf', 'oneOf');
  const { $ref } = schema;
  const found = typeof $ref === 'string' ? target(how.root, $ref) : undefined;
  if (found) flat = mergeSchemas(inner(found), flat);
  for (const part of objectsOf(schema['allOf'])) flat = mergeSchemas(flat, inner(part));
  for (const word of ['anyOf', 'oneOf']) {
    const chosen = how.choose(objectsOf(schema[word]).map(inner));
    if (chosen) flat = mergeSchemas(flat, chosen);
  }
  return flat;
}
