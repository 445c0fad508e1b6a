import type { JsonObject, TokenLogprob } from '../../ir/index.ts';
import { encodeTokens } from '../openai-logprobs.ts';

export { decodeTokens as decodeLogprobs } from '../openai-logprobs.ts';

/** Writes `logprobs` of a text. A token that came without its bytes is given those of its text. */
export const encodeLogprobs = (logprobs: readonly TokenLogprob[]): readonly JsonObject[] =>
  encodeTokens(logprobs, (token) => [...Buffer.from(token)]);
