import {
  createSequencer,
  type Emit,
  type Fault,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type PartHead,
  type Sequencer,
  type Stop,
} from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { SourceContext, StreamDecoder } from '../protocol.ts';
import { decodeException } from './faults.ts';
import { decodeCitation, decodeImage, decodeStop, decodeUsage, redacted, signature, str, tierOf } from './reply-decode.ts';

/** A block that is open on the wire. */
interface OpenBlock {
  readonly kind: 'text' | 'reasoning' | 'tool-call' | 'redacted';
  signature: Json | undefined;
  /** Base64 of redacted thinking, in its pieces. */
  hidden: string;
}

/** Where reading one stream stands. */
interface Reading {
  readonly context: SourceContext;
  readonly parts: Sequencer;
  /** Blocks by their number. */
  readonly open: Map<string, OpenBlock>;
  /** Where events go now. */
  emit: Emit;
  started: boolean;
  over: boolean;
  stop: Stop | undefined;
  tier: { readonly serviceTier?: string };
}

function newReading(context: SourceContext): Reading {
  const reading: Reading = {
    context,
    parts: createSequencer((event) => reading.emit(event)),
    open: new Map(),
    emit: () => {},
    started: false,
    over: false,
    stop: undefined,
    tier: {},
  };
  return reading;
}

/** The block of that number, begun where none is open: text and thinking begin without a word, their first delta opens them. */
function blockAt({ open, parts }: Reading, key: string, kind: OpenBlock['kind'], head?: PartHead): OpenBlock {
  const known = open.get(key);
  if (known) return known;
  const block: OpenBlock = { kind, signature: undefined, hidden: '' };
  open.set(key, block);
  if (head) parts.start(key, head);
  return block;
}

function say({ parts }: Reading, key: string, text: string): void {
  if (text !== '') parts.push(key, { type: 'part-delta', text });
}

function think(reading: Reading, key: string, said: JsonObject): void {
  const { text, signature: signed, redactedContent } = said;
  if (typeof redactedContent === 'string') blockAt(reading, key, 'redacted').hidden += redactedContent;
  if (typeof text === 'string') {
    blockAt(reading, key, 'reasoning', { kind: 'reasoning' });
    say(reading, key, text);
  }
  if (typeof signed === 'string') blockAt(reading, key, 'reasoning', { kind: 'reasoning' }).signature = signed;
}

function startBlock(reading: Reading, key: string, { toolUse, image }: JsonObject): void {
  if (isObject(toolUse)) {
    const id = str(toolUse['toolUseId']) || reading.context.newId('tooluse_');
    blockAt(reading, key, 'tool-call', { kind: 'tool-call', id, name: str(toolUse['name']) });
  }
  const made = isObject(image) ? decodeImage(image) : undefined;
  if (made) blockAt(reading, key, 'text', made);
}

function blockDelta(reading: Reading, key: string, delta: JsonObject): void {
  const { text, toolUse, reasoningContent, citation } = delta;
  if (typeof text === 'string') {
    blockAt(reading, key, 'text', { kind: 'text' });
    say(reading, key, text);
  } else if (isObject(toolUse)) say(reading, key, str(toolUse['input']));
  else if (isObject(reasoningContent)) think(reading, key, reasoningContent);
  else if (isObject(citation)) {
    blockAt(reading, key, 'text', { kind: 'text' });
    reading.parts.push(key, { type: 'part-note', citations: [decodeCitation(citation)] });
  }
}

function stopBlock({ open, parts, context }: Reading, key: string): void {
  const block = open.get(key);
  if (!block) return;
  open.delete(key);
  if (block.kind !== 'redacted') {
    parts.end(key, { type: 'part-end', ...signature(block.signature, context.maker) });
    return;
  }
  const part = redacted(block.hidden, context.maker);
  if (part.kind !== 'reasoning') return;
  const { text: _text, seal, ...head } = part;
  parts.start(key, head);
  parts.end(key, { type: 'part-end', ...(seal ? { seal } : {}) });
}

function begin(reading: Reading): void {
  if (reading.started) return;
  reading.started = true;
  reading.emit({ type: 'reply-start', id: reading.context.newId('msg_'), model: '' });
}

function fail(reading: Reading, fault: Fault): void {
  reading.over = true;
  reading.emit({ type: 'fault', fault });
}

function stopMessage(reading: Reading, reason: Json | undefined): void {
  begin(reading);
  for (const key of reading.open.keys()) stopBlock(reading, key);
  reading.parts.endAll();
  reading.parts.flush();
  reading.stop = decodeStop(reason);
}

function finish(reading: Reading, stop: Stop): void {
  reading.over = true;
  reading.emit({ type: 'reply-end', stop, ...reading.tier });
}

/** The stop comes before the last word, which counts the tokens. */
function count(reading: Reading, value: JsonObject): void {
  begin(reading);
  reading.tier = tierOf(value);
  if (isObject(value['usage'])) reading.emit({ type: 'usage', usage: decodeUsage(value['usage']) });
  if (reading.stop) finish(reading, reading.stop);
}

function read(reading: Reading, name: string, value: JsonObject): void {
  const key = String(value['contentBlockIndex'] ?? 0);
  switch (name) {
    case 'messageStart':
      return begin(reading);
    case 'contentBlockStart':
      begin(reading);
      if (isObject(value['start'])) startBlock(reading, key, value['start']);
      return;
    case 'contentBlockDelta':
      begin(reading);
      if (isObject(value['delta'])) blockDelta(reading, key, value['delta']);
      return;
    case 'contentBlockStop':
      return stopBlock(reading, key);
    case 'messageStop':
      return stopMessage(reading, value['stopReason']);
    case 'metadata':
      return count(reading, value);
    case 'exception':
      return fail(reading, decodeException(value));
    default: // What is not known yet.
  }
}

const notJson = (): Fault =>
  gatewayFault('upstream', 'The upstream sent an event that is not JSON', { code: 'upstream_bad_event', by: 'upstream' });

const earlyEnd = (): Fault =>
  gatewayFault('upstream', 'The upstream ended its stream before the message was complete', { code: 'stream_ended_early', by: 'upstream' });

/** Reads a ConverseStream. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  const reading = newReading(context);
  return {
    isDone: () => reading.over,
    frame(frame: SseFrame, to: Emit) {
      if (reading.over) return;
      reading.emit = to;
      const value = parseObject(frame.data);
      if (value) read(reading, frame.event ?? '', value);
      else if (frame.data !== '') fail(reading, notJson());
    },
    end(to: Emit, cut?: Fault) {
      if (reading.over) return;
      reading.emit = to;
      // The reply is whole once its stop has come; only the count was lost then.
      if (reading.stop && !cut) finish(reading, reading.stop);
      else fail(reading, cut ?? earlyEnd());
    },
  };
}
