import { bearer } from './auth.ts';
import { embeddingsAt, rerankAt } from './media-wires.ts';
import { definePreset } from './preset.ts';

/** Makers of models that embed and rerank, and do nothing else. */

export const jina = definePreset({
  id: 'jina',
  label: 'Jina AI',
  docs: ['https://jina.ai/embeddings/', 'https://jina.ai/reranker/', 'https://docs.jina.ai'],
  env: ['JINA_API_KEY', 'JINAAI_API_KEY', 'JINA_AI_API_KEY'],
  origin: 'https://api.jina.ai',
  auth: bearer,
  speaks: {},
  knows: ['jina-*'],
  media: {
    embeddings: embeddingsAt('/v1', { format: 'embedding_type', task: 'jina', tokens: false, user: false }, { models: ['!*rerank*'] }),
    rerank: rerankAt('/v1', {}, { models: ['*rerank*', 'jina-colbert-*'] }),
  },
});

export const voyage = definePreset({
  id: 'voyage',
  label: 'Voyage AI',
  docs: ['https://docs.voyageai.com/reference/embeddings-api', 'https://docs.voyageai.com/reference/reranker-api'],
  env: ['VOYAGE_API_KEY', 'VOYAGEAI_API_KEY'],
  origin: 'https://api.voyageai.com',
  auth: bearer,
  speaks: {},
  knows: ['voyage-*', 'rerank-2*', 'rerank-lite-*'],
  media: {
    // Numbers come where `encoding_format` is absent; it may say 'base64' only.
    embeddings: embeddingsAt(
      '/v1',
      { dimensions: 'output_dimension', float: false, task: 'voyage', tokens: false, user: false },
      { batch: 1000, models: ['!rerank-*'], mark: 'recorded' },
    ),
    rerank: rerankAt('/v1', { topN: 'top_k' }, { models: ['rerank-*'], mark: 'recorded' }),
  },
});
