import type { NativeValue } from './part.ts';

/**
 * Tokens of one reply. `input` and `output` are totals: cached input is part of `input`, reasoning part of `output`
 * (Anthropic and Gemini count them apart; their codecs add and subtract).
 */
export interface Usage {
  readonly input: number;
  readonly output: number;
  readonly cacheRead?: number;
  /** Input written to the provider's cache, all lifetimes together. */
  readonly cacheWrite?: number;
  /** The part of `cacheWrite` that is kept for an hour. */
  readonly cacheWrite1h?: number;
  readonly reasoning?: number;
  readonly inputAudio?: number;
  readonly outputAudio?: number;
  readonly inputImage?: number;
  readonly outputImage?: number;
  /** Input tokens of the results of hosted tools, part of `input` (Gemini `toolUsePromptTokenCount`). */
  readonly toolUse?: number;
  /** Set when the gateway counted, not the provider. */
  readonly estimated?: boolean;
  /** The provider's own words, for a client of the same dialect. */
  readonly native?: NativeValue;
}

/** Classes of tokens that are counted and recorded, beside input and output. */
export const TOKEN_CLASSES = [
  'cacheRead',
  'cacheWrite',
  'cacheWrite1h',
  'reasoning',
  'inputAudio',
  'outputAudio',
  'inputImage',
  'outputImage',
] as const satisfies readonly (keyof Usage)[];

const CLASSES = [...TOKEN_CLASSES, 'toolUse'] as const;

/** Both usages together, class by class; a provider's own words for one of them are not words for the sum. */
export function sumUsage(a: Usage, b: Usage): Usage {
  const classes: { [K in (typeof CLASSES)[number]]?: number } = {};
  for (const key of CLASSES) if (a[key] !== undefined || b[key] !== undefined) classes[key] = (a[key] ?? 0) + (b[key] ?? 0);
  return {
    input: a.input + b.input,
    output: a.output + b.output,
    ...classes,
    ...(a.estimated || b.estimated ? { estimated: true } : {}),
  };
}
