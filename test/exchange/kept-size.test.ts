import { expect, it } from 'vitest';
import { compileSnapshot } from '../../src/compile-snapshot.ts';
import type { Config } from '../../src/config/config.ts';
import { decideCall } from '../../src/exchange/decide-call.ts';
import { candidatesOf, keepAnswered, keepDecision, type KeptDecision, replay } from '../../src/policy/kept-decision.ts';
import type { OutReason, TargetSignals } from '../../src/policy/signals.ts';
import { clientCodecs } from '../../src/protocols/index.ts';

const THREE = [{ to: 'openai/gpt-5.6', weight: 80 }, { to: 'deepseek/deepseek-v4-pro', weight: 20 }, { to: 'claude/claude-sonnet-5' }];
const route = (more: object = {}): object => ({ targets: THREE, ...more });
const KEY = { name: 'laptop', value: 'pk-laptop-0123456789' };

const snapshot = compileSnapshot(
  {
    providers: {
      openai: { preset: 'openai', key: 'k'.repeat(20), regions: ['us'] },
      deepseek: { preset: 'deepseek', key: 'k'.repeat(20), abilities: { '*': { vision: false } } },
      claude: { preset: 'anthropic', key: 'k'.repeat(20), regions: ['eu'] },
    },
    models: {
      fast: 'deepseek/deepseek-chat',
      smart: route({ affinity: true, fallback: ['fast'] }),
      shared: route(),
      turns: route({ strategy: 'round-robin' }),
      busy: route({ strategy: 'least-busy' }),
      quick: route({ strategy: 'lowest-latency' }),
      cheap: route({ strategy: 'lowest-cost' }),
      users: route({ strategy: 'hash-user' }),
      tiers: route({
        targets: THREE.map((one, order) => ({ ...one, order })),
        fallback: { context: ['claude/claude-opus-5'] },
      }),
      private: route({ regions: ['eu'] }),
      many: { targets: Array.from({ length: 20 }, (_, at) => ({ to: `openai/gpt-5.6-deployment-${at}` })) },
    },
    keys: [KEY],
    sandbox: false,
  } as unknown as Config,
  1,
);

/** What is known of each of them after a while. */
const MEASURED: TargetSignals = { busy: 3, firstTokenMs: 812.37, tokensPerSecond: 88.12 };
const NAMES = THREE.map(({ to }) => to);
const known = (out: Readonly<Record<string, OutReason>> = {}, names: readonly string[] = NAMES): ReadonlyMap<string, TargetSignals> =>
  new Map([
    ...names.map((name): [string, TargetSignals] => [name, MEASURED]),
    ...Object.entries(out).map(([name, why]): [string, TargetSignals] => [
      name,
      name.includes('/') ? { ...MEASURED, out: why } : { out: why },
    ]),
  ]);

const body = (more: object = {}): object => ({
  messages: [
    { role: 'system', content: 'You are a careful reader of long reports. '.repeat(40) },
    { role: 'user', content: 'What is new in the third quarter? '.repeat(200) },
  ],
  max_tokens: 4096,
  user: 'someone@example.com',
  ...more,
});

const TOOLS = { tools: [{ type: 'function', function: { name: 'f' } }] };
const IMAGE = { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } }] }] };

interface Case {
  readonly name: string;
  readonly model: string;
  readonly body?: object;
  readonly targets?: ReadonlyMap<string, TargetSignals>;
  readonly asks?: object;
}

/** A call as it comes: from an address, of a session, by somebody. */
function kept({ model, body: said = body(), targets = known(), asks = {} }: Case): KeptDecision {
  const [key] = [...snapshot.keys.values()];
  const client = clientCodecs.get('openai-chat');
  if (!key || !client) throw new Error('no key or client');
  const headers = { 'x-session-id': '7c1a2f0e-55cb-4c0e-9d43-1f2e3d4c5b6a' };
  const call = { snapshot, model, key, client, body: Buffer.from(JSON.stringify(said)), headers, address: '192.0.2.7' };
  const turns = new Map([['turns', 123_456]]);
  const decided = decideCall({ ...call, routing: { asks, ignored: [] } }, { random: 0.123_456_789, turns, targets });
  const written = JSON.parse(JSON.stringify(keepDecision(decided))) as KeptDecision;
  // It is small, and all there.
  const recorded = { asked: model, protocol: 'openai-chat', operation: 'generate', key: KEY.name } as const;
  expect(replay(snapshot, recorded, written)).toEqual(decided.decision);
  return written;
}

const bytes = (decision: KeptDecision): number => Buffer.byteLength(JSON.stringify(decision));

const CASES: readonly Case[] = [
  { name: 'weights, tools, a fallback, a session', model: 'smart', body: body(TOOLS) },
  { name: 'by weight, drawn', model: 'shared', body: body(TOOLS) },
  {
    name: 'one of them cooling down, one with an open circuit',
    model: 'shared',
    targets: known({ openai: 'cooldown', [NAMES[1] as string]: 'circuit_open' }),
  },
  { name: 'all of them out', model: 'shared', targets: known({ openai: 'cooldown', deepseek: 'unhealthy', claude: 'quota_exhausted' }) },
  { name: 'an image that one cannot see', model: 'shared', body: body(IMAGE) },
  { name: 'in turn', model: 'turns' },
  { name: 'the least busy', model: 'busy' },
  { name: 'the quickest', model: 'quick' },
  { name: 'the cheapest', model: 'cheap' },
  { name: 'by user', model: 'users' },
  { name: 'tiers, and fallbacks by failure', model: 'tiers' },
  { name: 'regions', model: 'private' },
  { name: 'what the body says of providers', model: 'shared', asks: { prefers: { order: ['claude'], ignore: ['deepseek'] } } },
  { name: 'names in the body', model: 'fast', asks: { models: ['shared'] } },
  { name: 'nowhere', model: 'unheard-of' },
];

it.each(CASES)('a kept decision of up to four candidates takes 200 bytes at most: $name', (one) =>
  expect(bytes(kept(one))).toBeLessThanOrEqual(200),
);

it.each([
  ['a target by its name', kept({ name: '', model: 'openai/gpt-5.6' })],
  ['an alias', kept({ name: '', model: 'fast' })],
  ['an answer that was given again', keepAnswered({ provider: 'openai', model: 'gpt-5.6', protocol: 'openai-chat' })],
])('where there was no choice it takes 40: %s', (_, decision) => expect(bytes(decision)).toBeLessThanOrEqual(40));

it('each candidate takes 40 bytes beyond its name at most', () => {
  const many = Array.from({ length: 20 }, (_, at) => `openai/gpt-5.6-deployment-${at}`);
  const decision = kept({
    name: '',
    model: 'many',
    targets: known(Object.fromEntries(many.map((name) => [name, 'quota_exhausted'])), many),
  });
  const names = candidatesOf(decision).reduce((sum, { provider, model }) => sum + provider.length + model.length + 1, 0);
  expect(decision.o).toHaveLength(20);
  expect(bytes(decision)).toBeLessThanOrEqual(100 + names + 40 * 20);
});
