import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  type Choice,
  createCollector,
  createGrammarCheck,
  createNotes,
  DEFAULT_FACTS,
  gatewayFault,
  type JsonObject,
  type Part,
  type Reply,
  type ReplyEvent,
  unfold,
} from '../../ir/index.ts';
import { createSseReader, type SseFrame, sseText } from '../../wire/sse.ts';
import type { ReplyContext } from '../protocol.ts';
import { gemini } from './index.ts';

/*
 * What holds for every conversation in test/fixtures/gemini: each is a request with what the path says put into it, its whole
 * reply, and the same reply as a stream.
 */

const FOLDER = join(import.meta.dirname, '../../../test/fixtures/gemini');
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

function decode(frames: readonly SseFrame[], cut = false): ReplyEvent[] {
  const events: ReplyEvent[] = [];
  const decoder = gemini.streamDecoder(source);
  for (const frame of frames) decoder.frame(frame, (event) => events.push(event));
  decoder.end((event) => events.push(event), cut ? gatewayFault('upstream', 'cut', { code: 'upstream_cut' }) : undefined);
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

/** A reply without what only one of the two forms says: members beside the content, details of usage. */
const essential = ({ residue: _residue, ...reply }: Reply): unknown => reply;

/** The frames that a client is sent for these events. */
function sent(events: readonly ReplyEvent[], to: ReplyContext): SseFrame[] {
  const encoder = gemini.streamEncoder(to);
  let out = '';
  for (const event of events) encoder.event(event, (data, name) => (out += sseText(data, name)));
  return framesOf([Buffer.from(out)]);
}

const eventsOf = (reply: Reply): ReplyEvent[] => {
  const list: ReplyEvent[] = [];
  unfold(reply, (event) => list.push(event));
  return list;
};

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

const joinedChoice = <T extends Choice>(choice: T): T => ({ ...choice, parts: sealsJoined(choice.parts) });

const alike = (reply: Reply): unknown =>
  JSON.parse(JSON.stringify(essential({ ...joinedChoice(reply), ...(reply.others ? { others: reply.others.map(joinedChoice) } : {}) })));

const FINISHED = /"finish_?[rR]eason":(?:"|[1-9])|"blockReason"/;

describe.each(names)('%s', (name) => {
  const { body, whole, stream } = fixture(name);
  const request = gemini.decodeRequest(body);
  const reply = gemini.decodeReply(whole, source);
  const frames = framesOf([stream]);

  it('request: decode, encode, decode gives it back', () => {
    const ids = JSON.stringify(body).includes('"id"');
    const facts = { ...DEFAULT_FACTS, ...gemini.facts, mediaInToolResults: true, geminiToolIds: ids, reasoningControl: 'budget' as const };
    const notes = createNotes();
    const written = gemini.encodeRequest(request, { model: request.model, facts, maker: 'them', notes });
    expect(gemini.decodeRequest({ ...written, model: body['model'], stream: body['stream'] })).toEqual(request);
    expect(notes.list).toEqual([]);
    expect(written['model'] ?? written['stream']).toBeUndefined();
  });

  it('reply: decode, encode, decode gives it back', () => {
    expect(gemini.decodeReply(gemini.encodeReply(reply, context(request, body)), source)).toEqual(reply);
  });

  it('the stream says what the whole says', () => {
    expect(essential(collect(decode(frames)))).toEqual(essential(reply));
  });

  it('a stream that came as a JSON array says the same', () => {
    const chunks = frames.map((frame) => JSON.parse(frame.data) as JsonObject);
    expect(essential(gemini.decodeReply({ chunks }, source))).toEqual(essential(reply));
  });

  it('a client is told the same in both forms', () => {
    const to = context(request, body);
    const again = collect(decode(sent(decode(frames), to)));
    const direct = gemini.decodeReply(gemini.encodeReply(reply, to), source);
    expect(alike(again)).toEqual(alike(direct));
  });

  it('unfolded and sent it gives the reply back', () => {
    expect(alike(collect(decode(sent(eventsOf(reply), context(request, body)))))).toEqual(alike(reply));
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
    for (let length = 0; length <= frames.length; length++) {
      const early = decode(frames.slice(0, length));
      expect(problem(early), `after ${length} frames`).toBeUndefined();
      const finished = frames.slice(0, length).some((frame) => FINISHED.test(frame.data));
      if (!finished) expect(early.at(-1)).toMatchObject({ type: 'fault', fault: { code: 'stream_ended_early' } });
      const cut = decode(frames.slice(0, length), true);
      expect(problem(cut), `cut after ${length} frames`).toBeUndefined();
      expect(cut.at(-1)).toMatchObject({ type: 'fault', fault: { code: 'upstream_cut' } });
    }
  });

  it('the tap finds in the bytes what the codec reads', () => {
    const tapped = gemini.tap.whole(Buffer.from(JSON.stringify(whole, null, name.length % 3)));
    expect(tapped.usage).toEqual(reply.usage);
    expect(tapped.stop).toEqual(reply.stop);
    let seen: ReturnType<typeof gemini.tap.read> = { done: false, finished: false };
    let held = false;
    for (const frame of frames) {
      if (!held && !gemini.tap.needles.some((needle) => frame.data.includes(needle))) continue;
      seen = gemini.tap.read(frame, seen);
      held ||= seen.finish === true;
    }
    expect(seen).toMatchObject({ finished: true, usage: reply.usage, stop: reply.stop, model: reply.model });
  });
});

describe('a fault in mid-stream', () => {
  it('goes out as an error, with no finish after it', () => {
    const { body, stream } = fixture('plain');
    const frames = sent(decode(framesOf([stream]).slice(0, 2)), context(gemini.decodeRequest(body), body));
    expect(JSON.parse(frames.at(-1)?.data ?? '')).toMatchObject({
      error: { code: 502, message: expect.stringContaining('before the answer was complete'), status: 'UNAVAILABLE' },
    });
    expect(frames.some((frame) => FINISHED.test(frame.data))).toBe(false);
  });
});
