import type { JsonObject, Residue } from '../../ir/index.ts';

/** This dialect's name in residue. */
export const DIALECT = 'openai-completions';

/** The fields of this dialect that the shared language has no word for. */
export const residueOf = (of: { readonly residue?: Residue }): JsonObject => of.residue?.[DIALECT] ?? {};
