import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Answer, type FakeUpstream, json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../../server.ts';
import type { Data } from '../dialects.ts';
import { call, type Got } from '../stage.ts';
import { OTHER_KEY } from './asking.ts';

let upstream: FakeUpstream;
let server: TestServer;
let clock: number;

const kept = (to: string) => ({ targets: [{ to }], cache: 60_000 });

beforeEach(async () => {
  clock = 1_700_000_000_000;
  upstream = await startUpstream();
  const at = { baseUrl: upstream.url, key: 'k' };
  server = await startTestServer(
    {
      keys: [
        { name: 'test', value: TEST_KEY },
        { name: 'other', value: OTHER_KEY },
      ],
      providers: { openai: { preset: 'openai', ...at }, cohere: { preset: 'cohere', ...at } },
      models: {
        vectors: kept('openai/text-embedding-3-small'),
        order: kept('cohere/rerank-v3.5'),
        judge: kept('openai/omni-moderation-latest'),
        voice: kept('openai/tts-1'),
      },
    },
    undefined,
    { now: () => clock, monotonic: () => performance.now() },
  );
});
afterEach(async () => {
  expect(server.defects).toEqual([]);
  await server.close();
  await upstream.close();
});

interface Ability {
  readonly name: string;
  readonly path: string;
  readonly body: Data;
  /** The same, said otherwise. */
  readonly same: Data;
  readonly other: Data;
  readonly answer: Answer;
}

const SOUND = Buffer.from(Array.from({ length: 5000 }, (_, at) => (at * 7) % 256));
const VECTORS = {
  object: 'list',
  data: [{ object: 'embedding', index: 0, embedding: [0.5] }],
  model: 'up',
  usage: { prompt_tokens: 4, total_tokens: 4 },
};

const ABILITIES: readonly Ability[] = [
  {
    name: 'embeddings',
    path: '/v1/embeddings',
    body: { model: 'vectors', input: 'a', dimensions: 1 },
    same: { dimensions: 1, user: 'me', input: 'a', model: 'vectors' },
    other: { model: 'vectors', input: 'a', dimensions: 1, encoding_format: 'base64' },
    answer: json(VECTORS),
  },
  {
    name: 'rerank',
    path: '/v1/rerank',
    body: { model: 'order', query: 'q', documents: ['a', 'b'] },
    same: { documents: ['a', 'b'], query: 'q', model: 'order', top_n: null },
    other: { model: 'order', query: 'q', documents: ['b', 'a'] },
    answer: json({ id: 'r-1', results: [{ index: 1, relevance_score: 0.5 }], meta: { billed_units: { search_units: 1 } } }),
  },
  {
    name: 'moderations',
    path: '/v1/moderations',
    body: { model: 'judge', input: 'a' },
    same: { input: 'a', model: 'judge' },
    other: { model: 'judge', input: 'b' },
    answer: json({ id: 'modr-1', model: 'up', results: [{ flagged: false, categories: {}, category_scores: {} }] }),
  },
  {
    name: 'speech',
    path: '/v1/audio/speech',
    body: { model: 'voice', input: 'a', voice: 'alloy' },
    same: { voice: 'alloy', input: 'a', model: 'voice' },
    other: { model: 'voice', input: 'a', voice: 'nova' },
    answer: (_, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(SOUND),
  },
];

const post = ({ path }: Ability, body: Data, key = TEST_KEY, headers: Record<string, string> = {}): Promise<Got> =>
  call(server.url + path, JSON.stringify(body), { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers });

describe.each(ABILITIES)('$name', (ability) => {
  const { body, same, other, answer } = ability;

  it('are given again to who asks the same', async () => {
    upstream.answer = answer;
    const first = await post(ability, body);
    clock += 3000;
    const again = await post(ability, same);
    expect([first.status, first.headers['x-pailou-cache'], first.headers['age']]).toEqual([200, 'miss', undefined]);
    expect([again.status, again.headers['x-pailou-cache'], again.headers['age']]).toEqual([200, 'hit', '3']);
    expect([again.headers['content-type'], again.headers['x-pailou-served-by']]).toEqual([
      first.headers['content-type'],
      first.headers['x-pailou-served-by'],
    ]);
    expect(again.bytes).toEqual(first.bytes);
    expect(upstream.seen).toHaveLength(1);
    await expect
      .poll(() => server.records.map(({ cache, attempts, operation }) => [cache, attempts, operation]))
      .toEqual([
        [undefined, 1, ability.name],
        ['hit', 0, ability.name],
      ]);
    expect(server.records[1]?.route?.o).toEqual([expect.stringMatching(/^1\.A (openai|cohere)\//)]);
    expect(server.records[1]).not.toHaveProperty('input');
  });

  it('are another’s for another question, key, or wish', async () => {
    upstream.answer = answer;
    const told = [
      await post(ability, body),
      await post(ability, other),
      await post(ability, body, OTHER_KEY),
      await post(ability, body, TEST_KEY, { 'cache-control': 'no-store' }),
      await post(ability, body, TEST_KEY, { 'cache-control': 'no-cache' }),
    ];
    expect(told.map(({ headers }) => headers['x-pailou-cache'])).toEqual(['miss', 'miss', 'miss', 'bypass', 'bypass']);
    expect(upstream.seen).toHaveLength(5);
  });

  it('are asked for once by all who ask at once', async () => {
    const waiting: ServerResponse[] = [];
    upstream.answer = (_, response) => void waiting.push(response);
    const all = Array.from({ length: 100 }, () => post(ability, body));
    await expect.poll(() => server.app.active(), { timeout: 10_000 }).toBe(100);
    const [seen, response] = [upstream.seen[0], waiting[0]];
    if (seen && response) answer(seen, response);
    const got = await Promise.all(all);
    expect(new Set(got.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(upstream.seen).toHaveLength(1);
    await expect.poll(() => server.records.filter(({ cache }) => cache === 'shared').length).toBe(99);
  });

  it('are not kept when they failed, and one of those who waited asks anew', async () => {
    const waiting: ServerResponse[] = [];
    upstream.answer = (_, response) => void waiting.push(response);
    const all = Array.from({ length: 10 }, () => post(ability, body));
    await expect.poll(() => server.app.active(), { timeout: 10_000 }).toBe(10);
    waiting[0]?.writeHead(500).end('down');
    await expect.poll(() => waiting.length).toBe(2);
    const [seen, response] = [upstream.seen[1], waiting[1]];
    if (seen && response) answer(seen, response);
    const got = await Promise.all(all);
    expect(got.filter(({ status }) => status === 200)).toHaveLength(9);
    expect(got.filter(({ status }) => status === 502)).toHaveLength(1);
  });

  it('are everybody’s mistake when they are one', async () => {
    const waiting: ServerResponse[] = [];
    upstream.answer = (_, response) => void waiting.push(response);
    const all = Array.from({ length: 10 }, () => post(ability, body));
    await expect.poll(() => server.app.active(), { timeout: 10_000 }).toBe(10);
    waiting[0]
      ?.writeHead(400, { 'content-type': 'application/json' })
      .end('{"message":"no such thing","error":{"message":"no such thing"}}');
    expect(new Set((await Promise.all(all)).map(({ status }) => status))).toEqual(new Set([400]));
    expect(waiting).toHaveLength(1);
  });
});
