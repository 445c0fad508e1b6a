import { elevenlabsFault } from '../speech/elevenlabs.ts';
import { answerWithText, numberAt, objectsAt, readSegments, textAt } from './read.ts';
import { ownFields } from './refusals.ts';
import type { FormTranscription, Segment } from './shape.ts';

const SPEAKERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** `speaker_0` as OpenAI's `A`. */
function named(segment: Segment): Segment {
  const number = /^speaker_(\d{1,2})$/.exec(segment.speaker ?? '')?.[1];
  const letter = number === undefined ? undefined : SPEAKERS[Number(number)];
  return letter === undefined ? segment : { ...segment, speaker: letter };
}

/** Scribe: words with times, always. https://elevenlabs.io/docs/api-reference/speech-to-text/convert */
export const elevenlabsTranscription: FormTranscription = {
  id: 'elevenlabs',
  kind: 'form',
  modelField: 'model_id',
  path: () => '/speech-to-text',
  fields(request, target) {
    const { language, temperature, format } = request;
    const own = ownFields(request, ['num_speakers', 'diarize', 'tag_audio_events', 'keyterms', 'seed'], target);
    const has = (name: string): boolean => own.some(([one]) => one === name);
    return [
      ...own,
      ...(language === undefined ? [] : [['language_code', language] as const]),
      ...(temperature === undefined ? [] : [['temperature', String(temperature)] as const]),
      ['timestamps_granularity', 'word'],
      // `(laughter)` is no word that was said.
      ...(has('tag_audio_events') ? [] : [['tag_audio_events', 'false'] as const]),
      ...(format === 'diarized_json' && !has('diarize') ? [['diarize', 'true'] as const] : []),
    ];
  },
  passes: () => false,
  streams: () => false,
  decode({ body }) {
    const reply = answerWithText(body);
    const spoken = objectsAt(reply, 'words')?.filter((word) => word['type'] === 'word' || word['type'] === undefined);
    const words = readSegments(spoken, 'text', 'speaker_id')?.map(named);
    const [language, seconds] = [textAt(reply, 'language_code'), numberAt(reply, 'audio_duration_secs')];
    return {
      text: reply.text,
      ...(language === undefined ? {} : { language }),
      ...(seconds === undefined ? {} : { seconds }),
      ...(words ? { words } : {}),
    };
  },
  events: () => {
    throw new Error('there is no stream to read');
  },
  decodeFault: elevenlabsFault,
};
