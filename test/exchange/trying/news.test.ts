import { afterEach, describe, expect, it } from 'vitest';
import { logHealth } from '../../../src/observe/health-log.ts';
import { createLog } from '../../../src/observe/log.ts';
import { createHealth, type Outcome, type Place } from '../../../src/policy/health.ts';
import type { HealthNews } from '../../../src/policy/health-news.ts';
import type { ProviderSettings } from '../../../src/presets/preset.ts';
import { type Answer, json, startUpstream } from '../../fakes/upstream.ts';
import { startTestServer, testConfig } from '../../server.ts';
import { call } from '../stage.ts';
import { CHAT } from './trials.ts';

const WELL = json(CHAT.whole);
const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

/** A gateway before one provider, `a`, with its log. */
async function setLog(answer: Answer, settings: Partial<ProviderSettings> = {}) {
  const upstream = await startUpstream(answer);
  const lines: Record<string, unknown>[] = [];
  const { key, ...own } = CHAT.settings(upstream.url);
  const providers = { a: { ...own, ...(settings.keys ? {} : { key }), retries: 0, ...settings } as ProviderSettings };
  const log = createLog(testConfig({ providers, log: { level: 'info' } }), (line) => void lines.push(JSON.parse(line)));
  const server = await startTestServer({ providers }, undefined, undefined, { onHealth: logHealth(log) });
  endings.push(upstream.close, server.close);
  server.app.wake();
  const ask = (model = 'a/up') =>
    call(`${server.url}${CHAT.path(model, false)}`, JSON.stringify(CHAT.body(model, false, 'hello')), {
      'content-type': 'application/json',
      authorization: `Bearer ${server.key}`,
    });
  const told = async (count: number): Promise<void> => {
    await expect.poll(() => lines.length, { timeout: 10_000 }).toBe(count);
  };
  return { upstream, lines, ask, told };
}

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT/);

describe('the log tells an operator', () => {
  it('of a circuit that opens, once, and closes', async () => {
    const { upstream, lines, ask, told } = await setLog(json({}, 500), { breaker: { failures: 2, wait: 1, longest: 1 } });
    for (let times = 0; times < 5; times++) await ask();
    await told(1);
    expect(lines[0]).toMatchObject({ level: 'warn', provider: 'a', target: 'a/up', why: 'circuit_open', until: TIME });
    upstream.answer = WELL;
    await expect.poll(async () => (await ask()).status, { timeout: 10_000 }).toBe(200);
    await told(2);
    expect(lines[1]).toMatchObject({ level: 'info', provider: 'a', target: 'a/up', msg: expect.stringContaining('closed') });
  });

  it('of a key that is set aside, by its place and never what it is, and works again', async () => {
    const refuse: Answer = (request, response) =>
      (request.headers.authorization === 'Bearer key-two-2' ? json({}, 401) : WELL)(request, response);
    const keys = [{ value: 'key-one-1', weight: 0 }, { value: 'key-two-2' }];
    const { lines, ask, told } = await setLog(refuse, { keys });
    expect((await ask()).status).toBe(200);
    await ask();
    await told(1);
    expect(lines[0]).toMatchObject({ level: 'warn', provider: 'a', key: '2 of 2', why: 'credential_bad', until: TIME });
    expect(JSON.stringify(lines)).not.toContain('key-two-2');
  });

  it('of a health check that begins to fail, once, and succeeds again', async () => {
    const { upstream, lines, told } = await setLog(json({}, 500), { health: { check: 30, timeout: 500, failures: 1 } });
    await expect.poll(() => upstream.seen.length, { timeout: 10_000 }).toBeGreaterThan(3);
    await told(1);
    expect(lines[0]).toMatchObject({ level: 'warn', provider: 'a', why: 'unhealthy', until: TIME });
    upstream.answer = json({ object: 'list', data: [] });
    await told(2);
    expect(lines[1]).toMatchObject({ level: 'info', provider: 'a' });
  });
});

describe('what flaps', () => {
  const PLACE: Place = { provider: 'a', model: 'm', credential: 'k', credentials: ['k'], watched: true };
  const FAILS: Outcome = { verdict: { scope: 'target', again: false } };
  const setHealth = () => {
    const time = { ms: 0 };
    const news: HealthNews[] = [];
    const health = createHealth({
      monotonic: () => time.ms,
      now: () => 1e12 + time.ms,
      mark: () => {},
      news: (one) => void news.push(one),
    });
    const end = (outcome: Outcome, model = 'm'): void => {
      const place = { ...PLACE, model };
      health.ended(place, health.began(place), outcome);
    };
    const fail = (model?: string): void => {
      for (let times = 0; times < 5; times++) end(FAILS, model);
    };
    return { time, news, end, fail };
  };

  it('is told of once a minute, and what still fails then is told of', () => {
    const { time, news, end, fail } = setHealth();
    for (let times = 0; times < 10; times++) {
      fail();
      time.ms += 5000;
      end({});
    }
    expect(news).toEqual([
      { provider: 'a', model: 'm', out: 'circuit_open', until: 1e12 + 5000 },
      { provider: 'a', model: 'm' },
    ]);
    fail();
    time.ms += 20_000;
    end(FAILS);
    expect(news.length).toBe(3);
    expect(news[2]).toMatchObject({ out: 'circuit_open', until: 1e12 + 80_000 });
  });

  it('is not told to be well before it is seen to be: a key whose time is over', () => {
    const { time, news, end } = setHealth();
    end({ verdict: { scope: 'credential', again: false } });
    time.ms += 40_000;
    expect(news).toEqual([{ provider: 'a', key: { number: 1, of: 1 }, out: 'credential_bad', until: 1e12 + 30_000 }]);
    end({});
    expect(news.slice(1)).toEqual([{ provider: 'a', key: { number: 1, of: 1 } }]);
  });

  it('does not flood the log by many names', () => {
    const { time, news, fail } = setHealth();
    for (let name = 0; name < 500; name++) fail(`m${name}`);
    expect(news.length).toBe(60);
    time.ms += 60_000;
    fail('other');
    expect(news.length).toBe(61);
  });
});
