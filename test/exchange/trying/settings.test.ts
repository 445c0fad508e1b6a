import { describe, expect, it } from 'vitest';
import { providerWords } from '../../../src/config/provider-words.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import { compileProvider } from '../../../src/presets/provider.ts';
import { json } from '../../fakes/upstream.ts';
import { CHAT, counts, setTrials, textOf } from './trials.ts';

const compile = (settings: Partial<ProviderSettings>) => compileProvider('p', { preset: 'deepseek', ...settings }, () => ({}));

describe('the keys of a provider', () => {
  it.each<[string, Partial<ProviderSettings>, RegExp]>([
    ['beside a key', { key: 'a', keys: [{ value: 'b' }] }, /'keys' and 'key' are both given/],
    ['of which one is empty', { keys: [{ value: 'a' }, { value: ' ' }] }, /'keys' holds an empty value/],
    ['of which two are the same', { keys: [{ value: 'a' }, { value: 'a ' }] }, /'keys' holds the same value twice/],
    ['that are none', { keys: [] }, /'keys' holds no key/],
  ])('%s are a mistake that is told in both languages', (_, settings, words) => {
    expect(() => compile(settings)).toThrow(words);
    let said = '';
    try {
      compile(settings);
    } catch (error) {
      said = (error as Error).message;
    }
    expect(providerWords(said)[1]).toMatch(/^服务商“p”：“keys”/);
  });

  it('make the same provider once for each; it has the first itself', () => {
    const { credentials = [], wires } = compile({ keys: [{ value: 'one', weight: 2 }, { value: 'two' }] });
    const paid = (some: typeof wires): unknown => some.get('openai-chat')?.headers['authorization'];
    expect(credentials.map(({ weight, provider }) => [weight, paid(provider.wires)])).toEqual([
      [2, 'Bearer one'],
      [1, 'Bearer two'],
    ]);
    expect(paid(wires)).toBe('Bearer one');
    for (const { id } of credentials) expect(id).not.toMatch(/one|two/);
  });

  it('are other credentials where the key, the address or a header is another', () => {
    const ids = [{ key: 'a' }, { key: 'b' }, { key: 'a', baseUrl: 'http://127.0.0.1:1' }, { key: 'a', headers: { 'x-team': 'a' } }].map(
      (settings) => compile(settings).credential,
    );
    expect(new Set(ids).size).toBe(4);
    expect(compile({ key: 'a' }).credential).toBe(ids[0]);
  });
});

describe('what is written of waits', () => {
  const ASIDE = { firstMs: 30_000, longestMs: 600_000, believedMs: 3_600_000 };
  it.each<[ProviderSettings['setAside'], unknown]>([
    [undefined, undefined],
    ['off', 'off'],
    [{}, ASIDE],
    [{ wait: 1000 }, { ...ASIDE, firstMs: 1000 }],
    [{ wait: 900_000 }, { ...ASIDE, firstMs: 900_000, longestMs: 900_000 }],
    [
      { longest: 40_000, retryAfter: 5000 },
      { ...ASIDE, longestMs: 40_000, believedMs: 5000 },
    ],
  ])('setAside: %o', (setAside, compiled) => {
    expect(compile({ key: 'a', ...(setAside ? { setAside } : {}) }).setAside).toEqual(compiled);
  });

  it.each<[ProviderSettings['queue'], unknown]>([
    [undefined, undefined],
    ['off', { calls: 0, perCaller: 0, waitMs: 0 }],
    [{}, { calls: 1000, perCaller: 250, waitMs: 30_000 }],
    [{ calls: 10 }, { calls: 10, perCaller: 3, waitMs: 30_000 }],
    [{ calls: 0 }, { calls: 0, perCaller: 0, waitMs: 30_000 }],
    [
      { calls: 10, perCaller: 10, wait: 5 },
      { calls: 10, perCaller: 10, waitMs: 5 },
    ],
  ])('queue: %o', (queue, compiled) => {
    expect(compile({ key: 'a', ...(queue === undefined ? {} : { queue }) }).queue).toEqual(compiled);
  });

  const RETRY = { firstMs: 100, longestMs: 2000, askedMs: 2000, quickMs: 5000 };
  it.each<[ProviderSettings['retries'], unknown]>([
    [undefined, undefined],
    [0, { ...RETRY, times: 0 }],
    [{}, RETRY],
    [
      { times: 1, wait: 500 },
      { ...RETRY, times: 1, firstMs: 500 },
    ],
    [{ wait: 5000 }, { ...RETRY, firstMs: 5000, longestMs: 5000 }],
    [
      { wait: 0, longest: 1, retryAfter: 2, within: 3 },
      { firstMs: 0, longestMs: 1, askedMs: 2, quickMs: 3 },
    ],
  ])('retries: %o', (retries, compiled) => {
    expect(compile({ key: 'a', ...(retries === undefined ? {} : { retries }) }).retry).toEqual(compiled);
  });
});

describe('the breaker of a provider', () => {
  const FAST = { failures: 2, wait: 60_000 };
  it.each([
    ['left out', undefined, undefined],
    ['off', 'off', 'off'],
    ['in part', FAST, { failures: 2, firstMs: 60_000, longestMs: 60_000 }],
    ['with a first wait beyond the longest', { wait: 90_000 }, { failures: 5, firstMs: 90_000, longestMs: 90_000 }],
    ['in full', { failures: 1, wait: 1000, longest: 4000 }, { failures: 1, firstMs: 1000, longestMs: 4000 }],
  ] as const)('%s', (_, breaker, compiled) => {
    expect(compile({ key: 'a', ...(breaker ? { breaker } : {}) }).breaker).toEqual(compiled);
  });

  it.each([
    ['as usual', undefined, [5, 1]],
    ['sooner', FAST, [2, 4]],
    ['never', 'off', [6, 0]],
  ] as const)('opens %s', async (_, breaker, counted) => {
    const down = json(CHAT.error(500, 'no'), 500);
    const trials = await setTrials({ answers: [down, json(CHAT.whole)], settings: [breaker ? { breaker } : {}] });
    for (let at = 0; at < 6; at++) textOf(await trials.ask());
    const [asked = 0] = counts(trials);
    expect([asked, 6 - asked]).toEqual(counted);
    await trials.close();
  });
});
