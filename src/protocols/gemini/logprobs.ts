import { isObject, type Json, type JsonObject, type TokenLogprob } from '../../ir/index.ts';
import { objects, str } from './dialect.ts';

const tokenOf = (one: JsonObject): { readonly token: string; readonly logprob: number } => ({
  token: str(one['token']),
  logprob: typeof one['logProbability'] === 'number' ? one['logProbability'] : 0,
});

/** Reads `logprobsResult`. https://ai.google.dev/api/generate-content#LogprobsResult */
export function decodeLogprobs(value: Json | undefined): readonly TokenLogprob[] {
  if (!isObject(value)) return [];
  const tops = objects(value['topCandidates']);
  return objects(value['chosenCandidates']).map((chosen, index) => {
    const top = objects(tops[index]?.['candidates']).map(tokenOf);
    return { ...tokenOf(chosen), ...(top.length > 0 ? { top } : {}) };
  });
}

const written = ({ token, logprob }: { readonly token: string; readonly logprob: number }): JsonObject => ({
  token,
  logProbability: logprob,
});

/** Writes `logprobsResult`; `undefined` when there are none. */
export function encodeLogprobs(logprobs: readonly TokenLogprob[]): JsonObject | undefined {
  if (logprobs.length === 0) return undefined;
  const hasTop = logprobs.some((one) => one.top);
  return {
    ...(hasTop ? { topCandidates: logprobs.map((one) => ({ candidates: (one.top ?? []).map(written) })) } : {}),
    chosenCandidates: logprobs.map(written),
  };
}
