import { isObject, type Json, type JsonObject, type TokenLogprob } from '../../ir/index.ts';
import { decodeTokens, encodeTokens } from '../openai-logprobs.ts';

/** Reads `logprobs.content` of a choice; empty where there is none. */
export const decodeLogprobs = (value: Json | undefined): readonly TokenLogprob[] => (isObject(value) ? decodeTokens(value['content']) : []);

/** Writes `logprobs` of a choice. */
export const encodeLogprobs = (logprobs: readonly TokenLogprob[]): JsonObject => ({
  content: encodeTokens(logprobs, () => null),
  refusal: null,
});
