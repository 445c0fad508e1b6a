import { badField, type ChatRequest, isObject, type Json, type JsonObject, type Part, textOf } from '../../ir/index.ts';
import { wholeSamples } from '../../media/audio/samples.ts';
import { inEvents, noSound, wholeSound } from '../../media/speech/frames.ts';
import { splitScript } from '../../media/speech/script.ts';
import { objectAt, optionalArray, optionalObject, optionalString, requiredString } from '../../wire/fields.ts';
import { createFrameText } from '../lanes/client-stream.ts';
import type { StreamForm } from '../call.ts';
import { begun } from './begun.ts';
import type { MediaContext } from './media-exchange.ts';
import { speak, type SpeechWish, type Spoken, writeSpeech } from './speech.ts';
import { writeAll } from './write-all.ts';
import type { Writing } from './writing.ts';

/*
 * Gemini's way to ask for speech, in front of providers that have an endpoint for it.
 * https://ai.google.dev/gemini-api/docs/speech-generation
 */

/** What is to be said, voice by voice. */
export interface GeminiSpeech {
  readonly lines: readonly SpeechWish[];
  /** What was lost, told once the target is known. */
  readonly notes: readonly (readonly [string, 'dropped', string])[];
}

const AT = 'generationConfig.speechConfig';
const MIME = 'audio/L16;codec=pcm;rate=24000';

/** Google's JSON takes `snake_case` too. */
function camelDeep(value: Json): Json {
  if (Array.isArray(value)) return value.map(camelDeep);
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [
      key.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      camelDeep(one ?? null),
    ]),
  );
}

function voiceIn(config: JsonObject, at: string): string | undefined {
  const voice = optionalObject(config, 'voiceConfig', at);
  const prebuilt = voice && optionalObject(voice, 'prebuiltVoiceConfig', `${at}.voiceConfig`);
  return prebuilt && optionalString(prebuilt, 'voiceName', `${at}.voiceConfig.prebuiltVoiceConfig`);
}

interface Speaker {
  readonly name: string;
  readonly voice?: string;
}

function speakersIn(config: JsonObject): readonly Speaker[] | undefined {
  const several = optionalObject(config, 'multiSpeakerVoiceConfig', AT);
  if (!several) return undefined;
  const at = `${AT}.multiSpeakerVoiceConfig.speakerVoiceConfigs`;
  if (optionalObject(config, 'voiceConfig', AT)) {
    throw badField(`${AT}.voiceConfig`, "Invalid request: give either 'voiceConfig' or 'multiSpeakerVoiceConfig', not both");
  }
  const list = optionalArray(several, 'speakerVoiceConfigs', `${AT}.multiSpeakerVoiceConfig`) ?? [];
  if (list.length < 1 || list.length > 2) throw badField(at, `Invalid request: '${at}' must name two speakers, not ${list.length}`);
  const speakers = list.map((one, index) => {
    const speaker = objectAt(one, `${at}[${index}]`);
    const voice = voiceIn(speaker, `${at}[${index}]`);
    return { name: requiredString(speaker, 'speaker', `${at}[${index}]`).trim(), ...(voice === undefined ? {} : { voice }) };
  });
  if (new Set(speakers.map(({ name }) => name.toLowerCase())).size !== speakers.length) {
    throw badField(at, `Invalid request: '${at}' names a speaker twice`);
  }
  return speakers;
}

/** The text of parts; anything else cannot be spoken. */
function textIn(parts: readonly Part[], at: string): string {
  const other = parts.find((part) => part.kind !== 'text');
  if (other) throw badField(at, `Invalid request: '${at}' may hold text only where speech is asked for`);
  return textOf(parts);
}

const LOST = ['temperature', 'topP', 'topK', 'maxOutputTokens', 'stop', 'seed', 'reasoning', 'output'] as const;

/** Reads what a request wants spoken. Throws the 400 that names the field. */
export function readGeminiSpeech(request: ChatRequest): GeminiSpeech {
  if (request.tools.length > 0) throw badField('tools', "Invalid request: 'tools' cannot be used where speech is asked for");
  if ((request.n ?? 1) > 1) throw badField('generationConfig.candidateCount', 'Invalid request: speech comes as one candidate only');
  const text = request.turns.map(({ parts }, index) => textIn(parts, `contents[${index}].parts`)).join('\n');
  if (text.trim() === '') throw badField('contents', "Invalid request: 'contents' holds nothing to say");
  const system = textIn(request.instructions, 'systemInstruction').trim();
  const rest = request.residue?.gemini?.['generationConfig'];
  const raw = isObject(rest) ? rest['speechConfig'] : undefined;
  const config = raw === undefined ? {} : objectAt(camelDeep(raw), AT);
  const lost = LOST.filter((field) => request[field] !== undefined).map(
    (field) => [field, 'dropped', 'speech has no such setting'] as const,
  );
  const language = config['languageCode'] === undefined ? [] : [[`${AT}.languageCode`, 'dropped', 'speech has no such setting'] as const];
  const speakers = speakersIn(config);
  const wish = (input: string, voice: string | undefined, instructions: string): SpeechWish => ({
    input,
    format: 'pcm',
    ...(voice === undefined ? {} : { voice }),
    ...(instructions === '' ? {} : { instructions }),
  });
  if (!speakers) return { lines: [wish(text, voiceIn(config, AT), system)], notes: [...lost, ...language] };
  const script = splitScript(
    text,
    speakers.map(({ name }) => name),
    'contents',
  );
  const instructions = [system, script.preamble].filter((one) => one !== '').join('\n');
  const voiceOf = (speaker: string): string | undefined => speakers.find(({ name }) => name === speaker)?.voice;
  return {
    lines: script.lines.map(({ speaker, text: said }) => wish(said, voiceOf(speaker), instructions)),
    notes: [...lost, ...language],
  };
}

/** Everything that is said, one after the other; the next voice is asked while one still speaks. */
async function* allSaid(context: MediaContext, lines: readonly SpeechWish[], heard: Spoken['heard']): AsyncGenerator<Buffer> {
  let next: Promise<Spoken> | undefined;
  const ask = (index: number): Promise<Spoken> | undefined => {
    const wish = lines[index];
    const asked = wish && speak(context, wish);
    // Waited for below, perhaps not at all.
    asked?.catch(() => {});
    return asked;
  };
  try {
    next = ask(0);
    for (let index = 0; next; index++) {
      const spoken: Spoken = await next;
      next = ask(index + 1);
      try {
        yield* spoken.audio;
      } finally {
        spoken.close();
      }
      const { usage } = spoken.heard;
      if (usage) heard.usage = { input: (heard.usage?.input ?? 0) + usage.input, output: (heard.usage?.output ?? 0) + usage.output };
    }
  } finally {
    next?.then(
      (spoken) => spoken.close(),
      () => {},
    );
  }
}

interface Reply {
  readonly modelVersion: string;
  readonly responseId: string;
}

const chunk = (reply: Reply, pcm: Buffer | undefined, more: JsonObject = {}, usage: JsonObject = {}): JsonObject => ({
  candidates: [
    {
      content: { role: 'model', parts: pcm ? [{ inlineData: { mimeType: MIME, data: pcm.toString('base64') } }] : [] },
      ...more,
      index: 0,
    },
  ],
  ...usage,
  ...reply,
});

function usageIn({ usage }: Spoken['heard']): JsonObject {
  if (!usage) return {};
  const { input, output } = usage;
  return { usageMetadata: { promptTokenCount: input, candidatesTokenCount: output, totalTokenCount: input + output } };
}

async function whole(context: MediaContext, audio: AsyncIterable<Buffer>, heard: Spoken['heard'], reply: Reply): Promise<void> {
  const pcm = await wholeSound(audio);
  context.count(heard.usage);
  context.reply(chunk(reply, pcm, { finishReason: 'STOP' }, usageIn(heard)));
}

async function* frames(
  audio: AsyncIterable<Buffer>,
  heard: Spoken['heard'],
  reply: Reply,
  text: ReturnType<typeof createFrameText>,
): AsyncGenerator<string> {
  for await (const pcm of audio) for (const part of inEvents(pcm)) yield text.frame(JSON.stringify(chunk(reply, part)));
  yield text.frame(JSON.stringify(chunk(reply, undefined, { finishReason: 'STOP' }, usageIn(heard)))) + text.close();
}

/** Writes for a target what `speakGemini` would ask it, so that it is known what it refuses or loses. */
export function writeGeminiSpeech(writing: Writing, { lines, notes }: GeminiSpeech): void {
  for (const [field, what, why] of notes) writing.notes.add(field, what, why);
  for (const line of lines) writeSpeech(writing, line);
}

/** Answers Gemini's request for speech by a speaking provider. */
export async function speakGemini(context: MediaContext, asked: GeminiSpeech, stream: boolean, form: StreamForm): Promise<void> {
  for (const [field, what, why] of asked.notes) context.notes.add(field, what, why);
  context.refuseLosses();
  const heard: Spoken['heard'] = {};
  const reply = { modelVersion: context.model, responseId: context.ports.newId('speech-') };
  const audio = wholeSamples(allSaid(context, asked.lines, heard));
  if (!stream) return whole(context, audio, heard, reply);
  const text = createFrameText(form);
  // An error before the first sound keeps its status.
  const said = await begun(frames(audio, heard, reply, text), noSound);
  context.sink.begin(200, { ...context.headers(), 'content-type': text.contentType, 'cache-control': 'no-cache' });
  await writeAll(context.sink, said);
  context.sink.end();
  context.count(heard.usage);
}
