import {
  createSequencer,
  type Emit,
  type Fault,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type Sequencer,
  type Stop,
} from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { SourceContext, StreamDecoder } from '../protocol.ts';
import { type ChunkTemplate, createChunkTemplate, type PlainDelta } from './chunk-template.ts';
import { decodeSources } from './citations.ts';
import { given, withResidue } from './dialect.ts';
import { decodeErrorObject } from '../openai-error.ts';
import { objects, str } from './fields.ts';
import { isError, replyResidue, usageIn } from './reply-decode.ts';
import { createStreamChoice, type StreamChoice } from './stream-choice.ts';
import { brokenOff, decodeStop } from './stops.ts';
import { decodeUsage } from './usage.ts';

/** The choices that one stream may hold: an index beyond is no choice of ours. */
const MAX_CHOICES = 128;

interface ChoiceState {
  readonly parts: StreamChoice;
  stop: Stop | undefined;
}

const earlyEnd = (): Fault =>
  gatewayFault('upstream', 'The upstream ended its stream before the answer was complete', { code: 'stream_ended_early' });

const malformed = (): Fault => gatewayFault('upstream', 'The upstream sent a chunk that is not JSON', { code: 'upstream_malformed' });

/** Where reading one stream stands. What the chunks say of the reply as a whole waits here for its end. */
interface Reading {
  readonly context: SourceContext;
  readonly sequencer: Sequencer;
  readonly template: ChunkTemplate;
  readonly choices: (ChoiceState | undefined)[];
  /** The choice of index 0. */
  first: ChoiceState | undefined;
  /** Where events go now. */
  emit: Emit;
  started: boolean;
  done: boolean;
  usage: JsonObject | undefined;
  tier: string | undefined;
  residue: JsonObject;
  sources: JsonObject | undefined;
}

function newReading(context: SourceContext): Reading {
  const reading: Reading = {
    context,
    sequencer: createSequencer((event) => reading.emit(event)),
    template: createChunkTemplate(plainDelta),
    choices: [],
    first: undefined,
    emit: () => {},
    started: false,
    done: false,
    usage: undefined,
    tier: undefined,
    residue: {},
    sources: undefined,
  };
  return reading;
}

function start(reading: Reading, chunk: JsonObject): void {
  reading.started = true;
  const created = chunk['created'];
  reading.emit({
    type: 'reply-start',
    id: str(chunk['id']),
    model: str(chunk['model']),
    ...given('createdAt', typeof created === 'number' && created > 0 ? created : undefined),
    ...given('serviceTier', str(chunk['service_tier']) || undefined),
    ...withResidue(withoutNoise(replyResidue(chunk))),
  });
}

function tellUsage(reading: Reading): void {
  if (reading.usage && reading.started) reading.emit({ type: 'usage', usage: decodeUsage(reading.usage) });
  reading.usage = undefined;
}

function fail(reading: Reading, fault: Fault): void {
  reading.done = true;
  tellUsage(reading);
  reading.emit({ type: 'fault', fault });
}

function choiceAt(reading: Reading, index: number): ChoiceState {
  const { choices, sequencer, context } = reading;
  const state = (choices[index] ??= { parts: createStreamChoice(index, sequencer, context), stop: undefined });
  if (index === 0) reading.first = state;
  return state;
}

/** A choice has finished: later ones are let through once all those before them have. */
function finish({ choices, sequencer }: Reading, state: ChoiceState, word: string): void {
  if (state.stop) return;
  state.parts.finish();
  state.stop = decodeStop(word, state.parts.hasToolCall());
  for (let at = 0; choices[at]?.stop; at++) sequencer.choiceOver(at);
}

/** What Perplexity found hangs on the answer's text, in so far as its annotations do not name it. */
function citeSources({ sources }: Reading, state: ChoiceState): void {
  if (!sources || state.stop) return;
  state.parts.citations(decodeSources(sources, state.parts.cited()));
}

/** What a choice says, in pieces or whole. */
function content({ parts }: ChoiceState, value: JsonObject): void {
  const delta = isObject(value['delta']) ? value['delta'] : undefined;
  // Some answer a stream with one chunk that holds the whole message; others repeat it at the end.
  const message = !delta && isObject(value['message']) && !parts.hasBegun() ? value['message'] : undefined;
  if (delta ?? message) parts.delta(delta ?? message ?? {});
  else if (typeof value['text'] === 'string') parts.plain('text', value['text']);
  if (isObject(value['logprobs'])) parts.logprobs(value['logprobs']);
}

function choice(reading: Reading, value: JsonObject): void {
  const index = typeof value['index'] === 'number' ? value['index'] : 0;
  if (!Number.isInteger(index) || index < 0 || index >= MAX_CHOICES) return;
  const state = choiceAt(reading, index);
  const word = value['finish_reason'];
  if (!state.stop) content(state, value);
  if (isObject(value['error'])) return fail(reading, decodeErrorObject({ error: value['error'] }));
  if (typeof word !== 'string' || word === '') return;
  const broken = brokenOff(word);
  if (broken) return fail(reading, broken);
  if (index === 0) citeSources(reading, state);
  finish(reading, state, word);
}

/** What a chunk says beside its choices. */
function envelope(reading: Reading, chunk: JsonObject): void {
  reading.usage = usageIn(chunk) ?? reading.usage;
  if (typeof chunk['service_tier'] === 'string') reading.tier = chunk['service_tier'];
  if (chunk['citations'] || chunk['search_results']) reading.sources = chunk;
  for (const key in chunk) {
    if (!ENVELOPE.has(key)) {
      reading.residue = { ...reading.residue, ...withoutNoise(replyResidue(chunk)) };
      return;
    }
  }
}

function chunk(reading: Reading, value: JsonObject): void {
  // Azure's first chunk is about the prompt, and nameless.
  if (!reading.started && (objects(value['choices']).length > 0 || (str(value['id']) !== '' && !isError(value)))) start(reading, value);
  envelope(reading, value);
  // Content beside an error is still content.
  for (const one of objects(value['choices'])) if (!reading.done) choice(reading, one);
  if (reading.done) return;
  const isNamelessError = value['choices'] === undefined && typeof value['message'] === 'string';
  if (isError(value) || isNamelessError) fail(reading, decodeErrorObject(value));
}

/** A chunk like the one before but for its text: told without being parsed. */
function quick({ first, template }: Reading, { data, event }: SseFrame): boolean {
  const found = first && !first.stop && event === undefined ? template.match(data) : undefined;
  if (found) first?.parts.plain(found.kind, found.text, found.literal);
  return found !== undefined;
}

function read(reading: Reading, value: JsonObject, data: string): void {
  const { first } = reading;
  const plain = first && !first.stop ? plainDelta(value) : undefined;
  if (!first || !plain) {
    chunk(reading, value);
    return;
  }
  reading.template.learn(data, plain);
  first.parts.plain(plain.kind, plain.text);
}

function end(reading: Reading): void {
  reading.done = true;
  const { choices, sequencer } = reading;
  const states = choices.filter((state) => state !== undefined);
  for (const state of states) if (!state.stop) finish(reading, state, '');
  sequencer.endAll();
  sequencer.flush();
  tellUsage(reading);
  const [stop = { reason: 'stop' }, ...others] = states.map((state) => state.stop ?? { reason: 'other' as const });
  reading.emit({
    type: 'reply-end',
    stop,
    ...(others.length > 0 ? { others } : {}),
    ...given('serviceTier', reading.tier),
    ...withResidue(reading.residue),
  });
}

/** Every choice that began has finished. */
const isFinished = ({ choices }: Reading): boolean =>
  choices.some((state) => state?.stop) && choices.every((state) => !state || state.stop !== undefined);

/** The last word; without one choice there was no answer, whatever it says. */
function last(reading: Reading): void {
  if (reading.choices.length > 0) end(reading);
  else fail(reading, earlyEnd());
}

/**
 * Reads a stream of `chat.completion.chunk`s. What the chunks say of the reply as a whole (usage, sources, tier) is told at
 * the end: some repeat it on every chunk, some send it after the finish.
 */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  const reading = newReading(context);
  return {
    isDone: () => reading.done,
    frame(frame: SseFrame, to: Emit) {
      if (reading.done) return;
      reading.emit = to;
      const { data } = frame;
      if (data === '[DONE]' || data.trim() === '[DONE]') return last(reading);
      if (data === '' || quick(reading, frame)) return;
      const value = parseObject(data);
      if (!value) fail(reading, malformed());
      else if (frame.event === 'error' && !isError(value)) fail(reading, decodeErrorObject({ error: value }));
      else read(reading, value, data);
    },
    end(to: Emit, cut?: Fault) {
      if (reading.done) return;
      reading.emit = to;
      if (!cut && isFinished(reading)) end(reading);
      else fail(reading, cut ?? earlyEnd());
    },
  };
}

/** Members of a chunk that `envelope` knows. */
const ENVELOPE: ReadonlySet<string> = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'service_tier', 'obfuscation', 'p']);

/** Padding that hides the length of tokens. */
function withoutNoise(rest: JsonObject): JsonObject {
  const { obfuscation: _obfuscation, p: _p, ...kept } = rest;
  return kept;
}

/** Members of a delta that say nothing beside its text; others only when they are empty. */
const SILENT: ReadonlySet<string> = new Set(['role', 'token_id', 'content', 'reasoning_content', 'reasoning']);

const isEmpty = (value: Json | undefined): boolean =>
  value === null || value === undefined || value === '' || (Array.isArray(value) && value.length === 0);

/** The one text of a delta that holds nothing else. */
function plainText(delta: JsonObject): PlainDelta | undefined {
  for (const key in delta) if (!SILENT.has(key) && !isEmpty(delta[key])) return undefined;
  const { content } = delta;
  const thought = delta['reasoning_content'] || delta['reasoning'];
  if (typeof content === 'string' && content !== '') return thought ? undefined : { kind: 'text', text: content };
  return isEmpty(content) && typeof thought === 'string' && !('reasoning_details' in delta)
    ? { kind: 'reasoning', text: thought }
    : undefined;
}

/** The usual chunk, more text of the one answer; `undefined` when it is another. */
function plainDelta(value: JsonObject): PlainDelta | undefined {
  const list = value['choices'];
  if (!Array.isArray(list) || list.length !== 1 || value['usage'] || value['error']) return undefined;
  const choice: unknown = list[0];
  if (!isObject(choice) || choice['index'] !== 0 || !isObject(choice['delta'])) return undefined;
  if (choice['finish_reason'] || choice['logprobs'] || choice['error']) return undefined;
  if (value['citations'] || value['search_results'] || value['x_groq']) return undefined;
  return plainText(choice['delta']);
}
