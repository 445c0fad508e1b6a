// Every family of endpoints: how its clients ask, and how an upstream that is well answers.
import { EventStreamCodec } from '@smithy/eventstream-codec';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { chat as CHAT, DIALECTS, WORDS } from '../exchange/dialects.ts';
import {
  type Answered,
  type Asked,
  type At,
  type Came,
  type Family,
  formAsked,
  halves,
  jsonAsked,
  PNG,
  wav,
  whole as wholeAt,
} from './family.ts';
import { PICTURE_FAMILIES } from './picture-families.ts';
import { SPEECH_FAMILIES } from './speech-families.ts';
import { TASK_FAMILIES } from './task-families.ts';

export type { Asked, Family } from './family.ts';

const CHATS: readonly Family[] = DIALECTS.flatMap((dialect) =>
  [true, false].map((isStream): Family => ({
    name: `${dialect.id}${isStream ? ', streamed' : ''}`,
    provider: dialect.provider,
    settings: dialect.settings,
    ask: (mark) =>
      jsonAsked(dialect.path(`${dialect.provider}/up`, isStream), dialect.body(`${dialect.provider}/up`, isStream, `say ${mark}`)),
    type: isStream ? 'text/event-stream' : 'application/json',
    pieces: isStream ? dialect.events : halves(dialect.whole),
    isStream,
  })),
);

const openai = (url: string): ProviderSettings => ({ preset: 'openai', baseUrl: url, key: 'up-secret' });
const cohere = (url: string): ProviderSettings => ({ preset: 'cohere', baseUrl: url, key: 'up-secret' });

const whole = (name: string, reply: unknown, ask: (mark: string) => Asked, at: At = OPENAI): Family => wholeAt(name, reply, ask, at);

const OPENAI = { provider: 'maker', settings: openai };
const COHERE = { provider: 'ranker', settings: cohere };
const PICTURES = { created: 1_790_000_000, data: [{ b64_json: PNG }], output_format: 'png' };
const RANKS = { id: 'r-1', results: [{ index: 0, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } };
const HEARD = { text: 'One two three.', usage: { type: 'duration', seconds: 1 } };

const GEMINI = {
  provider: 'gem',
  settings: (url: string): ProviderSettings => ({ preset: 'gemini-compatible', baseUrl: url, key: 'up-secret' }),
};

/** An endpoint of the first vendor that streams events of its own. */
const streamed = (name: string, events: readonly object[], ask: (mark: string) => Asked): Family => ({
  name,
  ...OPENAI,
  ask,
  type: 'text/event-stream',
  pieces: events.map((event) => `${'type' in event ? `event: ${String(event.type)}\n` : ''}data: ${JSON.stringify(event)}\n\n`),
  isStream: true,
});

const PICTURE = {
  b64_json: PNG,
  created_at: 1_790_000_000,
  size: '1024x1024',
  quality: 'high',
  background: 'opaque',
  output_format: 'png',
};
const drawn = (kind: string): readonly object[] => [
  { type: `${kind}.partial_image`, ...PICTURE, partial_image_index: 0 },
  { type: `${kind}.completed`, ...PICTURE, usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } },
];
const HEARD_EVENTS = [
  { type: 'transcript.text.delta', delta: 'One two ' },
  { type: 'transcript.text.delta', delta: 'three.' },
  { type: 'transcript.text.done', text: 'One two three.', usage: { type: 'tokens', input_tokens: 1, output_tokens: 2, total_tokens: 3 } },
];
const SPOKEN_EVENTS = [
  { type: 'speech.audio.delta', audio: Buffer.alloc(600, 3).toString('base64') },
  { type: 'speech.audio.delta', audio: Buffer.alloc(600, 4).toString('base64') },
  { type: 'speech.audio.done', usage: { input_tokens: 1, output_tokens: 2, total_tokens: 3 } },
];

/** What streams besides chat, and what other vendors' clients ask for in words of their own. */
const MORE: readonly Family[] = [
  streamed('images, streamed', drawn('image_generation'), (mark) =>
    jsonAsked('/v1/images/generations', { model: 'maker/gpt-image-1', prompt: mark, stream: true, partial_images: 1 }),
  ),
  streamed('image edits, streamed', drawn('image_edit'), (mark) =>
    formAsked('/v1/images/edits', [
      ['model', 'maker/gpt-image-1'],
      ['prompt', mark],
      ['stream', 'true'],
      ['partial_images', '1'],
      ['image', Buffer.from(PNG, 'base64'), 'a.png', 'image/png'],
    ]),
  ),
  streamed('transcription, streamed', HEARD_EVENTS, (mark) =>
    formAsked('/v1/audio/transcriptions', [
      ['model', 'maker/gpt-4o-transcribe'],
      ['prompt', mark],
      ['stream', 'true'],
      ['file', wav(), 'a.wav', 'audio/wav'],
    ]),
  ),
  streamed('speech, streamed', SPOKEN_EVENTS, (mark) =>
    jsonAsked('/v1/audio/speech', { model: 'maker/gpt-4o-mini-tts', voice: 'nova', input: mark, stream_format: 'sse' }),
  ),
  ...[true, false].map((isStream): Family => ({
    name: `completions${isStream ? ', streamed' : ''}`,
    provider: 'oai',
    settings: CHAT.settings,
    ask: (mark) => jsonAsked('/v1/completions', { model: 'oai/up', prompt: mark, ...(isStream ? { stream: true } : {}) }),
    type: isStream ? 'text/event-stream' : 'application/json',
    pieces: isStream ? CHAT.events : halves(CHAT.whole),
    isStream,
  })),
  whole(
    'embeddings, as Gemini',
    { embedding: { values: [0.5, -0.25] } },
    (mark) => jsonAsked('/v1beta/models/gem/embed-1:embedContent', { content: { parts: [{ text: mark }] } }),
    GEMINI,
  ),
  whole(
    'rerank, as Cohere',
    RANKS,
    (mark) => jsonAsked('/v2/rerank', { model: 'ranker/rerank-v3.5', query: mark, documents: ['a'] }),
    COHERE,
  ),
  whole(
    'count of tokens, as Gemini',
    { totalTokens: 7 },
    (mark) => jsonAsked('/v1beta/models/gem/up:countTokens', { contents: [{ role: 'user', parts: [{ text: mark }] }] }),
    GEMINI,
  ),
];

const MEDIA: readonly Family[] = [
  whole(
    'embeddings',
    {
      object: 'list',
      data: [{ object: 'embedding', index: 0, embedding: [0.5, -0.25] }],
      model: 'e',
      usage: { prompt_tokens: 2, total_tokens: 2 },
    },
    (mark) => jsonAsked('/v1/embeddings', { model: 'maker/text-embedding-3-small', input: mark }),
  ),
  whole('rerank', RANKS, (mark) => jsonAsked('/v1/rerank', { model: 'ranker/rerank-v3.5', query: mark, documents: ['a'] }), COHERE),
  whole(
    'moderations',
    { id: 'modr-1', model: 'm', results: [{ flagged: false, categories: { violence: false }, category_scores: { violence: 0.1 } }] },
    (mark) => jsonAsked('/v1/moderations', { model: 'maker/omni-moderation-latest', input: mark }),
  ),
  {
    name: 'speech',
    ...OPENAI,
    ask: (mark) => jsonAsked('/v1/audio/speech', { model: 'maker/tts-1', voice: 'nova', input: mark }),
    type: 'audio/mpeg',
    pieces: [Buffer.from([0xff, 0xf3, 1, 2]), Buffer.alloc(4000, 3), Buffer.alloc(4000, 4)],
    isStream: false,
  },
  whole('transcription', HEARD, (mark) =>
    formAsked('/v1/audio/transcriptions', [
      ['model', 'maker/gpt-4o-transcribe'],
      ['prompt', mark],
      ['file', wav(), 'a.wav', 'audio/wav'],
    ]),
  ),
  whole('translation', HEARD, (mark) =>
    formAsked('/v1/audio/translations', [
      ['model', 'maker/whisper-1'],
      ['prompt', mark],
      ['file', wav(), 'a.wav', 'audio/wav'],
    ]),
  ),
  whole('images', PICTURES, (mark) => jsonAsked('/v1/images/generations', { model: 'maker/gpt-image-1', prompt: mark })),
  whole('image edits', PICTURES, (mark) =>
    formAsked('/v1/images/edits', [
      ['model', 'maker/gpt-image-1'],
      ['prompt', mark],
      ['image', Buffer.from(PNG, 'base64'), 'a.png', 'image/png'],
    ]),
  ),
  whole('image variations', PICTURES, (mark) =>
    formAsked('/v1/images/variations', [
      ['model', 'maker/dall-e-2'],
      ['user', mark],
      ['image', Buffer.from(PNG, 'base64'), 'a.png', 'image/png'],
    ]),
  ),
  whole(
    'count of tokens',
    { input_tokens: 7 },
    (mark) => jsonAsked('/v1/messages/count_tokens', { model: 'claude/up', messages: [{ role: 'user', content: mark }] }),
    { provider: 'claude', settings: (url) => ({ preset: 'anthropic-compatible', baseUrl: url, key: 'up-secret' }) },
  ),
];

const converseCodec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString('utf8'),
  (text) => Buffer.from(text),
);

/** An event as AWS frames it. */
export const converseEvent = (type: string, payload: object): Buffer =>
  Buffer.from(
    converseCodec.encode({
      headers: Object.fromEntries(
        Object.entries({ ':message-type': 'event', ':event-type': type, ':content-type': 'application/json' }).map(([name, value]) => [
          name,
          { type: 'string' as const, value },
        ]),
      ),
      body: Buffer.from(JSON.stringify(payload)),
    }),
  );

const CONVERSE_USAGE = { inputTokens: 5, outputTokens: 3, totalTokens: 8 };
const CONVERSE_EVENTS: readonly Buffer[] = [
  converseEvent('messageStart', { role: 'assistant' }),
  ...WORDS.map((text) => converseEvent('contentBlockDelta', { contentBlockIndex: 0, delta: { text } })),
  converseEvent('contentBlockStop', { contentBlockIndex: 0 }),
  converseEvent('messageStop', { stopReason: 'end_turn' }),
  converseEvent('metadata', { usage: CONVERSE_USAGE, metrics: { latencyMs: 9 } }),
];
const CONVERSE_WHOLE = {
  output: { message: { role: 'assistant', content: [{ text: WORDS.join('') }] } },
  stopReason: 'end_turn',
  usage: CONVERSE_USAGE,
  metrics: { latencyMs: 9 },
};

const LEGACY = { id: 'cmpl-1', object: 'text_completion', created: 1, model: 'up' };
const legacyChunk = (text: string, finish_reason: string | null = null): string =>
  `data: ${JSON.stringify({ ...LEGACY, choices: [{ index: 0, text, logprobs: null, finish_reason }] })}\n\n`;
const LEGACY_EVENTS: readonly string[] = [...WORDS.map((text) => legacyChunk(text)), legacyChunk('', 'stop'), 'data: [DONE]\n\n'];
const LEGACY_WHOLE = {
  ...LEGACY,
  choices: [{ index: 0, text: WORDS.join(''), logprobs: null, finish_reason: 'stop' }],
  usage: { prompt_tokens: 5, completion_tokens: 3, total_tokens: 8 },
};

/** Wires of upstreams that no client here speaks, or that are asked as they were. */
const WIRES: readonly Family[] = [true, false].flatMap((isStream): readonly Family[] => {
  const way = isStream ? ', streamed' : '';
  const legacy = `legacy${isStream ? '-streamed' : ''}`;
  return [
    {
      name: `${CHAT.id}, over Converse${way}`,
      provider: 'aws',
      settings: (url) => ({ preset: 'bedrock', baseUrl: url, key: 'up-secret', region: 'eu-west-1' }),
      ask: (mark) => jsonAsked(CHAT.path('', isStream), CHAT.body('aws/amazon.nova-lite-v1:0', isStream, `say ${mark}`)),
      type: isStream ? 'application/vnd.amazon.eventstream' : 'application/json',
      pieces: isStream ? CONVERSE_EVENTS : halves(CONVERSE_WHOLE),
      isStream,
    },
    {
      name: `completions, as they are${way}`,
      provider: legacy,
      settings: (url) => ({
        preset: 'openai-compatible',
        baseUrl: `${url}/${legacy}/v1`,
        key: 'up-secret',
        protocols: ['openai-completions'],
      }),
      ask: (mark) => jsonAsked('/v1/completions', { model: `${legacy}/up`, prompt: mark, ...(isStream ? { stream: true } : {}) }),
      type: isStream ? 'text/event-stream' : 'application/json',
      pieces: isStream ? LEGACY_EVENTS : halves(LEGACY_WHOLE),
      isStream,
      below: `/${legacy}/`,
    },
  ];
});

const counts = (name: string, path: string, body: (mark: string) => object, reply: object, at?: At): Family =>
  whole(`count of tokens${name}`, reply, (mark) => jsonAsked(path, body(mark)), at);

/** Counts by the counters of other vendors. */
const COUNTS: readonly Family[] = [
  counts(', as Responses', '/v1/responses/input_tokens', (mark) => ({ model: 'maker/gpt-up', input: mark }), {
    object: 'response.input_tokens',
    input_tokens: 7,
  }),
  counts(
    ' by another vendor',
    '/v1/messages/count_tokens',
    (mark) => ({ model: 'gem/up', messages: [{ role: 'user', content: mark }] }),
    { totalTokens: 7 },
    GEMINI,
  ),
];

/** What makes something each time that it is asked for. */
const MAKES = /^(?:images|image edits|image variations|transcription|translation)/;
const marked = (family: Family): Family => (MAKES.test(family.name) ? { ...family, makes: 'once' } : family);

/** All of them, chat by its four protocols. Lists of models, and what is kept here, are read without an upstream. */
export const FAMILIES: readonly Family[] = [
  ...[...CHATS, ...MEDIA, ...MORE, ...WIRES, ...COUNTS].map(marked),
  ...PICTURE_FAMILIES,
  ...SPEECH_FAMILIES,
  ...TASK_FAMILIES,
];

/** The providers of all of them at one upstream. */
export const providersAt = (url: string): Readonly<Record<string, ProviderSettings>> =>
  Object.fromEntries(
    FAMILIES.flatMap(({ provider, settings, others }) => [[provider, settings(url)] as const, ...Object.entries(others?.(url) ?? {})]),
  );

/** What a request of one call beside that of its family is answered with. */
export function besideAnswer(came: Came): Answered | undefined {
  for (const { beside } of FAMILIES) {
    const answered = beside?.(came);
    if (answered) return answered;
  }
  return undefined;
}
