import { isObject, type Json, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaTarget } from '../codec.ts';
import { noDimensions } from './refusals.ts';
import type { BodyMembers, EmbeddingContent, EmbeddingsCodec, EmbeddingsRequest, Vector } from './shape.ts';
import { taskMember, taskWords } from './tasks.ts';
import { inOrder, vectorOf } from './vectors.ts';

/*
 * OpenAI's embeddings, and the many that resemble them. https://platform.openai.com/docs/api-reference/embeddings
 *
 * Options of a preset:
 *   dimensions   name of the member that says how many are wanted; `none`: it cannot be said
 *   format       name of the member that asks for base64, where it is not `encoding_format`
 *   base64       false: vectors come as numbers only
 *   float        false: numbers come where nothing is said, and 'float' is refused
 *   tokens       false: text only
 *   user         false: the member is not known, and refused
 *   versioned    Azure's: `/v1`, or the deployment's path where an `apiVersion` asks for the older API
 *   int8         vectors are signed bytes, in base64 (Perplexity)
 *   task         how it says what vectors are for (`TASK_WORDS`)
 */

type Options = MediaTarget['options'];

const dimensionsName = (options: Options): string => String(options['dimensions'] ?? 'dimensions');
const formatName = (options: Options): string => String(options['format'] ?? 'encoding_format');

/** Below the base. */
function pathOf({ model, options, settings }: Pick<MediaTarget, 'model' | 'options' | 'settings'>): string {
  if (options['versioned'] !== true) return '/embeddings';
  const { apiVersion } = settings;
  if (!apiVersion) return '/v1/embeddings';
  return `/deployments/${encodeURIComponent(model)}/embeddings?api-version=${encodeURIComponent(apiVersion)}`;
}

/** Signed bytes as numbers. https://docs.perplexity.ai/api-reference/embeddings-post */
function bytesOf(value: Json | undefined): Vector {
  if (typeof value !== 'string' || value === '') throw new Error('a reply with something that is no vector');
  return Array.from(new Int8Array(Buffer.from(value, 'base64')));
}

function inputOf(content: EmbeddingContent): Json {
  if (content.kind === 'tokens') return content.tokens;
  if (content.kind === 'text') return content.text;
  throw new Error('parts are not for this target');
}

function dimensionsMember({ dimensions, names }: EmbeddingsRequest, options: Options): Readonly<Record<string, number>> {
  if (dimensions === undefined) return {};
  const name = dimensionsName(options);
  if (name === 'none') throw noDimensions(names);
  return { [name]: dimensions };
}

/** Whether a body says nothing that this provider says in another way. */
function takes(options: Options, body: BodyMembers): boolean {
  const format = body.text('encoding_format');
  if (options['int8'] === true) return format !== '"float"' && format !== '"base64"';
  const way = taskWords(options['task']);
  const said = way && body.text(way.field);
  const words = way ? Object.values(way.words).map((word) => `"${word}"`) : [];
  const elsewhere = way && ['input_type', 'task'].some((name) => name !== way.field && body.text(name) !== undefined);
  return (
    (dimensionsName(options) === 'dimensions' || body.text('dimensions') === undefined) &&
    (format === undefined ||
      (formatName(options) === 'encoding_format' && (format === '"float"' ? options['float'] !== false : options['base64'] !== false))) &&
    (options['user'] !== false || body.text('user') === undefined) &&
    (options['tokens'] !== false || !/^\[\s*[\d[]/.test(body.text('input') ?? '')) &&
    (said === undefined ? way?.required === undefined : words.includes(said)) &&
    elsewhere !== true
  );
}

/** OpenAI and those that resemble it. */
export const openaiEmbeddings: EmbeddingsCodec = {
  id: 'openai',
  batch: 2048,
  tokens: (options) => options['tokens'] !== false,
  tasks: (options) => taskWords(options['task']) !== undefined,
  relay: { dialect: 'openai', path: pathOf, takes },
  encode(request, target) {
    const { model, options, notes } = target;
    const { inputs, user, base64, rest } = request;
    const asksUser = user !== undefined && options['user'] !== false;
    if (user !== undefined && !asksUser) notes.add('user', 'dropped', 'the target does not know it');
    return {
      path: pathOf(target),
      body: jsonBody({
        ...rest,
        model,
        input: inputs.map((one) => inputOf(one)),
        ...dimensionsMember(request, options),
        ...(base64 && options['base64'] !== false && options['int8'] !== true ? { [formatName(options)]: 'base64' } : {}),
        ...taskMember(request, taskWords(options['task']), notes),
        ...(asksUser ? { user } : {}),
      }),
    };
  },
  decode({ body }, { inputs }, { options }) {
    const reply = parseObject(body.toString('utf8')) ?? {};
    const { data, usage, model } = reply;
    if (!Array.isArray(data)) throw new Error('a reply without data');
    const read = options['int8'] === true ? bytesOf : vectorOf;
    const found = data.map((one: Json, at) => {
      if (!isObject(one)) throw new Error('an embedding that is none');
      return { index: typeof one['index'] === 'number' ? one['index'] : at, vector: read(one['embedding']) };
    });
    const counted = isObject(usage) ? (usage['prompt_tokens'] ?? usage['total_tokens']) : undefined;
    return {
      vectors: inOrder(found, inputs.length),
      ...(typeof model === 'string' ? { model } : {}),
      ...(typeof counted === 'number' ? { usage: { input: counted, output: 0 } } : {}),
    };
  },
};
