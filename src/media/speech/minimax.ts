import { type Fault, type FaultKind, GatewayError, gatewayFault, isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { clampedSpeed, dropped } from './clamped.ts';
import { eventObjects, isType, noSound, wholeObject } from './frames.ts';
import type { SpeechCodec } from './shape.ts';

/** https://platform.minimax.io/docs/api-reference/errorcode */
const KINDS: Readonly<Record<number, FaultKind>> = {
  1001: 'timeout',
  1002: 'rate_limit',
  1004: 'authentication',
  1008: 'billing',
  1026: 'bad_request',
  1027: 'bad_request',
  1039: 'rate_limit',
  1042: 'bad_request',
  2013: 'bad_request',
  2049: 'authentication',
  2054: 'bad_request',
  2056: 'rate_limit',
};

/** What `base_resp` says is wrong: errors come with status 200. */
function faultIn(reply: JsonObject): Fault | undefined {
  const base = reply['base_resp'];
  if (!isObject(base)) return undefined;
  const code = base['status_code'];
  if (typeof code !== 'number' || code === 0) return undefined;
  const message = typeof base['status_msg'] === 'string' ? base['status_msg'].slice(0, 4096) : `error ${code}`;
  const kind = KINDS[code] ?? 'upstream';
  // A key that is wrong here, or has nothing left to spend, is ours, not the caller's.
  if (kind === 'authentication' || kind === 'billing') {
    return gatewayFault('upstream', 'The provider does not accept the credential that is configured for it', {
      by: 'upstream',
      code: 'upstream_credential',
      ...(kind === 'billing' ? { quota: true } : {}),
    });
  }
  return gatewayFault(kind, message, { by: 'upstream', code: String(code) });
}

function soundIn(reply: JsonObject): Buffer | undefined {
  const fault = faultIn(reply);
  if (fault) throw new GatewayError(fault);
  const data = reply['data'];
  const hex = isObject(data) ? data['audio'] : undefined;
  return typeof hex === 'string' && hex !== '' ? Buffer.from(hex, 'hex') : undefined;
}

/** MiniMax T2A: sound as hexadecimal text in events. https://platform.minimax.io/docs/api-reference/speech-t2a-http */
export const minimaxSpeech: SpeechCodec = {
  id: 'minimax',
  formats: () => ['mp3', 'flac', 'pcm'],
  encode({ input, voice, format, speed, instructions, more }, target) {
    dropped(instructions, 'instructions', target);
    for (const field of Object.keys(more ?? {})) dropped(more?.[field], field, target);
    const pace = clampedSpeed(speed, 0.5, 2, target);
    return {
      path: '/t2a_v2',
      body: jsonBody({
        model: target.model,
        text: input,
        stream: true,
        // Else the last event repeats the whole.
        stream_options: { exclude_aggregated_audio: true },
        voice_setting: { ...(voice === undefined ? {} : { voice_id: voice }), ...(pace === undefined ? {} : { speed: pace }) },
        audio_setting: {
          format,
          channel: 1,
          sample_rate: format === 'pcm' ? 24_000 : 32_000,
          ...(format === 'mp3' ? { bitrate: 128_000 } : {}),
        },
      }),
    };
  },
  async *decode({ headers, body }) {
    if (!isType(headers, 'event-stream')) {
      const whole = soundIn(await wholeObject(body));
      if (!whole) throw noSound();
      yield whole;
      return;
    }
    let isOver = false;
    for await (const reply of eventObjects(body)) {
      const bytes = soundIn(reply);
      if (bytes && !isOver) yield bytes;
      const data = reply['data'];
      if (isObject(data) && data['status'] === 2) isOver = true;
    }
    if (!isOver) throw noSound('The upstream ended in mid-answer');
  },
  decodeFault(_status, body) {
    return faultIn(parseObject(body) ?? {});
  },
};
