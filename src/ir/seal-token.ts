import { isObject, parseObject } from './json.ts';
import type { Seal } from './part.ts';
import type { ProtocolId } from './protocol-id.ts';

/*
 * Sealed state of one dialect on its way through a client of another: written where the client's dialect keeps its own
 * (Anthropic `signature`, Gemini `thoughtSignature`, Responses `encrypted_content`), as base64 with a head that can be
 * found in raw bytes, so that the gateway knows it when it comes back and sends it to its maker only. Base64 because
 * Google's SDKs decode and encode the field.
 */

/** The first 16 characters of every token: base64 of `pailou/seal1`. No `+` or `/`, so URL-safe encoders leave it as it is. */
export const SEAL_MARK = 'cGFpbG91L3NlYWwx';
const HEAD = Buffer.from(SEAL_MARK, 'base64');

/** Whether a field's value is a token of ours. */
export const isSealToken = (value: string): boolean => value.startsWith(SEAL_MARK);

/** Writes a foreign seal (and what else must come back with it) as a token for the client's dialect. */
export function sealToken(seal: Seal): string {
  const { by, maker, value } = seal;
  return Buffer.concat([HEAD, Buffer.from(JSON.stringify([by, maker ?? null, value]))]).toString('base64');
}

/** Reads a token; `undefined` when it is not one of ours or was damaged. */
export function readSealToken(value: string): Seal | undefined {
  if (!isSealToken(value)) return undefined;
  const parsed = parseObject(`{"seal":${Buffer.from(value, 'base64').subarray(HEAD.length).toString('utf8')}}`);
  const seal: unknown = parsed?.['seal'];
  if (!Array.isArray(seal) || isObject(seal)) return undefined;
  const [by, maker, inner]: unknown[] = seal;
  if (typeof by !== 'string' || typeof inner !== 'string') return undefined;
  return { by: by as ProtocolId, value: inner, ...(typeof maker === 'string' ? { maker } : {}) };
}

/** The seal in a dialect's own field: a token of ours read back, or the dialect's own value. */
export const readSeal = (value: string, by: ProtocolId): Seal => readSealToken(value) ?? { by, value };

/** What to write in a dialect's own field for a seal: its own value as it is, a foreign one as a token. */
export const writeSeal = (seal: Seal, by: ProtocolId): string => (seal.by === by ? seal.value : sealToken(seal));
