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
import { openaiChat } from './index.ts';

/*
 * What holds for every conversation in test/fixtures/openai-chat: each is a request, its whole reply and the same reply as
 * a stream, in the manner of one provider or another.
 */

const FOLDER = join(import.meta.dirname, '../../../test/fixtures/openai-chat');
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
  request: { ...request, includeUsage: true },
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
  const decoder = openaiChat.streamDecoder(source);
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

/** A reply without what only one of the two forms says: members beside the message. */
const essential = ({ residue: _residue, ...reply }: Reply): unknown => reply;

/** The frames that a client is sent for these events. */
function sent(events: readonly ReplyEvent[], to: ReplyContext): SseFrame[] {
  const encoder = openaiChat.streamEncoder(to);
  let out = '';
  for (const event of events) encoder.event(event, (data, name) => (out += sseText(data, name)));
  return framesOf([Buffer.from(out)]);
}

const events = (reply: Reply): ReplyEvent[] => {
  const list: ReplyEvent[] = [];
  unfold(reply, (event) => list.push(event));
  return list;
};

describe.each(names)('%s', (name) => {
  const { body, whole, stream } = fixture(name);
  const request = openaiChat.decodeRequest(body);
  const reply = openaiChat.decodeReply(whole, source);
  const frames = framesOf([stream]);

  it('request: decode, encode, decode gives it back', () => {
    const facts = { ...DEFAULT_FACTS, ...openaiChat.facts };
    const notes = createNotes();
    const written = openaiChat.encodeRequest(request, { model: request.model, facts, maker: 'them', notes });
    expect(openaiChat.decodeRequest(written)).toEqual({ ...request, ...(request.stream ? { includeUsage: true } : {}) });
    expect(notes.list).toEqual([]);
  });

  it('reply: decode, encode, decode gives it back', () => {
    const written = openaiChat.encodeReply(reply, context(request, body));
    expect(openaiChat.decodeReply(written, source)).toEqual({
      ...reply,
      parts: reply.parts,
      stop: expect.objectContaining({ reason: reply.stop.reason }),
    });
  });

  it('the stream says what the whole says', () => {
    expect(essential(collect(decode(frames)))).toEqual(essential(reply));
  });

  it('a client is told the same in both forms', () => {
    const to = context(request, body);
    const again = collect(decode(sent(decode(frames), to)));
    const direct = openaiChat.decodeReply(openaiChat.encodeReply(reply, to), source);
    const plain = (one: Reply): unknown =>
      JSON.parse(JSON.stringify(essential(one), (key, value: unknown) => (key === 'form' ? undefined : value)));
    expect(plain(again)).toEqual(plain(direct));
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

  it('follows the grammar, also when it is cut off; then it ends in a fault', () => {
    expect(problem(decode(frames))).toBeUndefined();
    expect(decode(frames).at(-1)?.type).toBe('reply-end');
    for (let length = 0; length < frames.length; length++) {
      const cut = decode(frames.slice(0, length));
      expect(problem(cut), `after ${length} frames`).toBeUndefined();
      const finished = frames.slice(0, length).some((frame) => /"finish_reason":"/.test(frame.data));
      if (!finished) expect(cut.at(-1)).toMatchObject({ type: 'fault', fault: { code: 'stream_ended_early' } });
    }
  });

  it('the tap finds in the bytes what the codec reads', () => {
    const tapped = openaiChat.tap.whole(Buffer.from(JSON.stringify(whole, null, name.length % 3)));
    expect(tapped.usage).toEqual(reply.usage);
    expect(tapped.stop?.reason).toBe(reply.stop.reason);
    let seen: ReturnType<typeof openaiChat.tap.read> = { done: false, finished: false };
    let held = false;
    for (const frame of frames) {
      if (!held && !openaiChat.tap.needles.some((needle) => frame.data.includes(needle))) continue;
      seen = openaiChat.tap.read(frame, seen);
      held ||= seen.finish === true;
    }
    expect(seen).toMatchObject({ finished: true, usage: reply.usage });
  });
});

describe('a fault in mid-stream', () => {
  it('goes out as an error chunk, with no end after it', () => {
    const { body, stream } = fixture('usage-chunk');
    const first = decode(framesOf([stream]).slice(0, 3));
    const frames = sent(first, context(openaiChat.decodeRequest(body), body));
    expect(JSON.parse(frames.at(-1)?.data ?? '')).toEqual({
      error: {
        message: expect.stringContaining('before the answer was complete'),
        type: 'api_error',
        param: null,
        code: 'stream_ended_early',
      },
    });
    expect(frames.some((frame) => frame.data === '[DONE]' || /"finish_reason":"/.test(frame.data))).toBe(false);
  });
});

describe('events of a whole reply', () => {
  it.each(names)('%s: unfolded and sent they give the reply back', (name) => {
    const { body, whole } = fixture(name);
    const reply = openaiChat.decodeReply(whole, source);
    const again = collect(decode(sent(events(reply), context(openaiChat.decodeRequest(body), body))));
    const plain = (one: Reply): unknown =>
      JSON.parse(JSON.stringify(essential(one), (key, value: unknown) => (key === 'form' || key === 'raw' ? undefined : value)));
    expect(plain(again)).toEqual(plain(reply));
  });
});
