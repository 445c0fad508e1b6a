import { badField } from '../../ir/index.ts';
import { jsonBody, type WholeCodec } from '../codec.ts';
import { readReply } from './judgements.ts';
import type { Judgement, ModerationsReply, ModerationsRequest } from './shape.ts';

/** What OpenAI's clients look for, by Mistral's name. https://docs.mistral.ai/capabilities/guardrailing */
const NAMES: Readonly<Record<string, string>> = {
  sexual: 'sexual',
  hate_and_discrimination: 'hate',
  violence_and_threats: 'violence',
  dangerous_and_criminal_content: 'illicit',
  dangerous: 'illicit/violent',
  criminal: 'illicit',
  selfharm: 'self-harm',
};

/** Adds the categories under OpenAI's names to those under the provider's own. */
function named<T>(categories: Readonly<Record<string, T>>): Readonly<Record<string, T>> {
  const known = Object.entries(categories).flatMap(([name, value]) => (NAMES[name] === undefined ? [] : [[NAMES[name], value] as const]));
  return { ...Object.fromEntries(known), ...categories };
}

const withNames = (one: Judgement): Judgement => ({ ...one, categories: named(one.categories), scores: named(one.scores) });

/** Mistral's moderations: texts only, and no sum of the categories. https://docs.mistral.ai/api/endpoint/classifiers */
export const mistralModerations: WholeCodec<ModerationsRequest, ModerationsReply> = {
  id: 'mistral',
  encode({ inputs }, { model }) {
    const input = inputs.map((one) => {
      if (one.kind === 'text') return one.text;
      const texts = one.parts.map((part) => part['text']);
      const other = texts.findIndex((text) => typeof text !== 'string');
      if (other >= 0) throw badField(`input[${other}]`, `Invalid request: 'input[${other}]' is no text, and this model judges texts only`);
      return texts.join('\n');
    });
    return { path: '/moderations', body: jsonBody({ model, input }) };
  },
  decode(answer, request) {
    const reply = readReply(answer, request);
    return { ...reply, results: reply.results.map((one) => withNames(one)) };
  },
};
