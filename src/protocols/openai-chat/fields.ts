import { isObject, type Json, type JsonObject } from '../../ir/index.ts';

/** A member as text where it is text, for what providers send. */
export const str = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** The objects of an array; nothing where it is none. */
export const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
