import { badField, isObject, type Json, type JsonObject, missingField } from '../ir/index.ts';
import { countText } from './count-tokens.ts';
import { vectorOf } from './text-features.ts';

const DIMENSIONS = 1024;

function textAt(value: Json, at: number): string {
  const text = isObject(value) ? value['text'] : value;
  if (typeof text === 'string') return text;
  throw badField(`documents[${at}]`, `Invalid request: 'documents[${at}]' must be a string or an object with a 'text'`);
}

function likeness(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, at) => sum + value * (b[at] ?? 0), 0);
  return Math.min(1, Math.max(0, dot));
}

/** Answers `/v1/rerank` by how near the embeddings are, from 0 to 1. https://jina.ai/reranker/ */
export function rerankReply(body: JsonObject): JsonObject {
  const { query, documents, top_n: most, return_documents: echo } = body;
  if (typeof query !== 'string') throw missingField('query');
  if (!Array.isArray(documents) || documents.length === 0) throw missingField('documents');
  const texts = documents.map((one: Json, at) => textAt(one, at));
  const asked = vectorOf(query, DIMENSIONS);
  const results = texts
    .map((text, index) => ({ index, relevance_score: likeness(asked, vectorOf(text, DIMENSIONS)) }))
    .toSorted((a, b) => b.relevance_score - a.relevance_score || a.index - b.index)
    .slice(0, typeof most === 'number' ? most : texts.length);
  const tokens = countText(query) * texts.length + texts.reduce((sum, text) => sum + countText(text), 0);
  return {
    model: typeof body['model'] === 'string' ? body['model'] : 'rerank',
    object: 'list',
    results: results.map((one) => (echo === true ? { ...one, document: { text: texts[one.index] ?? '' } } : one)),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}
