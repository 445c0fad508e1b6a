import { type Emit, gatewayFault, parseObject, type Usage } from '../ir/index.ts';
import type { StreamDecoder } from '../protocols/protocol.ts';
import { createEventStreamReader } from '../wire/aws-event-stream.ts';
import { createSseReader } from '../wire/sse.ts';
import type { AttemptEnd, Call, Target } from './call.ts';
import { headerOf } from './lanes/lane.ts';
import { readNeeds } from './read-needs.ts';
import { roughTokens } from './rough-tokens.ts';
import type { Received } from './sampled-answer.ts';

/** How an event begins; what begins otherwise, with `:{` say, is the rest of one. */
const EVENT = /^(?:(?:event|data|id|retry):|: ?[\w\r\n])/;
const BLANK = /\r\n\r\n|\n\n|\r\r/;

/** The events that stand whole in a piece: what is read of it, and what its length counts by. */
function wholeEvents(piece: string): string {
  const blank = BLANK.exec(piece);
  if (!blank) return '';
  const first = EVENT.test(piece) ? 0 : blank.index + blank[0].length;
  return piece.slice(first, Math.max(piece.lastIndexOf('\n\n') + 2, piece.lastIndexOf('\n\r\n') + 3, piece.lastIndexOf('\r\r') + 2));
}

/** No event is whole in it: where there are giant events, it is of one. */
const isOfGiant = (sample: string): boolean => wholeEvents(sample) === '';

const CUT = gatewayFault('upstream', 'The answer was cut');

/** What sampled events say. */
interface Told {
  /** Of their text. */
  readonly tokens: number;
  /** What they report. */
  readonly usage?: Usage;
}

/** What one sample says. */
interface Said {
  readonly text: string;
  /** How many parts begin in it. */
  readonly parts: number;
}

/** Reads samples one by one. What cannot be read, as half of it is missing, says nothing. */
function createSampleReader({ codec, provider, wire }: Target): { push(sample: string): Said; usage(): Usage | undefined } {
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
      // A carriage return at the end may be half of a line's.
      reader.push(Buffer.from(isBinary ? sample : `${sample}\n`, 'latin1'), (frame) => by.frame(frame, emit));
    } catch {
      // A stream with holes breaks the rules of its grammar; the other samples may be read.
    }
  };
  return {
    push(sample) {
      text = '';
      parts = 0;
      readBy(decoder, sample);
      // It may still wait for the end of what began before the hole.
      if (text === '' && parts === 0) readBy(newDecoder(), sample);
      return { text, parts };
    },
    usage() {
      // Some dialects report in every event, and their decoders tell the last of it at the end.
      decoder.end(emit, CUT);
      return usage;
    },
  };
}

/** Fields in which a stream's events have what was generated, up to where they end or what there is of them does. */
const FIELD = String.raw`"(?:delta|text|content|thinking|partial_json|arguments|transcript)"\s*:\s*"((?:[^"\\]|\\.)*)`;
const GENERATED = new RegExp(String.raw`${FIELD}(?:"|\\?$)`, 'g');
/** One of which the end is not there. */
const OPEN = new RegExp(String.raw`${FIELD}\\?$`);

/** What the events of a sample say that repeat others of the answer, and what the others do. */
function apart(sample: string, repeats: Received['repeats']): { readonly once: string; readonly again: string } {
  if (!repeats) return { once: sample, again: '' };
  let once = '';
  let again = '';
  for (const event of sample.split(BLANK)) {
    if (event === '') continue;
    if (repeats(event) === 'answer') again += `${event}\n\n`;
    else once += `${event}\n\n`;
  }
  return { once, again };
}

/** Text before any field: what is kept of an event may begin in the middle of its words. Elsewhere a text without such a field may be the question's. */
const LOOSE = /^(?:[^"\\]|\\.){64,}/;
/** What is no picture has a token in so many bytes at least. */
const MOST_BYTES_A_TOKEN = 4096;
/** By how much the events that stand whole may tell less than the words do: then the longest of them is not there whole. */
const FAR = 2.5;

const meanOf = (all: readonly number[]): number => all.reduce((sum, one) => sum + one, 0) / Math.max(1, all.length);

/** Tokens in a character of a text. */
const tokensPer = (text: string): number => (text === '' ? 0 : roughTokens(text) / text.length);

/** Words, from bytes as samples keep them. */
const textIn = (bytes: string): string => (bytes.includes(' ') ? Buffer.from(bytes, 'latin1').toString('utf8') : '');

/** What was generated of what stands in a sample. */
function wordsIn(sample: string, repeats: Received['repeats']): string {
  let words = '';
  for (const event of sample.split(BLANK)) {
    if (repeats?.(event)) continue;
    for (const [, found = ''] of Buffer.from(event, 'latin1').toString('utf8').matchAll(GENERATED)) words += found;
  }
  return words;
}

/** What was generated of what stands in samples: one may begin in the middle of the words that the one before it ends in. */
function wordsInEach({ samples, repeats }: Received): readonly string[] {
  let isOpen = false;
  return samples.map((sample) => {
    const [begun = ''] = LOOSE.exec(sample) ?? [];
    const words = (isOpen ? textIn(begun) : '') + wordsIn(sample, repeats);
    isOpen = OPEN.test(sample.split(BLANK).at(-1) ?? '') || (isOpen && begun.length === sample.length);
    return words;
  });
}

/** The words of one sample. */
interface Worded {
  readonly sample: string;
  readonly words: string;
  readonly bytes: number;
  readonly isHead: boolean;
}

/** Characters of the words in samples of one kind, of which there are so many bytes: the head for itself, the others for the rest. */
function wordsOf(samples: readonly Worded[], bytes: number): number {
  const head = samples.find(({ isHead }) => isHead);
  const others = samples.length > 1 ? samples.filter(({ isHead }) => !isHead) : samples;
  const share = meanOf(others.map((one) => one.words.length / one.bytes));
  return head && head !== others[0] ? head.words.length + share * Math.max(0, bytes - head.bytes) : share * bytes;
}

/** The words in samples of one kind. Where none has any field, what begins in the middle of a text. */
function wordedOf(samples: readonly Worded[]): readonly Worded[] {
  if (samples.some(({ words }) => words !== '')) return samples;
  // What has no spaces is a picture or a sound.
  return samples.map((one) => ({ ...one, words: textIn(LOOSE.exec(one.sample)?.[0] ?? '') }));
}

/**
 * The tokens by the words alone, for samples without the events that say what they belong to: an event may be longer than what is kept
 * of it. What stands in giant events, and what stands beside them, each says what its own kind is like.
 */
function byWords(received: Received): number {
  const { bytes, giant, repeated, samples, lengths } = received;
  const each = wordsInEach(received);
  const all = samples.map((sample, at): Worded => ({ sample, words: each[at] ?? '', bytes: lengths[at] ?? 0, isHead: at === 0 }));
  const others = wordedOf(all.filter(({ sample }) => giant === 0 || !isOfGiant(sample)));
  const inGiants = giant === 0 ? [] : wordedOf(all.filter(({ sample }) => isOfGiant(sample)));
  // The same text may stand at several places.
  const text = [...others, ...inGiants].map(({ words }, at, some) => (words === some[at - 1]?.words ? '' : words)).join('');
  return Math.max(roughTokens(text), (wordsOf(others, bytes - giant - repeated) + wordsOf(inGiants, giant)) * tokensPer(text));
}

/** The events that stand whole in samples, but for those of giant ones. */
function placesIn({ giant, repeats, samples, lengths }: Received): readonly (Place & { readonly again: string })[] {
  return samples.flatMap((sample, at) => {
    const events = wholeEvents(sample);
    if (events === '' && giant > 0) return [];
    return [{ ...apart(events, repeats), bytes: events === '' ? 0 : (lengths[at] ?? 0) - sample.length + events.length }];
  });
}

/**
 * The same of all that came, as its samples have it: the first for itself, since it holds the reply's head; the others for the rest, but
 * for giant events.
 */
function estimate(target: Target, received: Received): Told {
  const { headers = {}, bytes, giant, repeated, again: passed, samples } = received;
  const [begun] = samples;
  if (!begun || headerOf(headers, 'content-encoding') !== '') return { tokens: 0 };
  const isWhole = headerOf(headers, 'content-type').toLowerCase().includes('json');
  if (isWhole) return { tokens: (roughTokens(Buffer.from(begun, 'latin1').toString('utf8')) * bytes) / begun.length };
  if (target.wire.wire.framing === 'aws-event-stream') {
    const [first = NOTHING, ...others] = samples.map((once) => ({ once, bytes: once.length }));
    return scaled(target, first, others, bytes);
  }
  const places = placesIn(received);
  const [first = NOTHING, ...others] = places;
  const one = scaled(target, first, others, bytes - giant - repeated);
  // What is said again is all of it: nothing else is like that.
  const again = passed + places.map((place) => place.again).join('');
  if (again === '') return one;
  const reader = createSampleReader(target);
  const { text, parts: many } = reader.push(again);
  const usage = one.usage ?? reader.usage();
  return { tokens: Math.max(one.tokens, many + roughTokens(text)), ...(usage ? { usage } : {}) };
}

/** Events that stand whole at one place. */
interface Place {
  /** Those that say something for the first time. */
  readonly once: string;
  /** The length of all. */
  readonly bytes: number;
}

const NOTHING: Place = { once: '', bytes: 0 };

/** What each place says: the same event may be at several. */
function saidAt(reader: ReturnType<typeof createSampleReader>, places: readonly Place[]): readonly (Place & Said)[] {
  let last: (Place & Said) | undefined;
  return places.map((place) => (last = last?.once === place.once ? last : { ...place, ...reader.push(place.once) }));
}

/**
 * What places say, for so many bytes: the first for itself. Each of the others stands for as much as any other, however long the events
 * are that are there.
 */
function scaled(target: Target, first: Place, others: readonly Place[], bytes: number): Told {
  const reader = createSampleReader(target);
  const head = reader.push(first.once);
  const places = saidAt(
    reader,
    others.filter((place) => place.bytes > 0),
  );
  const usage = reader.usage();
  const each = tokensPer(head.text + places.map(({ text }) => text).join(''));
  const tokensOf = ({ text, parts }: Said): number => parts + text.length * each;
  const shares =
    places.length > 0 || first.bytes === 0 ? places.map((place) => tokensOf(place) / place.bytes) : [tokensOf(head) / first.bytes];
  return { tokens: tokensOf(head) + meanOf(shares) * Math.max(0, bytes - first.bytes), ...(usage ? { usage } : {}) };
}

/** Whether an answer had begun and was cut. Errors in place of one, and what had already been counted to its end, are no such thing. */
function isCut({ fault, endedBy, firstTokenAt, usage, stop }: AttemptEnd, { headers = {}, ended }: Received): boolean {
  if ((!fault && endedBy !== 'client') || firstTokenAt === undefined || (usage && stop)) return false;
  const type = headerOf(headers, 'content-type');
  // Where none is told it is taken for JSON, too.
  return !ended || !(type === '' || type.includes('json'));
}

/** The tokens of a request's texts, counted low. */
const inputOf = (call: Call): number => readNeeds(call.prepared?.body ?? parseObject(call.body.toString('utf8')) ?? {}).tokens ?? 0;

/** The attempt with the usage of a cut answer: what the upstream had reported until then and no less than what had come, marked as an estimate. */
export function withCutUsage(call: Call, target: Target, end: AttemptEnd, received: Received): AttemptEnd {
  if (call.operation !== 'generate' || !isCut(end, received)) return end;
  const { tokens, usage: reported } = estimate(target, received);
  const usage = end.usage ?? reported;
  const words = byWords(received);
  // Something of it had come.
  const least = 1 + Math.floor((received.bytes - received.giant - received.repeated) / MOST_BYTES_A_TOKEN);
  const output = Math.max(usage?.output ?? 0, Math.ceil(words > tokens * FAR ? words : tokens), least);
  const input = usage?.input ?? 0;
  return { ...end, usage: { ...usage, input: input > 0 ? input : inputOf(call), output, estimated: true } };
}
