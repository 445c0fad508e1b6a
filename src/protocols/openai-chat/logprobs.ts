import { isObject, type Json, type JsonObject, type TokenLogprob } from '../../ir/index.ts';
import { given } from './dialect.ts';
import { objects, str } from './fields.ts';

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

/** Reads `logprobs.content` of a choice; empty where there is none. */
export function decodeLogprobs(value: Json | undefined): readonly TokenLogprob[] {
  if (!isObject(value)) return [];
  return objects(value['content']).map((token) => {
    const top = token['top_logprobs'];
    return { ...one(token), ...(Array.isArray(top) ? { top: objects(top).map(one) } : {}) };
  });
}

const written = ({ token, logprob, bytes }: One): JsonObject => ({ token, logprob, bytes: bytes ?? null });

/** Writes `logprobs` of a choice. */
export const encodeLogprobs = (logprobs: readonly TokenLogprob[]): JsonObject => ({
  content: logprobs.map((token) => ({ ...written(token), top_logprobs: (token.top ?? []).map(written) })),
  refusal: null,
});
