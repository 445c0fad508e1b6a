import { badField, isObject, type Json, type JsonObject, missingField } from '../ir/index.ts';
import { countText } from './count-tokens.ts';
import { vectorOf } from './text-features.ts';

const USUAL_DIMENSIONS = 512;
const MAX_DIMENSIONS = 4096;

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

function dimensionsOf(body: JsonObject, name: string): number {
  const wanted = body[name] ?? USUAL_DIMENSIONS;
  if (typeof wanted !== 'number' || !Number.isInteger(wanted) || wanted < 1 || wanted > MAX_DIMENSIONS)
    throw badField(name, `Invalid request: '${name}' must be a whole number from 1 to ${MAX_DIMENSIONS}`);
  return wanted;
}

function asBase64(values: readonly number[]): string {
  const bytes = Buffer.alloc(values.length * 4);
  for (const [index, value] of values.entries()) bytes.writeFloatLE(value, index * 4);
  return bytes.toString('base64');
}

/** Answers OpenAI's `/v1/embeddings`. https://platform.openai.com/docs/api-reference/embeddings */
export function embeddingsReply(body: JsonObject): JsonObject {
  const inputs = inputsOf(body);
  const wanted = dimensionsOf(body, 'dimensions');
  const format = body['encoding_format'] ?? 'float';
  if (format !== 'float' && format !== 'base64')
    throw badField('encoding_format', "Invalid request: 'encoding_format' must be 'float' or 'base64'");
  const tokens = inputs.reduce((sum, input) => sum + (typeof input === 'string' ? countText(input) : input.length), 0);
  return {
    object: 'list',
    data: inputs.map((input, index) => {
      const values = vectorOf(input, wanted);
      return { object: 'embedding', embedding: format === 'base64' ? asBase64(values) : values, index };
    }),
    model: typeof body['model'] === 'string' ? body['model'] : 'embed',
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

interface GeminiVector {
  readonly values: readonly number[];
  readonly tokens: number;
}

/** One of Gemini's requests; `at` is its place. */
function geminiVector(request: JsonObject, at: string): GeminiVector {
  const { content } = request;
  const parts = isObject(content) ? content['parts'] : undefined;
  if (!Array.isArray(parts) || parts.length === 0) throw missingField(`${at}content.parts`);
  const text = parts.map((part: Json) => (isObject(part) && typeof part['text'] === 'string' ? part['text'] : '')).join('\n');
  return { values: vectorOf(text, dimensionsOf(request, 'outputDimensionality')), tokens: countText(text) };
}

/** Answers Gemini's `:embedContent` and `:batchEmbedContents`. https://ai.google.dev/api/embeddings */
export function geminiEmbeddingsReply(body: JsonObject, verb: string): JsonObject {
  if (verb === 'embedContent') {
    const { values, tokens } = geminiVector(body, '');
    return { embedding: { values }, usageMetadata: { promptTokenCount: tokens } };
  }
  const { requests } = body;
  if (!Array.isArray(requests) || requests.length === 0) throw missingField('requests');
  const vectors = requests.map((one: Json, at) => geminiVector(isObject(one) ? one : {}, `requests[${at}].`));
  return {
    embeddings: vectors.map(({ values }) => ({ values })),
    usageMetadata: { promptTokenCount: vectors.reduce((sum, { tokens }) => sum + tokens, 0) },
  };
}
