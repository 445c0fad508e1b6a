import { isObject, type JsonObject, type Usage } from '../../ir/index.ts';
import { deploymentPath } from '../speech/openai.ts';
import type { MediaTarget } from '../codec.ts';
import { answerWithText, numberAt, objectsAt, readSegments, textAt } from './read.ts';
import { cannotGive } from './refusals.ts';
import { TRANSCRIPT_FORMATS, type FormTranscription, type TranscriptFormat, type TranscriptionRequest } from './shape.ts';

/** What the provider gives itself; absent: everything that is asked for, or an error of its own. */
function formatsOf({ options }: MediaTarget): readonly TranscriptFormat[] | undefined {
  const words = options['formats'];
  return typeof words === 'string' ? TRANSCRIPT_FORMATS.filter((format) => words.split(' ').includes(format)) : undefined;
}

/** What to ask for, so that `format` can be written. */
function sourceFormat(format: TranscriptFormat, formats: readonly TranscriptFormat[]): TranscriptFormat {
  if (formats.includes(format)) return format;
  if (format === 'text') return 'json';
  const isTimed = formats.includes('verbose_json');
  if (isTimed && (format === 'srt' || format === 'vtt')) return 'verbose_json';
  const able = isTimed
    ? [...new Set<TranscriptFormat>([...formats, 'text', 'srt', 'vtt'])]
    : [...new Set<TranscriptFormat>([...formats, 'text'])];
  throw cannotGive(format, able);
}

/** A provider that gives only some formats does not stream either. */
const isLimited = (target: MediaTarget): boolean => formatsOf(target) !== undefined;

function usageIn(reply: JsonObject): { readonly usage?: Usage } {
  const { usage } = reply;
  if (!isObject(usage)) return {};
  const [input, output] = [numberAt(usage, 'input_tokens'), numberAt(usage, 'output_tokens')];
  return input === undefined || output === undefined ? {} : { usage: { input, output } };
}

function fieldsFor(request: TranscriptionRequest, target: MediaTarget): readonly (readonly [string, string])[] {
  const sent = request.fields.map(({ sentAs, value }) => [sentAs, value] as const);
  const formats = formatsOf(target);
  if (!formats) return sent;
  const format = sourceFormat(request.format, formats);
  const rest = sent.filter(([name]) => name !== 'response_format' && name !== 'stream');
  // The usual one is not named: a server that knows only that one may know no such field.
  return format === 'json' ? rest : [...rest, ['response_format', format]];
}

/**
 * OpenAI's own and all that are like it. Options: `formats` (words, where not all are given; such a provider does not stream),
 * `versioned` (Azure). https://platform.openai.com/docs/api-reference/audio/createTranscription
 */
export const openaiTranscription: FormTranscription = {
  id: 'openai',
  kind: 'form',
  modelField: 'model',
  path: (task, target) => deploymentPath(task === 'translate' ? '/audio/translations' : '/audio/transcriptions', target),
  fields: fieldsFor,
  passes(request, target) {
    const formats = formatsOf(target);
    return !formats || (formats.includes(request.format) && !request.stream);
  },
  streams: (_request, target) => !isLimited(target),
  decode({ body }) {
    const reply = answerWithText(body);
    const [language, seconds, model] = [textAt(reply, 'language'), numberAt(reply, 'duration'), textAt(reply, 'model')];
    const segments = readSegments(objectsAt(reply, 'segments'), 'text');
    const words = readSegments(objectsAt(reply, 'words'), 'word');
    return {
      text: reply.text,
      ...usageIn(reply),
      ...(language === undefined ? {} : { language }),
      ...(seconds === undefined ? {} : { seconds }),
      ...(model === undefined ? {} : { model }),
      ...(segments ? { segments } : {}),
      ...(words ? { words } : {}),
    };
  },
  // Streams of its own dialect pass as they are.
  events: () => {
    throw new Error('a stream of the own dialect is not read');
  },
};
