import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChatRequest,
  createNotes,
  DEFAULT_FACTS,
  type FactChanges,
  type Fault,
  gatewayFault,
  type JsonObject,
  type Reply,
  type ReplyEvent,
} from '../../src/ir/index.ts';
import type { Protocol, ReplyContext, Tapped } from '../../src/protocols/protocol.ts';
import type { SseFrame } from '../../src/wire/sse.ts';
import { collected, decodeFrames, encodeFrames, framesOf, grammarProblem, unfolded } from '../corpus/replay.ts';
import { failedStreamProblem, streamProblem } from '../corpus/wire-grammar.ts';
import { type Fixture, fixtures } from './fixtures.ts';

/*
 * What holds for every conversation in test/fixtures of one protocol, each of which is a request, its whole reply and the
 * same reply as a stream. A law is a function over a conversation and the protocol's row; a row says what this protocol may
 * lose, and nothing else is lost.
 */

/** What a protocol brings to the laws. */
export interface ProtocolRow {
  readonly codec: Protocol;
  /** What a target must take, beyond the codec's own facts, for this request to lose nothing. */
  readonly facts?: (request: ChatRequest, body: JsonObject) => FactChanges;
  /** A request that was written, with what its protocol says beside the body. */
  readonly addressed?: (written: JsonObject, body: JsonObject) => JsonObject;
  /** The request that is written where it says more than was asked. */
  readonly asked?: (request: ChatRequest) => ChatRequest;
  /** A reply, as it is after it was written as a whole and read again. */
  readonly rewritten?: (reply: Reply, name: string) => unknown;
  /** What stands in a whole reply also after it was read and written; where left out, it may be worded anew. */
  readonly verbatim?: (whole: JsonObject, name: string) => JsonObject;
  /** A reply without what only one of a provider's two forms says. */
  readonly bothForms?: (reply: Reply) => unknown;
  /** A reply without what only one of the two forms says that a client is sent. */
  readonly bothTold?: (reply: Reply) => unknown;
  /** A frame that says how the reply, or one choice of it, ended: streams that are cut after it need not end in a fault. */
  readonly finish: RegExp;
  /** What the last frame holds in which a client is told that a stream ended early. */
  readonly endedEarly: JsonObject;
  /** Conversations whose stream says how it stopped in frames that a tap does not read. */
  readonly untapped?: readonly string[];
}

const newId = (prefix: string): string => `${prefix}new`;
/** What decoders of replies know here: ids that are made are all alike, so that two readings are the same. */
export const SOURCE = { maker: 'them', newId };
const CUT = gatewayFault('upstream', 'cut', { code: 'upstream_cut' });

/** A conversation as every law begins with it: read. */
export interface Told extends Fixture {
  readonly request: ChatRequest;
  readonly reply: Reply;
  readonly frames: readonly SseFrame[];
  readonly context: () => ReplyContext;
}

/** Throws where it does not hold. */
export type Law = (told: Told, row: ProtocolRow) => void;

const read = (codec: Protocol, fixture: Fixture): Told => {
  const { body, whole, stream } = fixture;
  const request = codec.decodeRequest(body);
  const context = (): ReplyContext => ({
    request: { ...request, includeUsage: true },
    body,
    newId,
    now: () => 1_760_000_000,
    notes: createNotes(),
  });
  return { ...fixture, request, reply: codec.decodeReply(whole, SOURCE), frames: framesOf(stream), context };
};

const conversations = (codec: Protocol): readonly Told[] =>
  fixtures()
    .filter(({ protocol }) => protocol === codec.id)
    .map((fixture) => read(codec, fixture));

/** A conversation by its name; throws where there is none. */
export function conversation(codec: Protocol, name: string): Told {
  const found = conversations(codec).find((told) => told.name === name);
  if (!found) throw new Error(`test/fixtures/${codec.id} has no ${name}`);
  return found;
}

const same = (value: unknown): unknown => value;

const decode = ({ codec }: ProtocolRow, frames: readonly SseFrame[], cut?: Fault): ReplyEvent[] => decodeFrames(codec, frames, cut, SOURCE);

/** The reply that a client reads off the stream that it is sent for events. */
const readBack = (row: ProtocolRow, events: readonly ReplyEvent[], context: ReplyContext): Reply =>
  collected(decode(row, encodeFrames(row.codec, events, context)));

/** A request as this target is sent it. */
export function requestTo(
  { codec, facts = () => ({}) }: ProtocolRow,
  request: ChatRequest,
  body: JsonObject,
  notes = createNotes(),
): JsonObject {
  const target = { model: request.model, facts: { ...DEFAULT_FACTS, ...codec.facts, ...facts(request, body) }, maker: SOURCE.maker, notes };
  return codec.encodeRequest(request, target);
}

const readRequest = ({ codec, addressed }: ProtocolRow, written: JsonObject, body: JsonObject): ChatRequest =>
  codec.decodeRequest(addressed ? addressed(written, body) : written);

const requestIdentity: Law = ({ request, body }, row) => {
  const { asked = same } = row;
  const notes = createNotes();
  expect(readRequest(row, requestTo(row, request, body, notes), body)).toEqual(asked(request));
  expect(notes.list).toEqual([]);
};

const requestBytes: Law = ({ request, body }, row) => {
  const written = requestTo(row, request, body);
  const again = requestTo(row, readRequest(row, written, body), body);
  expect(JSON.stringify(again)).toBe(JSON.stringify(written));
};

const replyIdentity: Law = ({ reply, whole, name, context }, { codec, rewritten = same, verbatim }) => {
  const written = codec.encodeReply(reply, context());
  if (verbatim) expect(written).toMatchObject(verbatim(whole, name));
  expect(rewritten(codec.decodeReply(written, SOURCE), name)).toEqual(rewritten(reply, name));
};

const wholeIsStream: Law = ({ reply, frames }, row) => {
  const { bothForms = same } = row;
  expect(bothForms(collected(decode(row, frames)))).toEqual(bothForms(reply));
};

const toldInBothForms: Law = ({ reply, frames, context }, row) => {
  const { codec, bothTold = same } = row;
  const whole = codec.decodeReply(codec.encodeReply(reply, context()), SOURCE);
  expect(bothTold(readBack(row, decode(row, frames), context()))).toEqual(bothTold(whole));
};

const toldUnfolded: Law = ({ reply, context }, row) => {
  const { codec, bothTold = same } = row;
  const whole = codec.decodeReply(codec.encodeReply(reply, context()), SOURCE);
  expect(bothTold(readBack(row, unfolded(reply), context()))).toEqual(bothTold(whole));
};

const cutInTwo: Law = ({ stream, frames }) => {
  const uncut = JSON.stringify(frames);
  for (let at = 1; at < stream.length; at++)
    if (JSON.stringify(framesOf(stream.subarray(0, at), stream.subarray(at))) !== uncut) expect.fail(`cut at ${at}`);
};

const cutInPieces: Law = ({ stream, frames }, row) => {
  const uncut = JSON.stringify(decode(row, frames));
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat({ max: stream.length }), { maxLength: 12 }), (offsets) => {
      const at = [0, ...offsets.toSorted((a, b) => a - b), stream.length];
      const pieces = at.slice(1).map((to, index) => stream.subarray(at[index], to));
      expect(JSON.stringify(decode(row, framesOf(...pieces)))).toBe(uncut);
    }),
    { numRuns: 20 },
  );
};

/** Whether a provider's last word is among the frames. */
function isDone({ codec }: ProtocolRow, frames: readonly SseFrame[]): boolean {
  const decoder = codec.streamDecoder(SOURCE);
  for (const frame of frames) decoder.frame(frame, () => {});
  return decoder.isDone();
}

const grammar: Law = ({ frames, context }, row) => {
  const { codec, finish, endedEarly } = row;
  const complete = decode(row, frames);
  expect(grammarProblem(complete)).toBeUndefined();
  expect(complete.at(-1)?.type).toBe('reply-end');
  expect(streamProblem(codec.id, encodeFrames(codec, complete, context()))).toBeUndefined();
  for (let count = 0; count <= frames.length; count++) {
    const begun = frames.slice(0, count);
    const [ended, cut] = [decode(row, begun), decode(row, begun, CUT)];
    if (!begun.some(({ data }) => finish.test(data))) {
      expect(ended.at(-1), `after ${count} frames`).toMatchObject({ type: 'fault', fault: { code: 'stream_ended_early' } });
      const told = encodeFrames(codec, ended, context()).at(-1)?.data ?? '';
      expect(JSON.parse(told), `told after ${count} frames`).toMatchObject(endedEarly);
    }
    if (!isDone(row, begun)) expect(cut.at(-1), `cut after ${count} frames`).toEqual({ type: 'fault', fault: CUT });
    for (const events of [ended, cut]) {
      expect(grammarProblem(events), `after ${count} frames`).toBeUndefined();
      if (events.at(-1)?.type !== 'fault') continue;
      expect(failedStreamProblem(codec.id, encodeFrames(codec, events, context())), `told after ${count} frames`).toBeUndefined();
    }
  }
};

/** What the frames tell the tap: those that hold a needle, and all that come once it holds the finish back. */
function tapped({ tap }: Protocol, frames: readonly SseFrame[]): Tapped {
  let seen: ReturnType<typeof tap.read> = { done: false, finished: false };
  let isHeld = false;
  for (const [index, frame] of frames.entries()) {
    const isRead = isHeld || (index === 0 && tap.first) || tap.needles.some((needle) => frame.data.includes(needle));
    if (!isRead) continue;
    seen = tap.read(frame, seen);
    isHeld ||= seen.finish === true;
  }
  return seen;
}

const tapIsCodec: Law = ({ name, whole, reply, frames }, row) => {
  const { codec, untapped = [] } = row;
  const { usage, stop, model } = codec.tap.whole(Buffer.from(JSON.stringify(whole, null, name.length % 3)));
  expect({ usage, stop, model }).toEqual({ usage: reply.usage, stop: reply.stop, model: reply.model });
  const streamed = collected(decode(row, frames));
  const seen = tapped(codec, frames);
  expect(seen).toMatchObject({ finished: true, done: isDone(row, frames), model: streamed.model, usage: streamed.usage });
  if (!untapped.includes(name)) expect(seen.stop).toEqual(streamed.stop);
};

const LAWS: Readonly<Record<string, Law>> = {
  'request: written and read again it is the same, without a note': requestIdentity,
  'request: written anew, not a byte is different, so that the cache of prefixes holds': requestBytes,
  'reply: written and read again it is the same': replyIdentity,
  'the stream says what the whole says': wholeIsStream,
  'a client is told the same in both forms': toldInBothForms,
  'unfolded and sent, the reply is given back': toldUnfolded,
  'wherever the bytes are cut in two, the frames are the same': cutInTwo,
  'cut anywhere in many pieces, the events are the same': cutInPieces,
  'follows the grammar; where it is cut off it ends in a fault, and to a client never looks complete': grammar,
  'the tap finds in the bytes what the codec reads': tapIsCodec,
};

/** Puts every law, and those that only this protocol has, to each of its conversations: as tests of the file that calls. */
export function holdLaws(row: ProtocolRow, own: Readonly<Record<string, Law>> = {}): void {
  describe.each(conversations(row.codec))('$name', (told) => {
    it.each(Object.entries({ ...LAWS, ...own }))('%s', (_, law) => law(told, row));
  });
}
