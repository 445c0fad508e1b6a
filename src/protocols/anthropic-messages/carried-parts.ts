import {
  isObject,
  isSealToken,
  type JsonObject,
  type Part,
  parseObject,
  readSealToken,
  type Seal,
  sealToken,
  writeSeal,
} from '../../ir/index.ts';
import { DIALECT } from './dialect.ts';

/*
 * What a client of this dialect must bring back but has no place for: seals on tool calls and text, hosted tools and
 * natives of other dialects. It travels in `redacted_thinking` blocks, which clients send back unread and do not show.
 * A block follows the one that it is about, since a stream knows a seal only when its part ends. Its data is
 *
 *   a token of the seal                        the seal of the part before it
 *   a token by this dialect, maker `shown`     the part that stands in the place of the one before it
 *   a token by this dialect, maker `hidden`    a part of which nothing was shown
 *
 * and `NO_SEAL` is the signature of thinking that has none: with it in the body, the gateway knows that the block was
 * not made by the provider it may be about to send it to.
 */

export type Carried = { readonly type: 'seal'; readonly seal: Seal } | { readonly type: 'shown' | 'hidden'; readonly part: Part };

/** The signature of a thinking block that nobody signed. */
const NO_SEAL = sealToken({ by: DIALECT, maker: 'none', value: '' });

/** Data of the block that carries the seal of the part before it. */
export const carriedSeal = (seal: Seal): string => sealToken(seal);

/** Data of the block that carries a whole part. */
export const carriedPart = (type: 'shown' | 'hidden', part: Part): string =>
  sealToken({ by: DIALECT, maker: type, value: JSON.stringify(part) });

const isString = (from: JsonObject, ...keys: readonly string[]): boolean => keys.every((key) => typeof from[key] === 'string');

/** A part as `carriedPart` wrote it. The client held it, so its shape is looked at again. */
function asPart(value: JsonObject | undefined): Part | undefined {
  if (!value) return undefined;
  const seal = value['seal'];
  if (seal !== undefined && !(isObject(seal) && isString(seal, 'by', 'value'))) return undefined;
  const native = value['native'];
  if (native !== undefined && !(isObject(native) && isString(native, 'by') && isObject(native['value']))) return undefined;
  const fits =
    (value['kind'] === 'text' && isString(value, 'text')) ||
    (value['kind'] === 'reasoning' && isString(value, 'text')) ||
    (value['kind'] === 'hosted-call' && isString(value, 'id', 'tool', 'name', 'inputJson')) ||
    (value['kind'] === 'hosted-result' && isString(value, 'callId', 'tool', 'text') && typeof value['isError'] === 'boolean') ||
    (value['kind'] === 'native' && isString(value, 'by') && isObject(value['value']));
  return fits ? (value as unknown as Part) : undefined;
}

/** What the data of a `redacted_thinking` block carries; `undefined` when it is the model's own. */
export function readCarried(data: string): Carried | undefined {
  const seal = readSealToken(data);
  if (!seal) return undefined;
  if (seal.by !== DIALECT) return { type: 'seal', seal };
  if (seal.maker !== 'shown' && seal.maker !== 'hidden') return undefined;
  const part = asPart(parseObject(seal.value));
  return part ? { type: seal.maker, part } : undefined;
}

/** Puts carried state back where it belongs among the parts read so far, at the end of `parts`. */
export function restoreCarried(parts: Part[], carried: Carried): void {
  const last = parts.at(-1);
  switch (carried.type) {
    case 'hidden':
      parts.push(carried.part);
      return;
    case 'shown':
      parts[Math.max(parts.length - 1, 0)] = carried.part;
      return;
    case 'seal':
      if (last?.kind === 'text' || last?.kind === 'media' || last?.kind === 'tool-call') {
        parts[parts.length - 1] = { ...last, seal: carried.seal };
      }
  }
}

/** Reads the signature of a thinking block that a client sent: the model's own, or a token of ours. A damaged token is no seal. */
export function readSignature(signature: string | undefined): Seal | undefined {
  if (signature === undefined || signature === '') return undefined;
  if (!isSealToken(signature)) return { by: DIALECT, value: signature };
  const seal = readSealToken(signature);
  return seal === undefined || seal.by === DIALECT ? undefined : seal;
}

/** The signature to write for a client's thinking block. */
export const writeSignature = (seal: Seal | undefined): string => (seal ? writeSeal(seal, DIALECT) : NO_SEAL);
