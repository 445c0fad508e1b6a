import { AUDIO_FORMATS, type AudioFormat } from '../audio/formats.ts';
import { jsonBody, type MediaTarget } from '../codec.ts';
import { isType, noSound } from './frames.ts';
import type { SpeechCodec } from './shape.ts';

/** Where an endpoint is on Azure, whose older API has the deployment in the path; elsewhere it is the endpoint itself. */
export function deploymentPath(endpoint: string, { model, options, settings }: MediaTarget): string {
  if (options['versioned'] !== true) return endpoint;
  const version = settings['apiVersion'];
  return version ? `/deployments/${encodeURIComponent(model)}${endpoint}?api-version=${encodeURIComponent(version)}` : `/v1${endpoint}`;
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
  encode({ input, voice, format, speed, instructions, events, more }, target) {
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
      ...(voice === undefined ? {} : { voice }),
      ...tells(instructions, 'instructions'),
      response_format: format satisfies AudioFormat,
      ...tells(speed, 'speed'),
      ...(typeof rate === 'number' && (format === 'pcm' || format === 'wav') ? { sample_rate: rate } : {}),
      ...(events === true ? { stream_format: 'sse' } : {}),
    };
    return { path: deploymentPath('/audio/speech', target), body: jsonBody(body) };
  },
  async *decode({ headers, body }) {
    if (isType(headers, 'json') || isType(headers, 'text/html')) throw noSound();
    yield* body;
  },
};
