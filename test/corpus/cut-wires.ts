// How streams are cut that were recorded: into which events, how an upstream of that wire fails in mid-stream, and when all is said.
import { EventStreamCodec } from '@smithy/eventstream-codec';
import { gatewayFault, type ProtocolId, type ReplyEvent, type Usage } from '../../src/ir/index.ts';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { providerCodecs } from '../../src/protocols/index.ts';
import { createEventStreamReader } from '../../src/wire/aws-event-stream.ts';
import type { SseFrame } from '../../src/wire/sse.ts';
import { DIALECTS } from '../exchange/dialects.ts';
import { framesOf, SOURCE } from './replay.ts';

/** What an upstream speaks: a protocol of chat, or the events of another endpoint. */
export type CutWire = ProtocolId | 'transcription';

/** A stream as it was recorded, event by event with what ends them. */
export interface Recorded {
  readonly wire: CutWire;
  readonly events: readonly Buffer[];
}

interface Wire {
  readonly type: string;
  /** An error in mid-stream. */
  readonly error: Buffer;
  /** The upstream as it is configured. */
  readonly settings: Omit<ProviderSettings, 'baseUrl' | 'key'>;
  split(bytes: Buffer): readonly Buffer[];
  /** Whether these events say all. */
  isOver(events: readonly Buffer[]): boolean;
  /** What they say was used, where chat does. */
  usageIn(events: readonly Buffer[]): Usage | undefined;
}

const EVENT_STREAM = 'application/vnd.amazon.eventstream';

const bySse = (bytes: Buffer): readonly Buffer[] =>
  bytes
    .toString()
    .split(/(?<=\r?\n\r?\n)(?=.)/s)
    .map((text) => Buffer.from(text));

/** Each message begins with its length: https://docs.aws.amazon.com/transcribe/latest/dg/streaming-setting-up.html */
function byLength(bytes: Buffer): readonly Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += bytes.readUInt32BE(at)) messages.push(bytes.subarray(at, at + bytes.readUInt32BE(at)));
  return messages;
}

function binaryFrames(bytes: Buffer): readonly SseFrame[] {
  const frames: SseFrame[] = [];
  createEventStreamReader().push(bytes, (frame) => frames.push(frame));
  return frames;
}

/** What a provider's dialect makes of a stream that ends there. */
function readBy(id: ProtocolId, frames: readonly SseFrame[]): { readonly isDone: boolean; readonly usage?: Usage } {
  const decoder = providerCodecs.get(id)?.streamDecoder(SOURCE);
  let usage: Usage | undefined;
  const emit = (event: ReplyEvent): void => {
    if (event.type === 'usage') usage = event.usage;
  };
  for (const frame of frames) decoder?.frame(frame, emit);
  const isDone = decoder?.isDone() === true;
  // Some tell what was used last of all.
  decoder?.end(emit, gatewayFault('upstream', 'The answer was cut'));
  return { isDone, ...(usage ? { usage } : {}) };
}

/** An exception as AWS frames it: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */
const exception = (type: string, message: string): Buffer => {
  const codec = new EventStreamCodec(
    (bytes) => Buffer.from(bytes).toString('utf8'),
    (text) => Buffer.from(text),
  );
  const names = { ':message-type': 'exception', ':exception-type': type, ':content-type': 'application/json' };
  const headers = Object.fromEntries(Object.entries(names).map(([name, value]) => [name, { type: 'string' as const, value }]));
  return Buffer.from(codec.encode({ headers, body: Buffer.from(JSON.stringify({ message })) }));
};

const sseWire = (id: ProtocolId, error: string, settings: Wire['settings']): Wire => ({
  type: 'text/event-stream',
  error: Buffer.from(error),
  settings,
  split: bySse,
  isOver: (events) => readBy(id, framesOf(Buffer.concat(events))).isDone,
  usageIn: (events) => readBy(id, framesOf(Buffer.concat(events))).usage,
});

const errorOf = (id: ProtocolId): string => DIALECTS.find((one) => one.id === id)?.errorEvent ?? '';
const compatible = (...protocols: readonly ProtocolId[]): Wire['settings'] =>
  ({ preset: 'openai-compatible', protocols }) as Wire['settings'];

/** All wires of which there are recorded streams. */
export const CUT_WIRES: Readonly<Record<CutWire, Wire>> = {
  'openai-chat': sseWire('openai-chat', errorOf('openai-chat'), compatible('openai-chat')),
  'openai-responses': sseWire('openai-responses', errorOf('openai-responses'), compatible('openai-responses')),
  'anthropic-messages': sseWire('anthropic-messages', errorOf('anthropic-messages'), { preset: 'anthropic-compatible' }),
  gemini: sseWire('gemini', errorOf('gemini'), { preset: 'gemini-compatible' }),
  'openai-completions': sseWire('openai-completions', errorOf('openai-chat'), compatible('openai-completions')),
  'bedrock-converse': {
    type: EVENT_STREAM,
    error: exception('internalServerException', 'it broke'),
    settings: { preset: 'bedrock', region: 'eu-west-1' } as Wire['settings'],
    split: byLength,
    isOver: (events) => readBy('bedrock-converse', binaryFrames(Buffer.concat(events))).isDone,
    usageIn: (events) => readBy('bedrock-converse', binaryFrames(Buffer.concat(events))).usage,
  },
  transcription: {
    type: 'text/event-stream',
    error: Buffer.from(errorOf('openai-chat')),
    settings: { preset: 'openai' },
    split: bySse,
    isOver: (events) => events.some((event) => event.includes('"transcript.text.done"')),
    usageIn: () => undefined,
  },
};

/** A recorded stream by its events. */
export const recordedStream = (wire: CutWire, bytes: string | Buffer): Recorded => ({
  wire,
  events: CUT_WIRES[wire].split(Buffer.from(bytes as Buffer)),
});
