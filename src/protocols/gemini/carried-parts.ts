import { isObject, type JsonObject, type Part, parseObject, type Seal, sealToken } from '../../ir/index.ts';
import { DIALECT } from './dialect.ts';

/*
 * Parts of other dialects that a client of this one must bring back but cannot be shown: they travel as a signature of
 * ours on an empty thought, which clients keep and do not show. On a part that stands for another (code that a tool ran)
 * the same signature says what it stood for.
 */

const CARRIER = 'carried';

/** The signature that carries a whole part. */
export const carriedSignature = (part: Part): string => sealToken({ by: DIALECT, maker: CARRIER, value: JSON.stringify(part) });

/** The empty thought that carries a part of which nothing is shown. */
export const carrier = (part: Part): JsonObject => ({ text: '', thought: true, thoughtSignature: carriedSignature(part) });

const has = (from: JsonObject, ...keys: readonly string[]): boolean => keys.every((key) => typeof from[key] === 'string');

/** The part that a seal carries; `undefined` when it is no carrier. The client held it, so its shape is looked at again. */
export function readCarried(seal: Seal | undefined): Part | undefined {
  if (seal?.by !== DIALECT || seal.maker !== CARRIER) return undefined;
  const value = parseObject(seal.value);
  if (!value) return undefined;
  const { native } = value;
  if (native !== undefined && !(isObject(native) && has(native, 'by') && isObject(native['value']))) return undefined;
  const fits =
    (value['kind'] === 'hosted-call' && has(value, 'id', 'tool', 'name', 'inputJson')) ||
    (value['kind'] === 'hosted-result' && has(value, 'callId', 'tool', 'text') && typeof value['isError'] === 'boolean') ||
    (value['kind'] === 'native' && has(value, 'by') && isObject(value['value'])) ||
    (value['kind'] === 'reasoning' && has(value, 'text'));
  return fits ? (value as unknown as Part) : undefined;
}
