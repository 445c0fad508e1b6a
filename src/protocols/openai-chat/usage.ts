import { isObject, type JsonObject, type Usage } from '../../ir/index.ts';
import { countIn, detailsIn, someOf } from '../openai-usage.ts';
import { DIALECT } from './dialect.ts';

/**
 * Output with its reasoning. Most count it in `completion_tokens`; xAI and Gemini's compatible API beside it, which shows
 * in the total (19 of 24 recorded xAI replies).
 */
function outputOf(usage: JsonObject, input: number, completion: number, reasoning: number): number {
  const total = countIn(usage, 'total_tokens');
  const beside = reasoning > 0 && total === input + completion + reasoning;
  return beside ? completion + reasoning : completion;
}

/** Whether a value reports usage: some send it with nulls until the end. */
export const isUsage = (value: unknown): value is JsonObject =>
  isObject(value) && (typeof value['prompt_tokens'] === 'number' || typeof value['completion_tokens'] === 'number');

/** Reads `usage`, and what providers add to it: DeepSeek's cache hits, Moonshot's `cached_tokens`, OpenRouter's cache writes. */
export function decodeUsage(usage: JsonObject): Usage {
  const prompt = detailsIn(usage, 'prompt_tokens_details');
  const completion = detailsIn(usage, 'completion_tokens_details');
  const told = countIn(usage, 'prompt_tokens') ?? 0;
  const reasoning = countIn(completion, 'reasoning_tokens') ?? countIn(usage, 'reasoning_tokens') ?? 0;
  const cached =
    countIn(prompt, 'cached_tokens') ||
    countIn(usage, 'prompt_cache_hit_tokens') ||
    countIn(usage, 'cached_tokens') ||
    countIn(usage, 'num_cached_tokens') ||
    countIn(usage, 'cache_read_input_tokens') ||
    0;
  const written =
    countIn(prompt, 'cache_write_tokens') || countIn(prompt, 'cache_creation_tokens') || countIn(usage, 'cache_creation_input_tokens') || 0;
  // More from the cache than was asked: it is counted beside (Grok on Azure).
  const input = cached > told ? told + cached : told;
  const output = outputOf(usage, told, countIn(usage, 'completion_tokens') ?? 0, reasoning);
  return {
    input,
    output,
    ...someOf('cacheRead', cached),
    // Some report what they read as written too (OpenRouter's Gemini).
    ...someOf('cacheWrite', Math.min(written, input - cached)),
    // A part is not more than the whole, whatever is said (Vercel's gateway).
    ...someOf('reasoning', Math.min(reasoning, output)),
    ...someOf('inputAudio', countIn(prompt, 'audio_tokens')),
    ...someOf('outputAudio', countIn(completion, 'audio_tokens')),
    ...someOf('inputImage', countIn(prompt, 'image_tokens')),
    ...someOf('outputImage', countIn(completion, 'image_tokens')),
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
