// Who reads streams that were cut: of wires of chat the official SDK of every protocol, of other endpoints that of the vendor whose they are.
import OpenAI, { toFile } from 'openai';
import type { JsonObject, ProtocolId } from '../../src/ir/index.ts';
import type { SseFrame } from '../../src/wire/sse.ts';
import type { CutWire } from './cut-wires.ts';
import { codecOf, decodeFrames } from './replay.ts';
import { sdkClients } from './sdk-clients.ts';

/** What a client was told, by kind: text, thoughts, arguments. */
export type Said = ReadonlyMap<string, string>;

/** An official SDK that reads a stream. */
export interface CutReader {
  /** What it speaks, as rows say it. */
  readonly name: string;
  /** The protocol in the records of its calls. */
  readonly protocol: ProtocolId;
  /** `heard` is told each event as the SDK hands it on; throws what the SDK does. */
  read(model: string, heard: (frame: SseFrame) => void): Promise<unknown>;
  said(frames: readonly SseFrame[]): Said;
}

interface Server {
  readonly url: string;
  readonly key: string;
}

function saidInChat(client: ProtocolId, frames: readonly SseFrame[]): Said {
  const codec = codecOf(client);
  const said = new Map<string, string>();
  let kind = '';
  for (const event of decodeFrames(codec, frames)) {
    if (event.type === 'part-start') kind = `${event.choice ?? 0} ${event.part.kind}`;
    else if (event.type === 'part-delta') said.set(kind, (said.get(kind) ?? '') + event.text);
  }
  return said;
}

/** The same where each event has its text in it. */
function saidIn(frames: readonly SseFrame[], textsOf: (event: JsonObject) => readonly (readonly [kind: string, text: unknown])[]): Said {
  const said = new Map<string, string>();
  for (const { data } of frames)
    for (const [kind, text] of textsOf(JSON.parse(data) as JsonObject))
      if (typeof text === 'string') said.set(kind, (said.get(kind) ?? '') + text);
  return said;
}

async function hearAll(stream: AsyncIterable<object>, heard: (frame: SseFrame) => void): Promise<void> {
  for await (const event of stream) heard({ data: JSON.stringify(event) });
}

function completionsReader({ url, key }: Server): CutReader {
  const sdk = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  return {
    name: 'openai-completions',
    protocol: 'openai-completions',
    read: async (model, heard) => hearAll(await sdk.completions.create({ model, prompt: 'x', stream: true }), heard),
    said: (frames) =>
      saidIn(frames, ({ choices }) => (choices as readonly JsonObject[]).map(({ index, text }) => [`${String(index)} text`, text])),
  };
}

function transcriptionReader({ url, key }: Server): CutReader {
  const sdk = new OpenAI({ baseURL: `${url}/v1`, apiKey: key, maxRetries: 0 });
  return {
    name: 'transcription',
    protocol: 'openai-chat',
    async read(model, heard) {
      const file = await toFile(Buffer.alloc(64), 'a.wav', { type: 'audio/wav' });
      await hearAll(await sdk.audio.transcriptions.create({ model, file, stream: true }), heard);
    },
    said: (frames) =>
      saidIn(frames, ({ type, delta, text }) => [[String(type), type === 'transcript.text.done' ? undefined : (delta ?? text)]]),
  };
}

/** The readers of a wire's streams. */
export function cutReaders(server: Server): (wire: CutWire) => readonly CutReader[] {
  const chats = sdkClients(server).map(({ protocol, read }): CutReader => ({
    name: protocol,
    protocol,
    read: (model, heard) => read(model, true, heard),
    said: (frames) => saidInChat(protocol, frames),
  }));
  const others: { readonly [W in CutWire]?: readonly CutReader[] } = {
    'openai-completions': [completionsReader(server)],
    transcription: [transcriptionReader(server)],
  };
  return (wire) => others[wire] ?? chats;
}
