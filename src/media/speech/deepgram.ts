import { type Fault, gatewayFault, kindOfStatus, parseObject } from '../../ir/index.ts';
import type { AudioFormat } from '../audio/formats.ts';
import { jsonBody } from '../codec.ts';
import { dropped } from './clamped.ts';
import { isType, noSound } from './frames.ts';
import type { SpeechCodec } from './shape.ts';

/** https://developers.deepgram.com/docs/tts-media-output-settings */
const OUTPUT: Readonly<Record<AudioFormat, string>> = {
  mp3: 'encoding=mp3',
  wav: 'encoding=linear16&container=wav&sample_rate=24000',
  pcm: 'encoding=linear16&container=none&sample_rate=24000',
  opus: 'encoding=opus&container=ogg',
  flac: 'encoding=flac',
  aac: 'encoding=aac',
};

/** `{"err_code", "err_msg", "request_id"}`. https://developers.deepgram.com/docs/errors */
export function deepgramFault(status: number, body: string): Fault | undefined {
  const { err_code: code, err_msg: message } = parseObject(body) ?? {};
  if (typeof message !== 'string') return undefined;
  return gatewayFault(kindOfStatus(status), message.slice(0, 4096), {
    status,
    by: 'upstream',
    ...(typeof code === 'string' ? { code } : {}),
  });
}

/** The voice stands in the model's name: `aura-2-thalia-en`. */
function voicedModel(model: string, voice: string | undefined): string {
  if (voice === undefined) return model;
  if (voice.startsWith('aura-')) return voice;
  const [, family = model, language = 'en'] = /^(aura(?:-2)?)(?:-[a-z]+-([a-z]{2}))?$/.exec(model) ?? [];
  return `${family}-${voice.toLowerCase()}-${language}`;
}

/** Deepgram's Aura. https://developers.deepgram.com/reference/text-to-speech/speak-request */
export const deepgramSpeech: SpeechCodec = {
  id: 'deepgram',
  formats: () => ['mp3', 'wav', 'pcm', 'opus', 'flac', 'aac'],
  encode({ input, voice, format, speed, instructions, more }, target) {
    dropped(instructions, 'instructions', target);
    dropped(speed, 'speed', target);
    for (const field of Object.keys(more ?? {})) dropped(more?.[field], field, target);
    const model = encodeURIComponent(voicedModel(target.model, voice));
    return { path: `/speak?model=${model}&${OUTPUT[format]}`, body: jsonBody({ text: input }) };
  },
  async *decode({ headers, body }) {
    if (isType(headers, 'json') || isType(headers, 'text/html')) throw noSound();
    yield* body;
  },
  decodeFault: deepgramFault,
};
