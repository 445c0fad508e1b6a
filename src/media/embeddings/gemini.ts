import { isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import type { EmbeddingContent, EmbeddingsCodec, EmbeddingsRequest } from './shape.ts';
import { geminiTask } from './tasks.ts';
import { listed } from './vectors.ts';

/*
 * Gemini's embeddings. https://ai.google.dev/api/embeddings
 *
 * Options of a preset:
 *   single   only `:embedContent`, one input a request, wishes in `embedContentConfig` (Vertex AI)
 */

function contentOf(content: EmbeddingContent): JsonObject {
  if (content.kind === 'parts') return { parts: content.parts };
  if (content.kind === 'text') return { parts: [{ text: content.text }] };
  throw new Error('tokens are not for this target');
}

function wishOf({ task, title, dimensions }: EmbeddingsRequest): JsonObject {
  const word = geminiTask(task);
  return {
    ...(word === undefined ? {} : { taskType: word }),
    ...(title === undefined ? {} : { title }),
    ...(dimensions === undefined ? {} : { outputDimensionality: dimensions }),
  };
}

const valuesOf = (embedding: Json | undefined): Json => (isObject(embedding) ? (embedding['values'] ?? null) : null);

/** Gemini, on Google's own API and on Vertex AI. */
export const geminiEmbeddings: EmbeddingsCodec = {
  id: 'gemini',
  batch: 100,
  titles: true,
  tasks: () => true,
  parts: true,
  relay: {
    dialect: 'gemini',
    path: ({ model }, verb) => `/models/${encodeURIComponent(model)}:${verb}`,
    takes: (options, _body, verb) => options['single'] !== true || verb === 'embedContent',
  },
  encode(request, { model, options }) {
    const wish = wishOf(request);
    const { inputs } = request;
    const [first] = inputs;
    const path = `/models/${encodeURIComponent(model)}`;
    if (options['single'] === true && first) {
      const config = Object.keys(wish).length > 0 ? { embedContentConfig: wish } : {};
      return { path: `${path}:embedContent`, body: jsonBody({ content: contentOf(first), ...config }) };
    }
    const requests = inputs.map((one) => ({ model: `models/${model}`, content: contentOf(one), ...wish }));
    return { path: `${path}:batchEmbedContents`, body: jsonBody({ requests }) };
  },
  decode({ body }, { inputs }) {
    const reply = parseObject(body.toString('utf8')) ?? {};
    const { embedding, embeddings, usageMetadata } = reply;
    const list: Json = Array.isArray(embeddings) ? embeddings.map((one: Json) => valuesOf(one)) : [valuesOf(embedding)];
    const counted = isObject(usageMetadata) ? usageMetadata['promptTokenCount'] : undefined;
    return {
      vectors: listed(list, inputs.length),
      ...(typeof counted === 'number' ? { usage: { input: counted, output: 0 } } : {}),
    };
  },
};
