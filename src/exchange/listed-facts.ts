import { isObject, type JsonObject } from '../ir/index.ts';
import type { Said } from '../policy/models/model-facts.ts';
import type { Amounts, Price, Priced } from '../policy/models/price.ts';

const MILLION = 1e6;
const NANO = 1e9;
/** More than a million tokens of anything cost, in USD. */
const MAX_USD = 1e6;

const at = (entry: JsonObject, ...path: readonly string[]): unknown =>
  path.reduce<unknown>((value, name) => (isObject(value) ? value[name] : undefined), entry);

/** A count of tokens; 0 says nothing. */
function tokens(...said: readonly unknown[]): number | undefined {
  return said.find((value): value is number => typeof value === 'number' && Number.isSafeInteger(value) && value > 0);
}

/** An amount in USD, as a number or as text, times how many make the measure; less than 0 stands for "it depends". */
function nanos(said: unknown, times: number): number | undefined {
  if (typeof said !== 'number' && (typeof said !== 'string' || said.trim() === '')) return undefined;
  const amount = Number(said) * times;
  return amount >= 0 && amount <= MAX_USD ? Math.round(amount * NANO) : undefined;
}

/** Where lists name prices, in USD, by what each is for: by the token, by the million tokens, or each. */
const PRICES: readonly (readonly [path: readonly string[], of: Priced, times: number])[] = [
  // https://openrouter.ai/docs/models
  [['pricing', 'prompt'], 'input', MILLION],
  [['pricing', 'completion'], 'output', MILLION],
  [['pricing', 'input_cache_read'], 'cacheRead', MILLION],
  [['pricing', 'input_cache_write'], 'cacheWrite', MILLION],
  [['pricing', 'internal_reasoning'], 'reasoning', MILLION],
  [['pricing', 'request'], 'request', 1],
  [['pricing', 'image_output'], 'imageOutput', MILLION],
  // https://docs.together.ai/reference/models-1
  [['pricing', 'input'], 'input', 1],
  [['pricing', 'output'], 'output', 1],
  // https://deepinfra.com/docs/openai_api
  [['metadata', 'pricing', 'input_tokens'], 'input', 1],
  [['metadata', 'pricing', 'output_tokens'], 'output', 1],
  [['metadata', 'pricing', 'cache_read_tokens'], 'cacheRead', 1],
];

function priceOf(entry: JsonObject): Price | undefined {
  const amounts: { -readonly [P in keyof Amounts]: Amounts[P] } = {};
  for (const [path, of, times] of PRICES) {
    const amount = nanos(at(entry, ...path), times);
    if (amount !== undefined) amounts[of] = amount;
  }
  return amounts.input === undefined ? undefined : { currency: 'USD', ...amounts };
}

const words = (...said: readonly unknown[]): ReadonlySet<string> | undefined => {
  const list = said.find((value) => Array.isArray(value));
  return list && new Set((list as readonly unknown[]).flatMap((one) => (typeof one === 'string' ? [one.toLowerCase()] : [])));
};

const flag = (value: unknown): boolean | undefined => (typeof value === 'boolean' ? value : undefined);

/** What the entry says of abilities: lists of what is taken, made and understood, or flags. */
function abilitiesOf(entry: JsonObject): Said {
  const takes = words(at(entry, 'architecture', 'input_modalities'), entry['supported_input_modalities'], entry['input_modalities']);
  const makes = words(at(entry, 'architecture', 'output_modalities'), entry['supported_output_modalities'], entry['output_modalities']);
  const understands = words(entry['supported_parameters']);
  const tools = understands ? understands.has('tools') : flag(at(entry, 'capabilities', 'function_calling'));
  const vision = takes ? takes.has('image') : flag(at(entry, 'capabilities', 'vision'));
  return {
    ...(takes ? { audio: takes.has('audio'), video: takes.has('video') } : {}),
    // A cloud reads documents for models that do not: only that one reads them is said.
    ...(takes?.has('file') === true ? { files: true } : {}),
    ...(makes ? { imageOutput: makes.has('image'), audioOutput: makes.has('audio') } : {}),
    ...(understands ? { structured: understands.has('structured_outputs'), reasoning: understands.has('reasoning') } : {}),
    ...(tools === undefined ? {} : { tools }),
    ...(vision === undefined ? {} : { vision }),
  };
}

/** What an entry of a provider's own list says of a model, in any of the forms seen. What is not there, or not as it should be, is not said. */
export function listedFacts(entry: JsonObject): Said {
  const context = tokens(
    entry['context_length'],
    entry['context_window'],
    entry['max_context_length'],
    entry['max_model_len'],
    entry['inputTokenLimit'],
    entry['max_input_tokens'],
    at(entry, 'limits', 'max_input_tokens'),
    at(entry, 'metadata', 'context_length'),
  );
  const output = tokens(
    at(entry, 'top_provider', 'max_completion_tokens'),
    entry['max_completion_tokens'],
    entry['outputTokenLimit'],
    entry['max_output_tokens'],
    at(entry, 'limits', 'max_output_tokens'),
  );
  const price = priceOf(entry);
  return {
    ...(context === undefined ? {} : { context }),
    ...(output === undefined ? {} : { output }),
    ...abilitiesOf(entry),
    ...(price ? { price } : {}),
  };
}
