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

/** `a` and `b`, each at an upstream of its own; `both` goes to `a` first. */
async function set(answer: Answer, model: string, each: readonly Partial<ProviderSettings>[]): Promise<void> {
  upstreams = await Promise.all(each.map(() => startUpstream(answer)));
  const providers = Object.fromEntries(
    upstreams.map(({ url }, at) => [
      String.fromCharCode(97 + at),
      { preset: 'openai', baseUrl: url, ...(each[at]?.keys ? {} : { key: 'up-secret' }), ...each[at] } as ProviderSettings,
    ]),
  );
  const targets = Object.keys(providers).map((name) => ({ to: `${name}/${model}` }));
  config = { providers, models: { both: { targets, strategy: 'priority' } } };
  server = await startTestServer(config);
}

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

describe('what is too long for a target goes to the next', () => {
  it.each(LONG_ROWS.filter(({ path }) => !path.includes('async')))('$name', async ({ path, model, answer, preset = 'openai', body }) => {
    await set(answer, model, [{ preset, models: { '*': { context: 30 } } }, { preset }]);
    const short = await decided(path, body('hello'));
    expect([short.by, reasonsOf(short.route, 'a')]).toEqual(['a', ['alias', 'priority']]);
    const tooLong = await decided(path, body(long));
    expect([tooLong.by, reasonsOf(tooLong.route, 'a')]).toEqual(['b', ['alias', 'priority', 'context_too_long']]);
  });

  it.each(LONG_ROWS)('$name: where there is none, it is said', async ({ path, model, answer, preset = 'openai', body }) => {
    const small = { preset, models: { '*': { context: 30 } } };
    await set(answer, model, [small, small]);
    const refused = await send(path, body(long));
    expect([refused.status, await refused.text()]).toEqual([
      400,
      expect.stringMatching(/a\/\S+ lacks a context as long as this; b\/\S+ lacks/),
    ]);
    expect(upstreams.map(({ seen }) => seen.length)).toEqual([0, 0]);
  });

  it.each(LONG_ROWS)('$name: a lone target says so itself', async ({ path, model, answer, preset = 'openai', body }) => {
    await set(answer, model, [{ preset, models: { '*': { context: 30 } } }]);
    expect((await send(path, body(long))).status).toBe(200);
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
    else vectors(request, response);
  };
  const NAMED: readonly (readonly [string, object, Readonly<Record<string, string>>])[] = [
    ['a header', {}, { 'x-session-id': 'one' }],
    ['a header, strictly', {}, { 'x-session-id': 'one', 'x-strict': '1' }],
    ['its body', { session_id: 'one' }, {}],
  ];

  it.each(NAMED)('by %s stays on one key, and says so where it moves', async (_name, more, headers) => {
    refused.clear();
    await set(byKey, 'up', [{ keys: KEYS }]);
    const say = async (input: string): Promise<string | null> => {
      const got = await send('/v1/embeddings', { model: 'a/up', input, ...more }, headers);
      expect(got.status, await got.text()).toBe(200);
      return got.headers.get('x-pailou-notes');
    };
    expect([await say('one'), await say('two'), await say('three')]).toEqual([null, null, null]);
    const home = keyIn(0);
    expect([keyIn(1), keyIn(2)]).toEqual([home, home]);
    refused.add(home);
    expect([await say('four'), await say('five')]).toEqual(['affinity.key;moved', null]);
  });

  it('is none where nothing names it: all keys are used, and nothing is said', async () => {
    refused.clear();
    await set(byKey, 'up', [{ keys: KEYS }]);
    const used = new Set<string>();
    for (let at = 0; used.size < 3; at++) {
      expect(at).toBeLessThan(200);
      const got = await send('/v1/embeddings', { model: 'a/up', input: 'the same' });
      expect([got.status, got.headers.get('x-pailou-notes')]).toEqual([200, null]);
      used.add(keyIn(-1));
    }
  });

  it('that a route keeps says when it had to leave its target', async () => {
    await set(vectors, 'up', [{}, {}]);
    await server.close();
    server = await startTestServer({ ...config, models: { both: { targets: [{ to: 'a/up' }, { to: 'b/up' }], affinity: true } } });
    const say = async (): Promise<readonly (string | null)[]> => {
      const got = await send('/v1/embeddings', { model: 'both', input: 'hello' }, { 'x-session-id': 'one' });
      return ['x-pailou-served-by', 'x-pailou-notes'].map((name) => got.headers.get(name));
    };
    const [home, quiet] = await say();
    expect(quiet).toBe(null);
    const [from, to] = home === 'a/up' ? [0, 'b/up'] : [1, 'a/up'];
    (upstreams[from] as { answer: Answer }).answer = json({ error: { message: 'no' } }, 500);
    expect(await say()).toEqual([to, 'affinity.target;moved']);
    expect(await say()).toEqual([to, null]);
  });
});
