import { type Emit, gatewayFault, parseObject, type Usage } from '../ir/index.ts';
import type { StreamDecoder } from '../protocols/protocol.ts';
import type { UpstreamHeaders } from '../upstream/send.ts';
import { createEventStreamReader } from '../wire/aws-event-stream.ts';
import { createSseReader } from '../wire/sse.ts';
import type { AttemptEnd, Call, Target } from './call.ts';
import { headerOf } from './lanes/lane.ts';
import { readNeeds } from './read-needs.ts';
import { roughTokens } from './rough-tokens.ts';

/**
 * Of a piece so much of its end is kept, and what stands before it of the event in which that begins; of the first one more, and its beginning,
 * since a reply's head may be long, and of a long one some of its middle, since it may be most of the answer.
 */
const END_BYTES = 1024;
const FIRST_END_BYTES = 1536;
const HEAD_BYTES = 1024;
const MIDDLE_BYTES = 640;
const MIDDLES = [1 / 3, 2 / 3];
const LONG_BYTES = 3 * 1024;
/** An event may be so much longer. */
const EVENT_BYTES = 3072;
/** What is longer is hardly words: a picture, what a search has found. */
const GIANT_BYTES = 4096;
/** Of all of them together, the last aside: the oldest but for the first piece's go. */
const MOST_BYTES = 5 * 1024;

/** What came of an answer, in case it is cut before its usage is told. */
export interface Received {
  headers?: UpstreamHeaders;
  bytes: number;
  /** How many of them are in events longer than `GIANT_BYTES`, as far as these came in large pieces. */
  giant: number;
  /**
   * Its first piece, and the last of those with which it had become a quarter longer than at the one before, as text with a byte in each
   * character: a few say what all were like, and an answer that ends well has paid for little more than additions. As bytes each would keep
   * 8 KiB of Node's pool.
   */
  readonly samples: string[];
  /** How many samples are of the first piece. */
  firsts: number;
  /** The length with which the next one is taken. */
  next: number;
  /** The body ended, and was not cut. */
  ended: boolean;
}

/** Nothing yet. Only of an answer that is generated anything is sampled. */
export const nothingReceived = ({ operation }: Pick<Call, 'operation'>): Received => ({
  bytes: 0,
  giant: 0,
  samples: [],
  firsts: 0,
  next: operation === 'generate' ? 0 : Infinity,
  ended: false,
});

const BLANK_LINE = Buffer.from('\n\n');
const BLANK_CRLF = Buffer.from('\n\r\n');
/** What ends events, however their lines end. */
const BLANKS = [BLANK_LINE, BLANK_CRLF, Buffer.from('\r\r')];

const sizeOf = (all: readonly string[]): number => all.reduce((bytes, one) => bytes + one.length, 0);

/** A piece that is the whole answer is not cut any more. */
const isAll = ({ headers = {} }: Received, piece: Buffer): boolean => Number(headerOf(headers, 'content-length')) === piece.length;

/** Where its last `bytes` begin, or the event that they begin in. */
function endOf(piece: Buffer, bytes: number): number {
  const at = piece.length - bytes;
  if (at <= 0) return 0;
  const before = piece.subarray(Math.max(0, at - EVENT_BYTES), at + 1);
  const blank = before.lastIndexOf(BLANK_LINE);
  const end = blank < 0 ? before.lastIndexOf(BLANK_CRLF) + BLANK_CRLF.length : blank + BLANK_LINE.length;
  return blank < 0 && end < BLANK_CRLF.length ? at : at + 1 - before.length + end;
}

/** What begins with the event that stands at a place. */
function middleOf(piece: Buffer, at: number): string {
  const from = endOf(piece.subarray(0, at), 0);
  return piece.toString('latin1', from, from + MIDDLE_BYTES);
}

function keepSample(received: Received, piece: Buffer): void {
  const { samples, bytes } = received;
  received.next = bytes + bytes / 4;
  if (samples.length === 0) {
    if (isAll(received, piece)) return;
    const from = endOf(piece, FIRST_END_BYTES);
    if (from > HEAD_BYTES) samples.push(piece.toString('latin1', 0, HEAD_BYTES));
    if (piece.length > LONG_BYTES) for (const share of MIDDLES) samples.push(middleOf(piece, Math.floor(piece.length * share)));
    samples.push(piece.toString('latin1', from > HEAD_BYTES ? from : 0));
    received.firsts = samples.length;
  } else samples.push(piece.toString('latin1', endOf(piece, END_BYTES)));
  const { firsts } = received;
  let kept = sizeOf(samples);
  let old = 0;
  while (kept > MOST_BYTES && firsts + old < samples.length - 1) kept -= (samples[firsts + old++] as string).length;
  if (old > 0) samples.splice(firsts, old);
}

/** How much of a piece is in giant events. One look at each 4 KiB: what has an end of an event in it is not in one. */
function giantIn(piece: Buffer): number {
  let giant = 0;
  let at = 0;
  while (piece.length - at > GIANT_BYTES) {
    const window = piece.subarray(at, at + GIANT_BYTES);
    const end = Math.max(...BLANKS.map((blank) => window.lastIndexOf(blank)));
    if (end < 0) {
      const ends = BLANKS.map((blank) => piece.indexOf(blank, at + GIANT_BYTES)).filter((one) => one >= 0);
      const next = ends.length === 0 ? piece.length : Math.min(...ends);
      giant += next - at;
      at = next;
    } else at += end + BLANK_LINE.length;
  }
  return giant;
}

/** A piece of the body has come. */
export function receive(received: Received, piece: Buffer): void {
  received.bytes += piece.length;
  if (piece.length > GIANT_BYTES && received.next !== Infinity) received.giant += giantIn(piece);
  if (received.bytes >= received.next) keepSample(received, piece);
}

const EVENT = /^(?:event|data|id|:)/;
const BLANK = /\r\n\r\n|\n\n|\r\r/;

/** The events that stand whole in a piece: what is read of it, and what its length counts by. */
function wholeEvents(piece: string): string {
  const first = EVENT.test(piece) ? undefined : BLANK.exec(piece);
  const last = Math.max(piece.lastIndexOf('\n\n') + 2, piece.lastIndexOf('\n\r\n') + 3, piece.lastIndexOf('\r\r') + 2);
  return piece.slice(first ? first.index + first[0].length : 0, last > 3 ? last : undefined);
}

/** No event is whole in it: where there are giant events, it is of one. */
const isOfGiant = (sample: string): boolean => !BLANK.test(sample) || wholeEvents(sample) === '';

const CUT = gatewayFault('upstream', 'The answer was cut');

/** What sampled events say. */
interface Told {
  /** Of their text. */
  readonly tokens: number;
  /** What they report. */
  readonly usage?: Usage;
}

/** Reads samples one by one. What cannot be read, as half of it is missing, says nothing. */
function createSampleReader({ codec, provider, wire }: Target): { push(sample: string): void; told(): Told } {
  const isBinary = wire.wire.framing === 'aws-event-stream';
  const newDecoder = (): StreamDecoder => codec.streamDecoder({ maker: provider.maker, newId: (prefix) => `${prefix}sample` });
  const decoder = newDecoder();
  let text = '';
  let parts = 0;
  let usage: Usage | undefined;
  const emit: Emit = (event) => {
    if (event.type === 'part-delta') text += event.text;
    else if (event.type === 'part-start') {
      // It says what follows: a call its name, a picture at least that it is one.
      parts++;
      if (event.part.kind === 'tool-call') text += event.part.name;
    } else if (event.type === 'usage') usage = event.usage;
  };
  const readBy = (by: StreamDecoder, sample: string): void => {
    const reader = isBinary ? createEventStreamReader() : createSseReader();
    try {
      reader.push(Buffer.from(sample, 'latin1'), (frame) => by.frame(frame, emit));
    } catch {
      // A stream with holes breaks the rules of its grammar; the other samples may be read.
    }
  };
  return {
    push(sample) {
      const before = text.length + parts;
      readBy(decoder, sample);
      // It may still wait for the end of what began before the hole.
      if (text.length + parts === before) readBy(newDecoder(), sample);
    },
    told() {
      // Some dialects report in every event, and their decoders tell the last of it at the end.
      decoder.end(emit, CUT);
      return { tokens: parts + roughTokens(text), ...(usage ? { usage } : {}) };
    },
  };
}

function read(target: Target, samples: readonly string[]): Told {
  const reader = createSampleReader(target);
  for (const sample of samples) reader.push(sample);
  return reader.told();
}

/** Fields in which a stream's events have what was generated. */
const GENERATED = /"(?:delta|text|content|thinking|partial_json|arguments|transcript)"\s*:\s*"((?:[^"\\]|\\.)*)"/g;

/** Events that say once more what others have said. */
const AGAIN = /"type"\s*:\s*"(?:[\w.]+\.done|response\.(?:completed|incomplete|failed))"/;

/** What such events of a sample say, and what the others do. */
function apart(sample: string): { readonly once: string; readonly again: string } {
  if (!AGAIN.test(sample)) return { once: sample, again: '' };
  const events = sample.split(BLANK).filter((event) => event !== '');
  const joined = (some: readonly string[]): string => some.map((event) => `${event}\n\n`).join('');
  return { once: joined(events.filter((event) => !AGAIN.test(event))), again: joined(events.filter((event) => AGAIN.test(event))) };
}

/** Text before any field: what is kept of an event may begin in the middle of its words. Elsewhere a text without such a field may be the question's. */
const LOOSE = /^(?:[^"\\]|\\.){64,}/;
/** What is no picture has a token in so many bytes at least. */
const MOST_BYTES_A_TOKEN = 4096;
/** By how much the events that stand whole may tell less than the words do: then the longest of them is not there whole. */
const FAR = 2.5;

/** Words, from bytes as samples keep them. */
const textIn = (bytes: string): string => (bytes.includes(' ') ? Buffer.from(bytes, 'latin1').toString('utf8') : '');

/** Tokens of the words in some samples, for so many bytes that are like them. */
function wordsOf(samples: readonly string[], bytes: number): number {
  if (samples.length === 0) return 0;
  const events = samples.flatMap((sample) => sample.split(BLANK)).filter((event) => !AGAIN.test(event));
  const text = Buffer.from(events.join('\n\n'), 'latin1').toString('utf8');
  let words = '';
  for (const [, found = ''] of text.matchAll(GENERATED)) words += found;
  // What has no spaces is a picture or a sound.
  if (words === '') for (const sample of samples) words += textIn(LOOSE.exec(sample)?.[0] ?? '');
  return words === '' ? 0 : roughTokens(words) * Math.max(1, bytes / sizeOf(samples));
}

/**
 * The same by the words alone, for samples without the events that say what they belong to: an event may be longer than what is kept
 * of it. What stands in giant events, and what stands beside them, each says what its own kind is like.
 */
function byWords({ bytes, giant, samples }: Received): number {
  if (giant === 0) return wordsOf(samples, bytes);
  const { inGiants = [], others = [] } = Object.groupBy(samples, (sample) => (isOfGiant(sample) ? 'inGiants' : 'others'));
  return wordsOf(others, bytes - giant) + wordsOf(inGiants, giant);
}

/**
 * The same of all that came, as its samples have it: the first for itself, since it holds the reply's head; the others for the rest, but
 * for giant events.
 */
function estimate(target: Target, { headers = {}, bytes, giant, samples }: Received): Told {
  const [begun] = samples;
  if (!begun || headerOf(headers, 'content-encoding') !== '') return { tokens: 0 };
  const isWhole = headerOf(headers, 'content-type').toLowerCase().includes('json');
  if (isWhole) return { tokens: (roughTokens(Buffer.from(begun, 'latin1').toString('utf8')) * bytes) / begun.length };
  const isBinary = target.wire.wire.framing === 'aws-event-stream';
  const alike = isBinary || giant === 0 ? samples : samples.filter((sample) => !isOfGiant(sample));
  const parts = alike.map((sample) => (isBinary ? { once: sample, again: '' } : apart(wholeEvents(sample))));
  const again = parts.map((part) => part.again).join('');
  const one = scaled(
    target,
    parts.map(({ once }) => once),
    bytes - (isBinary ? 0 : giant) - again.length,
  );
  // What is said again is all of it: nothing else is like that.
  const whole = again === '' ? { tokens: 0 } : read(target, [again]);
  return { ...whole, ...one, tokens: Math.max(one.tokens, whole.tokens) };
}

/** What samples say, for so many bytes: the first for itself. */
function scaled(target: Target, [first = '', ...others]: readonly string[], bytes: number): Told {
  const rest = Math.max(0, bytes - first.length);
  const head = read(target, [first]);
  const later = sizeOf(others);
  if (later === 0) return { ...head, tokens: first === '' ? 0 : head.tokens * (1 + rest / first.length) };
  const all = read(target, [first, ...others]);
  return { ...all, tokens: head.tokens + Math.max(0, all.tokens - head.tokens) * Math.max(1, rest / later) };
}

/** Whether an answer had begun and was cut. Errors in place of one, and what had already been counted to its end, are no such thing. */
function isCut({ fault, endedBy, firstTokenAt, usage, stop }: AttemptEnd, { headers = {}, ended }: Received): boolean {
  if ((!fault && endedBy !== 'client') || firstTokenAt === undefined || (usage && stop)) return false;
  return !ended || !headerOf(headers, 'content-type').includes('json');
}

/** The tokens of a request's texts, counted low. */
const inputOf = (call: Call): number => readNeeds(call.prepared?.body ?? parseObject(call.body.toString('utf8')) ?? {}).tokens ?? 0;

/** The attempt with the usage of a cut answer: what the upstream had reported until then and no less than what had come, marked as an estimate. */
export function withCutUsage(call: Call, target: Target, end: AttemptEnd, received: Received): AttemptEnd {
  if (call.operation !== 'generate' || !isCut(end, received)) return end;
  const { tokens, usage: reported } = estimate(target, received);
  const usage = end.usage ?? reported;
  const words = byWords(received);
  // Something of it had gone out; an error that the upstream told in its place is not.
  const least = end.fault?.by === 'upstream' ? 0 : 1 + Math.floor((received.bytes - received.giant) / MOST_BYTES_A_TOKEN);
  const output = Math.max(usage?.output ?? 0, Math.ceil(words > tokens * FAR ? words : tokens), least);
  if (output === 0 && !usage) return end;
  const input = usage?.input ?? 0;
  return { ...end, usage: { ...usage, input: input > 0 ? input : inputOf(call), output, estimated: true } };
}
