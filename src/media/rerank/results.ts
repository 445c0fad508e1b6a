import { isObject, type Json, type JsonObject, parseObject, type Usage } from '../../ir/index.ts';
import type { MediaAnswer } from '../codec.ts';
import type { RerankReply, RerankRequest } from './shape.ts';

const objectOf = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});

const numberOf = (value: Json | undefined): number | undefined => (typeof value === 'number' ? value : undefined);

/** Reads results that vendors write alike but for the score's name; throws where there are none, and for one of no document. */
function readResults(results: Json | undefined, documents: number): RerankReply['results'] {
  if (!Array.isArray(results)) throw new Error('a reply without results');
  const seen = new Set<number>();
  return results.map((one: Json) => {
    const result = objectOf(one);
    const { index } = result;
    const score = numberOf(result['relevance_score']) ?? numberOf(result['score']);
    if (typeof index !== 'number' || score === undefined) throw new Error('a result without index or score');
    if (!Number.isInteger(index) || index < 0 || index >= documents || seen.has(index)) throw new Error('a result of no document');
    seen.add(index);
    return { index, score };
  });
}

/** Tokens: in `usage`, `tokens`, `meta.tokens` or `meta.billed_units`, as the vendor has it. */
function readUsage(reply: JsonObject): Usage | undefined {
  const meta = objectOf(reply['meta']);
  const usage = objectOf(reply['usage']);
  const places = [usage, objectOf(reply['tokens']), objectOf(meta['tokens']), objectOf(meta['billed_units'])];
  for (const place of places) {
    const input = numberOf(place['prompt_tokens']) ?? numberOf(place['input_tokens']);
    const output = numberOf(place['completion_tokens']) ?? numberOf(place['output_tokens']) ?? 0;
    if (input !== undefined) return { input, output };
    const total = numberOf(place['total_tokens']);
    if (total !== undefined) return { input: total, output: 0 };
  }
  return undefined;
}

/** Reads a reply of the family: `results` or `data`, and usage wherever it stands. */
export function readReply({ body }: MediaAnswer, { documents }: RerankRequest): RerankReply {
  const reply = parseObject(body.toString('utf8')) ?? {};
  const usage = readUsage(reply);
  const units =
    numberOf(objectOf(objectOf(reply['meta'])['billed_units'])['search_units']) ?? numberOf(objectOf(reply['usage'])['search_units']);
  const id = reply['id'] ?? reply['request_id'];
  return {
    results: readResults(reply['results'] ?? reply['data'] ?? objectOf(reply['output'])['results'], documents.length),
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof reply['model'] === 'string' ? { model: reply['model'] } : {}),
    ...(usage ? { usage } : {}),
    ...(units === undefined ? {} : { searchUnits: units }),
  };
}
