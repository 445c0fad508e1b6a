import { describe, expect, it } from 'vitest';
import { decodeFrames, encodeFrames, grammarProblem } from '../../../test/corpus/replay.ts';
import { conversation, holdLaws } from '../../../test/laws/protocol-laws.ts';
import type { Reply } from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import { anthropicMessages } from './index.ts';

/** A reply without usage's own words: the last report of a stream leaves some of them out. */
const withoutOwnUsage = ({ usage, ...reply }: Reply): unknown => ({ ...reply, usage: { ...usage, native: undefined } });

holdLaws({
  codec: anthropicMessages,
  // Models take a budget, or the choice of how much to think.
  facts: ({ reasoning }) => (reasoning?.adaptive === true ? { reasoningControl: 'adaptive' } : {}),
  // What is always there may be left out by servers that are like the API.
  verbatim: (whole, name) => (name === 'like-anthropic' ? { ...whole, content: expect.any(Array) } : whole),
  rewritten: (reply, name) => (name === 'like-anthropic' ? { ...reply, parts: [], usage: {} } : reply),
  bothForms: withoutOwnUsage,
  bothTold: withoutOwnUsage,
  finish: /"type":"message_stop"/,
  endedEarly: { type: 'error', error: { type: 'api_error' } },
});

describe('an error event in mid-stream', () => {
  const { frames, context } = conversation(anthropicMessages, 'signed-thinking');
  const decode = (...list: readonly SseFrame[]) => decodeFrames(anthropicMessages, list);
  const begun = frames.slice(0, 5);
  const failed: SseFrame = {
    event: 'error',
    data: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_01"}',
  };

  it('ends the reply in its fault, whatever follows', () => {
    const events = decode(...begun, failed, ...frames.slice(5));
    expect(grammarProblem(events)).toBeUndefined();
    expect(events.at(-1)).toEqual({
      type: 'fault',
      fault: { kind: 'overloaded', status: 529, message: 'Overloaded', by: 'upstream', rawType: 'overloaded_error' },
    });
  });

  it('goes out as the error event that the SDK raises, with no end after it', () => {
    const told = encodeFrames(anthropicMessages, decode(...begun, failed), context());
    expect(told.at(-1)?.event).toBe('error');
    expect(JSON.parse(told.at(-1)?.data ?? '')).toEqual({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    expect(told.some((frame) => frame.event === 'message_stop')).toBe(false);
  });

  it('is a fault also where it is no JSON', () => {
    expect(decode(...begun, { data: '<html>502</html>' }).at(-1)).toMatchObject({ type: 'fault', fault: { code: 'upstream_bad_event' } });
  });
});
