import { badField, isObject, type JsonObject } from '../../ir/index.ts';
import { converted, sourceFormat } from '../../media/audio/convert.ts';
import { findFfmpeg } from '../../media/audio/ffmpeg.ts';
import { type AudioFormat, CONTENT_TYPES, PCM_RATE } from '../../media/audio/formats.ts';
import { noSound } from '../../media/speech/frames.ts';
import { speechCodecs } from '../../media/speech/index.ts';
import type { Heard, SpeechRequest } from '../../media/speech/shape.ts';
import { sseText } from '../../wire/sse.ts';
import { begun } from './begun.ts';
import type { MediaContext } from './media-exchange.ts';
import { hasEvents, passingEvents } from './passing-events.ts';
import { codecOf } from './whole.ts';
import type { Writing } from './writing.ts';
import { writeAll } from './write-all.ts';

/** Speech as a client asks for it: the voice in the client's words, the format that must come out. */
export type SpeechWish = Omit<SpeechRequest, 'events'>;

/** A voice as it speaks. */
export interface Spoken {
  readonly contentType: string;
  /** At least one piece comes; errors throw. */
  readonly audio: AsyncIterable<Buffer>;
  readonly heard: Heard;
  /** Hangs up on the provider, where it still speaks. */
  close(): void;
}

/** A voice in the provider's own words: by the operator's table, the preset's, else as it is. */
function voiceFor({ provider, media, model, notes }: Writing, asked: string | undefined): string | undefined {
  const voices = media.wire.voices ?? {};
  const fitted = (voice: string | undefined): string | undefined => voice?.replaceAll('{model}', model);
  if (asked === undefined) return fitted(media.wire.defaultVoice);
  const named = (table: Readonly<Record<string, string>>): string | undefined => (Object.hasOwn(table, asked) ? table[asked] : undefined);
  const own = named(provider.settings.voices ?? {});
  if (own !== undefined) return own;
  const like = fitted(named(voices));
  if (like === '') {
    notes.add('voice', 'approximated', 'the voice is the one that the model names');
    return undefined;
  }
  if (like !== undefined && like !== asked) notes.add('voice', 'approximated', `the provider's '${like}' speaks for '${asked}'`);
  return like ?? asked;
}

/** What is asked of a target: in the form of sound that it has from which what is wished for can be made. */
function askFor(writing: Writing, wish: SpeechWish) {
  const codec = codecOf(speechCodecs, writing);
  const { target } = writing;
  const ffmpeg = findFfmpeg();
  const format = sourceFormat(wish.format, codec.formats(target), ffmpeg);
  const { voice: asked, ...rest } = wish;
  const voice = voiceFor(writing, asked);
  return { codec, format, ffmpeg, request: codec.encode({ ...rest, format, ...(voice === undefined ? {} : { voice }) }, target) };
}

/** Writes for a target what `speak` would ask it, so that it is known what it refuses or loses. */
export const writeSpeech = (writing: Writing, wish: SpeechWish): void => void askFor(writing, wish);

/** Asks the target to speak. What comes is in the format that was wished for, as it comes. */
export async function speak(context: MediaContext, wish: SpeechWish): Promise<Spoken> {
  const { codec, format, ffmpeg, request } = askFor(context, wish);
  const answer = await context.open(request, codec);
  const heard: Heard = {};
  const sound = await begun(codec.decode(answer, heard), noSound);
  const sampleRate = heard.sampleRate ?? PCM_RATE;
  const from = { format, sampleRate, ...(heard.bytes === undefined ? {} : { bytes: heard.bytes }) };
  const audio = await begun(converted(sound, from, wish.format, ffmpeg), noSound);
  const isAsItCame = format === wish.format && format !== 'pcm';
  return { contentType: contentTypeOf(answer.headers, isAsItCame, wish.format), audio, heard, close: () => void answer.body.leave() };
}

const EVENTS = 'text/event-stream; charset=utf-8';

function countSpoken(context: MediaContext, { usage }: JsonObject): void {
  if (!isObject(usage)) return;
  const { input_tokens: input, output_tokens: output } = usage;
  if (typeof input === 'number' && typeof output === 'number') context.count({ input, output });
}

/** Sound as OpenAI writes it in events. https://platform.openai.com/docs/api-reference/audio/speech-audio-delta-event */
async function* events({ audio, heard }: Pick<Spoken, 'audio' | 'heard'>, context: MediaContext): AsyncGenerator<string> {
  for await (const bytes of audio) yield sseText(JSON.stringify({ type: 'speech.audio.delta', audio: bytes.toString('base64') }));
  context.count(heard.usage);
  const { input, output } = heard.usage ?? { input: 0, output: 0 };
  const usage = { input_tokens: input, output_tokens: output, total_tokens: input + output };
  yield sseText(JSON.stringify({ type: 'speech.audio.done', usage }));
}

async function sayEvents(context: MediaContext, spoken: Pick<Spoken, 'audio' | 'heard'>): Promise<void> {
  context.sink.begin(200, { ...context.headers(), 'content-type': EVENTS, 'cache-control': 'no-cache' });
  await writeAll(context.sink, events(spoken, context));
  context.sink.end();
}

/** Answers with events: the provider's own where it is of the client's dialect and has them, else made of its sound. */
export async function speakEvents(context: MediaContext, wish: SpeechWish): Promise<void> {
  const { sink, target } = context;
  const codec = codecOf(speechCodecs, context);
  const hasOwn = codec.id === 'openai' && target.options['events'] === true && codec.formats(target).includes(wish.format);
  if (!hasOwn) {
    return sayEvents(context, await speak(context, wish));
  }
  const { voice: asked, ...rest } = wish;
  const voice = voiceFor(context, asked);
  const answer = await context.open(codec.encode({ ...rest, events: true, ...(voice === undefined ? {} : { voice }) }, target), codec);
  if (!hasEvents(answer.headers)) {
    // A copy that knows no events answers with sound.
    const heard: Heard = {};
    return sayEvents(context, { audio: await begun(codec.decode(answer, heard), noSound), heard });
  }
  const passing = passingEvents(answer.body, 'speech.audio.done', (event) => countSpoken(context, event));
  // An error before anything was said keeps its status.
  const pieces = await begun(passing, noSound);
  sink.begin(200, { ...context.headers(), 'content-type': String(answer.headers['content-type']) });
  await writeAll(sink, pieces);
  sink.end();
}

/** The provider's own type where its bytes go through as they are and it says what they are. */
function contentTypeOf(headers: Readonly<Record<string, string | string[] | undefined>>, isAsItCame: boolean, format: AudioFormat): string {
  const said = headers['content-type'];
  return isAsItCame && typeof said === 'string' && /^audio\/[\w.+-]+/i.test(said) ? said : CONTENT_TYPES[format];
}

/** A speed that can be asked for at all. */
export function checkSpeed(speed: number | undefined): void {
  if (speed !== undefined && !(speed >= 0.25 && speed <= 4)) {
    throw badField('speed', "Invalid request: 'speed' must be between 0.25 and 4");
  }
}
