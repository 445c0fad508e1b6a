import type { MediaWire } from './preset.ts';

/** Embeddings in OpenAI's dialect; `options` as the codec lists them. */
export const embeddingsAt = (base: string, options: MediaWire['options'] = {}, more: Partial<MediaWire> = {}): MediaWire => ({
  codec: 'openai',
  base,
  mark: 'documented',
  ...(Object.keys(options).length > 0 ? { options } : {}),
  ...more,
});

/** A reranker of the family that Cohere's first API began; `options` as the codec lists them. */
export const rerankAt = (base: string, options: MediaWire['options'] = {}, more: Partial<MediaWire> = {}): MediaWire => ({
  codec: 'classic',
  base,
  mark: 'documented',
  ...(Object.keys(options).length > 0 ? { options } : {}),
  ...more,
});
