import { isObject, type Json, parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import type { EmbeddingsCodec } from './shape.ts';
import { geminiTask } from './tasks.ts';
import { textsOf } from './texts.ts';
import { listed } from './vectors.ts';

const member = (value: Json | undefined, ...names: readonly string[]): Json | undefined =>
  names.reduce<Json | undefined>((so, name) => (isObject(so) ? so[name] : undefined), value);

/** Vertex AI's text embeddings. https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api */
export const vertexEmbeddings: EmbeddingsCodec = {
  id: 'vertex',
  batch: 250,
  titles: true,
  tasks: () => true,
  encode(request, { model }) {
    const { title, dimensions } = request;
    const task = geminiTask(request.task);
    const wish = { ...(task === undefined ? {} : { task_type: task }), ...(title === undefined ? {} : { title }) };
    return {
      path: `/models/${encodeURIComponent(model)}:predict`,
      body: jsonBody({
        instances: textsOf(request).map((content) => ({ content, ...wish })),
        ...(dimensions === undefined ? {} : { parameters: { outputDimensionality: dimensions } }),
      }),
    };
  },
  decode({ body }, { inputs }) {
    const { predictions } = parseObject(body.toString('utf8')) ?? {};
    const list: readonly Json[] = Array.isArray(predictions) ? predictions : [];
    const counts = list.map((one) => member(one, 'embeddings', 'statistics', 'token_count'));
    const input = counts.reduce<number>((sum, count) => sum + (typeof count === 'number' ? count : 0), 0);
    return {
      vectors: listed(
        list.map((one) => member(one, 'embeddings', 'values') ?? null),
        inputs.length,
      ),
      ...(counts.some((count) => typeof count === 'number') ? { usage: { input, output: 0 } } : {}),
    };
  },
};
