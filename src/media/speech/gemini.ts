import { GatewayError, gatewayFault, isObject, type Json, type JsonObject } from '../../ir/index.ts';
import { jsonBody } from '../codec.ts';
import { dropped } from './clamped.ts';
import { eventObjects, isType, noSound, wholeObject } from './frames.ts';
import type { Heard, SpeechCodec } from './shape.ts';

const objects = (list: Json | undefined): readonly JsonObject[] => (Array.isArray(list) ? list.filter((one) => isObject(one)) : []);

const at = (object: JsonObject | undefined, key: string): JsonObject | undefined => {
  const value = object?.[key];
  return isObject(value) ? value : undefined;
};

const count = (value: Json | undefined): number => (typeof value === 'number' ? value : 0);

/** The sound in one answer or one event of a stream. */
function* soundIn(reply: JsonObject, heard: Heard): Generator<Buffer> {
  for (const candidate of objects(reply['candidates'])) {
    for (const part of objects(at(candidate, 'content')?.['parts'])) {
      const inline = at(part, 'inlineData');
      if (typeof inline?.['data'] !== 'string') continue;
      const rate = /rate=(\d{4,6})/.exec(String(inline['mimeType'] ?? ''))?.[1];
      if (rate !== undefined) heard.sampleRate = Number(rate);
      yield Buffer.from(inline['data'], 'base64');
    }
  }
}

function usageIn(reply: JsonObject, heard: Heard): void {
  const usage = at(reply, 'usageMetadata');
  if (usage) heard.usage = { input: count(usage['promptTokenCount']), output: count(usage['candidatesTokenCount']) };
}

function refuseBlocked(reply: JsonObject): void {
  const reason = at(reply, 'promptFeedback')?.['blockReason'];
  if (typeof reason !== 'string') return;
  throw new GatewayError(
    gatewayFault('bad_request', `The provider refused the text (${reason.slice(0, 60)})`, { by: 'upstream', code: 'content_filter' }),
  );
}

async function* wholeReply(body: AsyncIterable<Buffer>): AsyncGenerator<JsonObject> {
  yield await wholeObject(body);
}

/**
 * Gemini speaks in `generateContent`: raw samples, at the rate that their type names. Option `whole`: models that do not stream.
 * https://ai.google.dev/gemini-api/docs/speech-generation
 */
export const geminiSpeech: SpeechCodec = {
  id: 'gemini',
  formats: () => ['pcm'],
  encode({ input, voice, speed, instructions, more }, target) {
    dropped(speed, 'speed', target);
    for (const field of Object.keys(more ?? {})) dropped(more?.[field], field, target);
    if (instructions !== undefined) target.notes.add('instructions', 'moved', 'they stand before the text');
    const text = instructions === undefined ? input : `${instructions.trim()}\n\n${input}`;
    return {
      path: `/models/${encodeURIComponent(target.model)}:${target.options['whole'] === true ? 'generateContent' : 'streamGenerateContent?alt=sse'}`,
      body: jsonBody({
        contents: [{ role: 'user', parts: [{ text }] }],
        generationConfig: {
          responseModalities: ['AUDIO'],
          ...(voice === undefined ? {} : { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } } }),
        },
      }),
    };
  },
  async *decode({ headers, body }, heard) {
    const isStream = isType(headers, 'event-stream');
    let finish: Json | undefined;
    let any = false;
    for await (const reply of isStream ? eventObjects(body) : wholeReply(body)) {
      refuseBlocked(reply);
      usageIn(reply, heard);
      finish = objects(reply['candidates'])[0]?.['finishReason'] ?? finish;
      for (const bytes of soundIn(reply, heard)) {
        any = true;
        if (!isStream) heard.bytes = bytes.length;
        yield bytes;
      }
    }
    if (!any) throw noSound(typeof finish === 'string' ? `The upstream made no audio (${finish.slice(0, 60)})` : undefined);
    // `OTHER` after some audio: it was cut short.
    if (finish !== 'STOP') throw noSound('The upstream ended in mid-answer');
  },
};
