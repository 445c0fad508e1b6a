import { badField, isObject, type JsonObject } from '../../../ir/index.ts';
import type { MediaContext } from '../../../exchange/media/media-exchange.ts';
import { answerMedia } from '../../../exchange/once/answer-media.ts';
import { askedIn } from '../../../exchange/once/request-key.ts';
import { checkSpeed, speak, speakEvents, type SpeechWish, writeSpeech } from '../../../exchange/media/speech.ts';
import { writeAll } from '../../../exchange/media/write-all.ts';
import type { Writing } from '../../../exchange/media/writing.ts';
import { parseBody } from '../../../exchange/write-request.ts';
import { AUDIO_FORMATS, type AudioFormat } from '../../../media/audio/formats.ts';
import { optionalNumber, optionalString, requiredString, unknownMembers, wrongKind } from '../../../wire/fields.ts';
import { fingerprintOf, onlyOnce } from '../idempotency.ts';
import { whileAlive } from '../stay-alive.ts';
import type { MediaEndpoint } from './endpoint.ts';
import { mediaCall, readScanned } from './read-json.ts';

const KNOWN: ReadonlySet<string> = new Set(['model', 'input', 'voice', 'response_format', 'speed', 'instructions', 'stream_format']);

/** A voice's name, or the id of one that was made for the caller. https://platform.openai.com/docs/api-reference/audio/createSpeech */
function readVoice(body: JsonObject): string | undefined {
  const { voice } = body;
  if (!isObject(voice)) return optionalString(body, 'voice');
  if (typeof voice['id'] !== 'string') throw wrongKind('voice.id', 'a string', voice['id']);
  return voice['id'];
}

function readFormat(body: JsonObject): AudioFormat {
  const asked = optionalString(body, 'response_format') ?? 'mp3';
  const format = AUDIO_FORMATS.find((one) => one === asked);
  if (format) return format;
  throw badField(
    'response_format',
    `Invalid request: 'response_format' must be one of ${AUDIO_FORMATS.join(', ')}, not '${asked.slice(0, 40)}'`,
  );
}

function readStreamFormat(body: JsonObject): 'audio' | 'sse' {
  const asked = optionalString(body, 'stream_format') ?? 'audio';
  if (asked === 'audio' || asked === 'sse') return asked;
  throw badField('stream_format', `Invalid request: 'stream_format' must be audio or sse, not '${asked.slice(0, 40)}'`);
}

function readWish(body: JsonObject): SpeechWish {
  const input = requiredString(body, 'input');
  if (input.trim() === '') throw badField('input', "Invalid request: 'input' is empty: there is nothing to say");
  const voice = readVoice(body);
  const speed = optionalNumber(body, 'speed');
  checkSpeed(speed);
  const instructions = optionalString(body, 'instructions');
  return {
    input,
    format: readFormat(body),
    more: unknownMembers(body, KNOWN),
    ...(voice === undefined ? {} : { voice }),
    ...(speed === undefined ? {} : { speed }),
    ...(instructions === undefined || instructions === '' ? {} : { instructions }),
  };
}

/** POST /v1/audio/speech. */
export const speechEndpoint: MediaEndpoint = async (visit, operation, request, ports) => {
  const { body: bytes, scan, routing } = await readScanned(visit, request);
  const body = parseBody(bytes);
  const call = mediaCall(visit, operation, { fields: body, ...(routing ? { routing } : {}) });
  const wish = { ...readWish(body), own: { object: body, bytes, scan } };
  const asEvents = readStreamFormat(body) === 'sse';
  const write = (writing: Writing): void => writeSpeech(writing, wish);
  const work = async (context: MediaContext): Promise<void> => {
    if (asEvents) return speakEvents(context, wish);
    const { contentType, audio, heard } = await speak(context, wish);
    const { sink } = context;
    sink.begin(200, { ...context.headers(), 'content-type': contentType });
    await writeAll(sink, audio);
    sink.end();
    context.count(heard.usage);
  };
  const once = (): Promise<unknown> =>
    onlyOnce(visit, ports, {
      fingerprint: () => fingerprintOf(visit, [bytes, JSON.stringify(routing ?? null)]),
      about: { operation: operation.ability, asked: call.model },
      work: (within) =>
        answerMedia({ ...call, write, inBand: asEvents, isRepeatable: true }, within.sink, ports, { meaning: () => askedIn(body), work }),
    });
  // Of sound nothing can be said that is not heard.
  await (asEvents ? whileAlive(visit, 'sse', ports, once) : once());
};
