import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, json } from '../../fakes/upstream.ts';
import { CHAT, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

/** So long each upstream takes; our own time is far below it, also where the machine is busy. */
const SLOW_MS = 1200;
const slowly =
  (answer: Answer): Answer =>
  (request, response) =>
    void setTimeout(() => answer(request, response), SLOW_MS);
const WELL = slowly(json(CHAT.whole));
const ILL = slowly(json({}, 500));
const EMBEDDING = slowly(
  json({
    object: 'list',
    model: 'up',
    data: [{ object: 'embedding', index: 0, embedding: [1] }],
    usage: { prompt_tokens: 1, total_tokens: 1 },
  }),
);

let trials: Trials;
afterEach(() => trials.close());
const set = async (options: TrialOptions): Promise<void> => void (trials = await setTrials(options));

const ownMs = ({ headers }: { readonly headers: Readonly<Record<string, unknown>> }): number => Number(headers['x-pailou-overhead-ms']);

function isOwn(ms: number): void {
  expect(ms).toBeGreaterThanOrEqual(0);
  expect(ms).toBeLessThan(SLOW_MS * 0.8);
}

describe('x-pailou-overhead-ms is the gateway’s own time', () => {
  it('without the wait for the upstream, and without an earlier try', async () => {
    await set({ answers: [ILL, WELL] });
    const got = await trials.ask();
    textOf(got);
    expect(got.headers['x-pailou-attempts']).toBe('2');
    isOwn(ownMs(got));
  });

  it('without the time that it waits for room', async () => {
    await set({ answers: [WELL], settings: [{ concurrency: 1 }] });
    const [one, two] = await Promise.all([trials.ask({ model: 'a/up' }), trials.ask({ model: 'a/up' })]);
    isOwn(ownMs(one));
    isOwn(ownMs(two));
  });

  it('without the time that it waits for another call', async () => {
    const cached = { targets: [{ to: 'a/up' }], cache: { ttl: 60_000 } };
    await set({ answers: [WELL], config: { models: { cached } } as TrialOptions['config'] & object });
    const all = await Promise.all([trials.ask({ model: 'cached' }), trials.ask({ model: 'cached' })]);
    expect(trials.upstreams[0]?.seen.length).toBe(1);
    for (const got of all) isOwn(ownMs(got));
  });

  it.each([
    ['as it is', '/v1/embeddings', { model: 'a/up', input: 'hello' }],
    ['in other words', '/v1beta/models/a%2Fup:embedContent', { content: { parts: [{ text: 'hello' }] } }],
  ])('without the wait for the upstream where it is no chat, asked %s', async (_, path, body) => {
    await set({ answers: [EMBEDDING] });
    const got = await fetch(`${trials.server.url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: `Bearer ${trials.server.key}` },
      body: JSON.stringify(body),
    });
    expect([got.status, await got.text()]).toEqual([200, expect.any(String)]);
    isOwn(Number(got.headers.get('x-pailou-overhead-ms')));
  });
});
