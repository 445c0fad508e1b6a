import { isObject, type Json, type JsonObject, parseObject } from '../../ir/index.ts';
import type { MediaAnswer } from '../codec.ts';
import type { Judgement, ModerationsReply, ModerationsRequest } from './shape.ts';

const entriesOf = (value: Json | undefined): readonly (readonly [string, Json | undefined])[] =>
  isObject(value) ? Object.entries(value) : [];

function readJudgement(value: Json): Judgement {
  const result: JsonObject = isObject(value) ? value : {};
  const categories = entriesOf(result['categories']).flatMap(([name, is]) => (typeof is === 'boolean' ? [[name, is] as const] : []));
  const scores = entriesOf(result['category_scores']).flatMap(([name, score]) =>
    typeof score === 'number' ? [[name, score] as const] : [],
  );
  if (categories.length === 0) throw new Error('a judgement without categories');
  const { flagged, category_applied_input_types: applied } = result;
  return {
    // Not every provider sums it up.
    flagged: typeof flagged === 'boolean' ? flagged : categories.some(([, is]) => is),
    categories: Object.fromEntries(categories),
    scores: Object.fromEntries(scores),
    ...(isObject(applied) ? { appliedTypes: applied } : {}),
  };
}

/** Reads a reply in OpenAI's form, which others follow; throws where inputs and results differ in number. */
export function readReply({ body }: MediaAnswer, { inputs }: ModerationsRequest): ModerationsReply {
  const { id, model, results, usage } = parseObject(body.toString('utf8')) ?? {};
  if (!Array.isArray(results) || results.length !== inputs.length) throw new Error('another number of results than of inputs');
  const counted = isObject(usage) ? (usage['prompt_tokens'] ?? usage['total_tokens']) : undefined;
  return {
    results: results.map((one: Json) => readJudgement(one)),
    ...(typeof id === 'string' ? { id } : {}),
    ...(typeof model === 'string' ? { model } : {}),
    ...(typeof counted === 'number' ? { usage: { input: counted, output: 0 } } : {}),
  };
}
