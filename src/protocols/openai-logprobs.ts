import { isObject, type Json, type JsonObject, type TokenLogprob } from '../ir/index.ts';

/** Log probabilities as both of OpenAI's protocols list them: a token, its likelier neighbours, and the bytes of each. */

interface One {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[];
}

const objects = (list: readonly Json[]): readonly JsonObject[] => list.filter(isObject);

const one = ({ token, logprob, bytes }: JsonObject): One => ({
  token: typeof token === 'string' ? token : '',
  logprob: typeof logprob === 'number' ? logprob : -9999,
  ...(Array.isArray(bytes) ? { bytes: (bytes as readonly Json[]).filter((byte) => typeof byte === 'number') } : {}),
});

/** Reads a list of tokens; empty where it is none. */
export function decodeTokens(value: Json | undefined): readonly TokenLogprob[] {
  if (!Array.isArray(value)) return [];
  return objects(value as readonly Json[]).map((token) => {
    const top = token['top_logprobs'];
    return { ...one(token), ...(Array.isArray(top) ? { top: objects(top as readonly Json[]).map(one) } : {}) };
  });
}

/** Writes a list of tokens. `bytesOf`: the bytes of a token that came without. */
export function encodeTokens(
  logprobs: readonly TokenLogprob[],
  bytesOf: (token: string) => readonly number[] | null,
): readonly JsonObject[] {
  const written = ({ token, logprob, bytes }: One): JsonObject => ({ token, logprob, bytes: bytes ?? bytesOf(token) });
  return logprobs.map((token) => ({ ...written(token), top_logprobs: (token.top ?? []).map(written) }));
}
