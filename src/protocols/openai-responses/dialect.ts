import { isObject, type Json, type JsonObject, type Residue } from '../../ir/index.ts';

/** This dialect's name in residue, natives and seals. */
export const DIALECT = 'openai-responses';

/** Function names on this wire: letters, digits, `_` and `-`, 64 at most. https://platform.openai.com/docs/api-reference/responses/create */
export const TOOL_NAME_RULE = { max: 64 } as const;

const NONE: JsonObject = {};

/** The fields of this dialect that the shared language has no word for. */
export const residueOf = (of: { readonly residue?: Residue }): JsonObject => of.residue?.[DIALECT] ?? NONE;

/** Residue to spread into a part or a turn: nothing when there is none. */
export const withResidue = (rest: JsonObject): { readonly residue?: Residue } =>
  Object.keys(rest).length > 0 ? { residue: { [DIALECT]: rest } } : {};

/** Whether a request was read off this dialect: such ones carry its residue, be it empty. */
export const isOwn = (of: { readonly residue?: Residue }): boolean => of.residue?.[DIALECT] !== undefined;

/** A member to spread: nothing when there is no value. */
export const given = <K extends string, T>(key: K, value: T | undefined): { readonly [P in K]?: T } =>
  value === undefined ? {} : ({ [key]: value } as { readonly [P in K]: T });

/** A member as text where it is text, for what providers send. */
export const str = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** The objects of an array; nothing where it is none. */
export const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];
