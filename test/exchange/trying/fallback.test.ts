import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, bytes, conduct, cutStream, json, stream } from '../../fakes/upstream.ts';
import { DIALECTS, TEXT, WORDS } from '../dialects.ts';
import { CHAT, counts, MESSAGES, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials;
afterEach(() => trials.close());
const set = async (options: TrialOptions): Promise<void> => void (trials = await setTrials(options));

const good: Answer = (request, response) =>
  (request.body.includes('"stream":true') ? stream(CHAT.events) : json(CHAT.whole))(request, response);
const refusing = (status: number, headers: Record<string, string> = {}, message = 'no'): Answer =>
  json(CHAT.error(status, message), status, headers);

describe('before the client has got anything, the next target answers', () => {
  const rows: readonly [string, Answer][] = [
    ['a closed connection', bytes('')],
    ['a cut body', bytes('HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 200\r\n\r\n{"a":')],
    ['no HTTP', bytes('what do you want\r\n\r\n')],
    ['500', refusing(500)],
    ['503', refusing(503)],
    ['529', refusing(529)],
    ['504', refusing(504)],
    ['408', refusing(408)],
    ['429', refusing(429)],
    ['401', refusing(401)],
    ['402', refusing(402)],
    ['403', refusing(403)],
    ['a page', (_request, response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
    ['an empty stream', stream([])],
    ['an error as the first event', stream([CHAT.errorEvent])],
    ['an error in a 200', json({ error: { message: 'no', type: 'server_error', param: null, code: null } })],
  ];
  it.each(
    rows.flatMap(([name, answer]) =>
      [true, false].map((isStream) => [`${name}, ${isStream ? 'stream' : 'whole'}`, answer, isStream] as const),
    ),
  )('%s', async (_, answer, isStream) => {
    await set({ answers: [answer, good] });
    const got = await trials.ask({ stream: isStream });
    expect(textOf(got)).toBe(TEXT);
    expect(got.headers['x-pailou-served-by']).toBe('b/up');
    expect(got.headers['x-pailou-attempts']).toBe('2');
    expect(counts(trials)).toEqual([1, 1]);
    const [record] = trials.server.records;
    expect(record).toMatchObject({ status: 200, attempts: 2, provider: 'b', failed: expect.stringMatching(/^a\/up;\w+$/) });
  });

  it.each(DIALECTS.flatMap((dialect) => (['rst', 'fin'] as const).map((how) => [dialect.id, dialect, how] as const)))(
    '%s: a stream that only said that it begins, cut',
    async (_, dialect, how) => {
      const first = dialect.events.findIndex((event) => event.includes(WORDS[0]));
      // Events of items and blocks have said something: only what stands before them has not.
      const openings = dialect.id === 'openai-responses' || dialect.id === 'anthropic-messages' ? 1 : first;
      await set({ answers: [cutStream(dialect.events.slice(0, openings), how), stream(dialect.events)], dialects: [dialect, dialect] });
      const got = await trials.ask({ client: dialect, stream: true });
      expect(textOf(got, dialect)).toBe(TEXT);
      expect(counts(trials)).toEqual([1, 1]);
      // Once only.
      expect(got.text.startsWith(dialect.events.slice(0, dialect.before).join(''))).toBe(true);
    },
  );

  it('a target that is not there, and another dialect', async () => {
    await set({ answers: [good, (_r, to) => json(MESSAGES.whole)(_r, to)], dialects: [CHAT, MESSAGES] });
    await trials.upstreams[0]?.close();
    const got = await trials.ask();
    expect(textOf(got)).toBe(TEXT);
    expect(trials.server.records[0]?.failed).toBe('a/up;upstream_unreachable');
  });

  it('silence, as long as the deadline lasts; the last try gets what is left of it', async () => {
    const timeouts = { connect: 1000, headers: 150, firstToken: 300, idle: 300, total: 500 };
    const silent: Answer = () => {};
    await set({
      answers: [silent, silent],
      settings: [{ timeouts }, { timeouts: { ...timeouts, headers: 10_000, firstToken: 10_000, total: 10_000 } }],
    });
    const started = performance.now();
    const got = await trials.ask();
    const took = performance.now() - started;
    expect(got.status).toBe(504);
    expect(took).toBeGreaterThan(450);
    expect(took).toBeLessThan(1500);
    expect(counts(trials)).toEqual([1, 1]);
  });
});

describe('nothing else is tried', () => {
  it.each([400, 404, 413, 422])('after the client’s own mistake: %i', async (status) => {
    await set({ answers: [refusing(status), good] });
    for (let i = 0; i < 8; i++) expect((await trials.ask()).status).toBe(status);
    expect(counts(trials)).toEqual([8, 0]);
  });

  it('after the first token', async () => {
    const begun = CHAT.events.slice(0, CHAT.events.findIndex((event) => event.includes(WORDS[0])) + 1);
    await set({ answers: [cutStream(begun, 'fin'), good] });
    const got = await trials.ask({ stream: true });
    expect(() => textOf(got)).toThrow();
    expect(got.text).toContain(WORDS[0]);
    expect(counts(trials)).toEqual([1, 0]);
    expect(trials.server.records[0]).toMatchObject({ attempts: 1, endedBy: 'upstream' });
  });

  it('after the client has left', async () => {
    const slow = conduct();
    await set({ answers: [slow.answer, good] });
    const leaving = new AbortController();
    const asked = fetch(`${trials.server.url}/v1/chat/completions`, {
      method: 'POST',
      signal: leaving.signal,
      headers: { authorization: `Bearer ${trials.server.key}`, 'content-type': 'application/json' },
      body: JSON.stringify(CHAT.body('both', true)),
    }).catch(() => 'left');
    await slow.asked;
    leaving.abort();
    expect(await asked).toBe('left');
    await slow.hungUp;
    await expect.poll(() => trials.server.records.length).toBe(1);
    expect(trials.server.records[0]).toMatchObject({ status: 499, endedBy: 'client', attempts: 1 });
    expect(counts(trials)).toEqual([1, 0]);
  });

  it('after three tries', async () => {
    await set({ answers: [refusing(500), refusing(500), refusing(503, { 'retry-after': '9' }), good] });
    const got = await trials.ask();
    expect(got.status).toBe(503);
    expect(got.headers['retry-after']).toBe('9');
    expect(got.headers['x-pailou-attempts']).toBe('3');
    expect(counts(trials)).toEqual([1, 1, 1, 0]);
  });
});

describe('by what went wrong', () => {
  const fallback = { context: ['b/up'], rateLimited: ['c/up'], refused: ['d/up'], down: ['e/up'] };
  const models = { careful: { targets: [{ to: 'a/up' }], fallback } };
  const tooLong = json(
    { error: { message: 'too long', type: 'invalid_request_error', param: null, code: 'context_length_exceeded' } },
    400,
  );
  const refused = json(
    { error: { message: 'not that', type: 'invalid_request_error', param: null, code: 'content_policy_violation' } },
    400,
  );
  it.each([
    ['too long', tooLong, [1, 1, 0, 0, 0], 200],
    ['limited', refusing(429), [1, 0, 1, 0, 0], 200],
    ['refused for what it says', refused, [1, 0, 0, 1, 0], 200],
    ['down', refusing(500), [1, 0, 0, 0, 1], 200],
    ['a connection that closes', bytes(''), [1, 0, 0, 0, 1], 200],
    ['a mistake', refusing(400), [1, 0, 0, 0, 0], 400],
  ] as const)('%s', async (_, answer, seen, status) => {
    await set({ answers: [answer, good, good, good, good], config: { models } });
    expect((await trials.ask({ model: 'careful' })).status).toBe(status);
    expect(counts(trials)).toEqual(seen);
  });
});

describe('patience', () => {
  const silent: Answer = () => undefined;
  it.each([
    ['of a route', { targets: [{ to: 'a/up' }, { to: 'b/up' }], strategy: 'priority', timeout: { headers: 300 } }],
    ['of one of its targets', { targets: [{ to: 'a/up', timeout: { headers: 300 } }, { to: 'b/up' }], strategy: 'priority' }],
  ] as const)('%s may be less than the provider’s: another answers then', async (_, route) => {
    await set({ answers: [silent, good], config: { models: { hasty: route } } });
    const began = performance.now();
    const got = await trials.ask({ model: 'hasty' });
    expect(textOf(got)).toBe(TEXT);
    expect(performance.now() - began).toBeGreaterThan(290);
    expect(performance.now() - began).toBeLessThan(4000);
    expect(counts(trials)).toEqual([1, 1]);
  });
});

it('a name may stand for another target for one key, live', async () => {
  const keys = [
    { name: 'test', value: 'pk-test-0123456789abcdef' },
    { name: 'own', value: 'pk-own-0123456789abcdefg', routes: { both: 'b/up' } },
  ];
  await set({ answers: [good, good], config: { keys } });
  expect((await trials.ask()).headers['x-pailou-served-by']).toBe('a/up');
  expect((await trials.ask({ key: 'pk-own-0123456789abcdefg' })).headers['x-pailou-served-by']).toBe('b/up');
  expect(counts(trials)).toEqual([1, 1]);
});

describe('a target alone', () => {
  const then = (first: Answer, times = 1): Answer => {
    let asked = 0;
    return (request, response) => (asked++ < times ? first : good)(request, response);
  };
  it.each([
    ['a closed connection', bytes('')],
    ['a short limit', refusing(429, { 'retry-after-ms': '30' })],
    ['a short rest', refusing(503, { 'retry-after': '0' })],
  ])('is asked once more after %s', async (_, answer) => {
    await set({ answers: [then(answer)] });
    const got = await trials.ask({ model: 'a/up' });
    expect(textOf(got)).toBe(TEXT);
    expect(got.headers['x-pailou-attempts']).toBe('2');
  });
  it.each([
    ['500', refusing(500), 502],
    ['429 without a time', refusing(429), 429],
    ['429 for long', refusing(429, { 'retry-after': '60' }), 429],
    ['429 until a date', refusing(429, { 'retry-after': new Date(Date.now() + 60_000).toUTCString() }), 429],
    ['401', refusing(401), 502],
    ['a page', bytes('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno'), 502],
  ] as const)('is not asked again after %s', async (_, answer, status) => {
    await set({ answers: [answer] });
    expect((await trials.ask({ model: 'a/up' })).status).toBe(status);
    expect(counts(trials)).toEqual([1]);
  });
  it('is asked three times at most, and as often as `retries` says', async () => {
    await set({ answers: [bytes(''), bytes(''), bytes('')], settings: [{}, { retries: 1 }, { health: 'off' }] });
    for (const model of ['a/up', 'b/up', 'c/up']) expect((await trials.ask({ model })).status).toBe(502);
    expect(counts(trials)).toEqual([3, 2, 1]);
  });
  it('that does not answer is asked no more than a tenth more often, all callers together', async () => {
    await set({ answers: [bytes('')] });
    for (let i = 0; i < 100; i++) await trials.ask({ model: 'a/up' });
    const [asked = 0] = counts(trials);
    expect(asked).toBeGreaterThan(100);
    expect(asked).toBeLessThanOrEqual(100 + 10 + 10 + 5);
  });
});

describe('a target that cannot express the request', () => {
  it('is passed by where `x-strict` is asked for, and is not counted as a try that went out', async () => {
    await set({ answers: [json(MESSAGES.whole), good], dialects: [MESSAGES, CHAT] });
    const { server } = trials;
    const answer = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', 'x-strict': '1' },
      body: JSON.stringify({ ...CHAT.body('both', false), seed: 5 }),
    });
    expect(answer.status, await answer.text()).toBe(200);
    expect(counts(trials)).toEqual([0, 1]);
    expect(server.records[0]?.failed).toBe('a/up;not_expressible');
  });
  it.each([
    ['429', refusing(429, { 'retry-after': '60' }), 429, '60', 'rate_limit'],
    ['503', refusing(503), 503, null, 'overloaded'],
    ['a page', bytes('HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 2\r\n\r\nno'), 502, null, 'upstream_malformed'],
  ] as const)('does not speak for one before it, which answered %s', async (_, answer, status, retryAfter, failed) => {
    await set({ answers: [answer, json(MESSAGES.whole)], dialects: [CHAT, MESSAGES], settings: [{ retries: 0 }, {}] });
    const { server } = trials;
    const told = await fetch(`${server.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${server.key}`, 'content-type': 'application/json', 'x-strict': '1' },
      body: JSON.stringify({ ...CHAT.body('both', false), seed: 5 }),
    });
    expect([told.status, told.headers.get('retry-after'), counts(trials)]).toEqual([status, retryAfter, [1, 0]]);
    expect(told.headers.get('x-pailou-served-by')).toBe('a/up');
    expect(server.records[0]).toMatchObject({ provider: 'a', fault: failed, failed: 'b/up;not_expressible' });
  });
});
