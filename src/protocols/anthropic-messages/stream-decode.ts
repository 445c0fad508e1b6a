import {
  createSequencer,
  type Emit,
  type Fault,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type Stop,
} from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { SourceContext, StreamDecoder } from '../protocol.ts';
import { withResidue } from './dialect.ts';
import { decodeErrorEvent } from './faults.ts';
import { messageResidue, str, tierOf } from './reply-decode.ts';
import { decodeStop } from './stops.ts';
import { blockDelta, startBlock, stopBlock, type StreamBlocks, tellText } from './stream-blocks.ts';
import { readTextDelta } from './text-delta.ts';
import { decodeUsage, mergeUsage } from './usage.ts';

/** Where reading one stream stands. */
interface Reading extends StreamBlocks {
  /** Where events go now. */
  emit: Emit;
  started: boolean;
  over: boolean;
  usage: JsonObject;
  stop: Stop | undefined;
  residue: JsonObject;
  tier: { readonly serviceTier?: string };
}

function newReading({ maker }: SourceContext): Reading {
  const reading: Reading = {
    open: new Map(),
    parts: createSequencer((event) => reading.emit(event)),
    maker,
    emit: () => {},
    started: false,
    over: false,
    usage: {},
    stop: undefined,
    residue: {},
    tier: {},
  };
  return reading;
}

const without = (from: JsonObject, ...keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(from).filter(([key, value]) => !keys.includes(key) && value !== null && value !== undefined));

function fail(reading: Reading, fault: Fault): void {
  reading.over = true;
  reading.emit({ type: 'fault', fault });
}

function report(reading: Reading, usage: Json | undefined): void {
  if (!isObject(usage)) return;
  reading.usage = mergeUsage(reading.usage, usage);
  reading.tier = tierOf(reading.usage);
  reading.emit({ type: 'usage', usage: decodeUsage(reading.usage) });
}

function begin(reading: Reading, message: JsonObject): void {
  if (reading.started) return;
  reading.started = true;
  reading.residue = messageResidue(message);
  const usage = isObject(message['usage']) ? message['usage'] : {};
  reading.emit({
    type: 'reply-start',
    id: str(message['id']),
    model: str(message['model']),
    ...tierOf(usage),
    ...withResidue(reading.residue),
  });
  report(reading, message['usage']);
}

function change(reading: Reading, event: JsonObject): void {
  const delta = isObject(event['delta']) ? event['delta'] : {};
  if (typeof delta['stop_reason'] === 'string') reading.stop = decodeStop(delta['stop_reason'], delta['stop_sequence']);
  reading.residue = {
    ...reading.residue,
    ...without(delta, 'stop_reason', 'stop_sequence'),
    ...without(event, 'type', 'delta', 'usage'),
  };
  report(reading, event['usage']);
}

function finish(reading: Reading): void {
  const { parts, stop, tier, residue } = reading;
  reading.over = true;
  parts.endAll();
  parts.flush();
  reading.emit({ type: 'reply-end', stop: stop ?? { reason: 'other' }, ...tier, ...withResidue(residue) });
}

function read(reading: Reading, value: JsonObject, name: string): void {
  const key = String(value['index'] ?? 0);
  if (name.startsWith('content_block') || name === 'message_delta' || name === 'message_stop') begin(reading, {});
  switch (name) {
    case 'message_start':
      return begin(reading, isObject(value['message']) ? value['message'] : {});
    case 'content_block_start':
      if (isObject(value['content_block'])) startBlock(reading, key, value['content_block']);
      return;
    case 'content_block_delta':
      if (isObject(value['delta'])) blockDelta(reading, key, value['delta']);
      return;
    case 'content_block_stop':
      return stopBlock(reading, key);
    case 'message_delta':
      return change(reading, value);
    case 'message_stop':
      return finish(reading);
    case 'error':
      return fail(reading, decodeErrorEvent(value));
    default: // `ping`, and what is not known yet.
  }
}

/** The commonest frame, told without being parsed as a whole; false where it is another. */
function quick(reading: Reading, data: string): boolean {
  const delta = readTextDelta(data);
  const block = delta && reading.open.get(delta.key);
  if (!delta || block?.kind !== 'text') return false;
  tellText(reading, delta.key, block, delta.text, delta.literal);
  return true;
}

function readFrame(reading: Reading, { data, event }: SseFrame): void {
  const value = parseObject(data);
  if (value) read(reading, value, str(value['type']) || (isObject(value['error']) ? 'error' : (event ?? '')));
  else if (data !== '' && data !== '[DONE]') {
    fail(reading, gatewayFault('upstream', 'The upstream sent an event that is not JSON', { code: 'upstream_bad_event', by: 'upstream' }));
  }
}

const earlyEnd = (): Fault =>
  gatewayFault('upstream', 'The upstream ended its stream before the message was complete', { code: 'stream_ended_early', by: 'upstream' });

/** Reads a stream of `/v1/messages`. https://docs.claude.com/en/docs/build-with-claude/streaming */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  const reading = newReading(context);
  return {
    isDone: () => reading.over,
    frame(frame: SseFrame, to: Emit) {
      if (reading.over) return;
      reading.emit = to;
      if (!quick(reading, frame.data)) readFrame(reading, frame);
    },
    end(to: Emit, cut?: Fault) {
      if (reading.over) return;
      reading.emit = to;
      fail(reading, cut ?? earlyEnd());
    },
  };
}
