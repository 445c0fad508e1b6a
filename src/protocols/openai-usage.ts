import { isObject, type JsonObject } from '../ir/index.ts';

/** What both of OpenAI's protocols' reports of usage are read with. */

/** A member that counts; `undefined` where it is no count. */
export const countIn = (from: JsonObject | undefined, key: string): number | undefined => {
  const value = from?.[key];
  return typeof value === 'number' && value >= 0 ? value : undefined;
};

/** A member that holds the details of a count. */
export const detailsIn = (from: JsonObject, key: string): JsonObject | undefined => {
  const value = from[key];
  return isObject(value) ? value : undefined;
};

/** A count to spread. Zero says nothing: many providers write every member. */
export const someOf = <K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } =>
  value === undefined || value === 0 ? {} : ({ [key]: value } as { readonly [P in K]: number });
