import { afterEach, describe, expect, it } from 'vitest';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import { type Answer, bytes, type FakeUpstream, json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer, type TestServer } from '../../server.ts';

let server: TestServer;
let upstreams: readonly FakeUpstream[] = [];
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
const refusing = (status: number, headers: Record<string, string> = {}): Answer =>
  json({ error: { message: 'no', type: 'server_error', param: null, code: null } }, status, headers);

async function set(answers: readonly Answer[], settings: readonly Partial<ProviderSettings>[] = [], model = 'up'): Promise<void> {
  upstreams = await Promise.all(answers.map((answer) => startUpstream(answer)));
  const providers = Object.fromEntries(
    upstreams.map(({ url }, at) => [
      String.fromCharCode(97 + at),
      { preset: 'openai', baseUrl: url, ...(settings[at]?.keys ? {} : { key: 'up-secret' }), ...settings[at] } as ProviderSettings,
    ]),
  );
  const models = { both: { targets: [{ to: `a/${model}` }, { to: `b/${model}` }], strategy: 'priority' as const } };
  server = await startTestServer({ providers, models: answers.length > 1 ? models : {} });
}

const post = (path: string, body: object): Promise<Response> =>
  fetch(server.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
const counts = (): readonly number[] => upstreams.map(({ seen }) => seen.length);

const moderated: Answer = json({ id: 'modr-1', model: 'up', results: [{ flagged: false, categories: {}, category_scores: {} }] });
const sound: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound');

describe('what does no harm when it is done twice goes on to the next target', () => {
  it.each<[string, string, object, Answer, string?]>([
    ['vectors, their bytes passed', '/v1/embeddings', { model: 'both', input: 'hello' }, vectors],
    ['vectors, translated', '/v1beta/models/both:embedContent', { content: { parts: [{ text: 'hello' }] } }, vectors],
    ['moderations', '/v1/moderations', { model: 'both', input: 'hello' }, moderated, 'omni-moderation-latest'],
    ['speech', '/v1/audio/speech', { model: 'both', input: 'hello', voice: 'alloy' }, sound, 'gpt-4o-mini-tts'],
  ])('%s', async (_, path, body, answer, model = 'up') => {
    for (const first of [refusing(500), bytes(''), refusing(401), refusing(429)]) {
      await set([first, answer], [], model);
      const got = await post(path, body);
      expect(got.status, await got.clone().text()).toBe(200);
      expect(got.headers.get('x-pailou-served-by')).toBe(`b/${model}`);
      expect(got.headers.get('x-pailou-attempts')).toBe('2');
      await got.arrayBuffer();
      await expect.poll(() => server.records.length).toBe(1);
      expect(server.records[0]).toMatchObject({ status: 200, attempts: 2, provider: 'b', failed: expect.stringMatching(/^a\/.*;/) });
      expect(counts()).toEqual([1, 1]);
      await server.close();
      await Promise.all(upstreams.map((one) => one.close()));
    }
    await set([answer]);
  });

  it('but not after the client’s own mistake', async () => {
    await set([refusing(400), vectors]);
    expect((await post('/v1/embeddings', { model: 'both', input: 'hello' })).status).toBe(400);
    expect(counts()).toEqual([1, 0]);
  });

  it('with another key of the same provider first', async () => {
    const answer: Answer = (request, response) =>
      (request.headers.authorization === 'Bearer key-one-1' ? refusing(401) : vectors)(request, response);
    await set([answer, vectors], [{ keys: [{ value: 'key-one-1' }, { value: 'key-two-2', weight: 0 }] }]);
    for (let at = 0; at < 3; at++) expect((await post('/v1/embeddings', { model: 'both', input: 'hello' })).status).toBe(200);
    expect(counts()).toEqual([4, 0]);
  });
});

describe('what is paid for is asked for once', () => {
  it('images', async () => {
    await set([refusing(500), refusing(500)], [], 'gpt-image-1');
    const got = await post('/v1/images/generations', { model: 'both', prompt: 'a boat' });
    expect(got.status).toBe(502);
    expect(counts()).toEqual([1, 0]);
    await got.arrayBuffer();
  });

  const job = { id: 'video_1', object: 'video', model: 'up', status: 'queued', progress: 0, created_at: 1, seconds: '4', size: '1280x720' };
  const order = (model = 'both'): Promise<Response> => post('/v1/videos', { model, prompt: 'a boat', seconds: '4', size: '1280x720' });
  /** Orders that came; what asks how a job stands is none. */
  const orders = (): readonly number[] => upstreams.map(({ seen }) => seen.filter(({ method }) => method === 'POST').length);

  it('a video, by the provider’s first key, and asked for by the same', async () => {
    await set(
      [json(job)],
      [
        {
          keys: [
            { value: 'key-one-1', weight: 0 },
            { value: 'key-two-2', weight: 5 },
          ],
        },
      ],
    );
    const got = await order('a/sora-2');
    expect(got.status, await got.text()).toBe(200);
    await expect.poll(() => counts()[0]).toBeGreaterThan(0);
    expect(new Set(upstreams[0]?.seen.map(({ headers }) => headers.authorization))).toEqual(new Set(['Bearer key-one-1']));
  });

  it('a video: where a target fails in a row, the next orders go elsewhere', async () => {
    await set([refusing(500), json(job)], [], 'sora-2');
    const told: string[] = [];
    for (let at = 0; at < 7; at++) {
      const { status, headers } = await order();
      told.push(`${status} ${headers.get('x-pailou-attempts')}`);
    }
    expect(told).toEqual([...Array.from({ length: 5 }, () => '502 1'), '200 1', '200 1']);
    expect(orders()).toEqual([5, 2]);
  });

  it.each([
    ['its key', {}, undefined],
    [
      'the key that orders go with, though the provider has another',
      { keys: [{ value: 'key-one-1' }, { value: 'key-two-2' }] },
      'a/sora-2;cooldown',
    ],
  ])('a video: while %s is to wait, orders go elsewhere, and the record says why', async (_, settings, failed) => {
    await set([refusing(429, { 'retry-after': '60' }), json(job)], [settings], 'sora-2');
    for (let at = 0; at < 3; at++) expect((await order()).status).toBe(200);
    expect(orders()).toEqual([1, 3]);
    await expect.poll(() => server.records.length).toBe(3);
    // Where all of the provider is out it was not chosen.
    expect(server.records.slice(1).map((record) => record.failed)).toEqual([failed, failed]);
  });
});
