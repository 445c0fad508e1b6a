import { afterEach, describe, expect, it } from 'vitest';
import { decide } from '../../../src/policy/decide.ts';
import type { RouteSettings } from '../../../src/policy/routes/route.ts';
import { type Answer, type Conducted, conduct, json, startUpstream, stream } from '../../fakes/upstream.ts';
import { startTestServer } from '../../server.ts';
import { DIALECTS, TEXT, WORDS } from '../dialects.ts';
import { CHAT, counts, MESSAGES, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials;
afterEach(() => trials.close());

const HEDGE_MS = 60;
const route = (more: Partial<RouteSettings> = {}, names = ['a', 'b', 'c']): RouteSettings => ({
  targets: names.map((name) => ({ to: `${name}/up` })),
  strategy: 'priority',
  hedge: HEDGE_MS,
  ...more,
});
const set = async (
  options: TrialOptions,
  settings = route(
    {},
    options.answers.map((_, at) => String.fromCharCode(97 + at)),
  ),
): Promise<void> =>
  void (trials = await setTrials({ ...options, config: { ...options.config, models: { quick: settings, ...options.config?.models } } }));

const good: Answer = (request, response) =>
  (request.body.includes('"stream":true') ? stream(CHAT.events) : json(CHAT.whole))(request, response);
const refusing = (status: number): Answer => json(CHAT.error(status, 'no'), status);
const record = async () => {
  await expect.poll(() => trials.server.records.length).toBe(1);
  return trials.server.records[0];
};

describe('beside a target that says nothing another one is tried', () => {
  it.each(
    DIALECTS.flatMap((client) => [true, false].map((isStream) => [client.id, isStream ? 'stream' : 'whole', client, isStream] as const)),
  )('%s, %s: the quicker one answers, the other is given up at once', async (_, _form, client, isStream) => {
    const slow = conduct();
    await set({ answers: [slow.answer, good] });
    const asked = trials.ask({ model: 'quick', stream: isStream, client });
    const hungUp = slow.hungUp;
    const got = await asked;
    const answeredAt = performance.now();
    expect(textOf(got, client)).toBe(TEXT);
    expect(got.headers['x-pailou-served-by']).toBe('b/up');
    expect(got.headers['x-pailou-attempts']).toBe('2');
    expect((await hungUp) - answeredAt).toBeLessThan(250);
    expect(counts(trials)).toEqual([1, 1]);
    expect(await record()).toMatchObject({ provider: 'b', attempts: 2, status: 200, failed: 'a/up;hedge_lost', endedBy: 'upstream' });
  });

  it.each(DIALECTS)('$id: the first one, when it is first after all', async (client) => {
    const first = conduct();
    const second = conduct();
    await set({ answers: [first.answer, second.answer], dialects: [client, client] });
    const asked = trials.ask({ model: 'quick', stream: true, client });
    await second.asked;
    first.head();
    first.end(client.events.join(''));
    const got = await asked;
    expect(textOf(got, client)).toBe(TEXT);
    expect(got.headers['x-pailou-served-by']).toBe('a/up');
    expect(got.headers['x-pailou-attempts']).toBe('2');
    await second.hungUp;
    expect(await record()).toMatchObject({ provider: 'a', attempts: 2, failed: 'b/up;hedge_lost' });
  });

  it('that only said that it begins; what it says it has used counts, as an estimate', async () => {
    const slow = conduct();
    await set({ answers: [slow.answer, good], dialects: [MESSAGES, CHAT] });
    const asked = trials.ask({ model: 'quick', stream: true });
    await slow.asked;
    slow.head();
    await slow.write(MESSAGES.events[0] as string);
    expect(textOf(await asked)).toBe(TEXT);
    await slow.hungUp;
    const { input = 0, estimated } = (await record()) ?? {};
    await trials.close();
    await set({ answers: [good] });
    await trials.ask({ model: 'quick', stream: true });
    expect(input).toBeGreaterThan((await record())?.input ?? 0);
    expect(estimated).toBe(true);
  });

  it('in mid-stream nothing is tried any more', async () => {
    const slow = conduct();
    await set({ answers: [slow.answer, good] });
    const asked = trials.ask({ model: 'quick', stream: true });
    await slow.asked;
    slow.head();
    const upTo = CHAT.events.findIndex((event) => event.includes(WORDS[0])) + 1;
    await slow.write(CHAT.events.slice(0, upTo).join(''));
    await new Promise((resolve) => setTimeout(resolve, HEDGE_MS * 3));
    slow.end(CHAT.events.slice(upTo).join(''));
    expect(textOf(await asked)).toBe(TEXT);
    expect(counts(trials)).toEqual([1, 0]);
  });

  it('with another key, where there is no other target', async () => {
    const keys = ['key-one-1', 'key-two-2'];
    const seen: string[] = [];
    const answer: Answer = (request, response) => {
      seen.push(String(request.headers.authorization).slice('Bearer '.length));
      if (seen.length > 1) good(request, response);
    };
    await set({ answers: [answer], settings: [{ keys: keys.map((value) => ({ value })) }] });
    expect(textOf(await trials.ask({ model: 'quick', stream: true }))).toBe(TEXT);
    expect(seen.toSorted()).toEqual(keys);
    expect(await record()).toMatchObject({ attempts: 2, failed: 'a/up;hedge_lost' });
  });

  it('but not where there is no room for it', async () => {
    const [slow, busy] = [conduct(), conduct()] as const;
    await set({ answers: [slow.answer, busy.answer], settings: [{}, { concurrency: 1 }] });
    const other = trials.ask({ model: 'b/up' });
    await busy.asked;
    const asked = trials.ask({ model: 'quick' });
    await slow.asked;
    await new Promise((resolve) => setTimeout(resolve, HEDGE_MS * 3));
    for (const one of [slow, busy]) {
      one.head(200, { 'content-type': 'application/json' });
      one.end(JSON.stringify(CHAT.whole));
    }
    const got = await asked;
    expect(textOf(got)).toBe(TEXT);
    expect(got.headers['x-pailou-attempts']).toBe('1');
    textOf(await other);
    expect(counts(trials)).toEqual([1, 1]);
  });

  it('once a call: not a third', async () => {
    const all = [conduct(), conduct(), conduct()] as const;
    await set({ answers: all.map(({ answer }) => answer) });
    const asked = trials.ask({ model: 'quick' });
    await all[1].asked;
    await new Promise((resolve) => setTimeout(resolve, HEDGE_MS * 3));
    expect(counts(trials)).toEqual([1, 1, 0]);
    all[1].head(200, { 'content-type': 'application/json' });
    all[1].end(JSON.stringify(CHAT.whole));
    expect(textOf(await asked)).toBe(TEXT);
  });

  it('for no more than a tenth of the calls, after a reserve', async () => {
    const held: Conducted[] = [];
    const answer: Answer = (request, response) => {
      const one = conduct();
      held.push(one);
      one.answer(request, response);
    };
    await set({ answers: [answer, answer] });
    const started = performance.now();
    const asked = Array.from({ length: 40 }, () => trials.ask({ model: 'quick' }));
    await expect.poll(() => held.length, { timeout: 15_000 }).toBeGreaterThanOrEqual(50);
    await new Promise((resolve) => setTimeout(resolve, HEDGE_MS * 3));
    // A reserve of ten, a tenth of forty, and one for each second.
    const most = 10 + 4 + Math.ceil((performance.now() - started) / 1000);
    expect(trials.upstreams[1]?.seen.length).toBeGreaterThanOrEqual(10);
    expect(trials.upstreams[1]?.seen.length).toBeLessThanOrEqual(most);
    for (const one of held) {
      one.head(200, { 'content-type': 'application/json' });
      one.end(JSON.stringify(CHAT.whole));
    }
    for (const got of await Promise.all(asked)) expect(textOf(got)).toBe(TEXT);
  });
});

describe('failures beside each other', () => {
  it('before the time is over: ordinary fallback', async () => {
    await set({ answers: [refusing(500), good] });
    expect(textOf(await trials.ask({ model: 'quick' }))).toBe(TEXT);
    expect(await record()).toMatchObject({ attempts: 2, failed: 'a/up;upstream' });
  });

  it.each([
    ['the first', 0],
    ['the second', 1],
  ] as const)('%s fails: the other goes on alone', async (_, which) => {
    const both = [conduct(), conduct()] as const;
    await set({ answers: both.map(({ answer }) => answer) });
    const asked = trials.ask({ model: 'quick' });
    await both[1].asked;
    both[which].head(500, { 'content-type': 'application/json' });
    both[which].end(JSON.stringify(CHAT.error(500, 'no')));
    await expect.poll(() => trials.upstreams[which]?.seen[0]?.aborted).toBe(false);
    const other = both[1 - which] as Conducted;
    other.head(200, { 'content-type': 'application/json' });
    other.end(JSON.stringify(CHAT.whole));
    const got = await asked;
    expect(textOf(got)).toBe(TEXT);
    expect(got.headers['x-pailou-served-by']).toBe(which === 0 ? 'b/up' : 'a/up');
    // The other one's answer may be read first.
    expect((await record())?.failed).toMatch(which === 0 ? /^a\/up;(upstream|hedge_lost)$/ : /^b\/up;(upstream|hedge_lost)$/);
  });

  it('both fail: the third target answers', async () => {
    const both = [conduct(), conduct()] as const;
    await set({ answers: [...both.map(({ answer }) => answer), good] });
    const asked = trials.ask({ model: 'quick' });
    await both[1].asked;
    for (const one of both) {
      one.head(503, { 'content-type': 'application/json' });
      one.end(JSON.stringify(CHAT.error(503, 'no')));
    }
    expect(textOf(await asked)).toBe(TEXT);
    expect(await record()).toMatchObject({ attempts: 3, provider: 'c' });
  });

  it('the client’s own mistake is the last word for both', async () => {
    const both = [conduct(), conduct()] as const;
    await set({ answers: both.map(({ answer }) => answer) });
    const asked = trials.ask({ model: 'quick' });
    await both[1].asked;
    both[0].head(400, { 'content-type': 'application/json' });
    both[0].end(JSON.stringify(CHAT.error(400, 'your mistake')));
    const got = await asked;
    expect(got.status).toBe(400);
    expect(got.text).toContain('your mistake');
    await both[1].hungUp;
  });

  it('the client leaves: both are given up', async () => {
    const both = [conduct(), conduct()] as const;
    await set({ answers: both.map(({ answer }) => answer) });
    const leaving = new AbortController();
    const asked = fetch(`${trials.server.url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { authorization: `Bearer ${trials.server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(CHAT.body('quick', true)),
    }).catch(() => 'left');
    await both[1].asked;
    const leftAt = performance.now();
    leaving.abort();
    expect(await asked).toBe('left');
    for (const one of both) expect((await one.hungUp) - leftAt).toBeLessThan(250);
    expect(await record()).toMatchObject({ status: 499, endedBy: 'client', attempts: 2 });
  });
});

it('other work that does no harm when it is done twice is hedged, too; what is paid for is not', async () => {
  const vectors = json({
    object: 'list',
    model: 'up',
    data: [{ object: 'embedding', index: 0, embedding: [0.5, 1] }],
    usage: { prompt_tokens: 2, total_tokens: 2 },
  });
  const moderated = json({ id: 'modr-1', model: 'up', results: [{ flagged: false, categories: {}, category_scores: {} }] });
  const sound: Answer = (_request, response) => void response.writeHead(200, { 'content-type': 'audio/mpeg' }).end('sound');
  const image = json({ created: 1, data: [{ b64_json: 'aGk=' }] });
  const slowImage: Answer = (request, response) => void setTimeout(() => image(request, response), HEDGE_MS * 3);
  const rows: readonly [path: string, model: string, body: object, answer: Answer, first: Answer, tries: number][] = [
    ['/v1/embeddings', 'up', { input: 'hello' }, vectors, () => {}, 2],
    ['/v1/moderations', 'omni-moderation-latest', { input: 'hello' }, moderated, () => {}, 2],
    ['/v1/audio/speech', 'gpt-4o-mini-tts', { input: 'hello', voice: 'alloy' }, sound, () => {}, 2],
    ['/v1/images/generations', 'gpt-image-1', { prompt: 'a boat' }, image, slowImage, 1],
  ];
  await set({ answers: [good] });
  for (const [path, model, body, answer, first, tries] of rows) {
    const upstreams = [await startUpstream(first), await startUpstream(answer)] as const;
    const [a, b] = upstreams.map(({ url }) => ({ preset: 'openai', baseUrl: url, key: 'up-secret' }));
    const quick = route({ targets: [{ to: `a/${model}` }, { to: `b/${model}` }] });
    const server = await startTestServer({ providers: { a, b } as never, models: { quick } });
    const got = await fetch(server.url + path, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'quick', ...body }),
    });
    expect(got.status, `${path}: ${await got.clone().text()}`).toBe(200);
    expect(got.headers.get('x-pailou-served-by')).toBe(`${tries === 2 ? 'b' : 'a'}/${model}`);
    expect(got.headers.get('x-pailou-attempts')).toBe(String(tries));
    await got.arrayBuffer();
    await expect.poll(() => server.records.length).toBe(1);
    expect(server.records[0]).toMatchObject({ provider: tries === 2 ? 'b' : 'a', attempts: tries, status: 200 });
    expect(server.records[0]?.failed).toBe(tries === 2 ? `a/${model};hedge_lost` : undefined);
    if (tries === 2) await expect.poll(() => upstreams[0].seen[0]?.aborted).toBe(true);
    expect(server.defects).toEqual([]);
    await server.close();
    for (const one of upstreams) await one.close();
  }
});

it('a decision says which target would be tried beside a slow one', async () => {
  const models = {
    careful: route({ fallback: { down: ['c/up'] } }, ['a', 'b']),
    alone: route({ fallback: ['b/up'] }, ['a']),
    plain: { targets: [{ to: 'a/up' }, { to: 'b/up' }] },
  };
  await set({ answers: [good, good, good], config: { models } });
  const reasons = (model: string, operation: Parameters<typeof decide>[1]['operation'] = 'generate'): readonly string[] =>
    decide(trials.server.app.snapshot(), { model, protocol: 'openai-chat', operation, key: {} }).candidates.flatMap((one) =>
      one.reasons.includes('hedge') ? [`${one.provider}: ${one.reasons.join(' ')}`] : [],
    );
  expect(reasons('careful')).toEqual(['b: alias priority hedge']);
  expect(reasons('alone')).toEqual(['b: alias fallback hedge']);
  expect(reasons('plain')).toEqual([]);
  // What is paid for twice is tried once.
  for (const operation of ['images', 'image-edits', 'image-variations', 'transcription', 'translation', 'videos'] as const) {
    expect(reasons('careful', operation)).toEqual([]);
  }
  for (const operation of ['embeddings', 'moderations', 'speech', 'rerank'] as const) expect(reasons('careful', operation)).toHaveLength(1);
});
