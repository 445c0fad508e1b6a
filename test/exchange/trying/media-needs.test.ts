import { afterEach, describe, expect, it } from 'vitest';
import { candidatesOf, isSameOutcome, type KeptDecision, replay } from '../../../src/policy/kept-decision.ts';
import type { ProtocolId } from '../../../src/ir/index.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import { compileSnapshot } from '../../../src/compile-snapshot.ts';
import { type Answer, type FakeUpstream, json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer, testConfig, type TestServer } from '../../server.ts';

let server: TestServer;
let upstreams: readonly FakeUpstream[] = [];
let config: object;
afterEach(async () => {
  await server.close();
  await Promise.all(upstreams.map((one) => one.close()));
  expect(server.defects).toEqual([]);
});

/** `a` and `b`, each at an upstream of its own; `both` goes to `a` first. `model`: one for all, or one for each. */
async function set(answer: Answer, model: string | readonly string[], each: readonly Partial<ProviderSettings>[]): Promise<void> {
  upstreams = await Promise.all(each.map(() => startUpstream(answer)));
  const providers = Object.fromEntries(
    upstreams.map(({ url }, at) => [
      String.fromCharCode(97 + at),
      { preset: 'openai', baseUrl: url, ...(each[at]?.keys ? {} : { key: 'up-secret' }), ...each[at] } as ProviderSettings,
    ]),
  );
  const targets = Object.keys(providers).map((name, at) => ({ to: `${name}/${typeof model === 'string' ? model : model[at]}` }));
  config = { providers, models: { both: { targets, strategy: 'priority' } } };
  server = await startTestServer(config);
}

const setUnlike = (answer: Answer, presets: readonly string[], models: readonly string[]): Promise<void> =>
  set(
    answer,
    models,
    presets.map((preset) => ({ preset })),
  );

const send = (path: string, body: object, headers: Readonly<Record<string, string>> = {}): Promise<Response> => {
  const isForm = body instanceof FormData;
  const type = isForm ? {} : { 'content-type': 'application/json' };
  return fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, ...type, ...headers },
    body: isForm ? body : JSON.stringify(body),
  });
};

/** Who served it, and what its record keeps of the decision. */
async function decided(path: string, body: object): Promise<{ readonly by: string; readonly route: KeptDecision }> {
  const count = server.records.length;
  const got = await send(path, body);
  expect(got.status, await got.text()).toBe(200);
  await expect.poll(() => server.records.length).toBe(count + 1);
  const record = server.records[count];
  if (!record?.route) throw new Error('no decision was kept');
  const { asked, operation, key } = record;
  const protocol = record.protocol as ProtocolId;
  const again = replay(compileSnapshot(testConfig(config), 1), { asked, protocol, operation, key }, record.route);
  expect(isSameOutcome(again, record.route)).toBe(true);
  return { by: got.headers.get('x-pailou-served-by')?.split('/')[0] ?? '', route: record.route };
}

const reasonsOf = (route: KeptDecision, name: string): readonly string[] =>
  candidatesOf(route).find(({ provider }) => provider === name)?.reasons ?? [];

const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==', 'base64');
const formOf = (fields: Readonly<Record<string, string>>, file: string, type: string, bytes: Buffer): FormData => {
  const out = new FormData();
  for (const [name, value] of Object.entries(fields)) out.append(name, value);
  out.append(file, new Blob([bytes], { type }), `${file}.${type.split('/')[1] ?? ''}`);
  return out;
};
const edit = (prompt: string): FormData => formOf({ model: 'both', prompt }, 'image', 'image/png', png);
const sound = (fields: Readonly<Record<string, string>>): FormData => formOf(fields, 'file', 'audio/wav', Buffer.from('RIFF....WAVEfmt '));

const vectors: Answer = (request, response) => {
  const { input } = JSON.parse(request.body) as { input: unknown };
  const count = Array.isArray(input) && typeof input[0] !== 'number' ? input.length : 1;
  const data = Array.from({ length: count }, (_, index) => ({ object: 'embedding', index, embedding: [1] }));
  json({ object: 'list', model: 'up', data, usage: { prompt_tokens: 2, total_tokens: 2 } })(request, response);
};
const moderated: Answer = json({ id: 'modr-1', model: 'up', results: [{ flagged: false, categories: {}, category_scores: {} }] });
const spoken: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound');
const picture: Answer = json({ created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] });
const scored: Answer = json({ id: 'r-1', results: [{ index: 0, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } });
const heard: Answer = json({ text: 'hello' });
const job = { object: 'video', model: 'up', status: 'queued', progress: 0, created_at: 1, seconds: '4', size: '1280x720' };
const filmed: Answer = json({ id: 'video_1', ...job });

const long = 'word '.repeat(40);

interface Long {
  readonly path: string;
  readonly model: string;
  readonly answer: Answer;
  readonly preset?: string;
  /** With something that is as long as this. */
  readonly body: (text: string) => object;
}

/** All that has words in it. */
const LONG: Readonly<Record<string, Long>> = {
  vectors: { path: '/v1/embeddings', model: 'up', answer: vectors, body: (text) => ({ model: 'both', input: ['a', text] }) },
  'vectors, the model in the path': {
    path: '/v1beta/models/both:embedContent',
    model: 'up',
    answer: vectors,
    body: (text) => ({ content: { parts: [{ text }] } }),
  },
  'vectors as instances': {
    path: '/v1beta/models/both:predict',
    model: 'up',
    answer: vectors,
    body: (content) => ({ instances: [{ content }] }),
  },
  rerank: {
    path: '/v1/rerank',
    model: 'rerank-v3.5',
    answer: scored,
    preset: 'cohere',
    body: (text) => ({ model: 'both', query: 'boats', documents: ['a', text] }),
  },
  moderations: {
    path: '/v1/moderations',
    model: 'omni-moderation-latest',
    answer: moderated,
    body: (text) => ({ model: 'both', input: ['a', text] }),
  },
  speech: {
    path: '/v1/audio/speech',
    model: 'gpt-4o-mini-tts',
    answer: spoken,
    body: (input) => ({ model: 'both', input, voice: 'alloy' }),
  },
  images: { path: '/v1/images/generations', model: 'gpt-image-1', answer: picture, body: (prompt) => ({ model: 'both', prompt }) },
  'images behind a task': {
    path: '/v1/images/generations?async=true',
    model: 'gpt-image-1',
    answer: picture,
    body: (prompt) => ({ model: 'both', prompt }),
  },
  edits: { path: '/v1/images/edits', model: 'gpt-image-1', answer: picture, body: edit },
  videos: { path: '/v1/videos', model: 'sora-2', answer: filmed, body: (prompt) => ({ model: 'both', prompt, seconds: '4' }) },
};

const LONG_ROWS = Object.entries(LONG).map(([name, row]) => ({ name, ...row }));

/** Many providers cut what is too long for these. */
const isCut = ({ path }: Pick<Long, 'path'>): boolean => /embed|rerank|moderations|v1beta/.test(path);

describe('what is too long for a target goes to the next', () => {
  it.each(LONG_ROWS.filter(({ path }) => !path.includes('async')))('$name', async ({ path, model, answer, preset = 'openai', body }) => {
    await set(answer, model, [{ preset, models: { '*': { context: 30 } } }, { preset }]);
    const short = await decided(path, body('hello'));
    expect([short.by, reasonsOf(short.route, 'a')]).toEqual(['a', ['alias', 'priority']]);
    const tooLong = await decided(path, body(long));
    expect([tooLong.by, reasonsOf(tooLong.route, 'a')]).toEqual(['b', ['alias', 'priority', 'context_too_long']]);
  });

  it.each(LONG_ROWS.filter(isCut))(
    '$name: where there is none, the first may cut it',
    async ({ path, model, answer, preset = 'openai', body }) => {
      const small = { preset, models: { '*': { context: 30 } } };
      await set(answer, model, [small, small]);
      const { by, route } = await decided(path, body(long));
      expect([by, reasonsOf(route, 'a')]).toEqual(['a', ['alias', 'priority']]);
    },
  );

  it.each(LONG_ROWS.filter((row) => !isCut(row)))(
    '$name: where there is none, it is said',
    async ({ path, model, answer, preset = 'openai', body }) => {
      const small = { preset, models: { '*': { context: 30 } } };
      await set(answer, model, [small, small]);
      const refused = await send(path, body(long));
      expect([refused.status, await refused.text()]).toEqual([
        400,
        expect.stringMatching(/a\/\S+ lacks a context as long as this; b\/\S+ lacks/),
      ]);
      expect(upstreams.map(({ seen }) => seen.length)).toEqual([0, 0]);
    },
  );

  it.each(LONG_ROWS)('$name: a lone target says so itself', async ({ path, model, answer, preset = 'openai', body }) => {
    await set(answer, model, [{ preset, models: { '*': { context: 30 } } }]);
    expect((await send(path, body(long))).status).toBe(200);
  });

  it('and to what its route keeps for that', async () => {
    await set(vectors, 'up', [{ models: { '*': { context: 30 } } }, {}]);
    await server.close();
    config = { ...config, models: { both: { targets: [{ to: 'a/up' }], fallback: { context: ['b/up'] } } } };
    server = await startTestServer(config);
    const ask = async (input: string): Promise<string> => (await decided('/v1/embeddings', { model: 'both', input })).by;
    expect([await ask('hello'), await ask(long)]).toEqual(['a', 'b']);
  });

  it('texts that are short each are not long together', async () => {
    await set(vectors, 'up', [{ models: { '*': { context: 30 } } }, {}]);
    expect((await decided('/v1/embeddings', { model: 'both', input: Array.from({ length: 50 }, () => 'word word') })).by).toBe('a');
  });
});

type Kind = readonly [name: string, path: string, lacks: string, body: () => object, answer: Answer, model: string];
/** Models that are known not to take, or to make, what the call is about. */
const KINDS: readonly Kind[] = [
  ['edits', '/v1/images/edits', 'vision', () => edit('a boat'), picture, 'gpt-image-1'],
  ['images', '/v1/images/generations', 'imageOutput', () => ({ model: 'both', prompt: 'a boat' }), picture, 'gpt-image-1'],
  ['speech', '/v1/audio/speech', 'audioOutput', () => ({ model: 'both', input: 'hello', voice: 'alloy' }), spoken, 'gpt-4o-mini-tts'],
  ['transcripts', '/v1/audio/transcriptions', 'audio', () => sound({ model: 'both' }), heard, 'whisper-1'],
  ['translations', '/v1/audio/translations', 'audio', () => sound({ model: 'both' }), heard, 'whisper-1'],
  [
    'moderated images',
    '/v1/moderations',
    'vision',
    () => ({ model: 'both', input: [{ type: 'image_url', image_url: { url: 'https://example.com/a.png' } }] }),
    moderated,
    'omni-moderation-latest',
  ],
];

describe('a model that is known not to take or make it is passed by', () => {
  it.each(KINDS)('%s', async (_name, path, lack, body, answer, model) => {
    const blind = { models: { '*': { [lack]: false } } };
    await set(answer, model, [blind, {}]);
    const { by, route } = await decided(path, body());
    expect([by, reasonsOf(route, 'a')]).toEqual(['b', ['alias', 'priority', `capability_missing:${lack}`]]);
  });
});

describe('a conversation for media', () => {
  const KEYS = [{ value: 'key-one-1' }, { value: 'key-two-2' }, { value: 'key-three' }];
  const keyIn = (at: number): string => String(upstreams[0]?.seen.at(at)?.headers.authorization).replace('Bearer ', '');
  const refused = new Set<string>();
  const byKey: Answer = (request, response) => {
    const key = String(request.headers.authorization).replace('Bearer ', '');
    if (refused.has(key)) json({ error: { message: 'no', type: 'x', param: null, code: null } }, 401)(request, response);
    else (request.path.includes('speech') ? spoken : vectors)(request, response);
  };
  const HEADER = { 'x-session-id': 'one' };
  const SPEECH = ['/v1/audio/speech', { model: 'a/gpt-4o-mini-tts', voice: 'alloy' }, 'affinity.key;moved'] as const;
  /** Vectors come of no prompt that anybody keeps: it is no matter where they move. */
  const VECTORS = ['/v1/embeddings', { model: 'a/up' }, null] as const;
  type Told = readonly [path: string, body: object, moved: string | null];
  const NAMED: readonly (readonly [name: string, told: Told, more: object, headers: Readonly<Record<string, string>>])[] = [
    ['speech by a header', SPEECH, {}, HEADER],
    ['speech by a header, strictly', SPEECH, {}, { ...HEADER, 'x-strict': '1' }],
    ['speech by its body', SPEECH, { session_id: 'one' }, {}],
    ['vectors by a header', VECTORS, {}, HEADER],
  ];

  it.each(NAMED)('%s stays on one key, and says so where that matters', async (_name, [path, told, moved], more, headers) => {
    refused.clear();
    await set(byKey, 'up', [{ keys: KEYS }]);
    const say = async (input: string): Promise<string | null> => {
      const got = await send(path, { ...told, input, ...more }, headers);
      expect(got.status, await got.text()).toBe(200);
      return got.headers.get('x-pailou-notes');
    };
    expect([await say('one'), await say('two'), await say('three')]).toEqual([null, null, null]);
    const home = keyIn(0);
    expect([keyIn(1), keyIn(2)]).toEqual([home, home]);
    refused.add(home);
    expect([await say('four'), await say('five')]).toEqual([moved, null]);
  });

  it.each([{}, { session_id: 'one' }])(
    'is none for vectors where no header names it: all keys are used, and nothing is said (%j)',
    async (more) => {
      refused.clear();
      await set(byKey, 'up', [{ keys: KEYS }]);
      const used = new Set<string>();
      for (let at = 0; used.size < 3; at++) {
        expect(at).toBeLessThan(200);
        const got = await send('/v1/embeddings', { model: 'a/up', input: 'the same', ...more });
        expect([got.status, got.headers.get('x-pailou-notes')]).toEqual([200, null]);
        used.add(keyIn(-1));
      }
    },
  );

  it('that a route keeps says when it had to leave its target', async () => {
    const model = 'gpt-4o-mini-tts';
    await set(spoken, model, [{}, {}]);
    await server.close();
    server = await startTestServer({
      ...config,
      models: { both: { targets: [{ to: `a/${model}` }, { to: `b/${model}` }], affinity: true } },
    });
    const say = async (): Promise<readonly (string | null)[]> => {
      const got = await send('/v1/audio/speech', { model: 'both', input: 'hello', voice: 'alloy' }, HEADER);
      return ['x-pailou-served-by', 'x-pailou-notes'].map((name) => got.headers.get(name));
    };
    const [home, quiet] = await say();
    expect(quiet).toBe(null);
    const [from, to] = home === `a/${model}` ? [0, `b/${model}`] : [1, `a/${model}`];
    (upstreams[from] as { answer: Answer }).answer = json({ error: { message: 'no' } }, 500);
    expect(await say()).toEqual([to, 'affinity.target;moved']);
    expect(await say()).toEqual([to, null]);
  });
});

/** A target that cannot do, or say, something that another can; each with its own preset and model. */
interface Unlike {
  readonly name: string;
  readonly path: string;
  readonly presets: readonly [string, string];
  readonly models: readonly [string, string];
  readonly answer: Answer;
  readonly body: (more: object) => object;
  /** What is said of it. */
  readonly lack: string;
}

const MASKED = (more: object): FormData => {
  const out = edit('a boat');
  for (const [name, value] of Object.entries(more)) out.append(name, JSON.stringify(value));
  out.append('mask', new Blob([png], { type: 'image/png' }), 'mask.png');
  return out;
};
const told = (fields: Readonly<Record<string, string>>) => (more: object) =>
  sound({ model: 'both', ...fields, ...Object.fromEntries(Object.entries(more).map(([name, value]) => [name, JSON.stringify(value)])) });
const asked = (fields: object) => (more: object) => ({ model: 'both', ...fields, ...more });

const REFUSING: readonly Unlike[] = [
  {
    name: 'a mask',
    path: '/v1/images/edits',
    presets: ['gemini', 'openai'],
    models: ['gemini-2.5-flash-image', 'gpt-image-1'],
    answer: picture,
    body: MASKED,
    lack: 'mask',
  },
  {
    name: 'images that are more than it takes',
    path: '/v1/images/generations',
    presets: ['stability', 'openai'],
    models: ['stable-image-ultra', 'gpt-image-1'],
    answer: picture,
    body: asked({ prompt: 'a boat', images: [png.toString('base64'), png.toString('base64')] }),
    lack: 'images[1]',
  },
  {
    name: 'a form of transcript',
    path: '/v1/audio/transcriptions',
    presets: ['cohere', 'openai'],
    models: ['cohere-transcribe', 'whisper-1'],
    answer: ((_request, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end('1\n')) as Answer,
    body: told({ response_format: 'srt' }),
    lack: 'response_format',
  },
  {
    name: 'an image among vectors',
    path: '/v1beta/models/both:embedContent',
    presets: ['openai', 'gemini'],
    models: ['up', 'gemini-embedding-2'],
    answer: json({ embedding: { values: [1] } }),
    body: (more) => ({ content: { parts: [{ inlineData: { mimeType: 'image/png', data: 'AAAA' } }] }, ...more }),
    lack: 'content',
  },
];

const LOSING: readonly Unlike[] = [
  {
    name: 'the quality of images',
    path: '/v1/images/generations',
    presets: ['gemini', 'openai'],
    models: ['gemini-2.5-flash-image', 'gpt-image-1'],
    answer: picture,
    body: asked({ prompt: 'a boat', quality: 'high' }),
    lack: 'quality',
  },
  {
    name: 'the seed of a film',
    path: '/v1/videos',
    presets: ['luma', 'openai'],
    models: ['ray-2', 'sora-2'],
    answer: filmed,
    body: asked({ prompt: 'a boat', seconds: '4', seed: 7 }),
    lack: 'seed',
  },
  {
    name: 'how fast to speak',
    path: '/v1/audio/speech',
    presets: ['deepgram', 'openai'],
    models: ['aura-2-thalia-en', 'gpt-4o-mini-tts'],
    answer: spoken,
    body: asked({ input: 'hello', voice: 'alloy', speed: 1.5 }),
    lack: 'speed',
  },
  {
    name: 'a hint to who listens',
    path: '/v1/audio/transcriptions',
    presets: ['mistral', 'openai'],
    models: ['voxtral-mini-latest', 'whisper-1'],
    answer: heard,
    body: told({ prompt: 'boats' }),
    lack: 'prompt',
  },
  {
    name: 'who is behind vectors',
    path: '/v1/embeddings',
    presets: ['cohere', 'openai'],
    models: ['embed-v4.0', 'up'],
    answer: vectors,
    body: asked({ input: 'hello', made_up: 1 }),
    lack: 'made_up',
  },
  {
    name: 'what moderations may be told',
    path: '/v1/moderations',
    presets: ['mistral', 'openai'],
    models: ['mistral-moderation-latest', 'omni-moderation-latest'],
    answer: moderated,
    body: asked({ input: 'hello', made_up: 1 }),
    lack: 'made_up',
  },
  {
    name: 'how much of a document is read',
    path: '/v1/rerank',
    presets: ['voyage', 'cohere'],
    models: ['rerank-2', 'rerank-v3.5'],
    answer: scored,
    body: asked({ query: 'boats', documents: ['a boat'], max_tokens_per_doc: 9 }),
    lack: 'max_tokens_per_doc',
  },
];

/** What each provider was asked. */
const counts = (): readonly number[] => upstreams.map(({ seen }) => seen.filter(({ method }) => method === 'POST').length);

describe('a target that would refuse something of a call', () => {
  it.each(REFUSING)('is passed by: $name', async ({ path, presets, models, answer, body, lack }) => {
    await setUnlike(answer, presets, models);
    const { by, route } = await decided(path, body({}));
    expect([by, counts(), reasonsOf(route, 'a')]).toEqual(['b', [0, 1], ['alias', 'priority', `capability_missing:${lack}`]]);
  });

  it.each(REFUSING)('says so itself where there is no other: $name', async ({ path, presets, models, answer, body }) => {
    await setUnlike(answer, presets, models);
    const alone = await send(path, body({ provider: { only: ['a'] } }));
    expect([alone.status, await alone.text()]).toEqual([400, expect.not.stringContaining('lacks')]);
    expect(counts()).toEqual([0, 0]);
  });
});

describe('names that a client makes up', () => {
  it('are kept of a decision in bounded room, and decided by again', async () => {
    const each = Array.from({ length: 20 }, (_, at) => ({ preset: at < 19 ? 'cohere' : 'openai' }));
    const models = each.map(({ preset }) => (preset === 'cohere' ? 'embed-v4.0' : 'up'));
    await set(vectors, models, each);
    const made = Object.fromEntries(Array.from({ length: 20 }, (_, at) => [`${at}-${'made-up-'.repeat(9)}`, at]));
    const { by, route } = await decided('/v1/embeddings', { model: 'both', input: 'a', ...made, provider: { require_parameters: true } });
    expect([by, reasonsOf(route, 'a').length, reasonsOf(route, 's').at(-1)]).toEqual(['t', 9, 'capability_missing:_']);
    expect(JSON.stringify(route.l).length).toBeLessThan(1000);
  });
});

describe('a target that would leave out a parameter', () => {
  it.each(LOSING)('is passed by where all are required: $name', async ({ path, presets, models, answer, body, lack }) => {
    await setUnlike(answer, presets, models);
    const { by, route } = await decided(path, body({ provider: { require_parameters: true } }));
    expect([by, counts(), reasonsOf(route, 'a')]).toEqual(['b', [0, 1], ['alias', 'priority', `capability_missing:${lack}`]]);
    const refused = await send(path, body({ provider: { require_parameters: true, only: ['a'] } }));
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(`a/${models[0]} lacks ${lack}`)]);
    expect(counts()).toEqual([0, 1]);
  });

  it('is out alone, too, and the answer names the parameter', async () => {
    await set(picture, 'gemini-2.5-flash-image', [{ preset: 'gemini' }]);
    const body = { model: 'both', prompt: 'a boat', quality: 'high', provider: { require_parameters: true } };
    const refused = await send('/v1/images/generations', body);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({
      error: {
        param: 'quality',
        message: "No target of 'both' can do this: a/gemini-2.5-flash-image lacks quality; 'provider.require_parameters' was asked for",
      },
    });
  });

  it('stays the first where none are required', async () => {
    await setUnlike(
      json({ candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data: png.toString('base64') } }] } }] }),
      ['gemini', 'openai'],
      ['gemini-2.5-flash-image', 'gpt-image-1'],
    );
    const { by, route } = await decided('/v1/images/generations', { model: 'both', prompt: 'a boat', quality: 'high' });
    expect([by, reasonsOf(route, 'a')]).toEqual(['a', ['alias', 'priority']]);
  });

  it('is told by a name that keeps a list of reasons one', async () => {
    await setUnlike(vectors, ['cohere', 'openai'], ['embed-v4.0', 'up']);
    const body = { model: 'both', input: 'hello', 'made up, by somebody': 1, provider: { require_parameters: true } };
    const { by, route } = await decided('/v1/embeddings', body);
    expect([by, reasonsOf(route, 'a').at(-1)]).toEqual(['b', 'capability_missing:made_up_by_somebody']);
  });
});
