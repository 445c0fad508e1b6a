import { parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { noDimensions } from './refusals.ts';
import type { EmbeddingsCodec } from './shape.ts';
import { textsOf } from './texts.ts';
import { listed } from './vectors.ts';

/*
 * Amazon Titan on Bedrock: one text a request.
 * https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters-titan-embed-text.html
 *
 * Options of a preset:
 *   dimensions   'none': their number cannot be chosen (G1)
 */
/** Amazon Titan. */
export const titanEmbeddings: EmbeddingsCodec = {
  id: 'titan',
  batch: 1,
  encode(request, { model, options }) {
    const { dimensions, names } = request;
    if (dimensions !== undefined && options['dimensions'] === 'none') throw noDimensions(names);
    const [inputText] = textsOf(request);
    return {
      path: `/model/${encodeURIComponent(model)}/invoke`,
      body: jsonBody({ inputText, ...(dimensions === undefined ? {} : { dimensions }) }),
    };
  },
  decode({ body }, { inputs }) {
    const { embedding, inputTextTokenCount: input } = parseObject(body.toString('utf8')) ?? {};
    return {
      vectors: listed([embedding ?? null], inputs.length),
      ...(typeof input === 'number' ? { usage: { input, output: 0 } } : {}),
    };
  },
};
