import { badField, type GatewayError, isObject, type Json, type JsonObject, kindOf, missingField } from '../ir/index.ts';

/*
 * Readers for what a client sends. `null` is absent; a wrong kind throws a `GatewayError` that names the field by its
 * path from the body, as `messages[2].content[0].source`.
 */

/** The path of a member. */
export const memberPath = (at: string, key: string): string => (at === '' ? key : `${at}.${key}`);

/** The refusal of a value of the wrong kind. */
export const wrongKind = (param: string, wanted: string, found: unknown): GatewayError =>
  badField(param, `Invalid request: '${param}' must be ${wanted}, found ${kindOf(found)}`, 'invalid_type');

function optional<T extends Json>(
  from: JsonObject,
  key: string,
  at: string,
  wanted: string,
  fits: (value: Json) => value is T,
): T | undefined {
  const value = from[key];
  if (value === undefined || value === null) return undefined;
  if (!fits(value)) throw wrongKind(memberPath(at, key), wanted, value);
  return value;
}

/** Text. */
export const optionalString = (from: JsonObject, key: string, at = ''): string | undefined =>
  optional(from, key, at, 'a string', (value) => typeof value === 'string');

/** A number. */
export const optionalNumber = (from: JsonObject, key: string, at = ''): number | undefined =>
  optional(from, key, at, 'a number', (value) => typeof value === 'number');

/** True or false. */
export const optionalBoolean = (from: JsonObject, key: string, at = ''): boolean | undefined =>
  optional(from, key, at, 'a boolean', (value) => typeof value === 'boolean');

/** An object. */
export const optionalObject = (from: JsonObject, key: string, at = ''): JsonObject | undefined =>
  optional(from, key, at, 'an object', (value): value is JsonObject => isObject(value));

/** A list of anything. */
export const optionalArray = (from: JsonObject, key: string, at = ''): readonly Json[] | undefined =>
  optional(from, key, at, 'an array', (value): value is readonly Json[] => Array.isArray(value));

/** A count: an integer, at least `least`. */
export const optionalCount = (from: JsonObject, key: string, at = '', least = 0): number | undefined =>
  optional(
    from,
    key,
    at,
    `an integer, at least ${least}`,
    (value): value is number => typeof value === 'number' && Number.isInteger(value) && value >= least,
  );

/** A list of texts. */
export function optionalStrings(from: JsonObject, key: string, at = ''): readonly string[] | undefined {
  return optionalArray(from, key, at)?.map((value, index) => {
    if (typeof value !== 'string') throw wrongKind(`${memberPath(at, key)}[${index}]`, 'a string', value);
    return value;
  });
}

function present<T>(value: T | undefined, key: string, at: string): T {
  if (value === undefined) throw missingField(memberPath(at, key));
  return value;
}

/** Text that must be there. */
export const requiredString = (from: JsonObject, key: string, at = ''): string => present(optionalString(from, key, at), key, at);

/** An object that must be there. */
export const requiredObject = (from: JsonObject, key: string, at = ''): JsonObject => present(optionalObject(from, key, at), key, at);

/** A list that must be there. */
export const requiredArray = (from: JsonObject, key: string, at = ''): readonly Json[] => present(optionalArray(from, key, at), key, at);

/** An element that must be an object. */
export function objectAt(value: Json | undefined, at: string): JsonObject {
  if (!isObject(value)) throw wrongKind(at, 'an object', value);
  return value;
}

/** The members that are not known here, for the residue. `null` is absent. */
export function unknownMembers(from: JsonObject, known: ReadonlySet<string>): JsonObject {
  const rest: Record<string, Json> = {};
  for (const key in from) {
    const value = from[key];
    if (value !== undefined && value !== null && !known.has(key) && key !== '__proto__') rest[key] = value;
  }
  return rest;
}
