import { parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import type { EmbeddingsCodec } from './shape.ts';
import { textsOf } from './texts.ts';
import { listed } from './vectors.ts';

/** Ollama's own. https://docs.ollama.com/api/embed */
export const ollamaEmbeddings: EmbeddingsCodec = {
  id: 'ollama',
  batch: 512,
  encode(request, { model }) {
    const { dimensions } = request;
    return {
      path: '/api/embed',
      body: jsonBody({ model, input: textsOf(request), ...(dimensions === undefined ? {} : { dimensions }) }),
    };
  },
  decode({ body }, { inputs }) {
    const { embeddings, model, prompt_eval_count: input } = parseObject(body.toString('utf8')) ?? {};
    return {
      vectors: listed(embeddings, inputs.length),
      ...(typeof model === 'string' ? { model } : {}),
      ...(typeof input === 'number' ? { usage: { input, output: 0 } } : {}),
    };
  },
};
