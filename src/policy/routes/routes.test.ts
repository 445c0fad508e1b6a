import { describe, expect, it } from 'vitest';
import type { Candidate } from '../candidate.ts';
import { decide, type RouteRequest } from '../decide.ts';
import { createLiveSignals } from '../live-signals.ts';
import { type AbilitySettings } from '../needs.ts';
import type { Provider } from '../../presets/preset.ts';
import { NO_SIGNALS, type Signals } from '../signals.ts';
import type { Snapshot } from '../snapshot.ts';
import { compileModels, type ModelSettings, type RouteSettings } from './route.ts';

const DRAWS = 100_000;

const provider = (name: string, more: object = {}, facts: object = {}): [string, Provider] => [
  name,
  {
    name,
    preset: { id: name, knows: [] },
    wires: new Map([
      [
        'openai-chat',
        {
          serves: () => true,
          factsOf: () => ({
            media: { image: 'bytes', document: 'bytes', audio: 'bytes', video: 'none' },
            output: 'json-schema',
            reasoningControl: 'effort',
            ...facts,
          }),
        },
      ],
    ]),
    media: [],
    settings: {},
    exposes: () => true,
    knows: () => false,
    ...more,
  } as unknown as Provider,
];

const abilities = (of: AbilitySettings): object => ({ settings: { abilities: { '*': of } } });

const PROVIDERS = new Map([
  provider('a'),
  provider('b'),
  provider('c'),
  provider('blind', {}, { media: { image: 'none', document: 'none', audio: 'none', video: 'none' } }),
  provider('plain', abilities({ tools: false, structured: false })),
  provider('short', abilities({ context: 1000 })),
  provider('private', { settings: { dataCollection: 'deny' } }),
  provider('chooser', { preset: { id: 'openrouter', knows: [], readsPreferences: true } }),
]);

const snapshotOf = (models: Readonly<Record<string, ModelSettings>>, more: Partial<Snapshot> = {}): Snapshot =>
  ({ revision: 1, config: {}, keys: new Map(), providers: PROVIDERS, ...compileModels(models), ...more }) as unknown as Snapshot;

const REQUEST: RouteRequest = { model: 'r', protocol: 'openai-chat', operation: 'generate', key: {} };

const three = (more: Partial<RouteSettings> = {}): RouteSettings => ({
  targets: [
    { to: 'a/m', weight: 60 },
    { to: 'b/m', weight: 30 },
    { to: 'c/m', weight: 10 },
  ],
  ...more,
});

const nameOf = ({ provider: owner, model }: Candidate): string => `${owner}/${model}`;
const tried = (candidates: readonly Candidate[]): readonly string[] =>
  [...candidates.filter((one) => one.verdict === 'chosen'), ...candidates.filter((one) => one.verdict === 'eligible')].map(nameOf);

/** How often each target was the first, in per cent. */
function shares(
  snapshot: Snapshot,
  next: (index: number) => { readonly request?: Partial<RouteRequest>; readonly signals?: Partial<Signals> },
) {
  const counts: Record<string, number> = {};
  for (let i = 0; i < DRAWS; i++) {
    const { request, signals } = next(i);
    const [first = ''] = tried(decide(snapshot, { ...REQUEST, ...request }, { ...NO_SIGNALS, ...signals }).candidates);
    counts[first] = (counts[first] ?? 0) + 100 / DRAWS;
  }
  return counts;
}

const WEIGHTS = { 'a/m': 60, 'b/m': 30, 'c/m': 10 };
const EVEN = { 'a/m': 100 / 3, 'b/m': 100 / 3, 'c/m': 100 / 3 };

const DISTRIBUTIONS: readonly {
  readonly strategy: NonNullable<RouteSettings['strategy']>;
  readonly next: (index: number) => { readonly request?: Partial<RouteRequest>; readonly signals?: Partial<Signals> };
  readonly shares: Readonly<Record<string, number>>;
}[] = [
  { strategy: 'weighted', next: () => ({ signals: { random: Math.random() } }), shares: WEIGHTS },
  { strategy: 'random', next: () => ({ signals: { random: Math.random() } }), shares: EVEN },
  { strategy: 'round-robin', next: (i) => ({ signals: { turns: new Map([['r', i]]) } }), shares: WEIGHTS },
  { strategy: 'priority', next: () => ({ signals: { random: Math.random() } }), shares: { 'a/m': 100 } },
  { strategy: 'hash-user', next: (i) => ({ request: { caller: { user: `user-${i}` } } }), shares: WEIGHTS },
  { strategy: 'hash-client', next: (i) => ({ request: { caller: { client: `10.0.${i >> 8}.${i & 255}` } } }), shares: WEIGHTS },
  { strategy: 'hash-session', next: (i) => ({ request: { caller: { session: `${i}` } } }), shares: WEIGHTS },
  { strategy: 'hash-user', next: () => ({ signals: { random: Math.random() } }), shares: WEIGHTS },
  {
    strategy: 'least-busy',
    next: () => ({ signals: { random: Math.random(), targets: new Map([['a/m', { busy: 90 }]]) } }),
    shares: { 'b/m': 100 },
  },
];

describe('strategies, over 100,000 calls', () => {
  it.each(DISTRIBUTIONS)('$strategy', ({ strategy, next, shares: wanted }) => {
    const got = shares(snapshotOf({ r: three({ strategy }) }), next);
    for (const name of new Set([...Object.keys(wanted), ...Object.keys(got)])) {
      expect(Math.abs((got[name] ?? 0) - (wanted[name] ?? 0)), `${name}: ${got[name]}`).toBeLessThan(2);
    }
  });

  it('weighted draws the second as often as it weighs among the rest', () => {
    const snapshot = snapshotOf({ r: three() });
    let b = 0;
    let all = 0;
    for (let i = 0; i < DRAWS; i++) {
      const order = tried(decide(snapshot, REQUEST, { ...NO_SIGNALS, random: Math.random() }).candidates);
      if (order[0] !== 'a/m') continue;
      all++;
      if (order[1] === 'b/m') b++;
    }
    expect(Math.abs((b / all) * 100 - 75)).toBeLessThan(2);
  });

  it('least-busy evens out by weight', () => {
    const live = createLiveSignals();
    const snapshot = snapshotOf({ r: three({ strategy: 'least-busy' }) });
    const counts = new Map<string, number>();
    for (let i = 0; i < 1000; i++) {
      const chosen = decide(snapshot, REQUEST, live.read()).candidates.find((one) => one.verdict === 'chosen');
      if (!chosen) throw new Error('nothing chosen');
      live.began(chosen);
      counts.set(nameOf(chosen), (counts.get(nameOf(chosen)) ?? 0) + 1);
    }
    expect(Math.abs((counts.get('a/m') ?? 0) - 600)).toBeLessThan(20);
    expect(Math.abs((counts.get('c/m') ?? 0) - 100)).toBeLessThan(20);
  });

  it('lowest-latency moves when a target becomes slow, and back', () => {
    const live = createLiveSignals();
    const even: RouteSettings = { strategy: 'lowest-latency', targets: [{ to: 'a/m' }, { to: 'b/m' }, { to: 'c/m' }] };
    const snapshot = snapshotOf({ r: even });
    const run = (latency: Readonly<Record<string, number>>): Record<string, number> => {
      const counts: Record<string, number> = { 'a/m': 0, 'b/m': 0, 'c/m': 0 };
      for (let i = 0; i < 3000; i++) {
        const chosen = decide(snapshot, REQUEST, live.read()).candidates.find((one) => one.verdict === 'chosen');
        if (!chosen) throw new Error('nothing chosen');
        const name = nameOf(chosen);
        counts[name] = (counts[name] ?? 0) + 1;
        live.began(chosen);
        live.ended(chosen, { firstTokenMs: latency[name] ?? 0 });
      }
      return counts;
    };
    // Of two drawn from three the slowest is never the quicker one, once it is known.
    expect(run({ 'a/m': 900, 'b/m': 100, 'c/m': 200 })['a/m']).toBeLessThan(20);
    const after = run({ 'a/m': 100, 'b/m': 900, 'c/m': 200 });
    expect(after['b/m']).toBeLessThan(after['c/m'] ?? 0);
  });

  it('round-robin takes turns route by route', () => {
    const live = createLiveSignals();
    const even: RouteSettings = { strategy: 'round-robin', targets: [{ to: 'a/m' }, { to: 'b/m' }] };
    const snapshot = snapshotOf({ r: even, other: even });
    const ask = (model: string): string => {
      const decision = decide(snapshot, { ...REQUEST, model }, live.read());
      live.follow(decision);
      return tried(decision.candidates)[0] ?? '';
    };
    const seen = Array.from({ length: 4 }, () => [ask('r'), ask('other')]);
    expect(seen).toEqual([
      ['a/m', 'a/m'],
      ['b/m', 'b/m'],
      ['a/m', 'a/m'],
      ['b/m', 'b/m'],
    ]);
  });

  it('a hash moves only what was on a target that goes', () => {
    const all = snapshotOf({ r: { strategy: 'hash-session', targets: [{ to: 'a/m' }, { to: 'b/m' }, { to: 'c/m' }] } });
    const fewer = snapshotOf({ r: { strategy: 'hash-session', targets: [{ to: 'a/m' }, { to: 'b/m' }] } });
    let moved = 0;
    for (let i = 0; i < 10_000; i++) {
      const request = { ...REQUEST, caller: { session: `s${i}` } };
      const [before] = tried(decide(all, request).candidates);
      const [after] = tried(decide(fewer, request).candidates);
      if (before === 'c/m') moved++;
      else expect(after).toBe(before);
    }
    expect(Math.abs(moved - 3333)).toBeLessThan(200);
  });
});

interface Case {
  readonly name: string;
  readonly models: Readonly<Record<string, ModelSettings>>;
  readonly request?: Partial<RouteRequest>;
  readonly signals?: Partial<Signals>;
  readonly more?: Partial<Snapshot>;
  /** In the order of trying, with the failures that lead there. */
  readonly tried: readonly string[];
  /** `provider/model: reasons` of one candidate. */
  readonly says?: string;
  readonly refusal?: string;
}

const CASES: readonly Case[] = [
  {
    name: 'order goes before weight',
    models: { r: { targets: [{ to: 'a/m', order: 2, weight: 100 }, { to: 'b/m' }] } },
    tried: ['b/m', 'a/m'],
  },
  {
    name: 'weight 0 is the last resort',
    models: { r: { targets: [{ to: 'a/m', weight: 0 }, { to: 'b/m' }] } },
    signals: { random: 0.999_999 },
    tried: ['b/m', 'a/m'],
  },
  {
    name: 'a fallback comes last',
    models: { f: 'c/m', r: { targets: [{ to: 'a/m' }], fallback: ['f'] } },
    tried: ['a/m', 'c/m'],
    says: 'c/m: alias fallback alias',
  },
  {
    name: 'fallbacks by failure come before those for all',
    models: { r: { targets: [{ to: 'a/m' }], fallback: { any: ['b/m'], context: ['c/m'] } } },
    tried: ['a/m', 'c/m after context', 'b/m'],
  },
  {
    name: 'a fallback for two failures is one candidate',
    models: { r: { targets: [{ to: 'a/m' }], fallback: { down: ['c/m'], context: ['c/m'] } } },
    tried: ['a/m', 'c/m after context,down'],
  },
  {
    name: 'a route of routes',
    models: { r: { targets: [{ to: 's' }, { to: 'c/m', order: 2 }] }, s: { targets: [{ to: 'a/m' }], fallback: ['b/m'] } },
    tried: ['a/m', 'c/m', 'b/m'],
  },
  {
    name: 'fallbacks that name each other end',
    models: { r: { targets: [{ to: 'a/m' }], fallback: ['s'] }, s: { targets: [{ to: 'b/m' }], fallback: ['r'] } },
    tried: ['a/m', 'b/m'],
  },
  {
    name: 'a pattern fills its targets',
    models: { 'x-*': { targets: [{ to: 'a/*' }, { to: 'b/big-*', order: 2 }] } },
    request: { model: 'x-1' },
    tried: ['a/1', 'b/big-1'],
  },
  { name: 'a target that nobody has is none', models: { r: { targets: [{ to: 'gone/m' }, { to: 'a/m', order: 2 }] } }, tried: ['a/m'] },
  {
    name: 'the default takes what nothing else knows',
    models: { r: 'a/m' },
    more: { defaultModel: 'r' },
    request: { model: 'unheard-of' },
    tried: ['a/m'],
    says: 'a/m: default alias',
  },
  { name: 'a key’s own name comes first', models: { r: 'a/m' }, request: { key: { routes: compileModels({ r: 'b/m' }) } }, tried: ['b/m'] },
  {
    name: 'a key’s own name may mean that of all',
    models: { r: 'a/m' },
    request: { key: { routes: compileModels({ r: 'r' }) } },
    tried: ['a/m'],
  },
  {
    name: 'what is asked for must be there',
    models: { r: { targets: [{ to: 'blind/m' }, { to: 'a/m', order: 2 }] } },
    request: { needs: { abilities: ['vision'] } },
    tried: ['a/m'],
    says: 'blind/m: alias weight capability_missing:vision',
  },
  {
    name: 'the operator’s word on tools',
    models: { r: { targets: [{ to: 'plain/m' }], fallback: ['a/m'] } },
    request: { needs: { abilities: ['tools'] } },
    tried: ['a/m'],
  },
  {
    name: 'a schema is emulated where nothing has it',
    models: { r: { targets: [{ to: 'plain/m' }, { to: 'plain/n', order: 2 }] } },
    request: { needs: { abilities: ['structured'] } },
    tried: ['plain/m', 'plain/n'],
  },
  {
    name: 'a schema goes to what has it',
    models: { r: { targets: [{ to: 'plain/m' }, { to: 'a/m', order: 2 }] } },
    request: { needs: { abilities: ['structured'] } },
    tried: ['a/m'],
  },
  {
    name: 'too long for the first',
    models: { r: { targets: [{ to: 'short/m' }], fallback: { context: ['a/m'], down: ['b/m'] } } },
    request: { needs: { abilities: [], tokens: 5000 } },
    tried: ['a/m after context', 'b/m after down'],
  },
  {
    name: 'a lone target is left to its encoder',
    models: { r: 'plain/m' },
    request: { needs: { abilities: ['tools'] } },
    tried: ['plain/m'],
  },
  {
    name: 'but not where nothing may be lost',
    models: { r: 'plain/m' },
    request: { needs: { abilities: ['tools'] }, prefers: { requireParameters: true } },
    tried: [],
    refusal: "No target of 'r' can do this: plain/m lacks tools",
  },
  {
    name: 'who would refuse a parameter is passed by',
    models: { r: { targets: [{ to: 'a/m' }, { to: 'b/m', order: 2 }] } },
    request: { needs: { abilities: [], refused: { 'a/m': ['mask'] } } },
    tried: ['b/m'],
    says: 'a/m: alias weight capability_missing:mask',
  },
  {
    name: 'but says so itself where all would',
    models: { r: { targets: [{ to: 'a/m' }, { to: 'b/m', order: 2 }] } },
    request: { needs: { abilities: [], refused: { 'a/m': ['mask'], 'b/m': ['mask'] } } },
    tried: ['a/m', 'b/m'],
  },
  {
    name: 'and where the others are kept for another failure',
    models: { r: { targets: [{ to: 'a/m' }], fallback: { rateLimited: ['b/m'] } } },
    request: { needs: { abilities: [], refused: { 'a/m': ['mask'] } } },
    tried: ['a/m', 'b/m after rateLimited'],
  },
  {
    name: 'who would leave out a parameter is out where nothing may be',
    models: { r: { targets: [{ to: 'a/m' }, { to: 'b/m', order: 2 }] } },
    request: { needs: { abilities: [], lost: { 'a/m': ['seed'] } }, prefers: { requireParameters: true } },
    tried: ['b/m'],
    says: 'a/m: alias weight capability_missing:seed',
  },
  {
    name: 'alone, too',
    models: { r: 'a/m' },
    request: { needs: { abilities: [], lost: { 'a/m': ['seed'] } }, prefers: { requireParameters: true } },
    tried: [],
    refusal: "No target of 'r' can do this: a/m lacks seed; 'provider.require_parameters' was asked for",
  },
  {
    name: 'whom the caller does not want is told with what the rest lacks',
    models: { r: { targets: [{ to: 'a/m' }, { to: 'b/m', order: 2 }] } },
    request: { needs: { abilities: [], lost: { 'a/m': ['seed'] } }, prefers: { requireParameters: true, only: ['a'] } },
    tried: [],
    refusal: "'provider' leaves nothing to try of: a/m lacks seed; b/m",
  },
  {
    name: 'nothing can',
    models: { r: { targets: [{ to: 'plain/m' }, { to: 'blind/m', order: 2 }] } },
    request: { needs: { abilities: ['tools', 'vision'] } },
    tried: [],
    refusal: "No target of 'r' can do this",
  },
  {
    name: 'down',
    models: { r: { targets: [{ to: 'a/m' }, { to: 'b/m', order: 2 }] } },
    signals: { targets: new Map([['a', { out: 'circuit_open' }]]) },
    tried: ['b/m'],
    says: 'a/m: alias weight circuit_open',
  },
  {
    name: 'never the last one',
    models: { r: { targets: [{ to: 'a/m' }, { to: 'b/m', order: 2 }] } },
    signals: {
      targets: new Map([
        ['a/m', { out: 'cooldown' }],
        ['b', { out: 'circuit_open' }],
      ]),
    },
    tried: ['a/m'],
    says: 'a/m: alias weight cooldown last_target',
  },
  {
    name: 'a fallback for another failure is no target left',
    models: { r: { targets: [{ to: 'a/m' }], fallback: { refused: ['b/m'] } } },
    signals: { targets: new Map([['a', { out: 'circuit_open' }]]) },
    tried: ['a/m', 'b/m after refused'],
    says: 'a/m: alias weight circuit_open last_target',
  },
  {
    name: 'a fallback for what is down, when it is',
    models: { r: { targets: [{ to: 'a/m' }], fallback: { refused: ['b/m'], down: ['c/m'] } } },
    signals: { targets: new Map([['a', { out: 'circuit_open' }]]) },
    tried: ['c/m after down', 'b/m after refused'],
  },
  {
    name: 'only',
    models: { r: three({ strategy: 'priority' }) },
    request: { prefers: { only: ['B', 'c'] } },
    tried: ['b/m', 'c/m'],
    says: 'a/m: alias priority provider_filter',
  },
  { name: 'ignore', models: { r: three({ strategy: 'priority' }) }, request: { prefers: { ignore: ['a'] } }, tried: ['b/m', 'c/m'] },
  {
    name: 'order',
    models: { r: three({ strategy: 'priority' }) },
    request: { prefers: { order: ['c/turbo', 'b'] } },
    tried: ['c/m', 'b/m', 'a/m'],
  },
  { name: 'no fallbacks', models: { r: three({ strategy: 'priority' }) }, request: { prefers: { allowFallbacks: false } }, tried: ['a/m'] },
  {
    name: 'sort by latency',
    models: { r: three({ strategy: 'priority' }) },
    request: { prefers: { sort: 'latency' } },
    signals: {
      targets: new Map([
        ['a/m', { firstTokenMs: 9 }],
        ['b/m', { firstTokenMs: 5 }],
        ['c/m', { firstTokenMs: 7 }],
      ]),
    },
    tried: ['b/m', 'c/m', 'a/m'],
  },
  {
    name: 'nothing kept',
    models: { r: { targets: [{ to: 'a/m' }, { to: 'private/m', order: 2 }] } },
    request: { prefers: { dataCollection: 'deny' } },
    tried: ['private/m'],
    says: 'a/m: alias weight data_retention',
  },
  {
    name: 'nothing kept, alone',
    models: { r: 'a/m' },
    request: { prefers: { dataCollection: 'deny' } },
    tried: [],
    refusal: "'provider' leaves nothing to try of: a",
  },
  {
    name: 'one that reads them itself is left alone',
    models: { r: 'chooser/m' },
    request: { prefers: { only: ['azure'], dataCollection: 'deny' } },
    tried: ['chooser/m'],
  },
  { name: 'further models', models: { r: 'a/m' }, request: { models: ['b/m', 'nowhere', 'c/m'] }, tried: ['a/m', 'b/m', 'c/m'] },
  {
    name: 'further models that the key may not use',
    models: { r: 'a/m' },
    request: { models: ['b/m'], key: { models: ['r'] } },
    tried: ['a/m'],
    says: '/b/m: fallback key_not_allowed',
  },
];

describe('decisions over routes', () => {
  it.each(CASES)('$name', ({ models, request, signals, more, tried: wanted, says, refusal }) => {
    const decision = decide(snapshotOf(models, more), { ...REQUEST, ...request }, { ...NO_SIGNALS, ...signals });
    const { candidates } = decision;
    const order = [...candidates.filter((one) => one.verdict === 'chosen'), ...candidates.filter((one) => one.verdict === 'eligible')];
    expect(order.map((one) => `${nameOf(one)}${one.after ? ` after ${one.after.join(',')}` : ''}`)).toEqual(wanted);
    if (says !== undefined) expect(candidates.map((one) => `${nameOf(one)}: ${one.reasons.join(' ')}`)).toContain(says);
    if (refusal === undefined) expect(decision.refusal).toBeUndefined();
    else expect(decision.refusal?.message).toContain(refusal);
    expect(decision.ambiguous).toBeUndefined();
  });

  it('a conversation stays, and moves only when its target is out', () => {
    const snapshot = snapshotOf({ r: three({ affinity: true }) });
    const request = { ...REQUEST, caller: { session: 'one' } };
    const orders = Array.from({ length: 50 }, () => tried(decide(snapshot, request, { ...NO_SIGNALS, random: Math.random() }).candidates));
    expect(new Set(orders.map(String)).size).toBe(1);
    const [home = '', next] = orders[0] ?? [];
    const moved = decide(snapshot, request, { ...NO_SIGNALS, targets: new Map([[home, { out: 'cooldown' }]]) }).candidates;
    expect(tried(moved)[0]).toBe(next);
    expect(moved.find((one) => nameOf(one) === home)?.reasons).toEqual(['alias', 'sticky_session', 'cooldown']);
  });

  it('waits of a route go with its candidates', () => {
    const snapshot = snapshotOf({ r: { targets: [{ to: 'a/m' }], fallback: ['b/m'], timeout: { idle: 5 } } });
    expect(decide(snapshot, REQUEST).candidates.map(({ timeouts }) => timeouts)).toEqual([{ idle: 5 }, { idle: 5 }]);
    const targets = [{ to: 'a/m', timeout: { total: 7 } }, { to: 'b/m' }];
    const own = decide(snapshotOf({ r: { targets, strategy: 'priority', timeout: { idle: 5 } } }), REQUEST);
    expect(own.candidates.map(({ timeouts }) => timeouts)).toEqual([{ idle: 5, total: 7 }, { idle: 5 }]);
  });
});

describe('what is learnt of targets', () => {
  it('is bounded', () => {
    const live = createLiveSignals();
    for (let i = 0; i < 5000; i++) live.began({ provider: 'a', model: `${i}` });
    expect(live.read().targets.size).toBe(2000);
  });
  it('is an average that follows', () => {
    const live = createLiveSignals();
    const target = { provider: 'a', model: 'm' };
    for (const ms of [100, 200, undefined]) {
      live.began(target);
      live.ended(target, ms === undefined ? {} : { firstTokenMs: ms, tokensPerSecond: ms / 2 });
    }
    expect(live.read().targets.get('a/m')).toEqual({ busy: 0, firstTokenMs: 120, tokensPerSecond: 60 });
  });
});
