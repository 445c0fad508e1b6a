import { isObject, parseObject } from '../../ir/index.ts';
import { jsonBody, type MediaAnswer } from '../codec.ts';
import type { EmbeddingsCodec } from './shape.ts';
import { TASK_WORDS, taskMember } from './tasks.ts';
import { textsOf } from './texts.ts';
import { listed } from './vectors.ts';

/*
 * Cohere's API v2. https://docs.cohere.com/reference/embed
 *
 * Options of a preset:
 *   invoke   the model stands in the path (Amazon Bedrock).
 *            https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-embed.html
 */

/** Tokens: in the reply's own words, or in Bedrock's header. */
function countOf({ headers }: MediaAnswer, meta: unknown): number | undefined {
  const billed = isObject(meta) && isObject(meta['billed_units']) ? meta['billed_units'] : {};
  const { input_tokens: text, image_tokens: image } = billed;
  if (typeof text === 'number') return text + (typeof image === 'number' ? image : 0);
  const said = Number(headers['x-amzn-bedrock-input-token-count']);
  return Number.isNaN(said) ? undefined : said;
}

/** Cohere, by itself and on Bedrock. */
export const cohereEmbeddings: EmbeddingsCodec = {
  id: 'cohere',
  batch: 96,
  tasks: () => true,
  encode(request, { model, options, notes }) {
    const { dimensions } = request;
    const isInvoked = options['invoke'] === true;
    return {
      path: isInvoked ? `/model/${encodeURIComponent(model)}/invoke` : '/embed',
      body: jsonBody({
        ...(isInvoked ? {} : { model }),
        texts: textsOf(request),
        ...taskMember(request, TASK_WORDS.cohere, notes),
        embedding_types: ['float'],
        ...(dimensions === undefined ? {} : { output_dimension: dimensions }),
      }),
    };
  },
  decode(answer, { inputs }) {
    const { embeddings, meta } = parseObject(answer.body.toString('utf8')) ?? {};
    const list = isObject(embeddings) ? embeddings['float'] : embeddings;
    const input = countOf(answer, meta);
    return { vectors: listed(list, inputs.length), ...(input === undefined ? {} : { usage: { input, output: 0 } }) };
  },
};
