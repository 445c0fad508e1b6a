import { badField, type JsonObject, missingField } from '../ir/index.ts';
import { countText } from './count-tokens.ts';
import { checksum } from './seals.ts';

const USUAL_DIMENSIONS = 256;
const MAX_DIMENSIONS = 4096;

/** Words, pairs of Chinese characters, or token numbers: what an embedding is made of. */
function featuresOf(input: string | readonly number[]): readonly string[] {
  if (typeof input !== 'string') return input.map((token) => `#${token}`);
  const words = input.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.flatMap((word) => (/\p{sc=Han}/u.test(word) ? [...word].map((char, at, all) => char + (all[at + 1] ?? '')) : [word]));
}

/** A unit vector of hashed features, so that texts with words in common are near each other. */
function vector(input: string | readonly number[], dimensions: number): readonly number[] {
  const sums = Array.from({ length: dimensions }, () => 0);
  for (const feature of featuresOf(input)) {
    const hash = Number.parseInt(checksum(feature), 16);
    const at = hash % dimensions;
    sums[at] = (sums[at] ?? 0) + (hash & 0x8000_0000 ? -1 : 1);
  }
  const length = Math.hypot(...sums);
  // A text without words still has a direction.
  if (length === 0) sums[0] = 1;
  return sums.map((sum) => Math.fround(sum / (length || 1)));
}

const isTokens = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every((one) => typeof one === 'number');

/** One text, several, one list of tokens, several. Throws `GatewayError` naming the field. */
function inputsOf(body: JsonObject): readonly (string | readonly number[])[] {
  const { input } = body;
  if (input === undefined || input === null) throw missingField('input');
  if (typeof input === 'string') return [input];
  if (!Array.isArray(input) || input.length === 0)
    throw badField('input', "Invalid request: 'input' must be a string or a list that is not empty");
  if (isTokens(input)) return [input];
  return (input as readonly unknown[]).map((one, index) => {
    if (typeof one === 'string' || isTokens(one)) return one;
    throw badField(`input[${index}]`, `Invalid request: 'input[${index}]' must be a string or a list of tokens`);
  });
}

function asBase64(values: readonly number[]): string {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}

/** Answers OpenAI's `/v1/embeddings`. https://platform.openai.com/docs/api-reference/embeddings */
export function embeddingsReply(body: JsonObject): JsonObject {
  const inputs = inputsOf(body);
  const wanted = body['dimensions'] ?? USUAL_DIMENSIONS;
  if (typeof wanted !== 'number' || !Number.isInteger(wanted) || wanted < 1 || wanted > MAX_DIMENSIONS)
    throw badField('dimensions', `Invalid request: 'dimensions' must be a whole number from 1 to ${MAX_DIMENSIONS}`);
  const format = body['encoding_format'] ?? 'float';
  if (format !== 'float' && format !== 'base64')
    throw badField('encoding_format', "Invalid request: 'encoding_format' must be 'float' or 'base64'");
  const tokens = inputs.reduce((sum, input) => sum + (typeof input === 'string' ? countText(input) : input.length), 0);
  return {
    object: 'list',
    data: inputs.map((input, index) => {
      const values = vector(input, wanted);
      return { object: 'embedding', embedding: format === 'base64' ? asBase64(values) : values, index };
    }),
    model: typeof body['model'] === 'string' ? body['model'] : 'embed',
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
