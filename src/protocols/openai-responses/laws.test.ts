import { describe, expect, it } from 'vitest';
import { decodeFrames, encodeFrames } from '../../../test/corpus/replay.ts';
import { conversation, holdLaws } from '../../../test/laws/protocol-laws.ts';
import type { JsonObject, Reply } from '../../ir/index.ts';
import { openaiResponses } from './index.ts';

/** A reply without the ids of text that some servers change on the way. */
const withoutChangedIds = (reply: Reply): unknown => ({
  ...reply,
  parts: reply.parts.map((part) => (part.kind === 'text' ? { ...part, id: part.id?.replace(/^(msg_proxy).*/, '$1') } : part)),
});

holdLaws({
  codec: openaiResponses,
  bothForms: withoutChangedIds,
  bothTold: withoutChangedIds,
  finish: /"type":"response\.(completed|incomplete)"/,
  endedEarly: { type: 'response.failed', response: { object: 'response', status: 'failed', error: { code: 'server_error' } } },
  // Where the last word has no output, calls stood in events that a tap does not read.
  untapped: ['late-arguments'],
});

describe('a fault in mid-stream', () => {
  it('goes out as OpenAI says it: an error, on which SDKs raise, then a response that failed; no end after it', () => {
    const { frames: whole, context } = conversation(openaiResponses, 'plain');
    const frames = encodeFrames(openaiResponses, decodeFrames(openaiResponses, whole.slice(0, 6)), context());
    const values = frames.map((frame) => JSON.parse(frame.data) as JsonObject);
    expect(values.map((value) => value['sequence_number'])).toEqual(values.map((_, at) => at));
    expect(frames.slice(-2).map((frame) => frame.event)).toEqual(['error', 'response.failed']);
    expect(values.at(-2)).toMatchObject({
      type: 'error',
      message: expect.stringContaining('before the answer was complete'),
      code: 'stream_ended_early',
      error: { type: 'api_error', code: 'stream_ended_early' },
    });
    expect(values.at(-1)).toMatchObject({
      type: 'response.failed',
      response: { id: 'resp_plain01', object: 'response', status: 'failed', output: [], error: { code: 'server_error' } },
    });
    expect(frames.some((frame) => /"type":"response\.(completed|incomplete)"/.test(frame.data))).toBe(false);
  });
});
