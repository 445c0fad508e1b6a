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

/** Whether a value reports usage. */
export const isUsage = (value: unknown): value is JsonObject =>
  isObject(value) && (typeof value['input_tokens'] === 'number' || typeof value['output_tokens'] === 'number');

/** Reads `usage`. Reasoning that is counted beside the output shows in the total. */
export function decodeUsage(usage: JsonObject): Usage {
  const input = count(usage, 'input_tokens') ?? 0;
  const output = count(usage, 'output_tokens') ?? 0;
  const read = details(usage, 'input_tokens_details');
  const written = details(usage, 'output_tokens_details');
  const reasoning = count(written, 'reasoning_tokens') ?? 0;
  const beside = reasoning > 0 && count(usage, 'total_tokens') === input + output + reasoning;
  const cached = Math.min(count(read, 'cached_tokens') ?? 0, input);
  return {
    input,
    output: beside ? output + reasoning : output,
    ...some('cacheRead', cached),
    ...some('cacheWrite', Math.min(count(read, 'cache_write_tokens') ?? 0, input - cached)),
    ...some('reasoning', reasoning),
    ...some('inputAudio', count(read, 'audio_tokens')),
    ...some('outputAudio', count(written, 'audio_tokens')),
    ...some('inputImage', count(read, 'image_tokens')),
    ...some('outputImage', count(written, 'image_tokens')),
    native: { by: DIALECT, value: usage },
  };
}

/** Writes `usage`; this dialect's own words as they came, with what they left out. */
export function encodeUsage(usage: Usage): JsonObject {
  const { input, output, native } = usage;
  const own = native?.by === DIALECT ? native.value : {};
  const whole = {
    input_tokens: input,
    input_tokens_details: {
      cached_tokens: usage.cacheRead ?? 0,
      ...(usage.cacheWrite ? { cache_write_tokens: usage.cacheWrite } : {}),
      ...(usage.inputAudio ? { audio_tokens: usage.inputAudio } : {}),
      ...(usage.inputImage ? { image_tokens: usage.inputImage } : {}),
    },
    output_tokens: output,
    output_tokens_details: {
      reasoning_tokens: usage.reasoning ?? 0,
      ...(usage.outputAudio ? { audio_tokens: usage.outputAudio } : {}),
      ...(usage.outputImage ? { image_tokens: usage.outputImage } : {}),
    },
    total_tokens: input + output,
  };
  return { ...whole, ...own };
}
