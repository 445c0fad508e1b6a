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
import { createStreamItems } from './stream-items.ts';
import { decodeUsage, isUsage } from './usage.ts';

const earlyEnd = (): Fault =>
  gatewayFault('upstream', 'The upstream ended its stream before the answer was complete', { code: 'stream_ended_early' });

const malformed = (): Fault => gatewayFault('upstream', 'The upstream sent an event that is not JSON', { code: 'upstream_malformed' });

const cancelled = (): Fault =>
  gatewayFault('upstream', 'The upstream cancelled the response', { by: 'upstream', code: 'response_cancelled' });

const responseIn = (event: JsonObject): JsonObject => (isObject(event['response']) ? event['response'] : {});

/** Reads a stream of response events. https://platform.openai.com/docs/api-reference/responses-streaming */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  let emit: Emit = () => {};
  const sequencer: Sequencer = createSequencer((event) => emit(event));
  const items = createStreamItems(sequencer, context);
  const template = createEventTemplate();
  let started = false;
  let done = false;

  function start(response: JsonObject): void {
    if (started) return;
    started = true;
    emit({
      type: 'reply-start',
      ...replyHead(response),
      ...given('serviceTier', tierOf(response)),
      ...withResidue(replyResidue(response)),
    });
  }

  function tellUsage({ usage }: JsonObject): void {
    if (started && isUsage(usage)) emit({ type: 'usage', usage: decodeUsage(usage) });
  }

  function fail(fault: Fault, response: JsonObject = {}): void {
    done = true;
    tellUsage(response);
    emit({ type: 'fault', fault });
  }

  function end(response: JsonObject): void {
    done = true;
    start(response);
    items.rest(objects(response['output']));
    items.finish();
    sequencer.endAll();
    sequencer.flush();
    tellUsage(response);
    emit({
      type: 'reply-end',
      stop: decodeStop(response, items.hasToolCall()),
      ...given('serviceTier', tierOf(response)),
      ...withResidue(replyResidue(response)),
    });
  }

  function read(type: string, event: JsonObject): void {
    switch (type) {
      case 'response.created':
      case 'response.in_progress':
      case 'response.queued':
        return start(responseIn(event));
      case 'response.output_text.delta':
        return items.delta('text', event);
      case 'response.refusal.delta':
        return items.delta('refusal', event);
      case 'response.reasoning_text.delta':
      case 'response.reasoning.delta':
        return items.delta('thought', event);
      case 'response.reasoning_summary_text.delta':
      case 'response.reasoning_summary.delta':
        return items.delta('summary', event);
      case 'response.output_text.done':
        return items.told('text', event, str(event['text']));
      case 'response.refusal.done':
        return items.told('refusal', event, str(event['refusal']));
      case 'response.reasoning_text.done':
        return items.told('thought', event, str(event['text']));
      case 'response.reasoning_summary_text.done':
        return items.told('summary', event, str(event['text']));
      case 'response.content_part.done':
      case 'response.reasoning_summary_part.done':
        return items.partDone(event);
      case 'response.output_text.annotation.added':
        return items.annotation(event);
      case 'response.function_call_arguments.delta':
      case 'response.custom_tool_call_input.delta':
        return items.argumentsDelta(event);
      case 'response.function_call_arguments.done':
      case 'response.custom_tool_call_input.done':
        return items.argumentsDone(event);
      case 'response.output_item.added':
        return items.added(event);
      case 'response.output_item.done':
        return items.done(event);
      default:
        return last(type, event);
    }
  }

  /** Last words, and what says nothing that the item does not: lifecycles of hosted tools, keepalives. */
  function last(type: string, event: JsonObject): void {
    switch (type) {
      case 'response.completed':
      case 'response.incomplete':
      case 'response.done':
        return isError(responseIn(event)) ? fail(decodeErrorObject(responseIn(event)), responseIn(event)) : end(responseIn(event));
      case 'response.failed':
        return fail(decodeErrorObject(responseIn(event)), responseIn(event));
      case 'response.cancelled':
        return fail(cancelled(), responseIn(event));
      case 'error':
      case 'response.error':
        return fail(decodeErrorObject(event));
      default:
        // An error without a type (xAI, gateways).
        if (type === '' && (event['error'] !== undefined || event['detail'] !== undefined)) fail(decodeErrorObject(event));
    }
  }

  /** Events that tell of items before the response has been named (copies of the API leave that out). */
  function begin(type: string): void {
    if (!started && type.startsWith('response.out')) start({});
  }

  /** An event like the one before but for its text: told without being parsed. */
  function quick({ data, event }: SseFrame): boolean {
    if (event === 'error') return false;
    const found = template.match(data);
    return found !== undefined && items.quick(found.outputIndex, found.index, found.kind, found.text, found.literal);
  }

  function learn(data: string, event: JsonObject): void {
    const plain = plainDelta(event);
    if (plain) template.learn(data, plain);
  }

  return {
    isDone: () => done,
    frame(frame: SseFrame, to: Emit) {
      if (done) return;
      emit = to;
      const { data } = frame;
      if (data === '' || quick(frame)) return;
      if (data.trim() === '[DONE]') return fail(earlyEnd());
      const event = parseObject(data);
      if (!event) return fail(malformed());
      const type = str(event['type']) || (frame.event ?? '');
      if (frame.event === 'error' && type !== 'error') return fail(decodeErrorObject(event));
      begin(type);
      read(type, event);
      learn(data, event);
    },
    end(to: Emit, cut?: Fault) {
      if (done) return;
      emit = to;
      fail(cut ?? earlyEnd());
    },
  };
}
