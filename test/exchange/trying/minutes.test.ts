import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/exchange/ports.ts';
import { candidatesOf, isSameOutcome, replay } from '../../../src/policy/kept-decision.ts';
import { PNG } from '../../fakes/family.ts';
import { type Answer, conduct, type Conducted, json } from '../../fakes/upstream.ts';
import { DIALECTS } from '../dialects.ts';
import type { Got } from '../stage.ts';
import { CHAT, counts, MESSAGES, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials;
afterEach(() => trials.close());

/** Milliseconds that the gateway's clock has run ahead. */
let ahead = 0;
const clock: Clock = { now: () => Date.now() + ahead, monotonic: () => performance.now() + ahead };
const set = async (options: TrialOptions): Promise<void> => {
  ahead = 0;
  trials = await setTrials({ ...options, clock });
};

const good = json(CHAT.whole);
/** An answer that took so many tokens. */
const using = (tokens: number): Answer =>
  json({ ...CHAT.whole, usage: { prompt_tokens: tokens - 3, completion_tokens: 3, total_tokens: tokens } });

/** With which keys an upstream was asked. */
const paid = (at = 0): readonly string[] =>
  (trials.upstreams[at]?.seen ?? []).map(({ headers }) => String(headers['authorization'] ?? headers['x-api-key']).replace('Bearer ', ''));

async function askMany(many: number, model = 'a/up'): Promise<readonly Got[]> {
  const got: Got[] = [];
  for (let at = 0; at < many; at++) got.push(await trials.ask({ model }));
  return got;
}

/** The answer that was held back, and all that come after it. */
function answerNow(at: number, held: Conducted): void {
  const upstream = trials.upstreams[at];
  if (upstream) upstream.answer = good;
  held.head(200, { 'content-type': 'application/json' });
  held.end(JSON.stringify(CHAT.whole));
}

const statuses = (all: readonly Got[]): readonly number[] => all.map(({ status }) => status);

const waitOf = ({ headers }: Got): number => Number(headers['retry-after']);

/** The record of the last of so many calls. */
async function lastRecord(many: number) {
  await expect.poll(() => trials.server.records.length).toBe(many);
  return trials.server.records[many - 1];
}

/** What was decided of each candidate, as it was kept; also that it is decided again alike. */
async function decided(many: number): Promise<readonly string[]> {
  const { route, asked = '' } = (await lastRecord(many)) ?? {};
  if (!route) throw new Error('nothing was kept');
  const again = replay(trials.server.app.snapshot(), { asked, protocol: 'openai-chat', operation: 'generate', key: 'test' }, route);
  expect(isSameOutcome(again, route)).toBe(true);
  return candidatesOf(route).map(({ provider, verdict, reasons }) => `${provider} ${verdict} ${reasons.at(-1)}`);
}

const KEYS = [
  { value: 'key-one-1', rpm: 2 },
  { value: 'key-two-2', rpm: 3 },
];

describe('keys that take so many requests in a minute', () => {
  it('are used up together, not beyond; the next call is told when there is room, and there is', async () => {
    await set({ answers: [good], settings: [{ keys: KEYS }] });
    expect(statuses(await askMany(5))).toEqual([200, 200, 200, 200, 200]);
    expect(paid().toSorted()).toEqual(['key-one-1', 'key-one-1', 'key-two-2', 'key-two-2', 'key-two-2']);
    const refused = await trials.ask({ model: 'a/up' });
    expect(refused.status).toBe(429);
    expect(JSON.parse(refused.text).error).toMatchObject({ type: 'rate_limit_error', code: 'local_rate_limit' });
    expect(waitOf(refused)).toBeGreaterThan(50);
    expect(waitOf(refused)).toBeLessThanOrEqual(61);
    expect(await lastRecord(6)).toMatchObject({ status: 429, fault: 'local_rate_limit', attempts: 0, endedBy: 'gateway' });
    ahead += (waitOf(refused) - 5) * 1000;
    expect((await trials.ask({ model: 'a/up' })).status).toBe(429);
    ahead += 5000;
    textOf(await trials.ask({ model: 'a/up' }));
    expect(counts(trials)).toEqual([6]);
  });

  it('are passed by on the way: a key that has room pays, also in a conversation that was on another', async () => {
    await set({ answers: [good], settings: [{ keys: [{ value: 'key-one-1', rpm: 1 }, { value: 'key-two-2' }] }] });
    for (let at = 0; at < 6; at++) textOf(await trials.ask({ model: 'a/up', headers: { 'x-session-id': 'the same' } }));
    expect(paid().filter((key) => key === 'key-one-1').length).toBeLessThanOrEqual(1);
    expect(paid()).toHaveLength(6);
  });

  it('hold together with what the provider takes as a whole, and give back what that refuses', async () => {
    await set({ answers: [good], settings: [{ rpm: 3, keys: KEYS }] });
    expect(statuses(await askMany(5))).toEqual([200, 200, 200, 429, 429]);
    const { server } = trials;
    const { config } = server.app.snapshot();
    const a = { ...config.providers['a'], rpm: 5 } as NonNullable<(typeof config.providers)[string]>;
    server.app.reload({ ...config, providers: { ...config.providers, a } });
    expect(statuses(await askMany(3))).toEqual([200, 200, 429]);
    expect(counts(trials)).toEqual([5]);
  });

  it.each(DIALECTS)('tell it in the words of $id', async (client) => {
    await set({ answers: [json(client.whole)], settings: [{ rpm: 1 }], dialects: [client] });
    textOf(await trials.ask({ model: 'a/up', client }), client);
    for (const stream of [false, true]) {
      const got = await trials.ask({ model: 'a/up', client, stream });
      expect(got.status).toBe(429);
      expect(waitOf(got)).toBeGreaterThan(50);
      expect(client.envelope(JSON.parse(got.text), 429).message).toMatch(/^Provider 'a' has had its 1 requests a minute \('rpm'\)/);
    }
    expect(counts(trials)).toEqual([1]);
  });
});

describe('a target whose minute is full', () => {
  it('is left alone where another has room, and the decision says so', async () => {
    await set({ answers: [good, good], settings: [{ rpm: 1 }] });
    expect((await trials.ask()).headers['x-pailou-served-by']).toBe('a/up');
    const second = await trials.ask();
    expect(second.headers).toMatchObject({ 'x-pailou-served-by': 'b/up', 'x-pailou-attempts': '1' });
    expect(await decided(2)).toEqual(['a eligible local_rate_limit', 'b chosen priority']);
    expect(trials.server.records[1]?.failed).toBe(undefined);
    expect(counts(trials)).toEqual([1, 1]);
  });

  it('is tried again when the minute is over', async () => {
    await set({ answers: [good, good], settings: [{ rpm: 1 }] });
    await askMany(2, 'both');
    ahead += 60_200;
    expect((await trials.ask()).headers['x-pailou-served-by']).toBe('a/up');
  });

  it.each(['rateLimited', 'any'] as const)('leaves its calls to the fallback for %s', async (failure) => {
    const models = { lone: { targets: [{ to: 'a/up' }], fallback: { [failure]: ['b/up'] } } };
    await set({ answers: [good, good], settings: [{ rpm: 1 }], config: { models } });
    textOf(await trials.ask({ model: 'lone' }));
    expect((await trials.ask({ model: 'lone' })).headers['x-pailou-served-by']).toBe('b/up');
    expect(await decided(2)).toEqual(['a eligible local_rate_limit', 'b chosen fallback']);
  });

  it('is no reason for a fallback for other failures', async () => {
    const models = { lone: { targets: [{ to: 'a/up' }], fallback: { down: ['b/up'], context: ['b/up'] } } };
    await set({ answers: [good, good], settings: [{ rpm: 1 }], config: { models } });
    expect(statuses(await askMany(2, 'lone'))).toEqual([200, 429]);
    expect(counts(trials)).toEqual([1, 0]);
  });

  it('where all are, the caller is told the first moment at which any has room', async () => {
    await set({ answers: [good, good, good], settings: [{ rpm: 1 }, { rpm: 1 }, { rpm: 1 }] });
    for (const model of ['b/up', 'c/up', 'a/up']) {
      textOf(await trials.ask({ model }));
      ahead += 10_000;
    }
    const refused = await trials.ask();
    expect(refused.status).toBe(429);
    expect(waitOf(refused)).toBeGreaterThan(29);
    expect(waitOf(refused)).toBeLessThanOrEqual(31);
    ahead += waitOf(refused) * 1000;
    expect((await trials.ask()).headers['x-pailou-served-by']).toBe('b/up');
  });

  it('is passed by after a failure as well, where another may be waited for', async () => {
    const held = conduct();
    const failing = json(CHAT.error(500, 'no'), 500);
    await set({ answers: [failing, good, held.answer], settings: [{}, { rpm: 1 }, { concurrency: 1 }] });
    textOf(await trials.ask({ model: 'b/up' }));
    const first = trials.ask({ model: 'c/up' });
    await held.asked;
    const second = trials.ask();
    await expect.poll(() => counts(trials)).toEqual([1, 1, 1]);
    answerNow(2, held);
    textOf(await first);
    expect((await second).headers).toMatchObject({ 'x-pailou-served-by': 'c/up', 'x-pailou-attempts': '2' });
    await expect
      .poll(() => trials.server.records.find(({ provider, attempts }) => provider === 'c' && attempts === 2)?.failed)
      .toBe('a/up;upstream');
  });

  it('gives way to one that may be waited for', async () => {
    const held = conduct();
    await set({ answers: [good, held.answer], settings: [{ rpm: 1 }, { concurrency: 1 }] });
    await trials.ask({ model: 'a/up' });
    const first = trials.ask({ model: 'b/up' });
    await expect.poll(() => counts(trials)).toEqual([1, 1]);
    const second = trials.ask();
    await expect.poll(() => trials.server.app.active()).toBe(2);
    answerNow(1, held);
    textOf(await first);
    expect((await second).headers['x-pailou-served-by']).toBe('b/up');
  });
});

describe('whatever is sent counts', () => {
  it('each try of a call', async () => {
    const failing = json(CHAT.error(503, 'busy'), 503, { 'retry-after': '0' });
    await set({ answers: [failing], settings: [{ rpm: 2 }] });
    expect((await trials.ask({ model: 'a/up' })).status).toBe(503);
    expect(counts(trials)).toEqual([2]);
    expect((await trials.ask({ model: 'a/up' })).status).toBe(429);
    expect(counts(trials)).toEqual([2]);
  });

  it('and a try beside a slow one', async () => {
    const slow = conduct();
    const models = { quick: { targets: [{ to: 'a/up' }, { to: 'b/up' }], strategy: 'priority' as const, hedge: 40 } };
    await set({ answers: [slow.answer, good], settings: [{}, { rpm: 1 }], config: { models } });
    expect((await trials.ask({ model: 'quick' })).headers['x-pailou-served-by']).toBe('b/up');
    expect((await trials.ask({ model: 'b/up' })).status).toBe(429);
  });

  it('each of several answers that are made one by one, before any of them is asked for', async () => {
    await set({ answers: [json(MESSAGES.whole)], settings: [{ rpm: 5 }], dialects: [MESSAGES] });
    const asked = (n: number): Promise<Response> => {
      const body = JSON.stringify({ ...CHAT.body('a/up', false), n });
      const headers = { authorization: `Bearer ${trials.server.key}`, 'content-type': 'application/json' };
      return fetch(`${trials.server.url}/v1/chat/completions`, { method: 'POST', headers, body });
    };
    const ask = async (n: number): Promise<number> => (await asked(n)).status;
    expect([await ask(3), await ask(3), await ask(2), await ask(1)]).toEqual([200, 429, 200, 429]);
    expect(counts(trials)).toEqual([5]);
    ahead += 60_200;
    const never = await asked(6);
    expect([never.status, never.headers.get('retry-after')]).toEqual([429, null]);
    expect(await never.text()).toContain("Provider 'a' may have 5 requests a minute ('rpm'): this call takes more than that");
    expect(await ask(5)).toBe(200);
  });

  it('but not a call that could not be written', async () => {
    await set({ answers: [json(MESSAGES.whole)], settings: [{ rpm: 1 }], dialects: [MESSAGES] });
    const body = JSON.stringify({ ...CHAT.body('a/up', false), n: 20 });
    const headers = { authorization: `Bearer ${trials.server.key}`, 'content-type': 'application/json' };
    for (let at = 0; at < 3; at++) {
      expect((await fetch(`${trials.server.url}/v1/chat/completions`, { method: 'POST', headers, body })).status).toBe(400);
    }
    expect((await trials.ask({ model: 'a/up' })).status).toBe(200);
  });

  it('each request that a call for vectors takes', async () => {
    const vectors: Answer = ({ body }, response) => {
      const { input } = JSON.parse(body) as { input: readonly string[] };
      const data = input.map((_, index) => ({ object: 'embedding', index, embedding: [0.5, 1] }));
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end(JSON.stringify({ object: 'list', model: 'up', data, usage: { prompt_tokens: 2, total_tokens: 2 } }));
    };
    // It takes ten texts at once.
    await set({ answers: [vectors], settings: [{ preset: 'dashscope', key: 'k'.repeat(20), protocols: ['openai-chat'], rpm: 4 }] });
    const ask = async (many: number): Promise<number> => {
      const input = Array.from({ length: many }, (_, at) => `text ${at}`);
      const headers = { authorization: `Bearer ${trials.server.key}`, 'content-type': 'application/json' };
      const body = JSON.stringify({ model: 'a/up', input });
      return (await fetch(`${trials.server.url}/v1/embeddings`, { method: 'POST', headers, body })).status;
    };
    expect([await ask(30), await ask(1), await ask(1)]).toEqual([200, 200, 429]);
    expect(counts(trials)).toEqual([4]);
  });

  it.each([
    // It takes ten texts at once, and the other makes one image at once.
    { name: 'vectors', path: 'embeddings', preset: 'dashscope', body: { input: Array.from({ length: 100 }, (_, at) => `text ${at}`) } },
    { name: 'images', path: 'images/generations', preset: 'siliconflow', body: { prompt: 'a gate', n: 8, response_format: 'b64_json' } },
  ])('all requests of $name in parts, before any of them is sent: the next target makes them', async ({ path, preset, body }) => {
    const maker: Answer = (request, response) => {
      const { input } = JSON.parse(request.body) as { input?: readonly string[] };
      const data = input ? input.map((_, index) => ({ object: 'embedding', index, embedding: [0.5, 1] })) : [{ b64_json: PNG }];
      json({ object: 'list', model: 'up', data, usage: { prompt_tokens: 2, total_tokens: 2 } })(request, response);
    };
    const at = (rpm: number) => ({ preset, key: 'k'.repeat(20), protocols: ['openai-chat' as const], rpm });
    const models = { both: { targets: [{ to: 'a/up' }, { to: 'b/up' }] } };
    await set({ answers: [maker, maker], settings: [at(5), at(12)], config: { models } });
    const headers = { authorization: `Bearer ${trials.server.key}`, 'content-type': 'application/json' };
    const got = await fetch(`${trials.server.url}/v1/${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify({ model: 'both', ...body }),
    });
    expect(await got.text()).toContain('"data":[{');
    expect(counts(trials)).toEqual([0, body.n ?? 10]);
  });

  it('films and images that are ordered, and not the looks at them', async () => {
    const looks: string[] = [];
    const maker: Answer = (request, response) => {
      const { method, path } = request;
      if (method === 'GET' || path.endsWith('/get_result')) looks.push(path);
      if (path.endsWith('/get_result')) {
        const isDone = looks.filter((one) => one === path).length > 1;
        return json(
          isDone
            ? { id: 'j', status: 'Ready', result: { sample: `data:image/png;base64,${PNG}` } }
            : { id: 'j', status: 'Pending', result: null },
        )(request, response);
      }
      if (path.includes('/workflows/')) return json({ request_id: 'j' })(request, response);
      json({
        id: 'video_1',
        object: 'video',
        model: 'sora-2',
        status: 'in_progress',
        progress: 1,
        created_at: 1,
        size: '720x1280',
        seconds: '4',
      })(request, response);
    };
    const at = (preset: string) => ({ preset, key: 'k'.repeat(20), protocols: ['openai-chat' as const], rpm: 1 });
    await set({ answers: [maker, maker], settings: [at('openai'), at('fireworks')] });
    const post = async (path: string, body: object): Promise<number> => {
      const headers = { authorization: `Bearer ${trials.server.key}`, 'content-type': 'application/json' };
      const got = await fetch(trials.server.url + path, { method: 'POST', headers, body: JSON.stringify(body) });
      return got.status;
    };
    const film = { model: 'a/sora-2', prompt: 'a cat' };
    expect([await post('/v1/videos', film), await post('/v1/videos', film)]).toEqual([200, 429]);
    const image = { model: 'b/accounts/fireworks/models/flux-kontext-pro', prompt: 'a cat' };
    expect([await post('/v1/images/generations', image), await post('/v1/images/generations', image)]).toEqual([200, 429]);
    expect(looks.length).toBeGreaterThan(1);
    const ordered = trials.upstreams.map(
      ({ seen }) => seen.filter(({ method, path }) => method === 'POST' && !path.endsWith('get_result')).length,
    );
    expect(ordered).toEqual([1, 1]);
  });
});

describe('tokens of a minute', () => {
  it('are the estimate where an answer reports more than there are numbers', async () => {
    const answer = JSON.stringify({ ...CHAT.whole, usage: { prompt_tokens: 9, completion_tokens: 8, total_tokens: 17 } });
    await set({ answers: [json(answer.replace('"completion_tokens":8', '"completion_tokens":1e999'))], settings: [{ tpm: 1200 }] });
    expect(statuses(await askMany(4))).toEqual([200, 200, 429, 429]);
    ahead += 60_200;
    expect(statuses(await askMany(4))).toEqual([200, 200, 429, 429]);
  });

  it('are those that answers report', async () => {
    await set({ answers: [using(600)], settings: [{ tpm: 1500 }] });
    // The third has 1200 before it, and is expected to take about 500.
    const got = await askMany(3);
    expect(statuses(got)).toEqual([200, 200, 429]);
    expect(got[2]?.text).toContain("1500 tokens a minute ('tpm')");
    expect(counts(trials)).toEqual([2]);
    ahead += waitOf(got[2] as Got) * 1000;
    textOf(await trials.ask({ model: 'a/up' }));
  });

  it('are estimated for a call that is under way, and given back when it took fewer', async () => {
    const held = conduct();
    await set({ answers: [held.answer, good], settings: [{ tpm: 800 }] });
    const first = trials.ask({ model: 'a/up' });
    await expect.poll(() => counts(trials)).toEqual([1, 0]);
    expect((await trials.ask({ model: 'a/up' })).status).toBe(429);
    expect((await trials.ask()).headers['x-pailou-served-by']).toBe('b/up');
    answerNow(0, held);
    textOf(await first);
    expect(statuses(await askMany(3))).toEqual([200, 200, 200]);
  });

  it('that a call is expected to take may be more than there are: what is decided for it is passed by then', async () => {
    const models = {
      lone: { targets: [{ to: 'a/up' }], fallback: { rateLimited: ['b/up'] } },
      quick: { targets: [{ to: 'b/up' }, { to: 'a/up' }], strategy: 'priority' as const, hedge: 40 },
      other: { targets: [{ to: 'b/up' }, { to: 'c/up' }], strategy: 'priority' as const, hedge: 40 },
    };
    await set({ answers: [using(700), good, good], settings: [{ tpm: 1000 }], config: { models } });
    textOf(await trials.ask({ model: 'a/up' }));
    expect((await trials.ask({ model: 'lone' })).headers).toMatchObject({ 'x-pailou-served-by': 'b/up', 'x-pailou-attempts': '1' });
    expect(await lastRecord(2)).toMatchObject({ failed: 'a/up;local_rate_limit', provider: 'b' });
    // Nor is it begun beside a slow one.
    const slow = conduct();
    const b = trials.upstreams[1];
    if (b) b.answer = slow.answer;
    const asked = trials.ask({ model: 'quick' });
    await slow.asked;
    if (b) b.answer = conduct().answer;
    // By then it has been slow for as long.
    expect((await trials.ask({ model: 'other' })).headers['x-pailou-served-by']).toBe('c/up');
    answerNow(1, slow);
    textOf(await asked);
    expect(counts(trials)).toEqual([1, 3, 1]);
  });

  it('leave a call that is larger than the whole minute its own minute', async () => {
    await set({ answers: [using(5000)], settings: [{ tpm: 400 }] });
    expect(statuses(await askMany(2))).toEqual([200, 429]);
    ahead += 60_200;
    expect(statuses(await askMany(2))).toEqual([200, 429]);
  });

  it('are those of each key', async () => {
    await set({
      answers: [using(1000)],
      settings: [
        {
          keys: [
            { value: 'key-one-1', tpm: 900 },
            { value: 'key-two-2', tpm: 900, rpm: 9 },
          ],
        },
      ],
    });
    expect(statuses(await askMany(3))).toEqual([200, 200, 429]);
    expect(new Set(paid()).size).toBe(2);
  });
});
