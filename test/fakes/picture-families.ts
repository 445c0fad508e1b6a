// Families of pictures beside those of one vendor's endpoints: Imagen's, and those that models of chat make.
import { type Family, halves, jsonAsked, placed, PNG, whole } from './family.ts';

const USAGE = { promptTokenCount: 5, candidatesTokenCount: 1290, totalTokenCount: 1295 };
const INLINE = { inlineData: { mimeType: 'image/png', data: PNG } };
const SAID = [{ text: 'Here ' }, { text: 'it is: ' }, INLINE];
const GEMINI_IMAGE = 'gemini-2.5-flash-image';

const drawn = (parts: readonly object[], more: object = {}): object => ({
  candidates: [{ content: { role: 'model', parts }, index: 0, ...more }],
  usageMetadata: USAGE,
  modelVersion: GEMINI_IMAGE,
});
const event = (value: object): string => `data: ${JSON.stringify(value)}\r\n\r\n`;

const ROUTED = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: 'Here:', images: [{ type: 'image_url', image_url: { url: `data:image/png;base64,${PNG}` } }] },
      finish_reason: 'stop',
    },
  ],
  usage: { prompt_tokens: 5, completion_tokens: 1290, total_tokens: 1295 },
};

const predicted = (model: string, mark: string) =>
  jsonAsked(`/v1beta/models/${model}:predict`, { instances: [{ prompt: mark }], parameters: { sampleCount: 1 } });

/** Endpoints of pictures. */
const PICTURES: readonly Family[] = [
  {
    ...whole(
      'images, as Gemini',
      { predictions: [{ bytesBase64Encoded: PNG, mimeType: 'image/png' }] },
      (mark) => predicted('imagen/imagen-4.0-generate-001', mark),
      placed('imagen', { preset: 'gemini' }),
    ),
  },
  {
    ...whole(
      'images, as Gemini, over another vendor',
      { created: 1_790_000_000, data: [{ b64_json: PNG }], output_format: 'png' },
      (mark) => predicted('paints/gpt-image-1', mark),
      placed('paints', { preset: 'openai' }),
    ),
  },
  {
    ...whole(
      'images, over Gemini',
      drawn(SAID, { finishReason: 'STOP' }),
      (mark) => jsonAsked('/v1/images/generations', { model: `sketcher/${GEMINI_IMAGE}`, prompt: mark }),
      placed('sketcher', { preset: 'gemini' }),
    ),
  },
  {
    ...whole(
      'images, over a chat',
      ROUTED,
      (mark) => jsonAsked('/v1/images/generations', { model: `routed/google/${GEMINI_IMAGE}`, prompt: mark }),
      placed('routed', { preset: 'openrouter' }),
    ),
  },
].map((family) => ({ ...family, makes: 'once' }));

/** A picture in a chat, which is kept and linked to before the client is told. */
const SHOWN: readonly Family[] = [true, false].map((isStream): Family => {
  const provider = isStream ? 'shows' : 'showed';
  return {
    name: `openai-chat, with a picture${isStream ? ', streamed' : ''}`,
    ...placed(provider, { preset: 'gemini' }),
    ask: (mark) =>
      jsonAsked('/v1/chat/completions', {
        model: `${provider}/${GEMINI_IMAGE}`,
        messages: [{ role: 'user', content: `draw ${mark}` }],
        ...(isStream ? { stream: true } : {}),
      }),
    type: isStream ? 'text/event-stream' : 'application/json',
    pieces: isStream
      ? [...SAID.map((part) => event(drawn([part]))), event(drawn([{ text: '' }], { finishReason: 'STOP' }))]
      : halves(drawn(SAID, { finishReason: 'STOP' })),
    isStream,
  };
});

/** Imagen's form, and pictures by models that chat. */
export const PICTURE_FAMILIES: readonly Family[] = [...PICTURES, ...SHOWN];
