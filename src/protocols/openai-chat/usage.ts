import { isObject, type JsonObject, type Usage } from '../../ir/index.ts';
import { DIALECT } from './dialect.ts';

const count = (from: JsonObject | undefined, key: string): number | undefined => {
  const value = from?.[key];
  return typeof value === 'number' && value >= 0 ? value : undefined;
};

const details = (from: JsonObject, key: string): JsonObject | undefined => {
  const value = from[key];
  return isObject(value) ? value : undefined;
};

/** Zero says nothing: many providers write every member. */
const some = <K extends string>(key: K, value: number | undefined): { readonly [P in K]?: number } =>
  value === undefined || value === 0 ? {} : ({ [key]: value } as { readonly [P in K]: number });

/**
 * Output with its reasoning. Most count it in `completion_tokens`; xAI and Gemini's compatible API beside it, which shows
 * in the total (19 of 24 recorded xAI replies).
 */
function outputOf(usage: JsonObject, input: number, completion: number, reasoning: number): number {
  const total = count(usage, 'total_tokens');
  const beside = reasoning > 0 && total === input + completion + reasoning;
  return beside ? completion + reasoning : completion;
}

/** Whether a value reports usage: some send it with nulls until the end. */
export const isUsage = (value: unknown): value is JsonObject =>
  isObject(value) && (typeof value['prompt_tokens'] === 'number' || typeof value['completion_tokens'] === 'number');

/** Reads `usage`, and what providers add to it: DeepSeek's cache hits, Moonshot's `cached_tokens`, OpenRouter's cache writes. */
export function decodeUsage(usage: JsonObject): Usage {
  const prompt = details(usage, 'prompt_tokens_details');
  const completion = details(usage, 'completion_tokens_details');
  const told = count(usage, 'prompt_tokens') ?? 0;
  const reasoning = count(completion, 'reasoning_tokens') ?? count(usage, 'reasoning_tokens') ?? 0;
  const cached =
    count(prompt, 'cached_tokens') ||
    count(usage, 'prompt_cache_hit_tokens') ||
    count(usage, 'cached_tokens') ||
    count(usage, 'num_cached_tokens') ||
    count(usage, 'cache_read_input_tokens') ||
    0;
  const written =
    count(prompt, 'cache_write_tokens') || count(prompt, 'cache_creation_tokens') || count(usage, 'cache_creation_input_tokens') || 0;
  // More from the cache than was asked: it is counted beside (Grok on Azure).
  const input = cached > told ? told + cached : told;
  const output = outputOf(usage, told, count(usage, 'completion_tokens') ?? 0, reasoning);
  return {
    input,
    output,
    ...some('cacheRead', cached),
    // Some report what they read as written too (OpenRouter's Gemini).
    ...some('cacheWrite', Math.min(written, input - cached)),
    // A part is not more than the whole, whatever is said (Vercel's gateway).
    ...some('reasoning', Math.min(reasoning, output)),
    ...some('inputAudio', count(prompt, 'audio_tokens')),
    ...some('outputAudio', count(completion, 'audio_tokens')),
    ...some('inputImage', count(prompt, 'image_tokens')),
    ...some('outputImage', count(completion, 'image_tokens')),
    native: { by: DIALECT, value: usage },
  };
}

/** Writes `usage`; this dialect's own words as they came. */
export function encodeUsage(usage: Usage): JsonObject {
  if (usage.native?.by === DIALECT) return usage.native.value;
  const { input, output } = usage;
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: usage.cacheRead ?? 0,
      audio_tokens: usage.inputAudio ?? 0,
      ...(usage.cacheWrite ? { cache_write_tokens: usage.cacheWrite } : {}),
      ...(usage.inputImage ? { image_tokens: usage.inputImage } : {}),
    },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoning ?? 0,
      audio_tokens: usage.outputAudio ?? 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
      ...(usage.outputImage ? { image_tokens: usage.outputImage } : {}),
    },
  };
}
