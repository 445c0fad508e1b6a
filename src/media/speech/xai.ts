import { jsonBody } from '../codec.ts';
import { clampedSpeed, dropped } from './clamped.ts';
import { isType, noSound } from './frames.ts';
import type { SpeechCodec } from './shape.ts';

/** xAI: one voice model, which goes without a name. https://docs.x.ai/developers/model-capabilities/audio/text-to-speech */
export const xaiSpeech: SpeechCodec = {
  id: 'xai',
  formats: () => ['mp3', 'wav', 'pcm'],
  encode({ input, voice, format, speed, instructions, more }, target) {
    dropped(instructions, 'instructions', target);
    const { language = 'auto', ...rest } = more ?? {};
    for (const field of Object.keys(rest)) dropped(rest[field], field, target);
    const pace = clampedSpeed(speed, 0.7, 1.5, target);
    return {
      path: '/tts',
      body: jsonBody({
        text: input,
        ...(voice === undefined ? {} : { voice_id: voice }),
        language,
        ...(pace === undefined ? {} : { speed: pace }),
        ...(format === 'mp3' ? {} : { output_format: { codec: format, sample_rate: 24_000 } }),
      }),
    };
  },
  async *decode({ headers, body }) {
    if (isType(headers, 'json') || isType(headers, 'text/html')) throw noSound();
    yield* body;
  },
};
