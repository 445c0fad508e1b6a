import { describe, expect, it } from 'vitest';
import type { Provider } from '../../presets/preset.ts';
import type { Candidate } from '../candidate.ts';
import { decide, type RouteRequest } from '../decide.ts';
import { createFacts, type Said } from '../models/model-facts.ts';
import type { Price } from '../models/price.ts';
import type { Rule } from '../rules.ts';
import { NO_SIGNALS, type Signals } from '../signals.ts';
import type { Snapshot } from '../snapshot.ts';
import { compileModels, type ModelSettings, type RouteSettings } from './route.ts';

const provider = (name: string, settings: object = {}): [string, Provider] => [
  name,
  {
    name,
    preset: { id: name, knows: [] },
    wires: new Map([
      [
        'openai-chat',
        { serves: () => true, factsOf: () => ({ media: { image: 'none' }, output: 'json-schema', reasoningControl: 'effort' }) },
      ],
    ]),
    media: [],
    settings,
    exposes: () => true,
    knows: () => false,
  } as unknown as Provider,
];

const usd = (input: number, output: number, more: object = {}): Price => ({
  currency: 'USD',
  input: input * 1e9,
  output: output * 1e9,
  ...more,
});

/** What a list of prices says, as it may change from one day to the next. */
const PRICES: Readonly<Record<string, Price>> = {
  'a/m': usd(1, 4),
  'b/m': usd(2, 2),
  'c/m': { currency: 'CNY', input: 71e8, output: 284e8 },
  'a/long': usd(1, 1, { long: { above: 10_000, input: 9e9, output: 9e9 } }),
};

const PROVIDERS = new Map([
  provider('a', { region: 'eu-west-1' }),
  provider('b', { regions: ['us', 'eu'], dataCollection: 'deny' }),
  provider('c', { regions: ['eu'], dataCollection: 'deny' }),
  provider('nowhere'),
  provider('draws', { models: { '*': { imageOutput: true } } }),
]);

function snapshotOf(models: Readonly<Record<string, ModelSettings>>, prices = PRICES): Snapshot {
  const said = (name: string): Said | undefined => (prices[name] ? { price: prices[name] } : undefined);
  const facts = createFacts({ catalogue: ({ name }, model) => said(`${name}/${model}`) });
  return { revision: 1, config: {}, keys: new Map(), providers: PROVIDERS, facts, ...compileModels(models) } as unknown as Snapshot;
}

const REQUEST: RouteRequest = { model: 'r', protocol: 'openai-chat', operation: 'generate', key: {} };
const nameOf = ({ provider: owner, model }: Candidate): string => `${owner}/${model}`;
const tried = (candidates: readonly Candidate[]): readonly string[] => [
  ...candidates.filter((one) => one.verdict === 'chosen').map(nameOf),
  ...candidates.filter((one) => one.verdict === 'eligible').map(nameOf),
];

const route = (targets: readonly string[], more: Partial<RouteSettings> = {}): RouteSettings => ({
  targets: targets.map((to) => ({ to })),
  strategy: 'lowest-cost',
  ...more,
});

interface Case {
  readonly name: string;
  readonly models: Readonly<Record<string, ModelSettings>>;
  readonly request?: Partial<RouteRequest>;
  readonly signals?: Partial<Signals>;
  readonly prices?: Readonly<Record<string, Price>>;
  readonly tried: readonly string[];
  readonly says?: string;
  readonly refusal?: string;
}

const needs = (tokens: number, answer?: number) => ({ abilities: [], tokens, ...(answer === undefined ? {} : { answer }) });

const CASES: readonly Case[] = [
  {
    name: 'a short answer: questions count',
    models: { r: route(['b/m', 'a/m']) },
    request: { needs: needs(1000, 10) },
    tried: ['a/m', 'b/m'],
  },
  { name: 'a long answer: answers count', models: { r: route(['a/m', 'b/m']) }, request: { needs: needs(10) }, tried: ['b/m', 'a/m'] },
  {
    name: 'a long question may cost more',
    models: { r: route(['a/long', 'b/m']) },
    request: { needs: needs(20_000) },
    tried: ['b/m', 'a/long'],
  },
  {
    name: 'unpriced comes last, and says so',
    models: { r: route(['nowhere/m', 'b/m']) },
    tried: ['b/m', 'nowhere/m'],
    says: 'nowhere/m: alias lowest_cost price_unknown',
  },
  {
    name: 'order goes before price',
    models: {
      r: {
        strategy: 'lowest-cost',
        targets: [
          { to: 'b/m', order: 1 },
          { to: 'a/m', order: 2 },
        ],
      },
    },
    request: { needs: needs(1000, 1) },
    tried: ['b/m', 'a/m'],
  },
  {
    name: 'through an alias',
    models: { x: 'a/m', r: route(['b/m', 'x']) },
    request: { needs: needs(1000, 1) },
    tried: ['a/m', 'b/m'],
    says: 'a/m: alias lowest_cost alias',
  },
  {
    name: 'a route costs what its cheapest does',
    models: { x: route(['nowhere/m', 'a/m']), r: route(['b/m', 'x']) },
    request: { needs: needs(1000, 1) },
    tried: ['a/m', 'nowhere/m', 'b/m'],
  },
  {
    name: 'by what a star stands for',
    models: { 'x-*': route(['b/*', 'a/*']) },
    request: { model: 'x-m', needs: needs(1000, 1) },
    tried: ['a/m', 'b/m'],
  },
  {
    name: 'sort by price',
    models: { r: route(['nowhere/m', 'b/m', 'a/m'], { strategy: 'priority' }) },
    request: { needs: needs(1000, 1), prefers: { sort: 'price' } },
    tried: ['a/m', 'b/m', 'nowhere/m'],
    says: 'a/m: alias priority lowest_cost',
  },
  {
    name: 'sort by throughput; what was not measured is tried',
    models: { r: route(['a/m', 'b/m', 'c/m'], { strategy: 'priority' }) },
    request: { prefers: { sort: 'throughput' } },
    signals: {
      targets: new Map([
        ['a/m', { tokensPerSecond: 20 }],
        ['b/m', { tokensPerSecond: 90 }],
      ]),
    },
    tried: ['c/m', 'b/m', 'a/m'],
  },
  {
    name: 'the most that is paid',
    models: { r: route(['a/m', 'b/m', 'nowhere/m'], { strategy: 'priority' }) },
    request: { prefers: { maxPrice: { completion: 2e9 } } },
    tried: ['b/m'],
    says: 'nowhere/m: alias priority price_unknown',
  },
  {
    name: 'dearer',
    models: { r: 'a/m' },
    request: { prefers: { maxPrice: { prompt: 9e8 } } },
    tried: [],
    says: 'a/m: alias max_price',
    refusal: "'provider' leaves nothing to try of: a/m costs more than provider.max_price",
  },
  {
    name: 'in another currency',
    models: { r: 'c/m' },
    request: { prefers: { maxPrice: { prompt: 101e7, completion: 401e7 } } },
    tried: ['c/m'],
  },
  {
    name: 'a route’s regions',
    models: { r: route(['a/m', 'b/m', 'c/m', 'nowhere/m'], { strategy: 'priority', regions: ['eu'] }) },
    tried: ['a/m', 'c/m'],
    says: 'b/m: alias priority region_excluded',
  },
  { name: 'hold for its fallbacks', models: { r: route(['a/m'], { regions: ['eu'], fallback: ['b/m', 'c/m'] }) }, tried: ['a/m', 'c/m'] },
  {
    name: 'and for routes within',
    models: { x: route(['b/m', 'c/m'], { strategy: 'priority' }), r: route(['x'], { regions: ['eu'] }) },
    tried: ['c/m'],
  },
  {
    name: 'a target come by without them may be tried',
    models: { x: route(['b/m'], { regions: ['eu'] }), r: route(['x', 'b/m'], { strategy: 'priority' }) },
    tried: ['b/m'],
  },
  {
    name: 'a key’s regions',
    models: { r: 'nowhere/m' },
    request: { key: { rule: { regions: ['eu'] } } },
    tried: [],
    refusal: "No target of 'r' may be used: nowhere/m is not in an allowed region",
  },
  {
    name: 'images that a chat may make, at most as dear as the dearest of them',
    models: { r: route(['draws/dear', 'draws/unknown', 'draws/cheap', 'a/m']) },
    prices: {
      'draws/dear': usd(1, 1, { imageOutput: 12e10, imageTokens: 2000 }),
      'draws/unknown': usd(1, 1, { imageOutput: 1e9 }),
      'draws/cheap': usd(1, 1, { imageOutput: 3e10, imageTokens: 1290 }),
      'a/m': usd(9, 9),
    },
    request: { prefers: { maxPrice: { image: 5e7 } } },
    tried: ['draws/cheap', 'a/m'],
    says: 'draws/dear: alias lowest_cost max_price',
  },
  {
    name: 'images that a chat asks for, where nobody knows what makes them',
    models: { r: 'a/m' },
    request: { needs: { abilities: ['imageOutput'] }, prefers: { maxPrice: { image: 5e7 } } },
    tried: [],
    refusal: 'a/m has no price that is known',
  },
  {
    name: 'a key’s rule under a platform’s path',
    models: {},
    request: { platform: 'a', model: 'm', key: { rule: { dataCollection: 'deny' } } },
    tried: [],
    refusal: 'a/m may keep what it is sent',
  },
  {
    name: 'nothing kept, by a route',
    models: { r: route(['a/m', 'b/m'], { dataCollection: 'deny' }) },
    tried: ['b/m'],
    says: 'a/m: alias lowest_cost data_retention',
  },
  {
    name: 'an unknown price is no reason where none was bounded',
    models: { r: route(['nowhere/m', 'b/m']) },
    request: { needs: { abilities: ['vision'] }, prefers: { requireParameters: true } },
    tried: [],
    refusal: "No target of 'r' can do this",
  },
];

describe('decisions by price and place', () => {
  it.each(CASES)('$name', ({ models, request, signals, prices, tried: wanted, says, refusal }) => {
    const decision = decide(snapshotOf(models, prices), { ...REQUEST, ...request }, { ...NO_SIGNALS, ...signals });
    expect(tried(decision.candidates)).toEqual(wanted);
    if (says !== undefined) expect(decision.candidates.map((one) => `${nameOf(one)}: ${one.reasons.join(' ')}`)).toContain(says);
    if (refusal === undefined) expect(decision.refusal).toBeUndefined();
    else expect(decision.refusal?.message).toContain(refusal);
    // What was only needed on the way is not in the decision.
    for (const one of decision.candidates) expect(Object.keys(one)).not.toContain('rules');
  });

  it('a rule of the key is a 403, a wish of the caller a 400', () => {
    const kindOf = (request: Partial<RouteRequest>): string | undefined =>
      decide(snapshotOf({ r: 'a/m' }), { ...REQUEST, ...request }).refusal?.kind;
    const rule: Rule = { dataCollection: 'deny' };
    expect(kindOf({ key: { rule } })).toBe('permission');
    expect(kindOf({ prefers: { dataCollection: 'deny' } })).toBe('bad_request');
  });

  it('over 100,000 calls, those that cost the same share by weight, and all move when a price does', () => {
    const equal = { 'a/m': usd(1, 1), 'b/m': usd(1, 1), 'c/m': usd(2, 2) };
    const models = {
      r: {
        strategy: 'lowest-cost',
        targets: [
          { to: 'a/m', weight: 3 },
          { to: 'b/m', weight: 1 },
          { to: 'c/m', weight: 9 },
        ],
      },
    } as const;
    const shares = (prices: Readonly<Record<string, Price>>): Readonly<Record<string, number>> => {
      const snapshot = snapshotOf(models, prices);
      const counts: Record<string, number> = {};
      for (let i = 0; i < 100_000; i++) {
        const [first = ''] = tried(decide(snapshot, REQUEST, { ...NO_SIGNALS, random: Math.random() }).candidates);
        counts[first] = (counts[first] ?? 0) + 1 / 1000;
      }
      return counts;
    };
    const before = shares(equal);
    expect(Math.abs((before['a/m'] ?? 0) - 75)).toBeLessThan(2);
    expect(Math.abs((before['b/m'] ?? 0) - 25)).toBeLessThan(2);
    expect(before['c/m']).toBeUndefined();
    expect(shares({ ...equal, 'c/m': usd(0.9, 0.9) })['c/m']).toBeCloseTo(100, 6);
  });
});
