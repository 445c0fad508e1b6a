// What one key asks is no business of another's, unless a route says so: neither the answer that is kept, nor the call that is under way.
import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { type FakeUpstream, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../../server.ts';
import { chat, DIALECTS } from '../dialects.ts';
import { call, type Got } from '../stage.ts';
import { OTHER_KEY, question } from './asking.ts';

/** A way to ask, and what a provider says to it: with a mark by which answers are told apart. */
interface Way {
  readonly name: string;
  readonly path: string;
  readonly body: unknown;
  readonly say: (response: ServerResponse, mark: string) => void;
}

const whole =
  (of: (mark: string) => unknown): Way['say'] =>
  (response, mark) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(of(mark)));

const chatWhole = whole((mark) => JSON.parse(JSON.stringify(chat.whole).replace('One ', `${mark} `)));
const chatStream: Way['say'] = (response, mark) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.end(chat.events.join('').replace('One ', `${mark} `));
};

const WAYS: readonly Way[] = [
  ...DIALECTS.flatMap((client) =>
    [false, true].map((isStream) => ({
      name: `${client.id}, ${isStream ? 'a stream' : 'whole'}`,
      path: client.path('route', isStream),
      body: question(client, 'route', isStream),
      say: isStream ? chatStream : chatWhole,
    })),
  ),
  {
    name: 'embeddings',
    path: '/v1/embeddings',
    body: { model: 'vectors', input: 'a' },
    say: whole((mark) => ({ object: 'list', data: [{ object: 'embedding', index: 0, embedding: [mark.length] }], model: 'up' })),
  },
  {
    name: 'rerank',
    path: '/v1/rerank',
    body: { model: 'order', query: 'q', documents: ['a', 'b'] },
    say: whole((mark) => ({ id: mark, results: [{ index: 1, relevance_score: 1 / mark.length }] })),
  },
  {
    name: 'moderations',
    path: '/v1/moderations',
    body: { model: 'judge', input: 'a' },
    say: whole((mark) => ({
      id: mark,
      model: 'up',
      results: [{ flagged: false, categories: {}, category_scores: { hate: 1 / mark.length } }],
    })),
  },
  {
    name: 'speech',
    path: '/v1/audio/speech',
    body: { model: 'voice', input: 'a', voice: 'alloy' },
    say: (response, mark) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end(mark.repeat(1000)),
  },
];

let upstream: FakeUpstream;
let server: TestServer;
let waiting: ServerResponse[];

async function set(shared: boolean): Promise<void> {
  waiting = [];
  upstream = await startUpstream((_, response) => void waiting.push(response));
  const at = { baseUrl: upstream.url, key: 'k' };
  const to = (target: string) => ({ targets: [{ to: target }], cache: { ttl: 60_000, ...(shared ? { shared } : {}) } });
  server = await startTestServer({
    keys: [
      { name: 'test', value: TEST_KEY },
      { name: 'other', value: OTHER_KEY },
    ],
    providers: { oai: chat.settings(upstream.url), openai: { preset: 'openai', ...at }, cohere: { preset: 'cohere', ...at } },
    models: {
      route: to('oai/up'),
      vectors: to('openai/text-embedding-3-small'),
      order: to('cohere/rerank-v3.5'),
      judge: to('openai/omni-moderation-latest'),
      voice: to('openai/tts-1'),
    },
  });
}
afterEach(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

const ask = ({ path, body }: Way, key: string): Promise<Got> =>
  call(server.url + path, JSON.stringify(body), { 'content-type': 'application/json', authorization: `Bearer ${key}` });

/** What answers say, less the ids and times of each. */
const said = (got: readonly Got[], marks: readonly string[]): readonly (readonly string[])[] =>
  got.map(({ status, text, bytes }) => [String(status), ...marks.filter((mark) => holds(text, bytes, mark))]);

/** Whether an answer is the one with this mark: by its letters, or by the number that was made of it. */
const holds = (text: string, bytes: Buffer | undefined, mark: string): boolean =>
  text.includes(mark) || (bytes?.includes(mark) ?? false) || new RegExp(`[\\[:,]${1 / mark.length}\\b|\\[${mark.length}\\]`).test(text);

/** Marks of different lengths: some answers hold only numbers. */
const MARKS = ['Alpha', 'Bravissimo'] as const;

/** Both keys ask the same, the first of each one after the other, then more of both at once; gives what each was told. */
async function together(way: Way, calls: number): Promise<readonly [readonly Got[], readonly Got[]]> {
  const mine = [ask(way, TEST_KEY)];
  await expect.poll(() => waiting.length, { timeout: 10_000 }).toBe(1);
  const theirs = [ask(way, OTHER_KEY)];
  await expect.poll(() => server.app.active(), { timeout: 10_000 }).toBe(2);
  await expect.poll(() => waiting.length, { timeout: 10_000 }).toBe(calls);
  for (let at = 0; at < 3; at++) {
    mine.push(ask(way, TEST_KEY));
    theirs.push(ask(way, OTHER_KEY));
  }
  await expect.poll(() => server.app.active(), { timeout: 10_000 }).toBe(8);
  for (const [at, mark] of MARKS.entries()) if (waiting[at]) way.say(waiting[at], mark);
  return [await Promise.all(mine), await Promise.all(theirs)];
}

const [ALPHA, BRAVISSIMO] = MARKS;

describe('two keys that ask the same at once', () => {
  it.each(WAYS)('are answered apart: $name', async (way) => {
    await set(false);
    const [mine, theirs] = await together(way, 2);
    expect(new Set(said(mine, MARKS).map(String))).toEqual(new Set([`200,${ALPHA}`]));
    expect(new Set(said(theirs, MARKS).map(String))).toEqual(new Set([`200,${BRAVISSIMO}`]));
    expect(said([await ask(way, TEST_KEY), await ask(way, OTHER_KEY)], MARKS).map(String)).toEqual([`200,${ALPHA}`, `200,${BRAVISSIMO}`]);
    expect(waiting).toHaveLength(2);
  });

  it.each(WAYS)('are answered together where the route says so: $name', async (way) => {
    await set(true);
    const [mine, theirs] = await together(way, 1);
    expect(new Set(said([...mine, ...theirs], MARKS).map(String))).toEqual(new Set([`200,${ALPHA}`]));
    expect(said([await ask(way, TEST_KEY), await ask(way, OTHER_KEY)], MARKS).map(String)).toEqual([`200,${ALPHA}`, `200,${ALPHA}`]);
    expect(waiting).toHaveLength(1);
  });
});
