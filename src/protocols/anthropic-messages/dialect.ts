import { isObject, type JsonObject, type Residue } from '../../ir/index.ts';

/** This dialect's name in residue, natives and seals. */
export const DIALECT = 'anthropic-messages';

/** Tool names on this wire: `^[a-zA-Z0-9_-]{1,128}$`. https://docs.claude.com/en/docs/agents-and-tools/tool-use/implement-tool-use */
export const TOOL_NAME_RULE = { max: 128 } as const;

/** The key under which arguments that are not a JSON object are put, since `input` can be nothing else. */
export const UNPARSED_ARGUMENTS = 'unparsed_arguments';

const NONE: JsonObject = {};

/** The fields of this dialect that the shared language has no word for. */
export const residueOf = (of: { readonly residue?: Residue }): JsonObject => of.residue?.[DIALECT] ?? NONE;

/** Residue to spread into a part: nothing when there is none. */
export const withResidue = (rest: JsonObject): { readonly residue?: Residue } =>
  Object.keys(rest).length > 0 ? { residue: { [DIALECT]: rest } } : {};

/** Whether a request or a turn was read off this dialect: such ones carry its residue, be it empty. */
export const isOwn = (of: { readonly residue?: Residue }): boolean => of.residue?.[DIALECT] !== undefined;

/** Members without a `caller` that says what holds anyway: that the model itself made the call. */
export function withoutDirectCaller(members: JsonObject): JsonObject {
  const { caller, ...rest } = members;
  return isObject(caller) && caller['type'] === 'direct' ? rest : members;
}
