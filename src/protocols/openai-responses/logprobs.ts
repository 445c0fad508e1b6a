import type { Json, JsonObject, TokenLogprob } from '../../ir/index.ts';
import { given, objects, str } from './dialect.ts';

const bytesOf = (from: JsonObject): readonly number[] | undefined => {
  const { bytes } = from;
  return Array.isArray(bytes) ? (bytes as readonly Json[]).filter((byte) => typeof byte === 'number') : undefined;
};

interface One {
  readonly token: string;
  readonly logprob: number;
  readonly bytes?: readonly number[];
}

const one = (from: JsonObject): One => ({
  token: str(from['token']),
  logprob: typeof from['logprob'] === 'number' ? from['logprob'] : -9999,
  ...given('bytes', bytesOf(from)),
});

/** Reads `logprobs` of a text; empty where there is none. */
export const decodeLogprobs = (value: Json | undefined): readonly TokenLogprob[] =>
  objects(value).map((token) => {
    const top = token['top_logprobs'];
    return { ...one(token), ...(Array.isArray(top) ? { top: objects(top).map(one) } : {}) };
  });

const written = ({ token, logprob, bytes }: One): JsonObject => ({ token, logprob, bytes: bytes ?? [...Buffer.from(token)] });

/** Writes `logprobs` of a text. */
export const encodeLogprobs = (logprobs: readonly TokenLogprob[]): readonly JsonObject[] =>
  logprobs.map((token) => ({ ...written(token), top_logprobs: (token.top ?? []).map(written) }));
