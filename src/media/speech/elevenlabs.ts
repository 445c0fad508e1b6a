import { badField, type Fault, gatewayFault, isObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import type { AudioFormat } from '../audio/formats.ts';
import { jsonBody } from '../codec.ts';
import { clampedSpeed, dropped } from './clamped.ts';
import { isType, noSound } from './frames.ts';
import type { SpeechCodec } from './shape.ts';

/** https://elevenlabs.io/docs/api-reference/text-to-speech/stream#request.query.output_format */
const OUTPUT_FORMATS: { readonly [F in AudioFormat]?: string } = { mp3: 'mp3_44100_128', pcm: 'pcm_24000', opus: 'opus_48000_128' };

/** `{"detail": {"status", "message"}}`, or FastAPI's list. https://elevenlabs.io/docs/api-reference/errors */
export function elevenlabsFault(status: number, body: string): Fault | undefined {
  const detail = parseObject(body)?.['detail'];
  if (!isObject(detail) || typeof detail['message'] !== 'string') return undefined;
  const word = detail['code'] ?? detail['status'];
  const kind = word === 'quota_exceeded' ? 'billing' : kindOfStatus(status);
  return gatewayFault(kind, detail['message'].slice(0, 4096), {
    status,
    by: 'upstream',
    ...(typeof word === 'string' ? { code: word } : {}),
  });
}

/** ElevenLabs: the voice is in the address. https://elevenlabs.io/docs/api-reference/text-to-speech/stream */
export const elevenlabsSpeech: SpeechCodec = {
  id: 'elevenlabs',
  formats: () => ['mp3', 'opus', 'pcm'],
  encode({ input, voice, format, speed, instructions, more }, target) {
    if (voice === undefined) throw badField('voice', "Invalid request: missing required parameter 'voice'", 'missing_parameter');
    dropped(instructions, 'instructions', target);
    for (const field of Object.keys(more ?? {})) dropped(more?.[field], field, target);
    const pace = clampedSpeed(speed, 0.7, 1.2, target);
    return {
      path: `/text-to-speech/${encodeURIComponent(voice)}/stream?output_format=${OUTPUT_FORMATS[format] ?? 'pcm_24000'}`,
      body: jsonBody({ text: input, model_id: target.model, ...(pace === undefined ? {} : { voice_settings: { speed: pace } }) }),
    };
  },
  async *decode({ headers, body }) {
    if (isType(headers, 'json')) throw noSound();
    yield* body;
  },
  decodeFault: elevenlabsFault,
};
