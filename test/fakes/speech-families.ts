// Families of what is spoken beside one vendor's endpoint: Gemini's speech from either side, chats that a voice answers, and summaries.
import { chat } from '../exchange/dialects.ts';
import { type Answered, type Came, type Family, halves, jsonAsked, placed, whole } from './family.ts';

/** Samples of so many bytes. */
const sound = (bytes: number): Buffer => Buffer.alloc(bytes, 3);
const SOUND = [sound(4), sound(4000), sound(4000)];

const spokenChunk = (data: Buffer | undefined, more: object = {}): object => ({
  candidates: [
    {
      content: {
        role: 'model',
        parts: data ? [{ inlineData: { mimeType: 'audio/L16;codec=pcm;rate=24000', data: data.toString('base64') } }] : [],
      },
      index: 0,
      ...more,
    },
  ],
  usageMetadata: { promptTokenCount: 5, candidatesTokenCount: 50, totalTokenCount: 55 },
  modelVersion: 'tts',
});
const event = (value: object): string => `data: ${JSON.stringify(value)}\r\n\r\n`;

/** Some of what Gemini speaks, as it comes. */
export const spokenEvent = (data: Buffer): string => event(spokenChunk(data));

/** A model that streams what it says, and an older one that does not. */
const SPOKEN: readonly Family[] = [
  {
    name: 'speech, over Gemini',
    ...placed('reader', { preset: 'gemini' }),
    ask: (mark) =>
      jsonAsked('/v1/audio/speech', { model: 'reader/gemini-3.1-flash-tts-preview', voice: 'nova', input: mark, response_format: 'pcm' }),
    type: 'text/event-stream',
    pieces: [...SOUND.map(spokenEvent), event(spokenChunk(undefined, { finishReason: 'STOP' }))],
    isStream: true,
    seen: 'bytes',
  },
  {
    ...whole(
      'speech, over Gemini, at once',
      spokenChunk(sound(8000), { finishReason: 'STOP' }),
      (mark) =>
        jsonAsked('/v1/audio/speech', {
          model: 'older-reader/gemini-2.5-flash-preview-tts',
          voice: 'nova',
          input: mark,
          response_format: 'pcm',
        }),
      placed('older-reader', { preset: 'gemini' }),
    ),
    seen: 'bytes',
  },
];

const AUDIO = { modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'pcm16' } };
const chatAsked = (model: string, mark: string, isStream: boolean) =>
  jsonAsked('/v1/chat/completions', { ...chat.body(model, isStream, `say ${mark}`), ...AUDIO });

const voice = (provider: string, name: string, isStream: boolean, ask: Family['ask']): Family => ({
  name,
  ...placed(provider, { preset: 'openai' }),
  ask,
  type: 'audio/pcm',
  pieces: SOUND,
  isStream: false,
  seen: isStream ? 'events' : 'text',
});

/** A provider of chat whose answers a voice speaks. */
const talker = (provider: string, speech: string) => placed(provider, { preset: 'openai-compatible', protocols: ['openai-chat'], speech });

/** What a chat is asked to say, it says. */
function said({ path, body }: Came, below: string): Answered | undefined {
  if (!path.startsWith(below)) return undefined;
  const text = /"content":"(?:say )?([^"]*)"/.exec(body)?.[1] ?? 'nothing';
  if (!body.includes('"stream":true')) {
    return { type: 'application/json', body: JSON.stringify(chat.whole).replace(/"content":"[^"]*"/, () => `"content":"${text}"`) };
  }
  const [start = '', first = '', , , ...end] = chat.events;
  return { type: 'text/event-stream', body: [start, first.replace('One ', () => text), ...end].join('') };
}

/** The same answers whole, and streamed. */
const BOTH: readonly Family[] = [true, false].flatMap((isStream): readonly Family[] => {
  const way = isStream ? ', streamed' : '';
  const s = isStream ? '-s' : '';
  const speaking = talker(`talker${s}`, `voice-of-talker${s}/tts-1`);
  const answering = talker(`answers${s}`, `voice${s}/tts-1`);
  return [
    voice(`says${s}`, `speech, as Gemini${way}`, isStream, (mark) =>
      jsonAsked(`/v1beta/models/says${s}/gpt-4o-mini-tts:${isStream ? 'streamGenerateContent?alt=sse' : 'generateContent'}`, {
        contents: [{ role: 'user', parts: [{ text: mark }] }],
        generationConfig: { responseModalities: ['AUDIO'] },
      }),
    ),
    voice(`sayer${s}`, `chat by a voice${way}`, isStream, (mark) => chatAsked(`sayer${s}/gpt-4o-mini-tts`, mark, isStream)),
    {
      name: `spoken chat${way}`,
      ...speaking,
      ask: (mark) => chatAsked(`talker${s}/up`, mark, isStream),
      type: isStream ? 'text/event-stream' : 'application/json',
      pieces: isStream ? chat.events : halves(chat.whole),
      isStream,
      others: (url) => ({ [`voice-of-talker${s}`]: placed(`voice-of-talker${s}`, { preset: 'openai' }).settings(url) }),
      beside: ({ path }) => (path.startsWith(`/voice-of-talker${s}/`) ? { type: 'audio/pcm', body: sound(400) } : undefined),
    },
    {
      ...voice(`voice${s}`, `spoken chat: its voice${way}`, isStream, (mark) => chatAsked(`answers${s}/up`, mark, isStream)),
      model: 'tts-1',
      others: (url) => ({ [`answers${s}`]: answering.settings(url) }),
      beside: (came) => said(came, `/answers${s}/`),
      ...(isStream ? { isLate: true } : {}),
    },
  ];
});

const COMPACTED: Family = {
  ...whole(
    'openai-responses, summed up',
    chat.whole,
    (mark) => jsonAsked('/v1/responses/compact', { model: 'sums/up', input: `say ${mark}` }),
    placed('sums', { preset: 'openai-compatible', protocols: ['openai-chat'] }),
  ),
};

/** Speech over and as Gemini's, chats with sound, and a window of responses that is summed up. */
export const SPEECH_FAMILIES: readonly Family[] = [...SPOKEN, ...BOTH, COMPACTED];
