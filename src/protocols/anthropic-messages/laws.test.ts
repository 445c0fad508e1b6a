import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  createCollector,
  createGrammarCheck,
  createNotes,
  DEFAULT_FACTS,
  type JsonObject,
  type Reply,
  type ReplyEvent,
  unfold,
} from '../../ir/index.ts';
import { createSseReader, type SseFrame, sseText } from '../../wire/sse.ts';
import type { ReplyContext } from '../protocol.ts';
import { anthropicMessages } from './index.ts';

/*
 * What holds for every conversation in test/fixtures/anthropic-messages: each is a request, its whole reply and the same
 * reply as a stream.
 */

const FOLDER = join(import.meta.dirname, '../../../test/fixtures/anthropic-messages');
const text = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
const names = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.stream.txt'))
  .map((file) => file.replace('.stream.txt', ''));

const fixture = (name: string) => ({
  body: JSON.parse(text(`${name}.request.json`)) as JsonObject,
  whole: JSON.parse(text(`${name}.json`)) as JsonObject,
  stream: Buffer.from(text(`${name}.stream.txt`)),
});

const newId = (prefix: string): string => `${prefix}new`;
const source = { maker: 'them', newId };
const context = (request: ChatRequest, body: JsonObject): ReplyContext => ({
  request,
  body,
  newId,
  now: () => 1_760_000_000,
  notes: createNotes(),
});

function framesOf(pieces: readonly Buffer[]): SseFrame[] {
  const frames: SseFrame[] = [];
  const reader = createSseReader();
  for (const piece of pieces) reader.push(piece, (frame) => frames.push(frame));
  reader.end((frame) => frames.push(frame));
  return frames;
}

function decode(frames: readonly SseFrame[]): ReplyEvent[] {
  const events: ReplyEvent[] = [];
  const decoder = anthropicMessages.streamDecoder(source);
  for (const frame of frames) decoder.frame(frame, (event) => events.push(event));
  decoder.end((event) => events.push(event));
  return events;
}

function collect(events: readonly ReplyEvent[]): Reply {
  const collector = createCollector();
  for (const event of events) collector.event(event);
  return collector.result().reply;
}

function problem(events: readonly ReplyEvent[]): string | undefined {
  const check = createGrammarCheck();
  for (const event of events) {
    const wrong = check.next(event);
    if (wrong) return wrong;
  }
  return check.end();
}

/** The frames that a client is sent for these events. */
function sent(events: readonly ReplyEvent[], to: ReplyContext): SseFrame[] {
  const encoder = anthropicMessages.streamEncoder(to);
  let out = '';
  for (const event of events) encoder.event(event, (data, name) => (out += sseText(data, name)));
  return framesOf([Buffer.from(out)]);
}

/** A reply without usage's own words: the last report of a stream leaves some of them out. */
const essential = ({ usage, ...reply }: Reply): unknown => ({ ...reply, usage: { ...usage, native: undefined } });

describe.each(names)('%s', (name) => {
  const { body, whole, stream } = fixture(name);
  const request = anthropicMessages.decodeRequest(body);
  const reply = anthropicMessages.decodeReply(whole, source);
  const frames = framesOf([stream]);
  const isAdaptive = request.reasoning?.adaptive === true;
  // Models take a budget, or the choice of how much to think.
  const facts = { ...DEFAULT_FACTS, ...anthropicMessages.facts, ...(isAdaptive ? { reasoningControl: 'adaptive' as const } : {}) };
  const encode = (from: ChatRequest, notes = createNotes()): JsonObject =>
    anthropicMessages.encodeRequest(from, { model: from.model, facts, maker: 'them', notes });

  it('request: what is written says what was read, without a note', () => {
    const notes = createNotes();
    expect(anthropicMessages.decodeRequest(encode(request, notes))).toEqual(request);
    expect(notes.list).toEqual([]);
  });

  it('request: written and read again, not a byte is different, so that the cache of prefixes holds', () => {
    const first = encode(request);
    expect(JSON.stringify(encode(anthropicMessages.decodeRequest(first)))).toBe(JSON.stringify(first));
  });

  it('reply: decode, encode gives it back', () => {
    const written = anthropicMessages.encodeReply(reply, context(request, body));
    // What is always there may be left out by servers that are like the API.
    expect(written).toMatchObject(name === 'like-anthropic' ? { ...whole, content: expect.any(Array) } : whole);
    const again = anthropicMessages.decodeReply(written, source);
    if (name !== 'like-anthropic') expect(essential(again)).toEqual(essential(reply));
  });

  it('the stream says what the whole says', () => {
    expect(essential(collect(decode(frames)))).toEqual(essential(reply));
  });

  it('a client is told the same in both forms', () => {
    const to = context(request, body);
    const again = collect(decode(sent(decode(frames), to)));
    const direct = anthropicMessages.decodeReply(anthropicMessages.encodeReply(reply, to), source);
    expect(essential(again)).toEqual(essential(direct));
  });

  it('unfolded and sent, the reply is given back', () => {
    const events: ReplyEvent[] = [];
    unfold(reply, (event) => events.push(event));
    const again = collect(decode(sent(events, context(request, body))));
    const direct = anthropicMessages.decodeReply(anthropicMessages.encodeReply(reply, context(request, body)), source);
    expect(essential(again)).toEqual(essential(direct));
  });

  it('wherever the bytes are cut in two, the frames are the same', () => {
    const uncut = JSON.stringify(frames);
    for (let at = 1; at < stream.length; at++) {
      if (JSON.stringify(framesOf([stream.subarray(0, at), stream.subarray(at)])) !== uncut) expect.fail(`cut at ${at}`);
    }
  });

  it('cut anywhere in many pieces, the events are the same', () => {
    const uncut = JSON.stringify(decode(frames));
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat({ max: stream.length }), { maxLength: 12 }), (offsets) => {
        const at = [0, ...offsets.toSorted((a, b) => a - b), stream.length];
        const pieces = at.slice(1).map((to, index) => stream.subarray(at[index], to));
        expect(JSON.stringify(decode(framesOf(pieces)))).toBe(uncut);
      }),
      { numRuns: 20 },
    );
  });

  it('follows the grammar, also when it is cut off; then it ends in a fault, never in a finish', () => {
    expect(problem(decode(frames))).toBeUndefined();
    expect(decode(frames).at(-1)?.type).toBe('reply-end');
    for (let length = 0; length < frames.length; length++) {
      const cut = decode(frames.slice(0, length));
      expect(problem(cut), `after ${length} frames`).toBeUndefined();
      expect(cut.at(-1)).toMatchObject({ type: 'fault', fault: { code: 'stream_ended_early' } });
      const told = sent(cut, context(request, body));
      expect(JSON.parse(told.at(-1)?.data ?? '')).toMatchObject({ type: 'error', error: { type: 'api_error' } });
      expect(told.some((frame) => frame.event === 'message_delta' || frame.event === 'message_stop')).toBe(false);
    }
  });

  it('the tap finds in the bytes what the codec reads', () => {
    const tapped = anthropicMessages.tap.whole(Buffer.from(JSON.stringify(whole, null, name.length % 3)));
    expect(tapped.usage).toEqual(reply.usage);
    expect(tapped.stop).toEqual(reply.stop);
    let seen: ReturnType<typeof anthropicMessages.tap.read> = { done: false, finished: false };
    frames.forEach((frame, index) => {
      if (index === 0 || anthropicMessages.tap.needles.some((needle) => frame.data.includes(needle)))
        seen = anthropicMessages.tap.read(frame, seen);
    });
    expect(seen).toMatchObject({ done: true, finished: true, model: reply.model, stop: reply.stop, usage: collect(decode(frames)).usage });
  });
});

describe('an error event in mid-stream', () => {
  const { body, stream } = fixture('signed-thinking');
  const frames = framesOf([stream]).slice(0, 5);
  const failed: SseFrame = {
    event: 'error',
    data: '{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"request_id":"req_01"}',
  };

  it('ends the reply in its fault, whatever follows', () => {
    const events = decode([...frames, failed, ...framesOf([stream]).slice(5)]);
    expect(problem(events)).toBeUndefined();
    expect(events.at(-1)).toEqual({
      type: 'fault',
      fault: { kind: 'overloaded', status: 529, message: 'Overloaded', by: 'upstream', rawType: 'overloaded_error' },
    });
  });

  it('goes out as the error event that the SDK raises, with no end after it', () => {
    const told = sent(decode([...frames, failed]), context(anthropicMessages.decodeRequest(body), body));
    expect(told.at(-1)?.event).toBe('error');
    expect(JSON.parse(told.at(-1)?.data ?? '')).toEqual({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } });
    expect(told.some((frame) => frame.event === 'message_stop')).toBe(false);
  });

  it('is a fault also where it is no JSON', () => {
    expect(decode([...frames, { data: '<html>502</html>' }]).at(-1)).toMatchObject({
      type: 'fault',
      fault: { code: 'upstream_bad_event' },
    });
  });
});
