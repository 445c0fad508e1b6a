import { badField, type Json, missingField } from '../../ir/index.ts';
import { changed } from '../behaviour.ts';
import { countText } from '../count-tokens.ts';
import { readDirectives } from '../directives.ts';
import type { Step } from '../play.ts';
import { createMp3, id3Tag } from '../sound/mp3.ts';
import { lengthOf, SAMPLE_RATE, speak, type Spoken } from '../sound/speak.ts';
import { wavHead } from '../sound/wav.ts';
import { expectVoice, giveEvents, giveFlow, type MediaAsk, type MediaEvent, settleWork } from './ask.ts';
import { type Form, numberField, wordField } from './form.ts';

const FORMATS = ['mp3', 'wav', 'pcm'] as const;
type Format = (typeof FORMATS)[number];

const TYPES: Readonly<Record<Format, string>> = { mp3: 'audio/mpeg', wav: 'audio/wav', pcm: 'audio/pcm' };

/** OpenAI's bound. */
const MAX_CHARACTERS = 4096;

/** The bytes of samples, the lower first. */
export const sampleBytes = (samples: Int16Array): Buffer => Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength);

/** A name, or an object with an `id`, as custom voices have it. */
function voiceOf(value: Json | undefined): string {
  const name = typeof value === 'object' && value !== null && 'id' in value ? value['id'] : value;
  if (name === undefined || name === null) return 'alloy';
  if (typeof name !== 'string' || name === '' || name.length > 200) throw badField('voice', "Invalid request: 'voice' must be a name");
  return name;
}

function inputOf({ fields }: Form): string {
  const { input } = fields;
  if (input === undefined || input === null || input === '') throw missingField('input');
  if (typeof input !== 'string') throw badField('input', "Invalid request: 'input' must be a string");
  const length = [...input].length;
  if (length > MAX_CHARACTERS)
    throw badField(
      'input',
      `Invalid request: 'input' has ${length} characters, at most ${MAX_CHARACTERS} are taken`,
      'string_above_max_length',
    );
  return input;
}

function* wav(spoken: Spoken): Iterable<Buffer> {
  let head: Buffer | undefined = wavHead(SAMPLE_RATE, lengthOf(spoken) * 2);
  for (const samples of speak(spoken)) {
    yield head ? Buffer.concat([head, sampleBytes(samples)]) : sampleBytes(samples);
    head = undefined;
  }
}

function* pcm(spoken: Spoken): Iterable<Buffer> {
  for (const samples of speak(spoken)) yield sampleBytes(samples);
}

/** The encoder keeps the beginning of what it gets for itself: pieces without bytes are left out. */
function* encoded(spoken: Spoken, encoder: Awaited<ReturnType<typeof createMp3>>): Iterable<Buffer> {
  yield id3Tag(spoken);
  for (const samples of speak(spoken)) {
    const bytes = encoder.encode(samples);
    if (bytes.length > 0) yield bytes;
  }
  yield encoder.end();
}

const mp3 = async (spoken: Spoken): Promise<Iterable<Buffer>> => encoded(spoken, await createMp3());

/** A sound, piece by piece. */
const bytesOf = (spoken: Spoken, format: Format): Iterable<Buffer> | Promise<Iterable<Buffer>> =>
  format === 'mp3' ? mp3(spoken) : format === 'wav' ? wav(spoken) : pcm(spoken);

function* events(pieces: Iterable<Buffer>, { text }: Spoken): Iterable<MediaEvent> {
  let samples = 0;
  for (const bytes of pieces) {
    samples += bytes.length;
    yield { data: { type: 'speech.audio.delta', audio: bytes.toString('base64') } };
  }
  const [input, output] = [countText(text), Math.ceil(samples / 1000)];
  yield { data: { type: 'speech.audio.done', usage: { input_tokens: input, output_tokens: output, total_tokens: input + output } } };
}

/** POST /v1/audio/speech. https://platform.openai.com/docs/api-reference/audio/createSpeech */
export async function speech(ask: MediaAsk): Promise<Iterable<Step>> {
  const { form } = ask;
  expectVoice(ask, 'speech', 'speech');
  const { text, changes } = readDirectives(inputOf(form));
  const behaviour = changes.reduce(changed, ask.behaviour);
  const speed = numberField(form, 'speed', 0.25, 4) ?? 1;
  const format = wordField(form, 'response_format', FORMATS) ?? 'mp3';
  const streamed = wordField(form, 'stream_format', ['audio', 'sse']) === 'sse';
  const spoken: Spoken = { text, voice: voiceOf(form.fields['voice']), speed };
  settleWork(behaviour);
  const giving = { ...ask, behaviour };
  const pieces = await bytesOf(spoken, format);
  if (streamed) return giveEvents(giving, events(pieces, spoken));
  return giveFlow(giving, { contentType: TYPES[format], form: 'whole', pieces });
}
