import {
  createSequencer,
  type Emit,
  type Fault,
  gatewayFault,
  isObject,
  type JsonObject,
  parseObject,
  type Sequencer,
} from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { SourceContext, StreamDecoder } from '../protocol.ts';
import { given, objects, str, withResidue } from './dialect.ts';
import { createEventTemplate, plainDelta } from './event-template.ts';
import { decodeErrorObject } from '../openai-error.ts';
import { isError, replyHead, replyResidue, tierOf } from './reply-decode.ts';
import { decodeStop } from './stops.ts';
import {
  annotationAdded,
  argumentsDelta,
  argumentsDone,
  endItems,
  itemAdded,
  itemDone,
  newStreamItems,
  partDelta,
  partDone,
  partTold,
  quickDelta,
  type StreamItems,
} from './stream-items.ts';
import { decodeUsage, isUsage } from './usage.ts';

const earlyEnd = (): Fault =>
  gatewayFault('upstream', 'The upstream ended its stream before the answer was complete', { code: 'stream_ended_early' });

const malformed = (): Fault => gatewayFault('upstream', 'The upstream sent an event that is not JSON', { code: 'upstream_malformed' });

const cancelled = (): Fault =>
  gatewayFault('upstream', 'The upstream cancelled the response', { by: 'upstream', code: 'response_cancelled' });

const responseIn = (event: JsonObject): JsonObject => (isObject(event['response']) ? event['response'] : {});

/** Where reading one stream stands. */
interface Reading {
  readonly sequencer: Sequencer;
  readonly items: StreamItems;
  readonly template: ReturnType<typeof createEventTemplate>;
  /** Where events go now. */
  emit: Emit;
  started: boolean;
  done: boolean;
}

function newReading(context: SourceContext): Reading {
  const sequencer = createSequencer((event) => reading.emit(event));
  const reading: Reading = {
    sequencer,
    items: newStreamItems(sequencer, context),
    template: createEventTemplate(),
    emit: () => {},
    started: false,
    done: false,
  };
  return reading;
}

function start(reading: Reading, response: JsonObject): void {
  if (reading.started) return;
  reading.started = true;
  reading.emit({
    type: 'reply-start',
    ...replyHead(response),
    ...given('serviceTier', tierOf(response)),
    ...withResidue(replyResidue(response)),
  });
}

function tellUsage({ started, emit }: Reading, { usage }: JsonObject): void {
  if (started && isUsage(usage)) emit({ type: 'usage', usage: decodeUsage(usage) });
}

function fail(reading: Reading, fault: Fault, response: JsonObject = {}): void {
  reading.done = true;
  tellUsage(reading, response);
  reading.emit({ type: 'fault', fault });
}

function end(reading: Reading, response: JsonObject): void {
  reading.done = true;
  start(reading, response);
  const { items, sequencer } = reading;
  endItems(items, objects(response['output']));
  sequencer.endAll();
  sequencer.flush();
  tellUsage(reading, response);
  reading.emit({
    type: 'reply-end',
    stop: decodeStop(response, items.hasToolCall),
    ...given('serviceTier', tierOf(response)),
    ...withResidue(replyResidue(response)),
  });
}

/** Last words, and what says nothing that the item does not: lifecycles of hosted tools, keepalives. */
function last(reading: Reading, type: string, event: JsonObject): void {
  switch (type) {
    case 'response.completed':
    case 'response.incomplete':
    case 'response.done': {
      const response = responseIn(event);
      return isError(response) ? fail(reading, decodeErrorObject(response), response) : end(reading, response);
    }
    case 'response.failed':
      return fail(reading, decodeErrorObject(responseIn(event)), responseIn(event));
    case 'response.cancelled':
      return fail(reading, cancelled(), responseIn(event));
    case 'error':
    case 'response.error':
      return fail(reading, decodeErrorObject(event));
    default:
      // An error without a type (xAI, gateways).
      if (type === '' && (event['error'] !== undefined || event['detail'] !== undefined)) fail(reading, decodeErrorObject(event));
  }
}

/** Calls, and items as a whole. */
function readItem(reading: Reading, type: string, event: JsonObject): void {
  const { items } = reading;
  switch (type) {
    case 'response.function_call_arguments.delta':
    case 'response.custom_tool_call_input.delta':
      return argumentsDelta(items, event);
    case 'response.function_call_arguments.done':
    case 'response.custom_tool_call_input.done':
      return argumentsDone(items, event);
    case 'response.output_item.added':
      return itemAdded(items, event);
    case 'response.output_item.done':
      return itemDone(items, event);
    default:
      return last(reading, type, event);
  }
}

function read(reading: Reading, type: string, event: JsonObject): void {
  const { items } = reading;
  switch (type) {
    case 'response.created':
    case 'response.in_progress':
    case 'response.queued':
      return start(reading, responseIn(event));
    case 'response.output_text.delta':
      return partDelta(items, 'text', event);
    case 'response.refusal.delta':
      return partDelta(items, 'refusal', event);
    case 'response.reasoning_text.delta':
    case 'response.reasoning.delta':
      return partDelta(items, 'thought', event);
    case 'response.reasoning_summary_text.delta':
    case 'response.reasoning_summary.delta':
      return partDelta(items, 'summary', event);
    case 'response.output_text.done':
      return partTold(items, 'text', event, str(event['text']));
    case 'response.refusal.done':
      return partTold(items, 'refusal', event, str(event['refusal']));
    case 'response.reasoning_text.done':
      return partTold(items, 'thought', event, str(event['text']));
    case 'response.reasoning_summary_text.done':
      return partTold(items, 'summary', event, str(event['text']));
    case 'response.content_part.done':
    case 'response.reasoning_summary_part.done':
      return partDone(items, event);
    case 'response.output_text.annotation.added':
      return annotationAdded(items, event);
    default:
      return readItem(reading, type, event);
  }
}

/** An event like the one before but for its text: told without being parsed. */
function quick({ template, items }: Reading, { data, event }: SseFrame): boolean {
  if (event === 'error') return false;
  const found = template.match(data);
  return found !== undefined && quickDelta(items, found.outputIndex, found.index, found.kind, found.text, found.literal);
}

function readFrame(reading: Reading, { data, event: name }: SseFrame): void {
  if (data.trim() === '[DONE]') return fail(reading, earlyEnd());
  const event = parseObject(data);
  if (!event) return fail(reading, malformed());
  const type = str(event['type']) || (name ?? '');
  if (name === 'error' && type !== 'error') return fail(reading, decodeErrorObject(event));
  // Events that tell of items before the response has been named: copies of the API leave that out.
  if (!reading.started && type.startsWith('response.out')) start(reading, {});
  read(reading, type, event);
  const plain = plainDelta(event);
  if (plain) reading.template.learn(data, plain);
}

/** Reads a stream of response events. https://platform.openai.com/docs/api-reference/responses-streaming */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  const reading = newReading(context);
  return {
    isDone: () => reading.done,
    frame(frame: SseFrame, to: Emit) {
      if (reading.done) return;
      reading.emit = to;
      if (frame.data !== '' && !quick(reading, frame)) readFrame(reading, frame);
    },
    end(to: Emit, cut?: Fault) {
      if (reading.done) return;
      reading.emit = to;
      fail(reading, cut ?? earlyEnd());
    },
  };
}
