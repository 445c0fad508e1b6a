import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Clock } from '../../src/exchange/ports.ts';
import { json, startUpstream, type FakeUpstream } from '../fakes/upstream.ts';
import { startTestServer, TEST_KEY, type TestServer } from '../server.ts';

const WHOLE = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 400, total_tokens: 401 },
};

let ms = 1000;
/** Time passes only while an upstream works. */
const clock: Clock = { now: () => ms, monotonic: () => ms };
/** How long an answer of 400 tokens takes, by the provider's path. */
const takes: Record<string, number> = { '/a/': 4000, '/b/': 1000 };

let upstream: FakeUpstream;
let server: TestServer;
beforeAll(async () => {
  upstream = await startUpstream((request, response) => {
    ms += takes[request.path.slice(0, 3)] ?? 0;
    json(WHOLE)(request, response);
  });
  const at = (path: string) => ({ preset: 'openai-compatible', baseUrl: `${upstream.url}/${path}/v1`, key: 'k' });
  server = await startTestServer(
    {
      sandbox: false,
      providers: { a: at('a'), b: at('b') },
      models: { r: { targets: [{ to: 'a/m' }, { to: 'b/m' }], strategy: 'priority' } },
    },
    undefined,
    clock,
  );
});
afterAll(async () => {
  await server.close();
  await upstream.close();
  expect(server.defects).toEqual([]);
});

async function servedBy(): Promise<string | null> {
  const answer = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TEST_KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'r', messages: [{ role: 'user', content: 'Hello' }], provider: { sort: 'throughput' } }),
  });
  await answer.text();
  return answer.headers.get('x-pailou-served-by');
}

it('throughput is measured, and calls that ask for it move when it changes', async () => {
  // Whoever has not been measured is tried.
  expect([await servedBy(), await servedBy()]).toEqual(['a/m', 'b/m']);
  expect([await servedBy(), await servedBy()]).toEqual(['b/m', 'b/m']);
  takes['/b/'] = 40_000;
  const seen: (string | null)[] = [];
  for (let i = 0; i < 20; i++) seen.push(await servedBy());
  expect(seen[0]).toBe('b/m');
  expect(seen.at(-1)).toBe('a/m');
});
