import { jsonBody, type WholeCodec } from '../codec.ts';
import { readReply } from './judgements.ts';
import type { ModerationsReply, ModerationsRequest } from './shape.ts';

/** OpenAI's moderations. https://platform.openai.com/docs/api-reference/moderations */
export const openaiModerations: WholeCodec<ModerationsRequest, ModerationsReply> = {
  id: 'openai',
  encode({ inputs }, { model }) {
    const [first] = inputs;
    const input = first?.kind === 'parts' ? first.parts : inputs.map((one) => (one.kind === 'text' ? one.text : ''));
    return { path: '/moderations', body: jsonBody({ model, input }) };
  },
  decode: readReply,
};
