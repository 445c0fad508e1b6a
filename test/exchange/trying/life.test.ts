import { afterEach, describe, expect, it } from 'vitest';
import { type Answer, json, stream } from '../../fakes/upstream.ts';
import { TEXT } from '../dialects.ts';
import { CHAT, counts, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials;
afterEach(() => trials.close());
const set = async (options: TrialOptions): Promise<void> => void (trials = await setTrials(options));

const good: Answer = (request, response) =>
  (request.body.includes('"stream":true') ? stream(CHAT.events) : json(CHAT.whole))(request, response);
const refusing = (status: number, headers: Record<string, string> = {}): Answer => json(CHAT.error(status, 'no'), status, headers);

describe('killing one of two upstreams under 200 streams', () => {
  it('loses no request that had not yet got a token', async () => {
    const held: (() => void)[] = [];
    /** Half of the streams have a token when it dies, and the others wait for one. */
    const dying: Answer = (_request, response) => {
      const isTalking = held.length % 2 === 0;
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      // The others have been told no more than that a reply begins.
      response.write(CHAT.events.slice(0, isTalking ? 2 : 1).join(''));
      held.push(() => response.socket?.resetAndDestroy());
    };
    const models = { even: { targets: [{ to: 'a/up' }, { to: 'b/up' }], strategy: 'round-robin' } } as const;
    await set({ answers: [dying, good], config: { models } });
    const asked = Array.from({ length: 200 }, () => trials.ask({ model: 'even', stream: true }));
    await expect.poll(() => held.length, { timeout: 10_000 }).toBe(100);
    const [dead] = trials.upstreams;
    const closing = dead?.close();
    for (const kill of held) kill();
    await closing;
    const got = await Promise.all(asked);
    const whole = got.filter((one) => one.headers['x-pailou-served-by'] === 'b/up');
    for (const one of whole) expect(textOf(one)).toBe(TEXT);
    expect(whole).toHaveLength(150);
    // Those that had begun end with an error, and nothing twice.
    const broken = got.filter((one) => one.headers['x-pailou-served-by'] === 'a/up');
    expect(broken).toHaveLength(50);
    for (const one of broken) expect(() => textOf(one)).toThrow(/cut/);
    expect(trials.server.records.filter(({ attempts }) => attempts === 2)).toHaveLength(50);
    // And it is known now: the next ones do not try it first.
    const before = counts(trials)[0];
    for (let i = 0; i < 10; i++) textOf(await trials.ask({ model: 'even', stream: true }));
    expect(counts(trials)[0]).toBe(before);
  });
});

describe('a target that fails five times in a row', () => {
  it('is not asked until it has rested, except where there is no other', async () => {
    await set({ answers: [refusing(500), good] });
    for (let i = 0; i < 8; i++) textOf(await trials.ask());
    expect(counts(trials)).toEqual([5, 8]);
    for (let i = 0; i < 3; i++) expect((await trials.ask({ model: 'a/up' })).status).toBe(502);
    expect(counts(trials)).toEqual([8, 8]);
  });
  it('is asked again as soon as it has answered someone', async () => {
    let answer = refusing(500);
    await set({ answers: [(request, response) => answer(request, response), good] });
    for (let i = 0; i < 6; i++) textOf(await trials.ask());
    answer = good;
    textOf(await trials.ask({ model: 'a/up' }));
    expect((await trials.ask()).headers['x-pailou-served-by']).toBe('a/up');
  });
  it('is asked every time where its health is off', async () => {
    await set({ answers: [refusing(500), good], settings: [{ health: 'off' }] });
    for (let i = 0; i < 8; i++) textOf(await trials.ask());
    expect(counts(trials)).toEqual([8, 8]);
  });
  it('is the last one standing when all have failed', async () => {
    await set({ answers: [refusing(500), refusing(500)] });
    for (let i = 0; i < 7; i++) expect((await trials.ask()).status).toBe(502);
    // Both are open now, and still one is asked.
    expect(counts(trials)).toEqual([7, 5]);
  });
});

describe('`Retry-After`', () => {
  it.each([
    ['seconds', '60'],
    ['a date', new Date(Date.now() + 60_000).toUTCString()],
  ])('in %s keeps the whole credential from being asked', async (_, wait) => {
    const models = {
      one: { targets: [{ to: 'a/up' }, { to: 'b/up' }], strategy: 'priority' },
      two: { targets: [{ to: 'a/other' }, { to: 'b/up' }], strategy: 'priority' },
    } as const;
    await set({ answers: [refusing(429, { 'retry-after': wait }), good], config: { models } });
    for (const model of ['one', 'two', 'one', 'two']) textOf(await trials.ask({ model }));
    expect(counts(trials)).toEqual([1, 4]);
  });
  it('of two that are limited is the sooner one', async () => {
    await set({ answers: [refusing(429, { 'retry-after': '9' }), refusing(429, { 'retry-after': '50' })] });
    const got = await trials.ask();
    expect([got.status, got.headers['retry-after']]).toEqual([429, '9']);
  });
});
