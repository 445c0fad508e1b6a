import { AUDIO_FORMATS, type AudioFormat } from '../audio/formats.ts';
import { isDeepStrictEqual } from 'node:util';
import { isObject, type JsonObject } from '../../ir/index.ts';
import { editPieces } from '../../wire/top-level-scan.ts';
import { jsonBody, type MediaTarget } from '../codec.ts';
import { isType, noSound } from './frames.ts';
import type { OwnBody, SpeechCodec } from './shape.ts';

/** Where an endpoint is on Azure, whose older API has the deployment in the path; elsewhere it is the endpoint itself. */
export function deploymentPath(endpoint: string, { model, options, settings }: MediaTarget): string {
  if (options['versioned'] !== true) return endpoint;
  const version = settings['apiVersion'];
  return version ? `/deployments/${encodeURIComponent(model)}${endpoint}?api-version=${encodeURIComponent(version)}` : `/v1${endpoint}`;
}

/** A voice as the client said it: its name, or an object with the id of one that was made. */
function voiceAs(voice: string | undefined, own: OwnBody | undefined): JsonObject {
  if (voice === undefined) return {};
  const said = own?.object['voice'];
  return { voice: isObject(said) && said['id'] === voice ? said : voice };
}

/** Said only to those who know it. */
function streamFormat(events: boolean | undefined, own: OwnBody | undefined, options: MediaTarget['options']): JsonObject {
  if (events === true) return { stream_format: 'sse' };
  return options['events'] === true && own?.object['stream_format'] === 'audio' ? { stream_format: 'audio' } : {};
}

/** The client's bytes with another model's name, where they say what is to be said; else the body is written anew. */
function bodyOf(body: JsonObject & { readonly model: string }, own: OwnBody | undefined): readonly Buffer[] {
  const span = own?.scan.values.get('model');
  // The usual format may go without saying.
  const isSame = own && isDeepStrictEqual({ response_format: 'mp3', ...own.object, model: body.model }, body);
  return own && span && isSame ? editPieces(own.bytes, [{ ...span, text: JSON.stringify(body.model) }]) : jsonBody(body);
}

/**
 * OpenAI's own and all that are like it. Options: `formats` (words, where not all are taken), `sampleRate` (a field of that
 * name says the rate of raw samples), `speed: false`, `instructions: false`, `versioned` (Azure).
 * https://platform.openai.com/docs/api-reference/audio/createSpeech
 */
export const openaiSpeech: SpeechCodec = {
  id: 'openai',
  formats({ options }) {
    const words = options['formats'];
    return typeof words === 'string' ? AUDIO_FORMATS.filter((format) => words.split(' ').includes(format)) : AUDIO_FORMATS;
  },
  encode({ input, voice, format, speed, instructions, events, own, more }, target) {
    const { model, options, notes } = target;
    const tells = <T>(value: T | undefined, field: string): { readonly [field: string]: T } => {
      if (value === undefined) return {};
      if (options[field] !== false) return { [field]: value };
      notes.add(field, 'dropped', 'the provider has no such setting for speech');
      return {};
    };
    const rate = options['sampleRate'];
    const body = {
      ...more,
      model,
      input,
      ...voiceAs(voice, own),
      ...tells(instructions, 'instructions'),
      response_format: format satisfies AudioFormat,
      ...tells(speed, 'speed'),
      ...(typeof rate === 'number' && (format === 'pcm' || format === 'wav') ? { sample_rate: rate } : {}),
      ...streamFormat(events, own, options),
    };
    return { path: deploymentPath('/audio/speech', target), body: bodyOf(body, own) };
  },
  async *decode({ headers, body }) {
    if (isType(headers, 'json') || isType(headers, 'text/html')) throw noSound();
    yield* body;
  },
};
