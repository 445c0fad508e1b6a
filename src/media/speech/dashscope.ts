import { type Fault, gatewayFault, isObject, type JsonObject, kindOfStatus, parseObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { dropped } from './clamped.ts';
import { eventObjects, noSound } from './frames.ts';
import type { Heard, SpeechCodec } from './shape.ts';

const inside = (object: JsonObject | undefined, key: string): JsonObject | undefined => {
  const value = object?.[key];
  return isObject(value) ? value : undefined;
};

/** `{"code", "message", "request_id"}`. https://www.alibabacloud.com/help/en/model-studio/error-code */
function dashscopeFault(status: number, body: string): Fault | undefined {
  const reply = parseObject(body) ?? {};
  const { code, message } = reply;
  if (typeof code !== 'string' || typeof message !== 'string') return undefined;
  return gatewayFault(kindOfStatus(status), message.slice(0, 4096), { status, by: 'upstream', code });
}

function usageIn(reply: JsonObject, heard: Heard): void {
  const usage = inside(reply, 'usage');
  const { input_tokens: input, output_tokens: output } = usage ?? {};
  if (typeof input === 'number' && typeof output === 'number') heard.usage = { input, output };
}

/** A WAV header before the first samples, where there is one, is no sound. */
const withoutHeader = (bytes: Buffer): Buffer =>
  bytes.length >= 44 && bytes.toString('latin1', 0, 4) === 'RIFF' ? bytes.subarray(44) : bytes;

/**
 * Qwen-TTS on DashScope: raw samples at 24 kHz as base64 in events. Option `instructions: false` where the model takes none.
 * https://www.alibabacloud.com/help/en/model-studio/qwen-tts-api
 */
export const dashscopeSpeech: SpeechCodec = {
  id: 'dashscope',
  formats: () => ['pcm'],
  encode({ input, voice, speed, instructions, more }, target) {
    dropped(speed, 'speed', target);
    const { language_type: language, ...rest } = more ?? {};
    for (const field of Object.keys(rest)) dropped(rest[field], field, target);
    const takes = target.model.includes('instruct');
    if (!takes) dropped(instructions, 'instructions', target);
    return {
      path: '/services/aigc/multimodal-generation/generation',
      headers: { 'x-dashscope-sse': 'enable' },
      body: jsonBody({
        model: target.model,
        input: {
          text: input,
          ...(voice === undefined ? {} : { voice }),
          ...(language === undefined ? {} : { language_type: language }),
          ...(takes && instructions !== undefined ? { instructions } : {}),
        },
      }),
    };
  },
  async *decode({ body }, heard) {
    let any = false;
    let isOver = false;
    for await (const reply of eventObjects(body)) {
      usageIn(reply, heard);
      const output = inside(reply, 'output');
      const data = inside(output, 'audio')?.['data'];
      if (output?.['finish_reason'] === 'stop') isOver = true;
      if (typeof data !== 'string' || data === '') continue;
      const bytes = Buffer.from(data, 'base64');
      yield any ? bytes : withoutHeader(bytes);
      any = true;
    }
    if (!any) throw noSound();
    if (!isOver) throw noSound('The upstream ended in mid-answer');
  },
  decodeFault: dashscopeFault,
};
