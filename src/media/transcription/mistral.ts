import { createKeptText, isObject, type JsonObject, type Usage } from '../../ir/index.ts';
import { eventObjects, noSound } from '../speech/frames.ts';
import { answerWithText, numberAt, objectsAt, readSegments, textAt } from './read.ts';
import { needsTimes, ownFields } from './refusals.ts';
import type { FormTranscription, Transcript } from './shape.ts';

function usageIn(reply: JsonObject): { readonly usage?: Usage } {
  const { usage } = reply;
  if (!isObject(usage)) return {};
  const [total, output] = [numberAt(usage, 'total_tokens'), numberAt(usage, 'completion_tokens')];
  // Sound is not part of `prompt_tokens`.
  return total === undefined || output === undefined ? {} : { usage: { input: total - output, output } };
}

function transcriptOf(reply: JsonObject & { readonly text: string }): Transcript {
  const found = readSegments(objectsAt(reply, 'segments'), 'text', 'speaker_id');
  const isWords = objectsAt(reply, 'segments')?.every((one) => String(one['type'] ?? '').includes('word')) === true && found?.length !== 0;
  const { usage } = reply;
  const seconds = isObject(usage) ? numberAt(usage, 'prompt_audio_seconds') : undefined;
  const [language, model] = [textAt(reply, 'language'), textAt(reply, 'model')];
  return {
    text: reply.text,
    ...usageIn(reply),
    ...(language === undefined ? {} : { language }),
    ...(model === undefined ? {} : { model }),
    ...(seconds === undefined ? {} : { seconds }),
    ...(found && found.length > 0 ? (isWords ? { words: found } : { segments: found }) : {}),
  };
}

/** Voxtral: no `response_format`, times and speakers where asked. https://docs.mistral.ai/api/endpoint/audio/transcriptions */
export const mistralTranscription: FormTranscription = {
  id: 'mistral',
  kind: 'form',
  modelField: 'model',
  path: () => '/audio/transcriptions',
  fields(request, target) {
    const { language, temperature, granularities, format, stream } = request;
    const own = ownFields(request, ['diarize', 'context_bias', 'file_url'], target);
    const isTimed = needsTimes(request) || granularities.length > 0;
    const times = !isTimed ? undefined : granularities.includes('word') ? 'word' : 'segment';
    if (times !== undefined && language !== undefined) {
      target.notes.add('language', 'dropped', 'the provider takes no language where it gives times');
    }
    return [
      ...own,
      ...(language === undefined || times !== undefined ? [] : [['language', language] as const]),
      ...(temperature === undefined ? [] : [['temperature', String(temperature)] as const]),
      ...(times === undefined ? [] : [['timestamp_granularities[]', times] as const]),
      ...(format === 'diarized_json' && !own.some(([name]) => name === 'diarize') ? [['diarize', 'true'] as const] : []),
      ...(stream ? [['stream', 'true'] as const] : []),
    ];
  },
  // Asked in its own words, which OpenAI's clients do not know: answered in them.
  passes: ({ fields, granularities }) =>
    !fields.some(({ name }) => name === 'response_format') && (granularities.length > 0 || fields.some(({ name }) => name === 'diarize')),
  streams: () => true,
  decode: ({ body }) => transcriptOf(answerWithText(body)),
  async *events(body) {
    let isOver = false;
    const text = createKeptText();
    for await (const event of eventObjects(body)) {
      const type = textAt(event, 'type') ?? '';
      if (type === 'transcription.text.delta') {
        const delta = textAt(event, 'text') ?? '';
        text.add(delta);
        yield { type: 'delta', text: delta };
      } else if (type === 'transcription.segment') {
        for (const segment of readSegments([event], 'text', 'speaker_id') ?? []) yield { type: 'segment', segment };
      } else if (type === 'transcription.done') {
        isOver = true;
        yield { type: 'done', transcript: transcriptOf({ ...event, text: textAt(event, 'text') ?? text.text() }) };
      }
    }
    if (!isOver) throw noSound('The upstream ended in mid-answer');
  },
};
