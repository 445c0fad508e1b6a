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
import { createChunkTemplate, type PlainDelta } from './chunk-template.ts';
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

/**
 * Reads a stream of `chat.completion.chunk`s. What the chunks say of the reply as a whole (usage, sources, tier) is told at
 * the end: some repeat it on every chunk, some send it after the finish.
 */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  let emit: Emit = () => {};
  const sequencer: Sequencer = createSequencer((event) => emit(event));
  const choices: (ChoiceState | undefined)[] = [];
  let first: ChoiceState | undefined;
  const template = createChunkTemplate(plainDelta);
  let started = false;
  let done = false;
  let usage: JsonObject | undefined;
  let tier: string | undefined;
  let residue: JsonObject = {};
  let sources: JsonObject | undefined;

  function start(chunk: JsonObject): void {
    started = true;
    const created = chunk['created'];
    emit({
      type: 'reply-start',
      id: str(chunk['id']),
      model: str(chunk['model']),
      ...given('createdAt', typeof created === 'number' && created > 0 ? created : undefined),
      ...given('serviceTier', str(chunk['service_tier']) || undefined),
      ...withResidue(withoutNoise(replyResidue(chunk))),
    });
  }

  function fail(fault: Fault): void {
    done = true;
    tellUsage();
    emit({ type: 'fault', fault });
  }

  function tellUsage(): void {
    if (usage && started) emit({ type: 'usage', usage: decodeUsage(usage) });
    usage = undefined;
  }

  function choiceAt(index: number): ChoiceState {
    const state = (choices[index] ??= { parts: createStreamChoice(index, sequencer, context), stop: undefined });
    if (index === 0) first = state;
    return state;
  }

  /** Lets later choices through once those before them have finished. */
  function releaseChoices(): void {
    for (let at = 0; choices[at]?.stop; at++) sequencer.choiceOver(at);
  }

  function finish(state: ChoiceState, word: string): void {
    if (state.stop) return;
    state.parts.finish();
    state.stop = decodeStop(word, state.parts.hasToolCall());
    releaseChoices();
  }

  function choice(value: JsonObject): void {
    const index = typeof value['index'] === 'number' ? value['index'] : 0;
    if (!Number.isInteger(index) || index < 0 || index >= MAX_CHOICES) return;
    const state = choiceAt(index);
    const word = value['finish_reason'];
    const delta = isObject(value['delta']) ? value['delta'] : undefined;
    // Some answer a stream with one chunk that holds the whole message; others repeat it at the end.
    const message = !delta && isObject(value['message']) && !state.parts.hasBegun() ? value['message'] : undefined;
    if (!state.stop) {
      if (delta ?? message) state.parts.delta(delta ?? message ?? {});
      else if (typeof value['text'] === 'string') state.parts.plain('text', value['text']);
      if (isObject(value['logprobs'])) state.parts.logprobs(value['logprobs']);
    }
    if (isObject(value['error'])) return fail(decodeErrorObject({ error: value['error'] }));
    if (typeof word !== 'string' || word === '') return;
    const broken = brokenOff(word);
    if (broken) fail(broken);
    else {
      if (index === 0) citeSources(state);
      finish(state, word);
    }
  }

  /** What Perplexity found hangs on the answer's text, in so far as its annotations do not name it. */
  function citeSources(state: ChoiceState): void {
    if (!sources || state.stop) return;
    state.parts.citations(decodeSources(sources, state.parts.cited()));
  }

  /** What a chunk says beside its choices. */
  function envelope(chunk: JsonObject): void {
    usage = usageIn(chunk) ?? usage;
    if (typeof chunk['service_tier'] === 'string') tier = chunk['service_tier'];
    if (chunk['citations'] || chunk['search_results']) sources = chunk;
    for (const key in chunk) {
      if (!ENVELOPE.has(key)) {
        residue = { ...residue, ...withoutNoise(replyResidue(chunk)) };
        return;
      }
    }
  }

  function chunk(value: JsonObject): void {
    // Azure's first chunk is about the prompt, and nameless.
    if (!started && (objects(value['choices']).length > 0 || (str(value['id']) !== '' && !isError(value)))) start(value);
    envelope(value);
    // Content beside an error is still content.
    for (const one of objects(value['choices'])) if (!done) choice(one);
    if (!done && isError(value)) fail(decodeErrorObject(value));
    else if (!done && value['choices'] === undefined && typeof value['message'] === 'string') fail(decodeErrorObject(value));
  }

  /** A chunk like the one before but for its text: told without being parsed. */
  function quick(data: string, frame: SseFrame): boolean {
    const found = first && !first.stop && frame.event === undefined ? template.match(data) : undefined;
    if (found) first?.parts.plain(found.kind, found.text, found.literal);
    return found !== undefined;
  }

  function read(value: JsonObject, data: string): void {
    const plain = first && !first.stop ? plainDelta(value) : undefined;
    if (!first || !plain) {
      chunk(value);
      return;
    }
    template.learn(data, plain);
    first.parts.plain(plain.kind, plain.text);
  }

  function end(): void {
    done = true;
    const states = choices.filter((state) => state !== undefined);
    for (const state of states) if (!state.stop) finish(state, '');
    sequencer.endAll();
    sequencer.flush();
    tellUsage();
    const [stop = { reason: 'stop' }, ...others] = states.map((state) => state.stop ?? { reason: 'other' as const });
    emit({
      type: 'reply-end',
      stop,
      ...(others.length > 0 ? { others } : {}),
      ...given('serviceTier', tier),
      ...withResidue(residue),
    });
  }

  /** Every choice that began has finished. */
  const isFinished = (): boolean => choices.some((state) => state?.stop) && choices.every((state) => !state || state.stop !== undefined);

  return {
    isDone: () => done,
    frame(frame: SseFrame, to: Emit) {
      if (done) return;
      emit = to;
      const { data } = frame;
      if (data === '[DONE]' || data.trim() === '[DONE]') {
        // Without one choice there was no answer, whatever the last word says.
        if (choices.length > 0) end();
        else fail(earlyEnd());
        return;
      }
      if (data === '') return;
      if (quick(data, frame)) return;
      const value = parseObject(data);
      if (!value) fail(malformed());
      else if (frame.event === 'error' && !isError(value)) fail(decodeErrorObject({ error: value }));
      else read(value, data);
    },
    end(to: Emit, cut?: Fault) {
      if (done) return;
      emit = to;
      if (!cut && isFinished()) end();
      else fail(cut ?? earlyEnd());
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
