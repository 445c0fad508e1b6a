import { expect } from 'vitest';
import { holdLaws, requestTo, SOURCE } from '../../../test/laws/protocol-laws.ts';
import type { Choice, JsonObject, Part, Reply } from '../../ir/index.ts';
import { gemini } from './index.ts';

/** A stream tells a signature in an empty part after the words that it is about. */
function sealsJoined(parts: readonly Part[]): readonly Part[] {
  const out: Part[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    const isTail = (part.kind === 'text' || part.kind === 'reasoning') && part.text === '' && part.seal && last?.kind === part.kind;
    if (isTail && !last.seal && last.text !== '') out[out.length - 1] = { ...last, seal: part.seal } as Part;
    else out.push(part);
  }
  return out;
}

const joined = <T extends Choice>(choice: T): T => ({ ...choice, parts: sealsJoined(choice.parts) });

/** A reply without what only one of the two forms says: members beside the content. */
const withoutResidue = ({ residue: _residue, ...reply }: Reply): Reply => reply;

holdLaws(
  {
    codec: gemini,
    facts: (_, body) => ({
      mediaInToolResults: true,
      geminiToolIds: JSON.stringify(body).includes('"id"'),
      reasoningControl: 'budget',
    }),
    addressed: (written, { model = '', stream = false }) => ({ ...written, model, stream }),
    bothForms: withoutResidue,
    bothTold: (reply) => {
      const { others, ...first } = joined(withoutResidue(reply));
      return { ...first, others: others?.map(joined) };
    },
    finish: /"finish_?[rR]eason":(?:"|[1-9])|"blockReason"/,
    endedEarly: { error: { code: 502, message: expect.stringContaining('before the answer was complete'), status: 'UNAVAILABLE' } },
  },
  {
    'the path says which model, and whether it streams; the body does not': ({ request, body }, row) => {
      const written = requestTo(row, request, body);
      expect(written['model'] ?? written['stream']).toBeUndefined();
    },
    'a stream that came as a JSON array says the same': ({ frames, reply }) => {
      const chunks = frames.map((frame) => JSON.parse(frame.data) as JsonObject);
      expect(withoutResidue(gemini.decodeReply({ chunks }, SOURCE))).toEqual(withoutResidue(reply));
    },
  },
);
