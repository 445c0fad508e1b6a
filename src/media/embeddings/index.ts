import { cohereEmbeddings } from './cohere.ts';
import { dashscopeEmbeddings } from './dashscope.ts';
import { geminiEmbeddings } from './gemini.ts';
import { ollamaEmbeddings } from './ollama.ts';
import { openaiEmbeddings } from './openai.ts';
import type { EmbeddingsCodec } from './shape.ts';
import { titanEmbeddings } from './titan.ts';
import { vertexEmbeddings } from './vertex.ts';

/** Who can be asked for embeddings, by the names that presets use. */
export const embeddingsCodecs: ReadonlyMap<string, EmbeddingsCodec> = new Map(
  [openaiEmbeddings, geminiEmbeddings, vertexEmbeddings, cohereEmbeddings, ollamaEmbeddings, dashscopeEmbeddings, titanEmbeddings].map(
    (codec) => [codec.id, codec],
  ),
);
