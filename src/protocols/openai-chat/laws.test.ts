import { expect } from 'vitest';
import { holdLaws } from '../../../test/laws/protocol-laws.ts';
import type { Reply } from '../../ir/index.ts';
import { openaiChat } from './index.ts';

/** A reply without what only one of a provider's two forms says: members beside the message. */
const withoutResidue = ({ residue: _residue, ...reply }: Reply): Reply => reply;

/** `finish_reason` that says less than the message does: with calls it is written as what it is. */
const PUT_RIGHT: ReadonlySet<string> = new Set(['extra-content', 'forced-tool']);

holdLaws({
  codec: openaiChat,
  // Without usage, a streamed call would be free.
  asked: (request) => (request.stream ? { ...request, includeUsage: true } : request),
  rewritten: (reply, name) => (PUT_RIGHT.has(name) ? { ...reply, stop: reply.stop.reason } : reply),
  bothForms: withoutResidue,
  // Deltas have no place for the form of a thought.
  bothTold: (reply) => ({
    ...withoutResidue(reply),
    parts: reply.parts.map((part) => (part.kind === 'reasoning' ? { ...part, form: undefined } : part)),
  }),
  finish: /"finish_reason":"/,
  endedEarly: {
    error: {
      message: expect.stringContaining('before the answer was complete'),
      type: 'api_error',
      param: null,
      code: 'stream_ended_early',
    },
  },
  // A tap does not read calls, and of several answers it reads the one that ends first.
  untapped: ['forced-tool', 'two-answers'],
});
