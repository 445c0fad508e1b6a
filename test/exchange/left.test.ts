// Clients that leave where one call is several requests to providers, or is said in another dialect: `test/stress` has the plain ones.
import { request as httpRequest } from 'node:http';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProviderSettings } from '../../src/presets/preset.ts';
import { type Behaviour, type FaultUpstream, startFaultUpstream, type Try } from '../fakes/fault-upstream.ts';
import { startTestServer, type TestServer } from '../server.ts';

/** What is promised, by the upstream's own clock. */
const LIMIT_MS = 250;
/** What is never let go is found all the same. */
const PATIENCE_MS = 2500;
/** All of it runs in this process, on machines that do other things as well: what was late by those is not late every time. */
const ATTEMPTS = 3;

let upstream: FaultUpstream;
let server: TestServer;
beforeEach(async () => {
  upstream = await startFaultUpstream();
  const at = (preset: string, more: Partial<ProviderSettings> = {}): ProviderSettings => ({
    preset,
    baseUrl: upstream.url,
    key: 'up-secret',
    ...more,
  });
  server = await startTestServer({
    providers: {
      open: at('openai', { speech: 'open/gpt-4o-mini-tts', rerank: 'embeddings' }),
      google: at('gemini'),
      claude: at('anthropic'),
      flux: at('bfl'),
      // It takes 64 texts at once.
      small: at('zai'),
    },
    sandbox: false,
  });
});
afterEach(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

interface Row {
  readonly name: string;
  readonly path: string;
  readonly body: object;
  /** Requests that are under way when the client leaves. */
  readonly held: number;
  /** What is answered before; the others are held. */
  readonly first?: Behaviour;
  readonly operation: string;
}

const reply =
  (body: object): Behaviour =>
  (_one, response) =>
    void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
const messages = [{ role: 'user', content: 'Hello' }];
const chat = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'up',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hi.' }, finish_reason: 'stop' }],
};
const many = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `text ${index}`);

const ROWS: readonly Row[] = [
  { name: 'legacy completions', path: '/v1/completions', body: { model: 'open/up', prompt: 'Hello' }, held: 1, operation: 'generate' },
  {
    name: 'several answers of a target that gives one a call',
    path: '/v1/chat/completions',
    body: { model: 'claude/up', n: 3, messages },
    held: 3,
    operation: 'generate',
  },
  {
    name: 'vectors in Gemini’s words',
    path: '/v1beta/models/open%2Ftext-embedding-3-small:embedContent',
    body: { content: { parts: [{ text: 'a' }] } },
    held: 1,
    operation: 'embeddings',
  },
  {
    name: 'vectors in parts',
    path: '/v1/embeddings',
    body: { model: 'small/embedding-3', input: many(150) },
    held: 3,
    operation: 'embeddings',
  },
  {
    name: 'reranking by vectors',
    path: '/v1/rerank',
    body: { model: 'open/text-embedding-3-small', query: 'a', documents: ['b', 'c'] },
    held: 1,
    operation: 'rerank',
  },
  {
    name: 'images side by side',
    path: '/v1/images/generations',
    body: { model: 'google/gemini-2.5-flash-image', prompt: 'a boat', n: 3 },
    held: 3,
    operation: 'images',
  },
  {
    name: 'images of a provider that makes them as jobs',
    path: '/v1/images/generations',
    body: { model: 'flux/flux-pro-1.1', prompt: 'a boat' },
    held: 1,
    first: (one, response) => reply({ id: 'job-1', polling_url: `${upstream.url}/v1/get_result?id=job-1` })(one, response),
    operation: 'images',
  },
  {
    name: 'speech in Gemini’s words',
    path: '/v1beta/models/open%2Fgpt-4o-mini-tts:generateContent',
    body: { contents: [{ parts: [{ text: 'Say hello' }] }], generationConfig: { responseModalities: ['AUDIO'] } },
    held: 1,
    operation: 'speech',
  },
  {
    name: 'chat that another model speaks, while it is spoken',
    path: '/v1/chat/completions',
    body: { model: 'open/up', modalities: ['text', 'audio'], audio: { voice: 'alloy', format: 'wav' }, messages },
    held: 1,
    first: reply(chat),
    operation: 'speech',
  },
  {
    name: 'a count for Gemini',
    path: '/v1beta/models/google%2Fup:countTokens',
    body: { contents: [{ parts: [{ text: 'Hello' }] }] },
    held: 1,
    operation: 'count_tokens',
  },
  {
    name: 'a count for Responses',
    path: '/v1/responses/input_tokens',
    body: { model: 'open/up', input: 'Hello' },
    held: 1,
    operation: 'count_tokens',
  },
  { name: 'a response that is kept', path: '/v1/responses', body: { model: 'claude/up', input: 'Hello' }, held: 1, operation: 'generate' },
  {
    name: 'a conversation that is summed up',
    path: '/v1/responses/compact',
    body: { model: 'open/up', input: 'Hello' },
    held: 1,
    operation: 'generate',
  },
];

const isFirst = (row: Row): number => (row.first ? 1 : 0);

/** A client that leaves while all of a row's requests are held; after how many milliseconds the last of them was let go. */
async function leave(row: Row): Promise<number> {
  upstream.tries.length = 0;
  upstream.behave = (one, response) => {
    if (upstream.tries.length <= isFirst(row)) row.first?.(one, response);
  };
  const calls = server.records.length;
  const sent = httpRequest(server.url + row.path, {
    method: 'POST',
    headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
  });
  let answered = '';
  sent.on('error', () => {});
  sent.on('response', (response) => response.on('data', (piece: Buffer) => (answered += piece.toString())).on('error', () => {}));
  sent.end(JSON.stringify(row.body));
  const held = (): readonly Try[] => upstream.tries.slice(isFirst(row));
  await expect.poll(() => held().length + (answered === '' ? 0 : 100), { timeout: 8000 }).toBe(row.held);
  const leftAt = performance.now();
  sent.destroy();
  await expect
    .poll(() => held().filter(({ abandonedAt }) => abandonedAt !== undefined).length, { timeout: PATIENCE_MS, interval: 5 })
    .toBe(row.held);
  await expect.poll(() => server.records.slice(calls).at(-1)).toMatchObject({ operation: row.operation, endedBy: 'client', status: 499 });
  expect(held()).toHaveLength(row.held);
  return Math.max(...held().map(({ abandonedAt = Infinity }) => abandonedAt - leftAt));
}

describe('a client that leaves takes all along that is under way for it:', () => {
  it.each(ROWS)('$name', async (row) => {
    let best = Infinity;
    for (let attempt = 0; attempt < ATTEMPTS && best > LIMIT_MS; attempt++) best = Math.min(best, await leave(row));
    expect(best).toBeLessThanOrEqual(LIMIT_MS);
  });
});
