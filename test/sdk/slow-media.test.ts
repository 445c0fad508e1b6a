import { CohereClientV2 } from 'cohere-ai';
import { toFile } from 'openai';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Config } from '../../src/config/config.ts';
import { chat } from '../exchange/dialects.ts';
import { call, type Got } from '../exchange/stage.ts';
import type { Conducted } from '../fakes/upstream.ts';
import { ALIVE, setSlowStage, type SlowStage } from './slow-stage.ts';
import { googleAt, openaiAt } from './stage.ts';

let stage: SlowStage;
/** Its clock is never put forward: what is told at once. */
let calm: SlowStage;
/** Some of its clients hear nothing: its rows run one after another. */
let quiet: SlowStage;
/** The configuration does not ask for white space. */
let plain: SlowStage;
beforeAll(async () => {
  const changes =
    (server?: Config['server']) =>
    (baseUrl: string): Partial<Config> => ({
      ...(server ? { server } : {}),
      providers: {
        oai: { preset: 'openai', baseUrl, key: 'k', retries: 0 },
        cohere: { preset: 'cohere', baseUrl, key: 'k', retries: 0 },
        // Has speech, but no events of it.
        groq: { preset: 'groq', baseUrl, key: 'k', retries: 0 },
      },
      models: { 'kept-*': { targets: [{ to: 'oai/*' }], cache: 60_000 } },
    });
  stage = await setSlowStage(changes(ALIVE));
  calm = await setSlowStage(changes(ALIVE));
  quiet = await setSlowStage(changes(ALIVE));
  plain = await setSlowStage(changes());
});
afterAll(() => Promise.all([stage.close(), calm.close(), quiet.close(), plain.close()]));

const FILE = Buffer.from('UklGRiQAAABXQVZFZm10IBAAAAABAAEAQB8AAIA+AAACABAAZGF0YQAAAAA=', 'base64');
const asJson = { 'content-type': 'application/json' };

const post = ({ server }: SlowStage, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Got> =>
  call(server.url + path, JSON.stringify(body), { ...asJson, authorization: `Bearer ${server.key}`, ...headers });

/** A form with a file. The fields that come behind it are known later than the others. */
async function postForm(
  { server }: SlowStage,
  path: string,
  fields: Record<string, string>,
  behind: Record<string, string> = {},
): Promise<Got> {
  const form = new FormData();
  for (const [name, value] of Object.entries(fields)) form.append(name, value);
  form.append('file', new Blob([new Uint8Array(FILE)], { type: 'audio/wav' }), 'a.wav');
  for (const [name, value] of Object.entries(behind)) form.append(name, value);
  const written = new Response(form);
  const headers = { 'content-type': written.headers.get('content-type') ?? '', authorization: `Bearer ${server.key}` };
  return call(server.url + path, Buffer.from(await written.arrayBuffer()), headers);
}

interface Family {
  readonly name: string;
  /** As a client's SDK asks. */
  readonly sdk: (at: SlowStage, mark: string) => Promise<unknown>;
  readonly raw: (at: SlowStage, mark: string) => Promise<Got>;
  /** What the upstream answers. */
  readonly good: object;
  /** Of what the SDK gives. */
  readonly said: unknown;
}

const openai = ({ server }: SlowStage) => openaiAt(server.url, server.key);
const google = ({ server }: SlowStage) => googleAt(server.url, server.key);
const wav = () => toFile(FILE, 'a.wav');

/** As Google's SDK asks on Vertex AI, where it wants an account of Google's to do so. */
async function predicted({ server }: SlowStage, model: string, instance: object): Promise<unknown> {
  const answer = await fetch(`${server.url}/v1/publishers/oai/models/${model}:predict`, {
    method: 'POST',
    headers: { ...asJson, authorization: `Bearer ${server.key}` },
    body: JSON.stringify({ instances: [instance] }),
  });
  return ((await answer.json()) as { predictions: unknown[] }).predictions[0];
}

const VECTORS = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
  model: 'm',
  usage: { prompt_tokens: 1, total_tokens: 1 },
};
const RERANKED = { id: 'r', results: [{ index: 0, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } };
const RERANK = { query: 'x', documents: ['a'] };
const IMAGES = { created: 1, data: [{ b64_json: 'aGk=' }] };
const JUDGED = { id: 'j', model: 'm', results: [{ flagged: false, categories: {}, category_scores: {} }] };

const FAMILIES: readonly Family[] = [
  {
    name: 'embeddings, whose bytes pass',
    sdk: async (at, mark) =>
      (await openai(at).embeddings.create({ model: `oai/e-${mark}`, input: 'x', encoding_format: 'float' })).data[0]?.embedding,
    raw: (at, mark) => post(at, '/v1/embeddings', { model: `oai/e-${mark}`, input: 'x' }),
    good: VECTORS,
    said: [0.5],
  },
  {
    name: 'embeddings on a route that keeps answers',
    sdk: async (at, mark) =>
      (await openai(at).embeddings.create({ model: `kept-${mark}`, input: 'x', encoding_format: 'float' })).data[0]?.embedding,
    raw: (at, mark) => post(at, '/v1/embeddings', { model: `kept-${mark}`, input: 'x' }),
    good: VECTORS,
    said: [0.5],
  },
  {
    name: 'embeddings in another dialect',
    sdk: async (at, mark) => (await google(at).models.embedContent({ model: `oai/e-${mark}`, contents: 'x' })).embeddings?.[0]?.values,
    raw: (at, mark) => post(at, `/v1beta/models/oai/e-${mark}:embedContent`, { content: { parts: [{ text: 'x' }] } }),
    good: VECTORS,
    said: [0.5],
  },
  {
    name: 'embeddings as Vertex has them',
    sdk: async (at, mark) =>
      ((await predicted(at, `e-${mark}`, { content: 'x' })) as { embeddings: { values: number[] } }).embeddings.values,
    raw: (at, mark) => post(at, `/v1/publishers/oai/models/e-${mark}:predict`, { instances: [{ content: 'x' }] }),
    good: VECTORS,
    said: [0.5],
  },
  {
    name: 'rerank',
    sdk: async ({ server }, mark) => {
      const client = new CohereClientV2({ token: server.key, environment: server.url });
      return (await client.rerank({ model: `cohere/rerank-${mark}`, ...RERANK }, { maxRetries: 0 })).results[0]?.relevanceScore;
    },
    raw: (at, mark) => post(at, '/v1/rerank', { model: `cohere/rerank-${mark}`, ...RERANK }),
    good: RERANKED,
    said: 0.9,
  },
  {
    name: 'moderations',
    sdk: async (at, mark) =>
      (await openai(at).moderations.create({ model: `oai/omni-moderation-${mark}`, input: 'x' })).results[0]?.flagged,
    raw: (at, mark) => post(at, '/v1/moderations', { model: `oai/omni-moderation-${mark}`, input: 'x' }),
    good: JUDGED,
    said: false,
  },
  {
    name: 'transcription',
    sdk: async (at, mark) => (await openai(at).audio.transcriptions.create({ file: await wav(), model: `oai/whisper-${mark}` })).text,
    raw: (at, mark) => postForm(at, '/v1/audio/transcriptions', { model: `oai/whisper-${mark}` }),
    good: { text: 'Hello.' },
    said: 'Hello.',
  },
  {
    name: 'translation',
    sdk: async (at, mark) => (await openai(at).audio.translations.create({ file: await wav(), model: `oai/whisper-${mark}` })).text,
    raw: (at, mark) => postForm(at, '/v1/audio/translations', {}, { model: `oai/whisper-${mark}`, response_format: 'json' }),
    good: { text: 'Hello.' },
    said: 'Hello.',
  },
  {
    name: 'images',
    sdk: async (at, mark) => (await openai(at).images.generate({ model: `oai/gpt-image-1-${mark}`, prompt: 'a boat' })).data?.[0]?.b64_json,
    raw: (at, mark) => post(at, '/v1/images/generations', { model: `oai/gpt-image-1-${mark}`, prompt: 'a boat' }),
    good: IMAGES,
    said: 'aGk=',
  },
  {
    name: 'images as Imagen has them',
    sdk: async (at, mark) =>
      ((await predicted(at, `gpt-image-1-${mark}`, { prompt: 'a boat' })) as { bytesBase64Encoded: string }).bytesBase64Encoded,
    raw: (at, mark) => post(at, `/v1beta/models/oai/gpt-image-1-${mark}:predict`, { instances: [{ prompt: 'a boat' }] }),
    good: IMAGES,
    said: 'aGk=',
  },
];

const answers =
  (body: object | string, status = 200, type = 'application/json') =>
  (play: Conducted): void => {
    play.head(status, { 'content-type': type });
    play.end(typeof body === 'string' ? body : JSON.stringify(body));
  };

const fails = answers(chat.error(500, 'it broke'), 500);
const mistaken = answers(chat.error(422, 'your mistake'), 422);

const FAILURES: readonly [string, (play: Conducted, good: object) => unknown][] = [
  ['an error status', fails],
  ['the client’s own mistake', mistaken],
  [
    'half a reply',
    async (play, good) => {
      play.head(200, { ...asJson, 'content-length': '5000' });
      await play.write(JSON.stringify(good).slice(0, 10));
      play.cut('fin');
    },
  ],
  ['an error in a success', answers({ error: { message: 'it broke', type: 'server_error', param: null, code: null } })],
];

describe.concurrent.each(FAMILIES)('$name: one JSON text that is long in coming', ({ sdk, raw, good, said }) => {
  it('comes behind white space', async () => {
    expect(await stage.keptWaiting((mark) => sdk(stage, mark), answers(good))).toEqual(said);
    const got = await stage.keptWaiting((mark) => raw(stage, mark), answers(good));
    expect(got).toMatchObject({ status: 200, complete: true, text: expect.stringMatching(/^\n+\{/) });
    expect(got.headers['content-type']).toMatch(/^application\/json/);
    JSON.parse(got.text);
  });

  it.each(FAILURES)('that is %s raises', async (_, then) => {
    await expect(
      stage.keptWaiting(
        (mark) => sdk(stage, mark),
        (play) => then(play, good),
      ),
    ).rejects.toThrow();
  });

  it('that is an error is told as what nobody takes for an answer, and the connection breaks', async () => {
    const got = await stage.keptWaiting((mark) => raw(stage, mark), fails);
    expect(got).toMatchObject({ status: 200, complete: false, text: expect.stringMatching(/^\n+\{.*it broke/) });
    expect(() => JSON.parse(got.text)).toThrow();
  });

  it('a quick error keeps its status', async () => {
    const got = await calm.played((mark) => raw(calm, mark), mistaken);
    expect(got).toMatchObject({ status: 422, complete: true, text: expect.stringContaining('your mistake') });
  });
});

interface Streamed {
  readonly name: string;
  readonly raw: (at: SlowStage, mark: string) => Promise<Got>;
  readonly good: (play: Conducted) => unknown;
  /** The last event. */
  readonly last: string;
}

const frames = (...events: readonly object[]): string => events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('');
const HEARD = frames({ type: 'transcript.text.delta', delta: 'Hello.' }, { type: 'transcript.text.done', text: 'Hello.' });
const SPOKEN = frames(
  { type: 'speech.audio.delta', audio: 'AAEC' },
  { type: 'speech.audio.done', usage: { input_tokens: 1, output_tokens: 1, total_tokens: 2 } },
);

const transcribed = (at: SlowStage, model: string): Promise<Got> => postForm(at, '/v1/audio/transcriptions', { model, stream: 'true' });
const spoken = (at: SlowStage, model: string): Promise<Got> =>
  post(at, '/v1/audio/speech', { model, input: 'Hi', voice: 'alloy', response_format: 'wav', stream_format: 'sse' });

const STREAMS: readonly [Streamed, ...Streamed[]] = [
  {
    name: 'speech, the provider’s own events',
    raw: (at, mark) => spoken(at, `oai/gpt-4o-mini-tts-${mark}`),
    good: answers(SPOKEN, 200, 'text/event-stream'),
    last: 'speech.audio.done',
  },
  {
    name: 'speech, made of sound',
    raw: (at, mark) => spoken(at, `groq/playai-tts-${mark}`),
    good: answers('RIFFxxxxWAVE', 200, 'audio/wav'),
    last: 'speech.audio.done',
  },
  {
    name: 'transcription, the provider’s own events',
    raw: (at, mark) => transcribed(at, `oai/gpt-4o-transcribe-${mark}`),
    good: answers(HEARD, 200, 'text/event-stream'),
    last: 'transcript.text.done',
  },
  {
    name: 'transcription, asked for behind the file',
    raw: (at, mark) => postForm(at, '/v1/audio/transcriptions', { model: `oai/gpt-4o-transcribe-${mark}` }, { stream: 'true' }),
    good: answers(HEARD, 200, 'text/event-stream'),
    last: 'transcript.text.done',
  },
  {
    name: 'transcription, made of a whole answer',
    raw: (at, mark) => transcribed(at, `groq/whisper-${mark}`),
    good: answers({ text: 'Hello.' }),
    last: 'transcript.text.done',
  },
];

/** The events of a stream; comments are none. */
const eventsOf = (text: string): { readonly type?: string; readonly error?: { readonly message: string } }[] =>
  text
    .split('\n\n')
    .filter((frame) => frame !== '' && !frame.startsWith(':') && frame !== 'data: [DONE]')
    .map((frame) => JSON.parse(frame.replace(/^(?:event: .*\n)?data: /, '')) as { type?: string });

describe.concurrent.each(STREAMS)('$name: a stream that is long in coming', ({ raw, good, last }) => {
  it('comes behind a comment', async () => {
    const got = await stage.keptWaiting((mark) => raw(stage, mark), good);
    expect(got).toMatchObject({ status: 200, complete: true, text: expect.stringMatching(/^: keep-alive\n\n/) });
    expect(got.headers['content-type']).toMatch(/^text\/event-stream/);
    expect(eventsOf(got.text).at(-1)).toMatchObject({ type: last });
  });

  it('ends in the error, where it is one', async () => {
    const got = await stage.keptWaiting((mark) => raw(stage, mark), fails);
    expect(got).toMatchObject({ status: 200, text: expect.stringMatching(/^: keep-alive\n\n/) });
    const events = eventsOf(got.text);
    expect(events).toHaveLength(1);
    expect(events[0]?.error?.message).toContain('it broke');
  });

  it('a quick error keeps its status', async () => {
    expect(await calm.played((mark) => raw(calm, mark), mistaken)).toMatchObject({ status: 422, complete: true });
  });
});

describe.concurrent('a stream', () => {
  it('that fails behind a comment raises in the SDK', async () => {
    const ask = async (mark: string): Promise<void> => {
      const events = await openai(stage).audio.transcriptions.create({
        file: await wav(),
        model: `oai/gpt-4o-transcribe-${mark}`,
        stream: true,
      });
      for await (const event of events) expect(event.type).toMatch(/^transcript/);
    };
    await expect(stage.keptWaiting(ask, fails)).rejects.toThrow('it broke');
  });

  it.each([
    ['speech', STREAMS[0], SPOKEN],
    ['transcription', STREAMS[2] as Streamed, HEARD],
  ] as const)('of %s has no comment in the middle of an event', async (_, { raw }, text) => {
    const got = await stage.keptWaiting(
      (mark) => raw(stage, mark),
      async (play) => {
        play.head();
        const half = text.indexOf('\n\n') + 20;
        await play.write(text.slice(0, half));
        // Another client that has waited for as long: the look that kept it alive has seen this one.
        await stage.keptWaiting((mark) => STREAMS[0].raw(stage, mark), fails);
        play.end(text.slice(half));
      },
    );
    expect(got.text).toMatch(/\n\n: keep-alive\n\ndata: /);
    expect(eventsOf(got.text)).toEqual(eventsOf(text));
  });
});

describe('nothing is sent', () => {
  /** Waits until another client has been kept alive: the look that did so has passed this one by. */
  const quietly = (at: SlowStage, ask: (mark: string) => Promise<Got>): Promise<Got> =>
    at.played(ask, async (play) => {
      await at.keptWaiting((mark) => STREAMS[0].raw(at, mark), fails);
      mistaken(play);
    });

  it.each(FAMILIES)('where the configuration does not say so: $name', async ({ raw }) => {
    expect(await quietly(plain, (mark) => raw(plain, mark))).toMatchObject({ status: 422, complete: true });
  });

  it.each(['text', 'srt', 'vtt'])('in front of a transcript as %s', async (response_format) => {
    const got = await quietly(quiet, (mark) =>
      postForm(quiet, '/v1/audio/transcriptions', { model: `oai/whisper-${mark}`, response_format }),
    );
    expect(got).toMatchObject({ status: 422, complete: true });
  });

  it('in front of sound', async () => {
    const got = await quietly(quiet, (mark) => post(quiet, '/v1/audio/speech', { model: `oai/tts-${mark}`, input: 'Hi', voice: 'alloy' }));
    expect(got).toMatchObject({ status: 422, complete: true });
  });

  it('in the middle of a JSON text', async () => {
    const long = JSON.stringify({
      ...VECTORS,
      data: [{ object: 'embedding', index: 0, embedding: Array.from({ length: 50_000 }, () => 0.25) }],
    });
    for (const how of ['played', 'keptWaiting'] as const) {
      const got = await quiet[how](
        (mark) => post(quiet, '/v1/embeddings', { model: `oai/e-${mark}`, input: 'x' }),
        async (play) => {
          play.head(200, { ...asJson, 'content-length': String(long.length) });
          await play.write(long.slice(0, 150_001));
          await quiet.keptWaiting((mark) => STREAMS[0].raw(quiet, mark), fails);
          play.end(long.slice(150_001));
        },
      );
      expect(got).toMatchObject({ status: 200, complete: true });
      expect(got.text.trim()).toBe(long);
    }
  });
});

it.each(FAMILIES.filter(({ name }) => /^(?:images|rerank|moderations)$/.test(name)))(
  '$name: asked again with its key, what failed behind white space is told as it would have been',
  async ({ name }) => {
    const [path, about] = {
      images: ['/v1/images/generations', { prompt: 'a boat', model: 'oai/gpt-image-1-' }],
      rerank: ['/v1/rerank', { ...RERANK, model: 'cohere/rerank-' }],
      moderations: ['/v1/moderations', { input: 'x', model: 'oai/omni-moderation-' }],
    }[name] as [string, { readonly model: string }];
    let body = {};
    const asked = (mark: string): Promise<Got> => {
      body = { ...about, model: about.model + mark };
      return post(stage, path, body, { 'idempotency-key': `slow-${name}` });
    };
    expect(await stage.keptWaiting(asked, mistaken)).toMatchObject({ status: 200, complete: false });
    const again = await post(stage, path, body, { 'idempotency-key': `slow-${name}` });
    expect(again).toMatchObject({ status: 422, complete: true, text: expect.stringContaining('your mistake') });
    expect(again.headers['idempotent-replayed']).toBe('true');
  },
);
