import { isObject, type Json } from '../../ir/index.ts';
import type { RerankReply } from './shape.ts';

/** Reads results that vendors write alike but for the score's name; throws where there are none. */
export function readResults(results: Json | undefined, score: 'relevance_score' | 'score'): RerankReply['results'] {
  if (!Array.isArray(results)) throw new Error('a reply without results');
  return results.map((one: Json) => {
    const result = isObject(one) ? one : {};
    const { index } = result;
    const value = result[score];
    if (typeof index !== 'number' || typeof value !== 'number') throw new Error('a result without index or score');
    return { index, score: value };
  });
}
