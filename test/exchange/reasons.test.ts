import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { reasonWords } from '../../src/cli/reason-words.ts';
import { compileSnapshot, withLists } from '../../src/compile-snapshot.ts';
import type { Config } from '../../src/config/config.ts';
import { createTrying } from '../../src/exchange/trying/trying.ts';
import { readMoment } from '../../src/exchange/trying/moment.ts';
import { ABILITIES, gatewayFault } from '../../src/ir/index.ts';
import { placeOf } from '../../src/model-lists.ts';
import type { ReasonCode } from '../../src/policy/candidate.ts';
import { decide, type RouteRequest } from '../../src/policy/decide.ts';
import type { Outcome } from '../../src/policy/health.ts';
import { candidatesOf } from '../../src/policy/kept-decision.ts';
import { createLiveSignals } from '../../src/policy/live-signals.ts';
import { NEEDS } from '../../src/policy/needs.ts';
import { USUAL_QUEUE } from '../../src/policy/queue.ts';
import { verdictOf } from '../../src/policy/retry.ts';
import { NO_SIGNALS, type Signals } from '../../src/policy/signals.ts';
import type { Snapshot } from '../../src/policy/snapshot.ts';
import { json } from '../fakes/upstream.ts';
import { CHAT, setTrials, type Trials } from './trying/trials.ts';

type Plain = Exclude<ReasonCode, `capability_missing:${string}`>;

/** The closed list as it is promised. */
const PROMISED = `alias pattern pinned_by_request key_not_allowed model_unsupported context_too_long region_excluded disabled circuit_open
  cooldown local_rate_limit quota_exhausted budget_exhausted priority weight lowest_cost lowest_latency sticky_session retry fallback default
  round_robin random least_busy hash price_unknown max_price provider_filter data_retention concurrency_full load_shed credential_bad unhealthy
  last_target hedge cache_hit content_refused`.split(/\s+/);

/** Promised, and of no decision: the page on routing says why. */
const ELSEWHERE = ['budget_exhausted', 'retry', 'load_shed', 'content_refused'];

const BOTH = [{ to: 'one/m' }, { to: 'two/m' }];
const PRICE = { '*': { price: { currency: 'USD', input: 1 } } };

function snapshotOf(
  models: unknown,
  { one = {}, two = {}, ...rest }: { one?: object; two?: object; defaultModel?: string } = {},
): Snapshot {
  const provider = (more: object) => ({ preset: 'openai', key: 'k'.repeat(20), ...more });
  const config = { providers: { one: provider(one), two: provider(two) }, models, keys: [], sandbox: false, ...rest };
  return compileSnapshot(config as unknown as Config, 1);
}

/** The reasons of all candidates. */
function reasons(snapshot: Snapshot, asks: Partial<RouteRequest> = {}, signals: Signals = NO_SIGNALS): readonly ReasonCode[] {
  const request: RouteRequest = { model: 'smart', protocol: 'openai-chat', operation: 'generate', key: {}, ...asks };
  return decide(snapshot, request, signals).candidates.flatMap((one) => one.reasons);
}

const routed = (route: object = {}, asks: Partial<RouteRequest> = {}, more: Parameters<typeof snapshotOf>[1] = {}) =>
  reasons(snapshotOf({ smart: { targets: BOTH, ...route } }, more), asks);

const failed = (status: 402 | 401 | 429 | 502): Outcome => {
  const kinds = { 401: 'upstream', 402: 'upstream', 429: 'rate_limit', 502: 'upstream' } as const;
  const ours = status < 429 ? { code: 'upstream_credential', ...(status === 402 ? { quota: true as const } : {}) } : {};
  const fault = gatewayFault(kinds[status], 'no', { by: status < 429 ? 'gateway' : 'upstream', ...ours });
  return { verdict: verdictOf(fault), ...(status === 429 ? { retryAfterMs: 60_000 } : {}) };
};

/** After something has happened at `one/m`. */
function after(
  happens: (trying: ReturnType<typeof createTrying>) => unknown,
  models: object = { smart: { targets: BOTH } },
  more: Parameters<typeof snapshotOf>[1] = {},
) {
  const signals = createLiveSignals(() => 0);
  const trying = createTrying(signals, { now: () => 0, monotonic: () => 0 });
  happens(trying);
  const snapshot = snapshotOf(models, more);
  return reasons(snapshot, {}, readMoment({ signals, trying }, snapshot));
}

const PLACE = { provider: 'one', model: 'm', credential: 'one', credentials: ['one'], watched: true };
const ends =
  (outcome: Outcome, times = 1) =>
  ({ health }: ReturnType<typeof createTrying>): void => {
    for (let at = 0; at < times; at++) health.ended(PLACE, { target: false, credential: false }, outcome);
  };

/** `two` gave a list that has the id, `one` a list that lacks it. */
function listed(): readonly ReasonCode[] {
  const snapshot = snapshotOf({});
  const lists = [...snapshot.providers.values()].map((provider) => {
    const models = new Map([[provider.name === 'two' ? 'gpt-5-new' : 'gpt-5', {}]]);
    return [provider.name, { place: placeOf(provider), at: 1, models }] as const;
  });
  const { candidates } = decide(withLists(snapshot, new Map(lists), 1), {
    model: 'gpt-5-new',
    protocol: 'openai-chat',
    operation: 'generate',
    key: {},
  });
  expect(candidates.map(({ provider, verdict }) => `${provider} ${verdict}`)).toEqual(['one rejected', 'two chosen']);
  return candidates.flatMap((one) => one.reasons);
}

let trials: Trials | undefined;
afterEach(async () => {
  await trials?.close();
  trials = undefined;
});

/** Asked twice of a route that keeps its answers. */
async function answeredAgain(): Promise<readonly ReasonCode[]> {
  trials = await setTrials({ answers: [json(CHAT.whole)], config: { models: { both: { targets: [{ to: 'a/up' }], cache: 60_000 } } } });
  const { server } = trials;
  for (let at = 0; at < 2; at++) expect((await trials.ask()).status).toBe(200);
  await expect.poll(() => server.records.length).toBe(2);
  const { route } = server.records[1] ?? {};
  return route ? candidatesOf(route).flatMap((one) => one.reasons) : [];
}

/** What makes each code appear. A code without a case does not compile. */
const CASES: { readonly [C in Plain]: () => readonly ReasonCode[] | Promise<readonly ReasonCode[]> } = {
  alias: () => reasons(snapshotOf({ smart: 'one/m' })),
  pattern: () => reasons(snapshotOf({ 'sm*': 'one/m' })),
  default: () => reasons(snapshotOf({}, { defaultModel: 'one/m' })),
  pinned_by_request: () => reasons(snapshotOf({}), { model: 'one/m' }),
  key_not_allowed: () => reasons(snapshotOf({ smart: 'one/m' }), { models: ['other'], key: { models: ['smart'] } }),
  model_unsupported: listed,
  disabled: () => routed({}, {}, { one: { expose: ['other'] } }),
  fallback: () => routed({ fallback: ['two/n'] }),
  hedge: () => routed({ hedge: 500 }),
  provider_filter: () => routed({}, { prefers: { ignore: ['one'] } }),
  data_retention: () => routed({}, { prefers: { dataCollection: 'deny' } }, { two: { dataCollection: 'deny' } }),
  region_excluded: () => routed({ regions: ['eu'] }, {}, { two: { regions: ['eu'] } }),
  max_price: () => routed({}, { prefers: { maxPrice: { prompt: 0 } } }, { one: { models: PRICE } }),
  price_unknown: () => routed({}, { prefers: { maxPrice: { prompt: 0 } } }),
  cache_hit: answeredAgain,
  weight: () => routed(),
  round_robin: () => routed({ strategy: 'round-robin' }),
  random: () => routed({ strategy: 'random' }),
  priority: () => routed({ strategy: 'priority' }),
  least_busy: () => routed({ strategy: 'least-busy' }),
  lowest_latency: () => routed({ strategy: 'lowest-latency' }),
  lowest_cost: () => routed({ strategy: 'lowest-cost' }),
  hash: () => routed({ strategy: 'hash-user' }, { caller: { user: 'u' } }),
  sticky_session: () => routed({ affinity: true }, { caller: { session: 's' } }),
  context_too_long: () => routed({}, { needs: { abilities: [], tokens: 50 } }, { one: { models: { '*': { context: 10 } } } }),
  circuit_open: () => after(ends(failed(502), 5)),
  cooldown: () => after(ends(failed(429))),
  credential_bad: () => after(ends(failed(401))),
  quota_exhausted: () => after(ends(failed(402))),
  unhealthy: () => after(({ health }) => health.checked('one', 60_000)),
  last_target: () =>
    after(({ health }) => {
      health.checked('one', 60_000);
      health.checked('two', 60_000);
    }),
  local_rate_limit: () =>
    after(({ minutes }) => minutes.take({ place: 'one', title: '', rpm: 1 }, { requests: 1, tokens: 1 }), undefined, { one: { rpm: 1 } }),
  concurrency_full: () =>
    after(
      ({ slots }) =>
        slots.take({
          place: 'smart one/m',
          title: '',
          limit: 1,
          queue: USUAL_QUEUE,
          owner: '',
          sink: { onGone: () => undefined },
          maxMs: 1000,
        }),
      { smart: { targets: [{ to: 'one/m', concurrency: 1 }, { to: 'two/m' }] } },
    ),
};

/** What the page says of them. */
const page = (language: string, heading: string): string =>
  readFileSync(`docs/routing${language}.md`, 'utf8').split(`### ${heading}`)[1]?.split('\n## ')[0] ?? '';
const PAGES = [page('', 'Reason codes'), page('.zh-CN', '原因代码')] as const;

describe('reason codes', () => {
  it.each(Object.entries(CASES))('%s is given', async (code, make) => expect(await make()).toContain(code));

  it.each(NEEDS)('capability_missing:%s is given, and the target left out', (need) => {
    const able = (has: boolean) => ({ abilities: { '*': { [need]: has } } });
    const snapshot = snapshotOf({ smart: { targets: BOTH } }, { one: able(false), two: able(true) });
    const { candidates } = decide(snapshot, {
      model: 'smart',
      protocol: 'openai-chat',
      operation: 'generate',
      key: {},
      needs: { abilities: [need] },
    });
    const [first, second] = candidates;
    expect(first).toMatchObject({ provider: 'one', verdict: 'rejected', reasons: ['alias', 'weight', `capability_missing:${need}`] });
    expect(second).toMatchObject({ provider: 'two', verdict: 'chosen' });
  });

  it.each(['generate', ...ABILITIES] as const)(
    'capability_missing:%s is given where a provider has no way to be asked for it',
    (operation) => {
      const snapshot = snapshotOf({ smart: 'one/m' }, { one: { preset: operation === 'generate' ? 'deepgram' : 'anthropic' } });
      expect(reasons(snapshot, { operation })).toEqual(['alias', `capability_missing:${operation}`]);
    },
  );

  it('are those that were promised, and no others', () => {
    expect([...Object.keys(CASES), ...ELSEWHERE].toSorted()).toEqual(PROMISED.toSorted());
  });

  it.each(Object.keys(CASES) as Plain[])('%s stands on the page, in both languages, in the words of route explain', (code) => {
    const words = reasonWords(code);
    for (const at of [0, 1] as const) {
      const row = PAGES[at].split('\n').find((line) => line.startsWith(`| \`${code}\``));
      expect(row?.split('|')[2]?.trim()).toBe(words[at]);
    }
  });

  it.each(ELSEWHERE)('%s stands on the page as one that no decision gives', (code) => {
    for (const text of PAGES) expect(text).toMatch(new RegExp(`^- \`${code}\``, 'm'));
  });
});
