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
import { DIALECT, str } from './dialect.ts';
import { isInCall } from './hosted-items.ts';

/*
 * What a client of this dialect must bring back but has no place for: seals on calls, text and media, hosted tools and
 * natives of other dialects. It travels in `reasoning` items without text, whose `encrypted_content` clients send back
 * unread. Such an item follows the one that it is about, since a stream knows a seal only when its part ends. Its content
 * is a token by this dialect, and the token's maker says what it holds:
 *
 *   seal     the seal of the part before it, as a token of its own
 *   shown    the part that stands in the place of the one before it
 *   hidden   a part of which nothing was shown
 *
 * The thoughts of other dialects hold their seal as a plain token; those that nobody sealed hold `NO_SEAL`: with it in the
 * body, the gateway knows that the item was not made by the provider it may be about to send it to.
 */

type Carried =
  | { readonly type: 'seal'; readonly seal: Seal }
  | { readonly type: 'shown'; readonly part: Part }
  | { readonly type: 'hidden'; readonly part: Part };

const NO_SEAL = sealToken({ by: DIALECT, maker: 'none', value: '' });

/** The content that carries the seal of the part before it. */
export const carriedSeal = (seal: Seal): string => sealToken({ by: DIALECT, maker: 'seal', value: sealToken(seal) });

/** The content that carries a whole part. */
export const carriedPart = (type: 'shown' | 'hidden', part: Part): string =>
  sealToken({ by: DIALECT, maker: type, value: JSON.stringify(part) });

const isString = (from: JsonObject, ...keys: readonly string[]): boolean => keys.every((key) => typeof from[key] === 'string');

/** A part as `carriedPart` wrote it. The client held it, so its shape is looked at again. */
function asPart(value: JsonObject | undefined): Part | undefined {
  if (!value) return undefined;
  const { seal, native } = value;
  if (seal !== undefined && !(isObject(seal) && isString(seal, 'by', 'value'))) return undefined;
  if (native !== undefined && !(isObject(native) && isString(native, 'by') && isObject(native['value']))) return undefined;
  const fits =
    (value['kind'] === 'text' && isString(value, 'text')) ||
    (value['kind'] === 'reasoning' && isString(value, 'text')) ||
    (value['kind'] === 'hosted-call' && isString(value, 'id', 'tool', 'name', 'inputJson')) ||
    (value['kind'] === 'hosted-result' && isString(value, 'callId', 'tool', 'text') && typeof value['isError'] === 'boolean') ||
    (value['kind'] === 'native' && isString(value, 'by') && isObject(value['value']));
  return fits ? (value as unknown as Part) : undefined;
}

/** What a reasoning item carries beside thoughts; `undefined` when it is thoughts. */
export function readCarried(item: JsonObject): Carried | undefined {
  const seal = readSealToken(str(item['encrypted_content']));
  if (seal?.by !== DIALECT) return undefined;
  if (seal.maker === 'seal') {
    const inner = readSealToken(seal.value);
    return inner && { type: 'seal', seal: inner };
  }
  if (seal.maker !== 'shown' && seal.maker !== 'hidden') return undefined;
  const part = asPart(parseObject(seal.value));
  return part && (seal.maker === 'shown' ? { type: 'shown', part } : { type: 'hidden', part });
}

/** Puts carried state back where it belongs, at the end of the parts read so far. */
export function restoreCarried(parts: readonly Part[], carried: Carried): readonly Part[] {
  const last = parts.at(-1);
  const before = parts.slice(0, -1);
  if (carried.type === 'hidden') return [...parts, carried.part];
  // What was shown is one item; read back, its result is a part of its own.
  if (carried.type === 'shown') return [...(last?.kind === 'hosted-result' && isInCall(last) ? before.slice(0, -1) : before), carried.part];
  const takes = last?.kind === 'text' || last?.kind === 'media' || last?.kind === 'tool-call';
  return takes ? [...before, { ...last, seal: carried.seal }] : parts;
}

/** Reads `encrypted_content` of thoughts: their maker's own, or a token of ours. A damaged token is no seal. */
export function readSealed(content: string, maker?: string): Seal | undefined {
  if (content === '') return undefined;
  if (!isSealToken(content)) return { by: DIALECT, value: content, ...(maker === undefined ? {} : { maker }) };
  const seal = readSealToken(content);
  return seal === undefined || seal.by === DIALECT ? undefined : seal;
}

/** The `encrypted_content` of a client's thoughts. `own`: an item of this dialect, which may do without. */
export const writeSealed = (seal: Seal | undefined, own: boolean): string | undefined =>
  seal ? writeSeal(seal, DIALECT) : own ? undefined : NO_SEAL;
