import { GatewayError, gatewayFault, type JsonObject } from '../../ir/index.ts';
import { segmentsIn } from './segments.ts';
import type { Segment, Transcript, TranscriptFormat, TranscriptionRequest } from './shape.ts';

/** A transcript as a client gets it. */
export interface WrittenTranscript {
  readonly contentType: string;
  readonly body: string;
}

const pad = (value: number, width = 2): string => String(value).padStart(width, '0');

/** `01:02:03,456` in SubRip, with a point in WebVTT. */
function clock(seconds: number, point: ',' | '.'): string {
  const all = Math.max(0, Math.round(seconds * 1000));
  const [hours, minutes] = [Math.floor(all / 3_600_000), Math.floor(all / 60_000) % 60];
  return `${pad(hours)}:${pad(minutes)}:${pad(Math.floor(all / 1000) % 60)}${point}${pad(all % 1000, 3)}`;
}

/** A cue's text must hold no empty line, which would end it. */
const cueText = (text: string): string => text.trim().replaceAll(/\r?\n\s*/g, '\n');

function timed(transcript: Transcript): readonly Segment[] {
  const segments = segmentsIn(transcript);
  if (segments && (segments.length > 0 || transcript.text.trim() === '')) return segments;
  throw new GatewayError(gatewayFault('upstream', 'The provider gave no times with its transcript', { code: 'upstream_malformed' }));
}

const srt = (transcript: Transcript): string =>
  timed(transcript)
    .map(({ text, start, end }, index) => `${index + 1}\n${clock(start, ',')} --> ${clock(end, ',')}\n${cueText(text)}\n\n`)
    .join('');

/** `-->` would be read as times. https://www.w3.org/TR/webvtt1/#webvtt-cue-text-span */
const vttText = (text: string): string => cueText(text).replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

const vtt = (transcript: Transcript): string =>
  `WEBVTT\n\n${timed(transcript)
    .map(({ text, start, end }) => `${clock(start, '.')} --> ${clock(end, '.')}\n${vttText(text)}\n\n`)
    .join('')}`;

/** What it cost, as OpenAI says it. */
export function usageOf({ usage, seconds }: Transcript): JsonObject {
  if (usage) {
    const { input, output } = usage;
    return { usage: { type: 'tokens', input_tokens: input, output_tokens: output, total_tokens: input + output } };
  }
  return seconds === undefined ? {} : { usage: { type: 'duration', seconds: Math.ceil(seconds) } };
}

const lastEnd = (transcript: Transcript): number | undefined => segmentsIn(transcript)?.at(-1)?.end;

function verbose(transcript: Transcript, { task, granularities }: TranscriptionRequest): JsonObject {
  const { text, language, words } = transcript;
  const segments = granularities.includes('word') && !granularities.includes('segment') ? undefined : timed(transcript);
  return {
    task,
    ...(language === undefined ? {} : { language }),
    duration: transcript.seconds ?? lastEnd(transcript) ?? 0,
    text,
    ...(segments ? { segments: segments.map(({ text: said, start, end }, id) => ({ id, start, end, text: said })) } : {}),
    ...(granularities.includes('word')
      ? { words: (words ?? []).map(({ text: word, start, end }) => ({ word: word.trim(), start, end })) }
      : {}),
    ...usageOf(transcript),
  };
}

/** A segment as OpenAI's diarized transcripts have it. */
export const diarizedSegment = ({ text, start, end, speaker }: Segment, index: number): JsonObject => ({
  type: 'transcript.text.segment',
  id: `seg_${index}`,
  start,
  end,
  text,
  speaker: speaker ?? 'A',
});

function diarized(transcript: Transcript, { task }: TranscriptionRequest): JsonObject {
  return {
    task,
    duration: transcript.seconds ?? lastEnd(transcript) ?? 0,
    text: transcript.text,
    segments: timed(transcript).map(diarizedSegment),
    ...usageOf(transcript),
  };
}

const JSON_TYPE = 'application/json';

/** Each form of a transcript. */
const WRITERS: Readonly<Record<TranscriptFormat, (transcript: Transcript, request: TranscriptionRequest) => WrittenTranscript>> = {
  json: (one) => ({ contentType: JSON_TYPE, body: JSON.stringify({ text: one.text, ...usageOf(one) }) }),
  text: (one) => ({ contentType: 'text/plain; charset=utf-8', body: `${one.text}\n` }),
  srt: (one) => ({ contentType: 'application/x-subrip; charset=utf-8', body: srt(one) }),
  vtt: (one) => ({ contentType: 'text/vtt; charset=utf-8', body: vtt(one) }),
  verbose_json: (one, request) => ({ contentType: JSON_TYPE, body: JSON.stringify(verbose(one, request)) }),
  diarized_json: (one, request) => ({ contentType: JSON_TYPE, body: JSON.stringify(diarized(one, request)) }),
};

/** Writes a transcript as it was asked for. */
export const writeTranscript = (transcript: Transcript, request: TranscriptionRequest): WrittenTranscript =>
  WRITERS[request.format](transcript, request);
