import {
  type ChatRequest,
  createCollector,
  createGrammarCheck,
  createNotes,
  type Emit,
  type Fault,
  type JsonObject,
  type ProtocolId,
  type Reply,
  type ReplyEvent,
  type Tool,
  unfold,
} from '../../src/ir/index.ts';
import { restoreTools } from '../../src/exchange/restore-tools.ts';
import { clientCodecs, providerCodecs } from '../../src/protocols/index.ts';
import type { ClientCodec, ProviderCodec, ReplyContext, SourceContext } from '../../src/protocols/protocol.ts';
import { createSseReader, type SseFrame, sseText } from '../../src/wire/sse.ts';

/** Both halves of a protocol. */
export type Codec = ClientCodec & ProviderCodec;

/** The protocols that clients and providers speak. */
export const PROTOCOLS: readonly ProtocolId[] = ['openai-chat', 'openai-responses', 'anthropic-messages', 'gemini'];

/** Both halves of a protocol; throws where one is not spoken. */
export function codecOf(id: ProtocolId): Codec {
  const [provider, client] = [providerCodecs.get(id), clientCodecs.get(id)];
  if (!provider || !client) throw new Error(`${id} is not spoken`);
  return { ...provider, ...client };
}

/** Who made what is replayed: the maker of its seals. */
export const MAKER = 'corpus';

let serial = 0;
const newId = (prefix: string): string => `${prefix}${(serial++).toString(36).padStart(8, '0')}`;

/** What decoders of replies know here. */
export const SOURCE = { maker: MAKER, newId };

/** A request for replies whose own was not recorded. */
export const anyRequest = (stream: boolean): ChatRequest => ({
  model: 'm',
  instructions: [],
  turns: [],
  tools: [],
  stream,
  includeUsage: true,
});

/** What an encoder of replies knows here. */
export const replyContext = (request: ChatRequest, body: JsonObject): ReplyContext => ({
  request,
  body,
  newId,
  now: () => 1_700_000_000,
  notes: createNotes(),
});

/** The frames of a stream's bytes, in the pieces in which they came. */
export function framesOf(...pieces: readonly Buffer[]): SseFrame[] {
  const frames: SseFrame[] = [];
  const reader = createSseReader();
  for (const piece of pieces) reader.push(piece, (frame) => frames.push(frame));
  reader.end((frame) => frames.push(frame));
  return frames;
}

/** The events that a codec reads off frames, after which the bytes end. What comes after the last word is handed to it too: that it is ignored is its own to see to. */
export function decodeFrames(codec: ProviderCodec, frames: readonly SseFrame[], cut?: Fault, source: SourceContext = SOURCE): ReplyEvent[] {
  const events: ReplyEvent[] = [];
  const emit: Emit = (event) => void events.push(event);
  const decoder = codec.streamDecoder(source);
  for (const frame of frames) decoder.frame(frame, emit);
  decoder.end(emit, cut);
  return events;
}

/** A whole reply as events. */
export function unfolded(reply: Reply): ReplyEvent[] {
  const events: ReplyEvent[] = [];
  unfold(reply, (event) => void events.push(event));
  return events;
}

/** Events as a whole reply, with the client's own names of tools. */
export function collected(events: readonly ReplyEvent[], tools: readonly Tool[] = []): Reply {
  const collector = createCollector();
  const emit = restoreTools(tools, (event) => collector.event(event));
  for (const event of events) emit(event);
  return collector.result().reply;
}

/** What a client is sent for events, as text. */
export function streamText(client: ClientCodec, events: readonly ReplyEvent[], context: ReplyContext): string {
  const encoder = client.streamEncoder(context);
  let text = '';
  const emit = restoreTools(context.request.tools, (event) => encoder.event(event, (data, name) => (text += sseText(data, name))));
  for (const event of events) emit(event);
  return text;
}

/** What a client is sent for events, as frames. */
export const encodeFrames = (client: ClientCodec, events: readonly ReplyEvent[], context: ReplyContext): SseFrame[] =>
  framesOf(Buffer.from(streamText(client, events, context)));

/** What is wrong with the order of events; `undefined` when nothing is. */
export function grammarProblem(events: readonly ReplyEvent[]): string | undefined {
  const check = createGrammarCheck();
  for (const event of events) {
    const problem = check.next(event);
    if (problem) return problem;
  }
  return check.end();
}
