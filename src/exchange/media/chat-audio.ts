import {
  badField,
  createKeptText,
  GatewayError,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  type KeptText,
  parseObject,
} from '../../ir/index.ts';
import { createSseReader, type SseFrame, sseText } from '../../wire/sse.ts';
import { inEvents, wholeSound } from '../../media/speech/frames.ts';
import type { Call } from '../call.ts';
import type { ClientSink, OutHeaders } from '../client-sink.ts';
import { type ExchangePorts, respondFault, runExchange } from '../exchange.ts';
import { idOf, type WantedAudio } from './chat-audio-wish.ts';
import { type MediaCall, type MediaContext, runMedia } from './media-exchange.ts';
import { speak, type SpeechWish, writeSpeech } from './speech.ts';
import { writeAll } from './write-all.ts';

/*
 * Audio out of chat (`modalities: ["text", "audio"]`) where the chat model has none: a speaking model says what it answers.
 * https://platform.openai.com/docs/guides/audio
 */

/** Letters of an answer that are held to be spoken, and of what waits behind them: no voice reads as much. */
const MAX_TEXT = 4 * 1024 * 1024;
/** Bytes of an answer that came whole, with all that it says besides. */
const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

const TOO_LONG = gatewayFault('upstream', 'The upstream answered with more than can be spoken', { code: 'upstream_malformed' });

/** What a chat answered, taken before the client gets it. */
interface Captured {
  status: number;
  /** It broke off. */
  isCut?: true;
  /** It was too long to be spoken. */
  isEndless?: true;
  headers: OutHeaders;
  readonly pieces: (Buffer | string)[];
  bytes: number;
}

/** Told of an answer as it comes; `false` asks to wait until the client has taken what it was told of it. */
type OnBytes = (bytes: Buffer | string) => boolean;

/** Takes an answer in place of the client. */
class CapturingSink implements ClientSink {
  begun = false;
  readonly #outer: ClientSink;
  readonly #taken: Captured;
  readonly #onBytes: OnBytes | undefined;
  #over = false;

  constructor(outer: ClientSink, taken: Captured, onBytes: OnBytes | undefined) {
    this.#outer = outer;
    this.#taken = taken;
    this.#onBytes = onBytes;
  }
  get closed(): boolean {
    return this.#over || this.#outer.closed;
  }
  begin(status: number, headers: OutHeaders): void {
    this.begun = true;
    Object.assign(this.#taken, { status, headers });
  }
  write(bytes: Buffer | string): boolean {
    if (bytes.length === 0) return true;
    if (this.#onBytes && this.#taken.status === 200) return this.#onBytes(bytes);
    this.#hold(bytes);
    return true;
  }
  flush(): boolean | undefined {
    return this.#onBytes && this.#outer.begun ? this.#outer.flush?.() : undefined;
  }
  end(bytes?: Buffer | string): void {
    if (bytes !== undefined) this.write(bytes);
    this.#over = true;
  }
  abort(): void {
    this.#over = true;
    // What nobody was told of yet can still be refused.
    if (this.#outer.begun) this.#outer.abort();
    else this.#taken.isCut = true;
  }
  onGone(listener: () => void): void {
    this.#outer.onGone(listener);
  }
  onDrain(listener: () => void): void {
    this.#outer.onDrain(listener);
  }
  /** Throws the fault of an answer without an end. */
  #hold(bytes: Buffer | string): void {
    const taken = this.#taken;
    if (taken.isEndless) return;
    taken.bytes += bytes.length;
    if (taken.bytes <= MAX_ANSWER_BYTES) return void taken.pieces.push(bytes);
    taken.isEndless = true;
    taken.pieces.length = 0;
    throw new GatewayError(TOO_LONG);
  }
}

/** `onBytes`: told of the answer, which then is not held. */
const captureFor = (outer: ClientSink, taken: Captured, onBytes?: OnBytes): ClientSink => new CapturingSink(outer, taken, onBytes);

/** Refuses a chat whose answer broke off before anything was told of it. */
function refuseCut(call: Call, sink: ClientSink): void {
  respondFault(call, sink, gatewayFault('upstream', 'The upstream broke off in the middle of its answer', { code: 'upstream_cut' }));
}

const newCaptured = (): Captured => ({ status: 0, headers: {}, pieces: [], bytes: 0 });

const bytesOf = ({ pieces }: Captured): Buffer =>
  Buffer.concat(pieces.map((piece) => (typeof piece === 'string' ? Buffer.from(piece) : piece)));

const firstChoice = (reply: JsonObject): JsonObject | undefined => {
  const { choices } = reply;
  const first = Array.isArray(choices) ? choices[0] : undefined;
  return isObject(first) ? first : undefined;
};

const textAt = (object: Json | undefined, key: string): string => {
  const value = isObject(object) ? object[key] : undefined;
  return typeof value === 'string' ? value : '';
};

/** An hour: for clients that look at it. Our ids mean the same for ever. */
const EXPIRES_SECONDS = 3600;

/** Who speaks, and how the call for it is made. */
export interface Speaker {
  /** The name of the speaking model, as clients would write it. */
  readonly model: string;
  readonly platform?: string;
  readonly wanted: WantedAudio;
}

/** Sound as it comes, as events; `chunkOf`: what says a piece of it, in base64. */
async function* soundEvents(audio: AsyncIterable<Buffer>, chunkOf: (data: string) => JsonObject): AsyncGenerator<string> {
  for await (const piece of audio) for (const part of inEvents(piece)) yield sseText(JSON.stringify(chunkOf(part.toString('base64'))));
}

/** Whether sound has gone to the client: from then on no other voice may begin anew. */
interface Begun {
  yet: boolean;
}

function speechCall(call: Call, speaker: Speaker & { readonly text: string }, ports: ExchangePorts, begun: Begun): MediaCall {
  const { model, platform, text } = speaker;
  // The operator said that it speaks: a key's own models are those that its owner may name, and what the caller said of providers was
  // said of the chat.
  const { id: _id, platform: _platform, routing: _routing, key, ...rest } = call;
  const { models: _models, ...open } = key;
  return {
    ...rest,
    id: ports.newId('req_'),
    key: open,
    model,
    ability: 'speech',
    told: () => ({ input: text }),
    write: (writing) => writeSpeech(writing, wishFor(text, speaker)),
    inBand: call.stream,
    isRepeatable: true,
    isSpent: () => begun.yet,
    ...(platform === undefined ? {} : { platform }),
  };
}

const wishFor = (input: string, { wanted }: Speaker): SpeechWish => ({
  input,
  format: wanted.format,
  ...(wanted.voice === undefined ? {} : { voice: wanted.voice }),
});

async function soundOf(context: MediaContext, wish: SpeechWish): Promise<Buffer> {
  const { audio, heard, close } = await speak(context, wish);
  let sound: Buffer;
  try {
    sound = await wholeSound(audio);
  } finally {
    close();
  }
  context.count(heard.usage);
  return sound;
}

const nowSeconds = (ports: ExchangePorts): number => Math.floor(ports.clock.now() / 1000);

const audioOf = (transcript: string, data: string, ports: ExchangePorts): JsonObject => ({
  id: idOf(transcript),
  data,
  transcript,
  expires_at: nowSeconds(ports) + EXPIRES_SECONDS,
});

/** A whole reply with its text spoken. */
function spokenReply(reply: JsonObject, choice: JsonObject, audio: JsonObject): JsonObject {
  const { choices } = reply;
  const rest = Array.isArray(choices) ? choices.slice(1) : [];
  return { ...reply, choices: [{ ...choice, message: { ...(choice['message'] as JsonObject), content: null, audio } }, ...rest] };
}

async function speakWhole(call: Call, inner: Call, sink: ClientSink, speaker: Speaker, ports: ExchangePorts): Promise<void> {
  const taken = newCaptured();
  await runExchange(inner, captureFor(sink, taken), ports);
  if (sink.closed) return;
  if (taken.isEndless) return void respondFault(call, sink, TOO_LONG);
  if (taken.isCut) return refuseCut(call, sink);
  const bytes = bytesOf(taken);
  const pass = (): void => {
    sink.begin(taken.status, taken.headers, bytes.length);
    sink.end(bytes);
  };
  const reply = taken.status === 200 ? parseObject(bytes.toString('utf8')) : undefined;
  const choice = reply && firstChoice(reply);
  const text = textAt(choice?.['message'], 'content').trim();
  // Nothing to say: an error, or calls of tools.
  if (!reply || !choice || text === '') return pass();
  const begun: Begun = { yet: false };
  await runMedia(speechCall(call, { ...speaker, text }, ports, begun), sink, ports, async (context) => {
    const sound = await soundOf(context, wishFor(text, speaker));
    begun.yet = true;
    const body = Buffer.from(JSON.stringify(spokenReply(reply, choice, audioOf(text, sound.toString('base64'), ports))));
    sink.begin(200, { ...taken.headers, ...notesOf(context), 'content-type': 'application/json' }, body.length);
    sink.end(body);
  });
}

/** The notes of the speaking call beside the headers of the chat's. */
function notesOf(context: MediaContext): OutHeaders {
  const { 'x-pailou-notes': notes } = context.headers();
  return notes === undefined ? {} : { 'x-pailou-notes': notes };
}

/** A chunk of the reply with another delta. */
const chunkLike = (chunk: JsonObject, delta: JsonObject): JsonObject => ({ ...chunk, choices: [{ index: 0, delta, finish_reason: null }] });

/** A streamed answer that is to be spoken, as far as it was read. */
interface Listening {
  readonly sink: ClientSink;
  readonly headers: () => OutHeaders;
  /** What ends it: goes out once it was spoken. */
  readonly held: string[];
  readonly text: KeptText;
  /** Of all that is kept of it, in characters. */
  length: number;
  /** The last chunk that was no end. */
  last: JsonObject | undefined;
  isBroken: boolean;
  isEndless: boolean;
  /** The client takes more. */
  isTaken: boolean;
}

function writeChunk(listening: Listening, body: JsonObject): void {
  const { sink, headers } = listening;
  if (!sink.begun) sink.begin(200, headers());
  listening.isTaken = sink.write(sseText(JSON.stringify(body)));
}

function takeFrame(listening: Listening, { data }: SseFrame): void {
  const { held, text } = listening;
  const chunk = parseObject(data);
  if (listening.length > MAX_TEXT) {
    // What goes out after that is what was wrong.
    if (chunk?.['error'] !== undefined) writeChunk(listening, chunk);
    return;
  }
  if (!chunk || held.length > 0) {
    listening.length += data.length;
    return void held.push(sseText(data));
  }
  if (chunk['error'] !== undefined) listening.isBroken = true;
  const choice = firstChoice(chunk);
  if (!choice || choice['finish_reason']) return void held.push(sseText(data));
  listening.last = chunk;
  const { content, ...delta } = isObject(choice['delta']) ? choice['delta'] : {};
  if (typeof content !== 'string' || content === '') return writeChunk(listening, chunkLike(chunk, delta));
  listening.length += content.length;
  text.add(content);
  writeChunk(listening, chunkLike(chunk, { ...delta, audio: { transcript: content } }));
}

/** Throws the fault of an answer without an end, once: it cannot be spoken, and must not look like one that was. */
function refuseEndless(listening: Listening): void {
  if (listening.length <= MAX_TEXT || listening.isEndless) return;
  listening.isEndless = true;
  listening.isBroken = true;
  listening.held.splice(0);
  throw new GatewayError(TOO_LONG);
}

/** Reads a streamed answer: text goes out as the transcript, what ends it is held until it was spoken. */
function createListener(sink: ClientSink, headers: () => OutHeaders) {
  const reader = createSseReader();
  const listening: Listening = {
    sink,
    headers,
    held: [],
    text: createKeptText(),
    length: 0,
    last: undefined,
    isBroken: false,
    isEndless: false,
    isTaken: true,
  };
  const take = (frame: SseFrame): void => takeFrame(listening, frame);
  return {
    take(bytes: Buffer | string): boolean {
      listening.isTaken = true;
      reader.push(typeof bytes === 'string' ? Buffer.from(bytes) : bytes, take);
      refuseEndless(listening);
      return listening.isTaken;
    },
    end: (): void => reader.end(take),
    write: (body: JsonObject): void => writeChunk(listening, body),
    /** What was said, where it came to its end. */
    said(): { readonly text: string; readonly chunk: JsonObject } | undefined {
      const { last, isBroken } = listening;
      const whole = listening.text.text().trim();
      return last && !isBroken && whole !== '' ? { text: whole, chunk: last } : undefined;
    },
    rest: (): string => listening.held.join(''),
  };
}

async function speakStreamed(call: Call, inner: Call, sink: ClientSink, speaker: Speaker, ports: ExchangePorts): Promise<void> {
  const taken = newCaptured();
  const listener = createListener(sink, () => taken.headers);
  await runExchange(inner, captureFor(sink, taken, listener.take), ports);
  if (sink.closed) return;
  if (taken.isCut) return refuseCut(call, sink);
  listener.end();
  if (taken.status !== 200) {
    const bytes = bytesOf(taken);
    sink.begin(taken.status, taken.headers, bytes.length);
    return sink.end(bytes);
  }
  const finish = (): void => {
    if (!sink.begun) sink.begin(200, taken.headers);
    sink.end(listener.rest());
  };
  const said = listener.said();
  if (!said) return finish();
  const begun: Begun = { yet: false };
  await runMedia(speechCall(call, { ...speaker, text: said.text }, ports, begun), sink, ports, async (context) => {
    const { audio, heard, close } = await speak(context, wishFor(said.text, speaker));
    begun.yet = true;
    const spoken = soundEvents(audio, (data) => chunkLike(said.chunk, { audio: { data } }));
    try {
      await writeAll(sink, spoken);
    } finally {
      close();
    }
    context.count(heard.usage);
    const { id, expires_at } = audioOf(said.text, '', ports);
    listener.write(chunkLike(said.chunk, { audio: { id: id ?? '', expires_at: expires_at ?? 0 } }));
    finish();
  });
}

/** Runs a chat whose answer is spoken by another model. */
export function chatThenSpeak(asked: Call, body: JsonObject, sink: ClientSink, speaker: Speaker, ports: ExchangePorts): Promise<void> {
  const { modalities: _modalities, audio: _audio, ...rest } = body;
  // Whoever speaks has what the chat has left of its time.
  const call: Call = { ...asked, within: {} };
  const inner: Call = { ...call, prepared: { body: rest, raw: true } };
  return call.stream ? speakStreamed(call, inner, sink, speaker, ports) : speakWhole(call, inner, sink, speaker, ports);
}

/** The last thing that the client said. */
function lastText(body: JsonObject): string {
  const { messages } = body;
  const last: Json | undefined = Array.isArray(messages) ? messages.at(-1) : undefined;
  const content = isObject(last) ? last['content'] : undefined;
  if (typeof content === 'string') return content;
  return Array.isArray(content) ? content.map((part: Json) => textAt(part, 'text')).join('') : '';
}

/** Answers a chat with a model that only speaks: it says what the client said last. */
export async function speakChat(call: Call, body: JsonObject, sink: ClientSink, speaker: Speaker, ports: ExchangePorts): Promise<void> {
  const text = lastText(body).trim();
  if (text === '') throw badField('messages', "Invalid request: the last of 'messages' holds no text to say");
  const begun: Begun = { yet: false };
  // Here the caller's own model speaks: what was said of providers was said of it.
  const asked = { ...speechCall(call, { ...speaker, text }, ports, begun), ...(call.routing ? { routing: call.routing } : {}) };
  await runMedia(asked, sink, ports, async (context) => {
    const base = { id: ports.newId('chatcmpl-'), created: nowSeconds(ports), model: context.model };
    if (!call.stream) {
      const sound = await soundOf(context, wishFor(text, speaker));
      const message = { role: 'assistant', content: null, refusal: null, audio: audioOf(text, sound.toString('base64'), ports) };
      return context.reply({ ...base, object: 'chat.completion', choices: [{ index: 0, message, logprobs: null, finish_reason: 'stop' }] });
    }
    const { audio, heard, close } = await speak(context, wishFor(text, speaker));
    begun.yet = true;
    const chunkOf = (delta: JsonObject, finish: string | null = null): JsonObject => ({
      ...base,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, finish_reason: finish }],
    });
    const write = (chunk: JsonObject): boolean => sink.write(sseText(JSON.stringify(chunk)));
    const spoken = soundEvents(audio, (data) => chunkOf({ audio: { data } }));
    sink.begin(200, { ...context.headers(), 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' });
    const { id, expires_at } = audioOf(text, '', ports);
    write(chunkOf({ role: 'assistant', audio: { id: id ?? '', transcript: text } }));
    try {
      await writeAll(sink, spoken);
    } finally {
      close();
    }
    context.count(heard.usage);
    write(chunkOf({ audio: { expires_at: expires_at ?? 0 } }));
    write(chunkOf({}, 'stop'));
    sink.end(sseText('[DONE]'));
  });
}
