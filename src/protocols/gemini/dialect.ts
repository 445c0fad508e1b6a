import { isObject, type Json, type JsonObject, type Residue, type Seal, writeSeal } from '../../ir/index.ts';

/** This dialect's name in residue, natives and seals. */
export const DIALECT = 'gemini';

/** Function names on this wire: a letter or `_`, then letters, digits, `_`, `.`, `:` and `-`, at most 64. https://ai.google.dev/api/caching#FunctionDeclaration */
export const TOOL_NAME_RULE = { max: 64, letterFirst: true } as const;

/** Google's word for a call that has no signature because another model made it. https://ai.google.dev/gemini-api/docs/thought-signatures */
export const NO_SIGNATURE = 'skip_thought_signature_validator';

const NONE: JsonObject = {};

/** The fields of this dialect that the shared language has no word for. */
export const residueOf = (of: { readonly residue?: Residue }): JsonObject => of.residue?.[DIALECT] ?? NONE;

/** Residue to spread: nothing when there is none. */
export const withResidue = (rest: JsonObject): { readonly residue?: Residue } =>
  Object.keys(rest).length > 0 ? { residue: { [DIALECT]: rest } } : {};

/** Whether a request was read off this dialect: such ones carry its residue, be it empty. */
export const isOwn = (of: { readonly residue?: Residue }): boolean => of.residue?.[DIALECT] !== undefined;

/** `snake_case` as `camelCase`: Google's JSON takes both. https://protobuf.dev/programming-guides/json/ */
const camel = (key: string): string =>
  key.includes('_') ? key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()) : key;

/** An object with its own keys in camelCase; what they hold is left alone. `null` members are absent. */
export function normal(from: JsonObject): JsonObject {
  const out: Record<string, JsonObject[string]> = {};
  for (const key of Object.keys(from)) {
    const value = from[key];
    if (value !== null && value !== undefined) out[camel(key)] = value;
  }
  return out;
}

/** A member as text, whatever it is. */
export const str = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** The objects of a list, whatever it is. */
export const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];

/** The signature to write for a client: its own, or a foreign seal as a token. */
export const signature = (seal: Seal | undefined): { readonly thoughtSignature?: string } =>
  seal ? { thoughtSignature: writeSeal(seal, DIALECT) } : {};
