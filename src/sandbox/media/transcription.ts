import { badField, GatewayError, gatewayFault, missingField } from '../../ir/index.ts';
import { changed } from '../behaviour.ts';
import { countText } from '../count-tokens.ts';
import { readDirectives } from '../directives.ts';
import type { Step } from '../play.ts';
import { type Transcript, transcribe } from '../sound/transcribe.ts';
import { splitText } from '../split-text.ts';
import { expectVoice, giveEvents, giveJson, giveWhole, type MediaAsk, type MediaEvent, settleWork } from './ask.ts';
import { flagField, type FormFile, listField, numberField, textField, wordField } from './form.ts';

const FORMATS = ['json', 'text', 'srt', 'vtt', 'verbose_json', 'diarized_json'] as const;

/** OpenAI's bound. */
const MAX_BYTES = 25 * 1024 * 1024;
const TAKEN = 'wav, mp3, flac, ogg, m4a, mp4, webm';

function fileOf(files: readonly FormFile[]): FormFile {
  const file = files.find((one) => one.name === 'file');
  if (!file) throw missingField('file');
  if (file.bytes.length > MAX_BYTES) {
    const message = `Invalid request: 'file' has ${file.bytes.length} bytes, at most ${MAX_BYTES} are taken`;
    throw new GatewayError(gatewayFault('too_large', message, { param: 'file', code: 'file_too_large', by: 'upstream' }));
  }
  return file;
}

function heard(file: FormFile): Transcript {
  const transcript = transcribe(file.bytes);
  if (transcript) return transcript;
  throw badField(
    'file',
    `Invalid file format: the ${file.bytes.length} bytes in 'file' are no sound of a known kind (${TAKEN})`,
    'invalid_file_format',
  );
}

/** The sandbox knows no languages: what is not in Latin letters is given as it is, and said to be so. */
function inEnglish(transcript: Transcript): Transcript {
  const mark = (text: string): string =>
    /[^\p{sc=Latin}\p{sc=Zyyy}\p{sc=Zinh}]/u.test(text) ? `[not translated by the sandbox] ${text}` : text;
  const sentences = transcript.sentences.map((sentence) => ({ ...sentence, text: mark(sentence.text) }));
  return { ...transcript, language: 'english', text: mark(transcript.text), sentences };
}

const two = (value: number): string => String(value).padStart(2, '0');

/** `00:01:02,345`; WebVTT writes a point. */
function clock(seconds: number, point: ',' | '.'): string {
  const ms = Math.round(seconds * 1000);
  const [hours, minutes, rest] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60];
  return `${two(hours)}:${two(minutes)}:${two(rest)}${point}${String(ms % 1000).padStart(3, '0')}`;
}

const srt = ({ sentences }: Transcript): string =>
  sentences.map(({ text, start, end }, at) => `${at + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${text}\n`).join('\n');

const vtt = ({ sentences }: Transcript): string =>
  `WEBVTT\n\n${sentences.map(({ text, start, end }) => `${clock(start, '.')} --> ${clock(end, '.')}\n${text}\n`).join('\n')}`;

const segments = ({ sentences }: Transcript, temperature: number): readonly object[] =>
  sentences.map(({ text, start, end }, id) => ({
    id,
    seek: 0,
    start,
    end,
    text,
    tokens: [],
    temperature,
    avg_logprob: -0.1,
    compression_ratio: 1,
    no_speech_prob: 0,
  }));

/** Speakers by their voices, in the order in which they are heard. */
function speakers({ sentences }: Transcript): readonly object[] {
  const voices = [...new Set(sentences.map(({ voice }) => voice))];
  return sentences.map(({ text, start, end, voice }, at) => ({
    type: 'transcript.text.segment',
    id: `seg_${at}`,
    speaker: String.fromCharCode(65 + (voices.indexOf(voice) % 26)),
    start,
    end,
    text,
  }));
}

function usageOf({ text, seconds }: Transcript, prompt: string): object {
  const [audio, words, output] = [Math.ceil(seconds * 10), countText(prompt), countText(text)];
  return {
    type: 'tokens',
    input_tokens: audio + words,
    input_token_details: { audio_tokens: audio, text_tokens: words },
    output_tokens: output,
    total_tokens: audio + words + output,
  };
}

function* events(transcript: Transcript, diarized: boolean, usage: object): Iterable<MediaEvent> {
  if (diarized) for (const segment of speakers(transcript)) yield { data: segment as MediaEvent['data'] };
  for (const delta of splitText(transcript.text)) yield { data: { type: 'transcript.text.delta', delta } };
  yield { data: { type: 'transcript.text.done', text: transcript.text, usage } };
}

/** POST /v1/audio/transcriptions and /translations. https://platform.openai.com/docs/api-reference/audio/createTranscription */
export function transcription(ask: MediaAsk, task: 'transcribe' | 'translate'): Iterable<Step> {
  const { form } = ask;
  expectVoice(ask, 'transcribe', 'transcripts');
  const file = fileOf(form.files);
  const format = wordField(form, 'response_format', task === 'translate' ? FORMATS.slice(0, 5) : FORMATS) ?? 'json';
  const temperature = numberField(form, 'temperature', 0, 1) ?? 0;
  const grains = listField(form, 'timestamp_granularities');
  const prompt = textField(form, 'prompt') ?? '';
  const stream = task === 'transcribe' && flagField(form, 'stream');
  const behaviour = readDirectives(prompt).changes.reduce(changed, ask.behaviour);
  settleWork(behaviour);
  const found = heard(file);
  const transcript = task === 'translate' ? inEnglish(found) : found;
  const { text, language, seconds, words } = transcript;
  const usage = usageOf(transcript, prompt);
  const giving = { ...ask, behaviour };
  if (stream) return giveEvents(giving, events(transcript, format === 'diarized_json', usage));
  switch (format) {
    case 'text':
      return giveWhole(giving, () => `${text}\n`, 'text/plain; charset=utf-8');
    case 'srt':
      return giveWhole(giving, () => srt(transcript), 'text/plain; charset=utf-8');
    case 'vtt':
      return giveWhole(giving, () => vtt(transcript), 'text/plain; charset=utf-8');
    case 'json':
      return giveJson(giving, () => ({ text, usage }));
    case 'diarized_json':
      return giveJson(giving, () => ({ task, duration: seconds, text, segments: speakers(transcript), usage }));
    case 'verbose_json':
      return giveJson(giving, () => ({
        task,
        language: textField(form, 'language') ?? language,
        duration: seconds,
        text,
        // Words alone where only they were asked for.
        ...(grains.length === 0 || grains.includes('segment') ? { segments: segments(transcript, temperature) } : {}),
        ...(grains.includes('word') ? { words: words.map(({ text: word, start, end }) => ({ word, start, end })) } : {}),
        usage: { type: 'duration', seconds: Math.ceil(seconds) },
      }));
  }
}
