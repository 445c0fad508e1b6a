import { afterEach, describe, expect, it } from 'vitest';
import { USUAL_LIMITS } from '../../../src/policy/retry.ts';
import type { ProviderSettings, RetrySettings } from '../../../src/presets/preset.ts';
import { type Answer, json, type Seen } from '../../fakes/upstream.ts';
import { testConfig } from '../../server.ts';
import { CHAT, counts, setTrials, textOf, type TrialOptions, type Trials } from './trials.ts';

let trials: Trials;
let now: number;
afterEach(() => trials.close());
const set = async (options: TrialOptions): Promise<void> => {
  now = 0;
  trials = await setTrials({ ...options, clock: { now: () => now, monotonic: () => now } });
};

const good = json(CHAT.whole);
const refusing = (status: number, headers: Record<string, string> = {}): Answer => json(CHAT.error(status, 'no'), status, headers);
const cut: Answer = (_, response) => void response.destroy();
const keyOf = ({ headers }: Pick<Seen, 'headers'>): string => String(headers.authorization);
const asked = (): number => counts(trials)[0] ?? 0;

describe('how long a key is set aside', () => {
  const REFUSED = refusing(401);
  const LATER = refusing(429, { 'retry-after': '60' });
  const NEVER = refusing(429, { 'retry-after': '36000' });
  it.each<[string, Answer, ProviderSettings['setAside'], readonly number[]]>([
    ['a refused one, as usual', REFUSED, undefined, [30_000, 60_000, 120_000, 240_000, 480_000, 600_000, 600_000]],
    ['a refused one, for less', REFUSED, { wait: 1000, longest: 3000 }, [1000, 2000, 3000, 3000]],
    ['a refused one, with a first wait beyond the longest', REFUSED, { wait: 5000, longest: 3000 }, [5000, 5000]],
    ['a refused one, where only the longest is said', REFUSED, { longest: 40_000 }, [30_000, 40_000]],
    ['one that is to wait, as usual', LATER, undefined, [60_000, 60_000]],
    ['one that is to wait far too long, as usual', NEVER, undefined, [3_600_000]],
    ['one that is to wait, believed for less', LATER, { retryAfter: 5000 }, [5000, 5000]],
    ['one that is to wait, whatever refused ones do', LATER, { wait: 1000, longest: 1000 }, [60_000]],
  ])('%s', async (_, answer, setAside, waits) => {
    await set({ answers: [answer, good], settings: [setAside ? { setAside } : {}] });
    textOf(await trials.ask());
    for (const [turn, wait] of waits.entries()) {
      now += wait - 1;
      textOf(await trials.ask());
      expect(asked()).toBe(turn + 1);
      now += 1;
      textOf(await trials.ask());
      expect(asked()).toBe(turn + 2);
    }
  });

  it.each<[string, Answer]>([
    ['refused', REFUSED],
    ['to wait', LATER],
  ])('not at all, where that is off: %s', async (_, answer) => {
    await set({ answers: [answer, good], settings: [{ setAside: 'off' }] });
    for (let at = 1; at <= 4; at++) {
      textOf(await trials.ask());
      expect(asked()).toBe(at);
    }
  });
});

describe('how one call is sent again', () => {
  const MONTH = 2_000_000_000;
  const soon = (ms: number): Answer => refusing(429, { 'retry-after': '1', 'retry-after-ms': String(ms) });
  it.each<[string, Answer, RetrySettings, number]>([
    ['without a pause', cut, { wait: 0 }, 3],
    ['once', cut, { times: 1, wait: 0 }, 2],
    ['not, where the pause would outlast the call', cut, { wait: MONTH }, 1],
    ['although the second pause would, as none is longer than the longest', cut, { wait: 0, longest: 0 }, 3],
    ['not, where even a short Retry-After is too long', soon(30), { wait: 0, retryAfter: 29 }, 1],
    ['after the Retry-After that may be waited for', soon(30), { wait: 0, retryAfter: 30 }, 3],
  ])('%s', async (_, answer, retries, tries) => {
    await set({ answers: [answer], settings: [{ retries }] });
    expect((await trials.ask({ model: 'a/up' })).status).not.toBe(200);
    expect(asked()).toBe(tries);
  });

  it.each<[string, RetrySettings, number]>([
    ['not, where it took longer than is quick', { wait: 0, within: 99 }, 1],
    ['where it took no longer', { wait: 0, within: 100 }, 3],
  ])('%s', async (_, retries, tries) => {
    const slow: Answer = (_request, response) => {
      now += 100;
      response.destroy();
    };
    await set({ answers: [slow], settings: [{ retries }] });
    expect((await trials.ask({ model: 'a/up' })).status).not.toBe(200);
    expect(asked()).toBe(tries);
  });
});

describe('what bounds the tries of all calls together', () => {
  const limited = (changes: Partial<typeof USUAL_LIMITS>) => ({
    limits: { ...testConfig().limits, retries: { ...USUAL_LIMITS, ...changes } },
  });

  it.each([1, 2, 3, 5])('%i tries of one call', async (tries) => {
    await set({ answers: [cut], settings: [{ retries: { wait: 0 } }], config: limited({ tries, share: Infinity }) });
    const got = await trials.ask({ model: 'a/up' });
    expect(got.headers['x-pailou-attempts']).toBe(String(tries));
    expect(asked()).toBe(tries);
  });

  it('tries wherever they go', async () => {
    await set({ answers: [refusing(500), refusing(500), good], config: limited({ tries: 2 }) });
    expect((await trials.ask()).status).toBe(502);
    expect(counts(trials)).toEqual([1, 1, 0]);
  });

  it.each<[string, Partial<typeof USUAL_LIMITS>, number]>([
    ['as usual', {}, 35 + 10 + 3],
    ['no budget, no reserve', { share: 0, reserve: 0 }, 35],
    ['no budget beside the reserve', { share: 0, reserve: 4 }, 35 + 4],
    ['half of all calls', { share: 0.5, reserve: 0 }, 35 + 17],
    ['off', { share: Infinity }, 35 * 3],
  ])('repetitions at one place: %s', async (_, changes, most) => {
    await set({ answers: [cut], settings: [{ breaker: 'off', retries: { wait: 0 } }], config: limited(changes) });
    for (let at = 0; at < 35; at++) await trials.ask({ model: 'a/up' });
    expect(asked()).toBe(most);
  });

  it.each<[string, Partial<typeof USUAL_LIMITS>, number]>([
    ['as usual', {}, 5],
    ['none', { hedges: 0, reserve: 0 }, 0],
    ['those of the reserve', { hedges: 0, reserve: 2 }, 2],
    ['off', { hedges: Infinity, reserve: 0 }, 5],
  ])('tries beside slow ones: %s', async (_, changes, most) => {
    // Says nothing where another one is to be started beside it, and takes long enough for one to be started where none is.
    const slow: Answer = (request, response) => void (asked() > most && setTimeout(() => good(request, response), 60));
    const targets = [{ to: 'a/up' }, { to: 'b/up' }];
    await set({
      answers: [slow, good],
      config: { ...limited(changes), models: { quick: { targets, strategy: 'priority', hedge: 1 } } },
    });
    for (let at = 0; at < 5; at++) textOf(await trials.ask({ model: 'quick' }));
    expect(counts(trials)[1]).toBe(most);
  });

  it('is what a reload says, from then on', async () => {
    await set({ answers: [cut], settings: [{ breaker: 'off', retries: { wait: 0 } }] });
    await trials.ask({ model: 'a/up' });
    expect(asked()).toBe(3);
    const { config } = trials.server.app.snapshot();
    trials.server.app.reload({ ...config, ...limited({ tries: 1 }) });
    await trials.ask({ model: 'a/up' });
    expect(asked()).toBe(4);
  });
});

describe('health: off', () => {
  /** A refusal, and what a caller is told: 401 to 403 are of our key, which is no business of the caller's. */
  const REFUSALS: readonly (readonly [string, Answer, number])[] = [
    ['401', refusing(401), 502],
    ['402', refusing(402), 502],
    ['403', refusing(403), 502],
    ['429', refusing(429), 429],
    ['429 with a short Retry-After', refusing(429, { 'retry-after': '1' }), 429],
    ['429 with a long Retry-After', refusing(429, { 'retry-after': '600' }), 429],
    ['500', refusing(500), 502],
    ['502', refusing(502), 502],
    ['503', refusing(503), 503],
    ['503 with a short Retry-After', refusing(503, { 'retry-after': '1' }), 503],
    ['529', refusing(529), 503],
    ['a cut connection', cut, 502],
  ];
  const OFF = { health: 'off' } as const;
  const ROUNDS = 12;
  const timesOf = (keys: readonly string[]): number => new Set(keys).size;

  it.each(REFUSALS)('%s: one call, one try, and the same again', async (_, answer, status) => {
    await set({ answers: [answer], settings: [OFF] });
    for (let at = 1; at <= ROUNDS; at++) {
      expect((await trials.ask({ model: 'a/up' })).status).toBe(status);
      expect(asked()).toBe(at);
    }
  });

  it.each(REFUSALS)('%s: no key of several is set aside', async (_, answer, status) => {
    const keys = [{ value: 'key-one-1' }, { value: 'key-two-2' }];
    await set({ answers: [answer], settings: [{ ...OFF, keys }] });
    let before = 0;
    for (let at = 0; at < ROUNDS; at++) {
      expect((await trials.ask({ model: 'a/up', text: `question ${at}` })).status).toBe(status);
      const mine = (trials.upstreams[0]?.seen ?? []).slice(before).map(keyOf);
      // At once with the other key, where it was the key: never twice with the same one.
      expect(timesOf(mine)).toBe(mine.length);
      before += mine.length;
    }
    expect(timesOf((trials.upstreams[0]?.seen ?? []).map(keyOf))).toBe(2);
  });

  it.each(REFUSALS)('%s: no target of a route is passed by', async (_, answer) => {
    await set({ answers: [answer, good], settings: [OFF, OFF] });
    for (let at = 1; at <= ROUNDS; at++) {
      expect((await trials.ask()).headers['x-pailou-served-by']).toBe('b/up');
      expect(counts(trials)).toEqual([at, at]);
    }
  });

  it.each(REFUSALS)('%s: the last target has the last word', async (_, answer, status) => {
    await set({ answers: [answer, answer], settings: [OFF, OFF] });
    for (let at = 1; at <= ROUNDS; at++) {
      expect((await trials.ask()).status).toBe(status);
      expect(counts(trials)).toEqual([at, at]);
    }
  });
});
