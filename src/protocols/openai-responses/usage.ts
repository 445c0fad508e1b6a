import { isObject, type JsonObject, type Usage } from '../../ir/index.ts';
import { countIn, detailsIn, someOf } from '../openai-usage.ts';
import { DIALECT } from './dialect.ts';

/** Whether a value reports usage. */
export const isUsage = (value: unknown): value is JsonObject =>
  isObject(value) && (typeof value['input_tokens'] === 'number' || typeof value['output_tokens'] === 'number');

/** Reads `usage`. Reasoning that is counted beside the output shows in the total. */
export function decodeUsage(usage: JsonObject): Usage {
  const input = countIn(usage, 'input_tokens') ?? 0;
  const output = countIn(usage, 'output_tokens') ?? 0;
  const read = detailsIn(usage, 'input_tokens_details');
  const written = detailsIn(usage, 'output_tokens_details');
  const reasoning = countIn(written, 'reasoning_tokens') ?? 0;
  const beside = reasoning > 0 && countIn(usage, 'total_tokens') === input + output + reasoning;
  const cached = Math.min(countIn(read, 'cached_tokens') ?? 0, input);
  return {
    input,
    output: beside ? output + reasoning : output,
    ...someOf('cacheRead', cached),
    ...someOf('cacheWrite', Math.min(countIn(read, 'cache_write_tokens') ?? 0, input - cached)),
    ...someOf('reasoning', reasoning),
    ...someOf('inputAudio', countIn(read, 'audio_tokens')),
    ...someOf('outputAudio', countIn(written, 'audio_tokens')),
    ...someOf('inputImage', countIn(read, 'image_tokens')),
    ...someOf('outputImage', countIn(written, 'image_tokens')),
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
