import { isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import { deepgramFault } from '../speech/deepgram.ts';
import { numberAt, objectsAt, textAt } from './read.ts';
import { ownFields } from './refusals.ts';
import type { BytesTranscription, Segment } from './shape.ts';

const SPEAKERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Words and utterances alike; speakers are numbers here. */
function segmentsFrom(list: readonly JsonObject[] | undefined, keys: readonly string[]): readonly Segment[] | undefined {
  return list?.flatMap((one) => {
    const text = keys.map((key) => textAt(one, key)).find((found) => found !== undefined);
    const [start, end, number] = [numberAt(one, 'start'), numberAt(one, 'end'), numberAt(one, 'speaker')];
    const speaker = number === undefined ? undefined : (SPEAKERS[number] ?? String(number));
    if (text === undefined || start === undefined || end === undefined) return [];
    return [{ text, start, end, ...(speaker === undefined ? {} : { speaker }) }];
  });
}

const objectAt = (from: JsonObject, key: string): JsonObject => {
  const value = from[key];
  return isObject(value) ? value : {};
};

/** Deepgram listens to the file itself; what is asked stands in the address. https://developers.deepgram.com/reference/speech-to-text/listen-pre-recorded */
export const deepgramTranscription: BytesTranscription = {
  id: 'deepgram',
  kind: 'bytes',
  path(request, target) {
    const { language, temperature, format } = request;
    const own = ownFields(request, ['diarize', 'keyterm', 'utt_split'], target);
    if (temperature !== undefined) target.notes.add('temperature', 'dropped', 'the provider has no such setting for transcripts');
    const query = new URLSearchParams(
      Object.fromEntries<string>([
        ...(language === undefined ? [] : [['language', language] as const]),
        ['model', target.model] as const,
        ['smart_format', 'true'] as const,
        ['utterances', 'true'] as const,
        ...own,
        ...(format === 'diarized_json' && !own.some(([name]) => name === 'diarize') ? [['diarize', 'true'] as const] : []),
      ]),
    );
    return `/listen?${query.toString()}`;
  },
  streams: () => false,
  decode({ body }) {
    const reply = parseObject(body.toString('utf8')) ?? {};
    const results = objectAt(reply, 'results');
    const [best] = objectsAt(objectsAt(results, 'channels')?.[0] ?? {}, 'alternatives') ?? [];
    const text = best && textAt(best, 'transcript');
    if (best === undefined || text === undefined) throw new Error('an answer without a transcript');
    const seconds = numberAt(objectAt(reply, 'metadata'), 'duration');
    const language = textAt(objectsAt(results, 'channels')?.[0] ?? {}, 'detected_language');
    const words = segmentsFrom(objectsAt(best, 'words'), ['punctuated_word', 'word']);
    const segments = segmentsFrom(objectsAt(results, 'utterances'), ['transcript']);
    return {
      text,
      ...(seconds === undefined ? {} : { seconds }),
      ...(language === undefined ? {} : { language }),
      ...(words ? { words } : {}),
      ...(segments ? { segments } : {}),
    };
  },
  events: () => {
    throw new Error('there is no stream to read');
  },
  decodeFault: deepgramFault,
};
