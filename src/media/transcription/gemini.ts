import {
  createKeptText,
  GatewayError,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type Usage,
} from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { eventObjects, noSound } from '../speech/frames.ts';
import { numberAt, objectsAt, textAt } from './read.ts';
import { needsTimes, ownFields, refuseWords } from './refusals.ts';
import type { InlineTranscription, Segment, Transcript, TranscriptionRequest } from './shape.ts';

/** 20 MB is what a request may have, of which base64 takes a third. https://ai.google.dev/gemini-api/docs/audio#inline-audio */
const MAX_BYTES = 14 * 1024 * 1024;

const SCHEMA: JsonObject = {
  type: 'OBJECT',
  properties: {
    language: { type: 'STRING', description: 'ISO 639-1 code of the spoken language' },
    segments: {
      type: 'ARRAY',
      items: {
        type: 'OBJECT',
        properties: {
          start: { type: 'STRING', description: 'MM:SS.mmm from the beginning of the audio' },
          end: { type: 'STRING', description: 'MM:SS.mmm from the beginning of the audio' },
          speaker: { type: 'STRING', description: 'A, B, C: who speaks' },
          text: { type: 'STRING' },
        },
        required: ['start', 'end', 'text'],
      },
    },
  },
  required: ['segments'],
};

function promptFor(request: TranscriptionRequest): string {
  const { task, language, prompt, format } = request;
  const lines = [
    task === 'translate'
      ? 'Translate what is said in the audio into English.'
      : 'Transcribe what is said in the audio, word for word, in the language in which it is said.',
    needsTimes(request)
      ? 'Give it as segments of at most one sentence, each with its start and end.'
      : 'Answer with the text of the transcript only. If nothing is said, answer with nothing.',
    ...(format === 'diarized_json' ? ['Tell the speakers apart.'] : []),
    ...(language === undefined ? [] : [`The audio is in: ${language.slice(0, 40)}.`]),
    ...(prompt === undefined ? [] : [`What came before, or words that may occur: ${prompt}`]),
  ];
  return lines.join('\n');
}

const at = (object: JsonObject | undefined, key: string): JsonObject | undefined => {
  const value = object?.[key];
  return isObject(value) ? value : undefined;
};

/** The text of one answer, thoughts left out. */
const textIn = (reply: JsonObject): string =>
  (objectsAt(at(objectsAt(reply, 'candidates')?.[0], 'content') ?? {}, 'parts') ?? [])
    .filter((part) => part['thought'] !== true)
    .map((part) => textAt(part, 'text') ?? '')
    .join('');

function factsIn(reply: JsonObject): { readonly usage?: Usage; readonly model?: string } {
  const usage = at(reply, 'usageMetadata');
  const model = textAt(reply, 'modelVersion');
  const output = usage ? (numberAt(usage, 'candidatesTokenCount') ?? 0) + (numberAt(usage, 'thoughtsTokenCount') ?? 0) : 0;
  return {
    ...(usage ? { usage: { input: numberAt(usage, 'promptTokenCount') ?? 0, output } } : {}),
    ...(model === undefined ? {} : { model }),
  };
}

/** Why there is no whole answer; nothing where there is one. */
function checkFinish(reply: JsonObject): void {
  const reason = textAt(at(reply, 'promptFeedback') ?? {}, 'blockReason');
  if (reason !== undefined) {
    const message = `The provider refused the audio (${reason.slice(0, 60)})`;
    throw new GatewayError(gatewayFault('bad_request', message, { by: 'upstream', code: 'content_filter' }));
  }
  const finish = textAt(objectsAt(reply, 'candidates')?.[0] ?? {}, 'finishReason');
  if (finish !== undefined && finish !== 'STOP') throw noSound(`The upstream's transcript is not whole (${finish.slice(0, 60)})`);
}

/** Seconds of `01:02.5`, `1:00:00` or a bare number. */
function secondsOf(value: Json | undefined): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string' || !/^\d+(?::\d{1,2}){0,2}(?:[.,]\d+)?s?$/.test(value.trim())) return undefined;
  return value
    .trim()
    .replace(',', '.')
    .replace(/s$/, '')
    .split(':')
    .reduce((sum, part) => sum * 60 + Number(part), 0);
}

function segmentsFrom(list: readonly JsonObject[]): readonly Segment[] {
  return list.flatMap((one) => {
    const [start, end, text] = [secondsOf(one['start']), secondsOf(one['end']), textAt(one, 'text')];
    const speaker = textAt(one, 'speaker');
    if (start === undefined || end === undefined || text === undefined) return [];
    return [{ text, start, end: Math.max(start, end), ...(speaker === undefined ? {} : { speaker }) }];
  });
}

function timedTranscript(text: string): Transcript {
  const answer = parseObject(text);
  const list = answer && objectsAt(answer, 'segments');
  if (!answer || !list) throw new Error('a transcript without segments');
  const segments = segmentsFrom(list);
  const language = textAt(answer, 'language');
  return {
    text: segments.map((segment) => segment.text.trim()).join(' '),
    segments,
    ...(language === undefined ? {} : { language }),
  };
}

/** Gemini listens in `generateContent`; times come as a structured answer. https://ai.google.dev/gemini-api/docs/audio */
export const geminiTranscription: InlineTranscription = {
  id: 'gemini',
  kind: 'inline',
  maxBytes: MAX_BYTES,
  encode(request, { data, mediaType }, target) {
    refuseWords(request);
    ownFields(request, ['prompt'], target);
    const { temperature } = request;
    const streams = request.stream && !needsTimes(request);
    return {
      path: `/models/${encodeURIComponent(target.model)}:${streams ? 'streamGenerateContent?alt=sse' : 'generateContent'}`,
      body: jsonBody({
        contents: [
          { role: 'user', parts: [{ text: promptFor(request) }, { inlineData: { mimeType: mediaType, data: data.toString('base64') } }] },
        ],
        generationConfig: {
          ...(temperature === undefined ? {} : { temperature }),
          ...(needsTimes(request) ? { responseMimeType: 'application/json', responseSchema: SCHEMA } : {}),
        },
      }),
    };
  },
  streams: (request) => !needsTimes(request),
  decode({ body }, request) {
    const reply = parseObject(body.toString('utf8'));
    if (!reply || !objectsAt(reply, 'candidates')) throw new Error('an answer without candidates');
    checkFinish(reply);
    const text = textIn(reply);
    return { ...(needsTimes(request) ? timedTranscript(text) : { text: text.trim() }), ...factsIn(reply) };
  },
  async *events(body) {
    const text = createKeptText();
    let isOver = false;
    let facts: ReturnType<typeof factsIn> = {};
    for await (const reply of eventObjects(body)) {
      checkFinish(reply);
      facts = { ...facts, ...factsIn(reply) };
      const delta = textIn(reply);
      text.add(delta);
      if (delta !== '') yield { type: 'delta', text: delta };
      if (objectsAt(reply, 'candidates')?.[0]?.['finishReason'] === 'STOP') isOver = true;
    }
    if (!isOver) throw noSound('The upstream ended in mid-answer');
    yield { type: 'done', transcript: { text: text.text(), ...facts } };
  },
};
