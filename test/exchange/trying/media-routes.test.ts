import { createServer } from 'node:net';
import { afterEach, beforeAll, afterAll, describe, expect, it } from 'vitest';
import { candidatesOf } from '../../../src/policy/kept-decision.ts';
import type { Price } from '../../../src/policy/models/price.ts';
import type { RouteSettings } from '../../../src/policy/routes/route.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import { type Answer, type FakeUpstream, json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../../server.ts';

let server: TestServer;
let upstreams: readonly FakeUpstream[] = [];
/** An address at which nobody listens. */
let nowhere: string;
let holder: ReturnType<typeof createServer>;
beforeAll(async () => {
  // Taken and let go of: nothing else gets it meanwhile.
  holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  const address = holder.address();
  nowhere = `http://127.0.0.1:${typeof address === 'object' && address ? address.port : 1}`;
  await new Promise((resolve) => holder.close(resolve));
});
afterAll(() => void holder.close());
afterEach(async () => {
  await server.close();
  await Promise.all(upstreams.map((one) => one.close()));
  expect(server.defects).toEqual([]);
});

const vectors: Answer = json({
  object: 'list',
  model: 'up',
  data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
  usage: { prompt_tokens: 2, total_tokens: 2 },
});
const moderated: Answer = json({ id: 'modr-1', model: 'up', results: [{ flagged: false, categories: {}, category_scores: {} }] });
const sound: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound');
const picture: Answer = json({ created: 1, data: [{ b64_json: 'iVBORw0KGgo=' }] });
const heard: Answer = json({ text: 'hello' });
const job = { object: 'video', model: 'up', status: 'queued', progress: 0, created_at: 1, seconds: '4', size: '1280x720' };
const filmed: Answer = json({ id: 'video_1', ...job });

const scored: Answer = json({ id: 'r-1', results: [{ index: 0, relevance_score: 0.9 }], meta: { billed_units: { search_units: 1 } } });

const FIRST: Partial<RouteSettings> = { strategy: 'priority' };

/** Two providers of a kind, `a` first; `both` goes to either. `each`: what else their settings say. */
async function set(
  answers: readonly (Answer | 'nowhere')[],
  model: string,
  route = FIRST,
  each: readonly Partial<ProviderSettings>[] = [],
): Promise<void> {
  upstreams = await Promise.all(answers.map((answer) => startUpstream(answer === 'nowhere' ? json({}) : answer)));
  const providers = Object.fromEntries(
    upstreams.map(({ url }, at) => [
      String.fromCharCode(97 + at),
      { preset: 'openai', baseUrl: answers[at] === 'nowhere' ? nowhere : url, key: 'up-secret', ...each[at] },
    ]),
  );
  server = await startTestServer({ providers, models: { both: { targets: [{ to: `a/${model}` }, { to: `b/${model}` }], ...route } } });
}

type Headers = Readonly<Record<string, string>>;

const send = (path: string, body: object | FormData, headers: Headers = {}): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${server.key}`,
      ...(body instanceof FormData ? {} : { 'content-type': 'application/json' }),
      ...headers,
    },
    body: body instanceof FormData ? body : JSON.stringify(body),
  });
/** Who served it. */
async function served(path: string, body: object | FormData, headers: Headers = {}): Promise<string | null> {
  const got = await send(path, body, headers);
  expect(got.status, await got.text()).toBe(200);
  return got.headers.get('x-pailou-served-by')?.split('/')[0] ?? null;
}
const form = (fields: Readonly<Record<string, string>>, file: string, type: string): FormData => {
  const out = new FormData();
  for (const [name, value] of Object.entries(fields)) out.append(name, value);
  out.append(file, new Blob([Buffer.from('RIFF....WAVEfmt ')], { type }), `${file}.wav`);
  return out;
};
const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGNgYGBgAAAABQABh6FO1AAAAABJRU5ErkJggg==', 'base64');
function edit(fields: Readonly<Record<string, string>>): FormData {
  const out = new FormData();
  for (const [name, value] of Object.entries(fields)) out.append(name, value);
  out.append('image', new Blob([png], { type: 'image/png' }), 'a.png');
  return out;
}
const counts = (): readonly number[] => upstreams.map(({ seen }) => seen.length);

const speech = { model: 'both', input: 'hello', voice: 'alloy' };
type Family = readonly [
  name: string,
  path: string,
  model: string,
  answer: Answer,
  body: (more: Readonly<Record<string, unknown>>) => object | FormData,
];
/** Both of a kind that does what a path asks for, with what else is said of them. */
const kind = (path: string, ...more: readonly Partial<ProviderSettings>[]): readonly Partial<ProviderSettings>[] =>
  [0, 1].map((at) => ({ preset: path === '/v1/rerank' ? 'cohere' : 'openai', ...more[at] }));
const texts = (more: Readonly<Record<string, unknown>>): Record<string, string> =>
  Object.fromEntries(Object.entries(more).map(([name, value]) => [name, typeof value === 'string' ? value : JSON.stringify(value)]));

const FAMILIES: readonly Family[] = [
  ['vectors', '/v1/embeddings', 'up', vectors, (more) => ({ model: 'both', input: 'hello', ...more })],
  ['moderations', '/v1/moderations', 'omni-moderation-latest', moderated, (more) => ({ model: 'both', input: 'hello', ...more })],
  ['speech', '/v1/audio/speech', 'gpt-4o-mini-tts', sound, (more) => ({ ...speech, ...more })],
  ['images', '/v1/images/generations', 'gpt-image-1', picture, (more) => ({ model: 'both', prompt: 'a boat', ...more })],
  ['edits, as a form', '/v1/images/edits', 'gpt-image-1', picture, (more) => edit({ model: 'both', prompt: 'a boat', ...texts(more) })],
  [
    'transcripts, the model before the file',
    '/v1/audio/transcriptions',
    'whisper-1',
    heard,
    (more) => form({ model: 'both', ...texts(more) }, 'file', 'audio/wav'),
  ],
  ['images, varied', '/v1/images/variations', 'dall-e-2', picture, (more) => edit({ model: 'both', ...texts(more) })],
  [
    'transcripts, translated',
    '/v1/audio/translations',
    'whisper-1',
    heard,
    (more) => form({ model: 'both', ...texts(more) }, 'file', 'audio/wav'),
  ],
  ['rerank', '/v1/rerank', 'rerank-v3.5', scored, (more) => ({ model: 'both', query: 'boats', documents: ['a boat'], ...more })],
  [
    'vectors, the model in the path',
    '/v1beta/models/both:embedContent',
    'up',
    vectors,
    ({ model: _inPath, ...more }) => ({ content: { parts: [{ text: 'hello' }] }, ...more }),
  ],
  ['videos', '/v1/videos', 'sora-2', filmed, (more) => ({ model: 'both', prompt: 'a boat', seconds: '4', size: '1280x720', ...more })],
];

describe('what a body says of where to go holds for', () => {
  it.each(FAMILIES)('%s', async (_name, path, model, answer, body) => {
    await set([answer, answer], model, FIRST, kind(path));
    expect(await served(path, body({}))).toBe('a');
    expect(await served(path, body({ provider: { only: ['b'] } }))).toBe('b');
    expect(await served(path, body({ provider: { order: ['b'], allow_fallbacks: false }, models: ['a/none'] }))).toBe('b');
    const refused = await send(path, body({ provider: { only: ['nobody'] } }));
    expect(refused.status).toBe(400);
    expect(await refused.text()).toMatch(/'provider' leaves nothing to try of: a\b.*\bb\b/);
    for (const { seen } of upstreams)
      for (const { body: sent } of seen) expect(sent).not.toMatch(/"(?:provider|models)"|allow_fallbacks|none/);
  });

  it.each(FAMILIES)('%s: names to go to after the first', async (_name, path, model, answer, body) => {
    await set(['nowhere', answer], model, FIRST, kind(path));
    expect(await served(path.replace('both', `a/${model}`), body({ model: `a/${model}`, models: [`b/${model}`] }))).toBe('b');
    await expect.poll(() => server.records.length).toBe(1);
    expect(server.records[0]).toMatchObject({ provider: 'b', failed: `a/${model};upstream_unreachable` });
    const { route } = server.records[0] ?? {};
    expect(route && candidatesOf(route).map(({ provider, verdict }) => [provider, verdict])).toEqual([
      ['a', 'chosen'],
      ['b', 'eligible'],
    ]);
  });

  it.each([
    ['a list', { provider: ['a'] }, 'provider'],
    ['no list', { models: 7 }, 'models'],
    ['a name that leads out of a path', { models: ['a/../../x'] }, 'model'],
    ['a name without an end', { provider: { only: ['x'.repeat(600)] } }, 'provider.only'],
  ])('and is a mistake where it is %s', async (_name, more, param) => {
    await set([vectors, vectors], 'up');
    const got = await send('/v1/embeddings', { model: 'both', input: 'hello', ...more });
    expect([got.status, ((await got.json()) as { error: { param: string } }).error.param]).toEqual([400, param]);
  });

  it('what is not followed is noted', async () => {
    await set([vectors, vectors], 'up');
    const got = await send('/v1/embeddings', { model: 'both', input: 'hello', provider: { quantizations: ['fp8'] } });
    expect(got.headers.get('x-pailou-notes')).toBe('provider.quantizations;dropped');
  });
});

/** All that anything is paid by, so many times over. */
const priced = (times: number): Price => {
  const [tokens, each] = [1e9 * times, 1e7 * times];
  const sound = { audioInput: tokens, audioOutput: tokens, characters: tokens, second: each };
  return { currency: 'USD', input: tokens, output: tokens, image: each, request: each, ...sound };
};

/** Each would go to the first without it: that keeps what it is sent, and is the dearer one. */
const WISHES: readonly (readonly [name: string, provider: Readonly<Record<string, unknown>>, goes: string])[] = [
  ['order', { order: ['b'] }, 'b'],
  ['only', { only: ['b'] }, 'b'],
  ['ignore', { ignore: ['a'] }, 'b'],
  ['sort', { sort: 'price' }, 'b'],
  ['max_price of a request', { max_price: { request: 0.015 } }, 'b'],
  ['max_price of tokens', { max_price: { prompt: '1.5', completion: 1.5 } }, 'b'],
  ['max_price that both stay below', { max_price: { request: 0.02, prompt: 2 } }, 'a'],
  ['data_collection', { data_collection: 'deny' }, 'b'],
  ['data_collection, allowed', { data_collection: 'allow' }, 'a'],
  ['zdr', { zdr: true }, 'b'],
  ['require_parameters, nothing being lost', { require_parameters: true }, 'a'],
];

describe('each member of `provider` says who serves', () => {
  const differing = [{ models: { '*': { price: priced(2) } } }, { models: { '*': { price: priced(1) } }, dataCollection: 'deny' }] as const;

  it.each(FAMILIES)('%s', async (_name, path, model, answer, body) => {
    await set([answer, answer], model, FIRST, kind(path, ...differing));
    const goes: unknown[] = [];
    for (const [name, provider] of WISHES) goes.push([name, await served(path, body({ provider }))]);
    expect(goes).toEqual(WISHES.map(([name, , to]) => [name, to]));
  });

  it.each(FAMILIES)('%s: allow_fallbacks', async (_name, path, model, answer, body) => {
    await set(['nowhere', answer], model, FIRST, kind(path));
    expect((await send(path, body({ provider: { allow_fallbacks: false } }))).status).toBe(502);
    expect(counts()).toEqual([0, 0]);
    expect(await served(path, body({ provider: { allow_fallbacks: true } }))).toBe('b');
  });

  it.each(FAMILIES)('%s: nothing is sent where all may keep it, or cost more', async (_name, path, model, answer, body) => {
    await set([answer, answer], model, FIRST, kind(path));
    for (const [provider, why] of [
      [{ zdr: true }, 'may keep what it is sent'],
      [{ max_price: { prompt: 0 } }, /costs more than provider\.max_price|has no price that is known/],
    ] as const) {
      const refused = await send(path, body({ provider }));
      expect(refused.status).toBe(400);
      expect(await refused.text()).toMatch(why);
    }
    expect(counts()).toEqual([0, 0]);
  });

  it.each(FAMILIES.filter(([name]) => /images|edits/.test(name)))(
    '%s: a price by the image, which one by tokens is not',
    async (_name, path, model, answer, body) => {
      const byTokens: Price = { currency: 'USD', input: 1, imageOutput: 1 };
      await set([answer, answer], model, FIRST, kind(path, { models: { '*': { price: byTokens } } }, differing[1]));
      expect(await served(path, body({ provider: { max_price: { image: 0.01 } } }))).toBe('b');
      const refused = await send(path, body({ provider: { max_price: { image: 0.009 } } }));
      expect([refused.status, await refused.text()]).toEqual([
        400,
        expect.stringMatching(/a\/\S+ has no price that is known; b\/\S+ costs more than provider\.max_price/),
      ]);
    },
  );
});

type Losing = readonly [
  name: string,
  path: string,
  presets: readonly [string, string],
  model: string,
  answer: Answer,
  body: object,
  lost: string,
];
/** The first target has no such parameter, the second has. */
const LOSING: readonly Losing[] = [
  [
    'rerank',
    '/v1/rerank',
    ['voyage', 'cohere'],
    'rerank-v3.5',
    scored,
    { model: 'both', query: 'boats', documents: ['a boat'], max_tokens_per_doc: 9 },
    'max_tokens_per_doc',
  ],
  [
    'vectors, the model in the path',
    '/v1beta/models/both:embedContent',
    ['openai', 'voyage'],
    'up',
    vectors,
    { content: { parts: [{ text: 'hello' }] }, taskType: 'RETRIEVAL_QUERY' },
    'taskType',
  ],
];

describe('require_parameters passes by what would lose a parameter', () => {
  it.each(LOSING)('%s', async (_name, path, presets, model, answer, body, lost) => {
    await set(
      [answer, answer],
      model,
      FIRST,
      presets.map((preset) => ({ preset })),
    );
    expect(await served(path, { ...body, provider: { require_parameters: true } })).toBe('b');
    expect(counts()).toEqual([0, 1]);
    await expect.poll(() => server.records.length).toBe(1);
    const [first] = candidatesOf(server.records[0]?.route ?? { o: [] });
    expect(first).toMatchObject({ provider: 'a', verdict: 'rejected', reasons: ['alias', 'priority', `capability_missing:${lost}`] });
    const refused = await send(path, { ...body, provider: { require_parameters: true, only: ['a'] } });
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining(`a/${model} lacks ${lost}`)]);
  });
});

describe('a route goes by who calls for', () => {
  it.each(FAMILIES)('%s', async (_name, path, model, answer, body) => {
    await set([answer, answer], model, { strategy: 'hash-session' }, kind(path));
    const of = (session: string): Promise<string | null> => served(path, body({}), { 'x-session-id': session });
    const first = await of('s0');
    expect([await of('s0'), await of('s0')]).toEqual([first, first]);
    const all = new Set<string | null>();
    for (let i = 0; i < 12; i++) all.add(await of(`s${i}`));
    expect(all.size).toBe(2);
  });

  it('vectors, by the user in the body', async () => {
    await set([vectors, vectors], 'up', { strategy: 'hash-user' });
    const by = new Map<string, Set<string | null>>();
    for (let i = 0; i < 24; i++) {
      const user = `u${i % 8}`;
      by.set(user, (by.get(user) ?? new Set()).add(await served('/v1/embeddings', { model: 'both', input: `text ${i}`, user })));
    }
    expect([...by.values()].every(({ size }) => size === 1)).toBe(true);
    expect(new Set([...by.values()].flatMap((one) => [...one])).size).toBe(2);
  });
});

describe('what is learnt of targets counts for media', () => {
  it('the one that is less busy', async () => {
    let go = (): void => undefined;
    const isHeld = new Promise<void>((resolve) => {
      go = resolve;
    });
    const holding: Answer = (request, response) => void isHeld.then(() => vectors(request, response));
    await set([holding, vectors], 'up', { strategy: 'least-busy' });
    const ask = (): Promise<string | null> => served('/v1/embeddings', { model: 'both', input: 'hello' });
    // Of equals either may be drawn: in the end one is held at `a`.
    const asked: Promise<string | null>[] = [];
    while (counts()[0] === 0) {
      const before = counts()[1] ?? 0;
      asked.push(ask());
      await expect.poll(() => counts()[0] === 1 || (counts()[1] ?? 0) > before).toBe(true);
      if (counts()[0] === 0) await asked.at(-1);
    }
    expect([await ask(), await ask(), await ask()]).toEqual(['b', 'b', 'b']);
    go();
    await Promise.all(asked);
  });

  it('the one that answers sooner', async () => {
    const slow: Answer = (request, response) => void setTimeout(() => vectors(request, response), 60);
    await set([slow, vectors], 'up', { strategy: 'lowest-latency' });
    const ask = (): Promise<string | null> => served('/v1/embeddings', { model: 'both', input: 'hello' });
    for (let i = 0; i < 6; i++) await ask();
    expect(await Promise.all([ask(), ask(), ask(), ask()])).toEqual(['b', 'b', 'b', 'b']);
  });
});

const refusing = (status: number): Answer => json({ error: { message: 'no', type: 'server_error', param: null, code: null } }, status);
const ONCE = FAMILIES.filter(([name]) => /images|edits|transcripts|videos/.test(name));

describe('what is asked for once goes on only where nothing was done:', () => {
  it.each(ONCE)('%s after a failure that may have done something stay failed', async (_name, path, model, answer, body) => {
    await set([refusing(500), answer], model);
    expect((await send(path, body({}))).status).toBe(502);
    expect(counts()).toEqual([1, 0]);
  });

  it.each(ONCE.filter(([name]) => !name.startsWith('transcripts')))('%s after a bad key', async (_name, path, model, answer, body) => {
    await set([refusing(401), answer], model);
    expect(await served(path, body({}))).toBe('b');
  });

  it('a file that has been read is not sent again', async () => {
    await set([refusing(429), heard], 'whisper-1');
    expect((await send('/v1/audio/transcriptions', form({ model: 'both' }, 'file', 'audio/wav'))).status).toBe(429);
    expect(counts()).toEqual([1, 0]);
  });

  it.each(['before', 'behind'])('a file that has not been read goes whole to the next, the model %s it', async (where) => {
    await set(['nowhere', heard], 'whisper-1');
    const sent = form(where === 'before' ? { model: 'both' } : {}, 'file', 'audio/wav');
    if (where === 'behind') sent.append('model', 'both');
    expect(await served('/v1/audio/transcriptions', sent)).toBe('b');
    expect(upstreams[1]?.seen[0]?.body).toContain('RIFF....WAVEfmt ');
  });

  it('a video is one task', async () => {
    await set(['nowhere', filmed], 'sora-2');
    expect(await served('/v1/videos', { model: 'both', prompt: 'a boat', seconds: '4', size: '1280x720' })).toBe('b');
    const list = await fetch(`${server.url}/v1/videos`, { headers: { authorization: `Bearer ${server.key}` } });
    expect(((await list.json()) as { data: unknown[] }).data).toHaveLength(1);
  });

  it('images behind a task take one turn each', async () => {
    await set([picture, picture], 'gpt-image-1', { strategy: 'round-robin' });
    for (let i = 0; i < 4; i++)
      expect((await send('/v1/images/generations?async=true', { model: 'both', prompt: 'a boat' })).status).toBe(200);
    await expect.poll(counts).toEqual([2, 2]);
  });
});
