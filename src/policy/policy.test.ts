import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Provider } from '../presets/preset.ts';
import { decide, type RouteRequest } from './decide.ts';
import { fillStars, matchGlob } from './glob.ts';
import { nearestNames } from './nearest.ts';
import { compileModels } from './routes/route.ts';
import type { Snapshot } from './snapshot.ts';

function provider(name: string, protocols: readonly string[], knows: readonly string[], expose: readonly string[] = ['*']): Provider {
  return {
    name,
    preset: { knows },
    wires: new Map(
      protocols.map((text) => {
        const [id = '', glob = '*'] = text.split(' ');
        return [id, { serves: (model: string) => matchGlob(glob, model) !== undefined }];
      }),
    ),
    media: [],
    exposes: (model: string) => expose.some((glob) => matchGlob(glob, model)),
    knows: (model: string) => knows.some((glob) => matchGlob(glob, model)),
  } as unknown as Provider;
}

const PROVIDERS = [
  provider('openai', ['openai-responses', 'openai-chat'], ['gpt-*', 'o3']),
  provider('claude', ['anthropic-messages'], ['claude-*']),
  provider('or', ['openai-chat'], ['*/*', 'gpt-5-mini']),
  provider('narrow', ['openai-chat'], ['tiny'], ['tiny']),
  provider('cloud', ['anthropic-messages *claude*', 'openai-chat *oss*'], []),
];
const snapshot = {
  revision: 1,
  config: {},
  keys: new Map(),
  providers: new Map(PROVIDERS.map((one) => [one.name, one])),
  ...compileModels({
    fast: 'openai/gpt-5-mini',
    faster: 'fast',
    'claude-haiku-*': 'fast',
    'eu-*': 'openai/*',
    'a-*-b-*': 'or/*/*',
    loop: 'loop2',
    loop2: 'loop',
  }),
} as unknown as Snapshot;

const ask = (model: string, more: Partial<RouteRequest> = {}): string => {
  const decision = decide(snapshot, { model, protocol: 'openai-chat', operation: 'generate', key: {}, ...more });
  const chosen = decision.candidates.find((one) => one.verdict === 'chosen');
  return chosen ? `${chosen.provider}/${chosen.model} as ${chosen.protocol}` : (decision.refusal?.kind ?? 'nothing');
};

const ROUTES: readonly { asked: string; more?: Partial<RouteRequest>; goes: string }[] = [
  { asked: 'fast', goes: 'openai/gpt-5-mini as openai-chat' },
  { asked: 'faster', goes: 'openai/gpt-5-mini as openai-chat' },
  { asked: 'claude-haiku-4-5', goes: 'openai/gpt-5-mini as openai-chat' },
  { asked: 'eu-gpt-5', goes: 'openai/gpt-5 as openai-chat' },
  { asked: 'a-x-b-y', goes: 'or/x/y as openai-chat' },
  { asked: 'openai/anything', goes: 'openai/anything as openai-chat' },
  { asked: 'or/anthropic/claude-x:free', goes: 'or/anthropic/claude-x:free as openai-chat' },
  { asked: 'claude-opus-9', goes: 'claude/claude-opus-9 as anthropic-messages' },
  { asked: 'gpt-5', more: { protocol: 'anthropic-messages' }, goes: 'openai/gpt-5 as openai-responses' },
  { asked: 'gpt-5-mini', goes: 'openai/gpt-5-mini as openai-chat' },
  { asked: 'cloud/claude-x', goes: 'cloud/claude-x as anthropic-messages' },
  { asked: 'cloud/x-oss', more: { protocol: 'anthropic-messages' }, goes: 'cloud/x-oss as openai-chat' },
  { asked: 'cloud/other', goes: 'bad_request' },
  { asked: 'fast', more: { platform: 'or' }, goes: 'or/fast as openai-chat' },
  { asked: 'x', more: { platform: 'nowhere' }, goes: 'not_found' },
  { asked: 'narrow/big', goes: 'not_found' },
  { asked: 'narrow/tiny', goes: 'narrow/tiny as openai-chat' },
  { asked: 'loop', goes: 'not_found' },
  { asked: 'unheard-of', goes: 'not_found' },
  { asked: 'fast', more: { key: { models: ['slow*'] } }, goes: 'permission' },
  { asked: 'fast', more: { key: { models: ['fa*'] } }, goes: 'openai/gpt-5-mini as openai-chat' },
  { asked: 'claude/claude-1', more: { operation: 'embeddings' }, goes: 'bad_request' },
];

describe('decide', () => {
  it.each(ROUTES)('$asked $more goes to $goes', ({ asked, more, goes }) => expect(ask(asked, more)).toBe(goes));

  it('names what is near when a model is unknown', () => {
    expect(decide(snapshot, { model: 'fsat', protocol: 'gemini', operation: 'generate', key: {} }).refusal?.message).toContain("'fast'");
  });

  it('says that several providers know a bare id', () => {
    expect(decide(snapshot, { model: 'gpt-5-mini', protocol: 'gemini', operation: 'generate', key: {} }).ambiguous).toEqual([
      'openai',
      'or',
    ]);
  });
});

describe('globs', () => {
  it('match as a regular expression would, in linear time', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b', '*') });
    fc.assert(
      fc.property(letters, fc.string({ unit: fc.constantFrom('a', 'b') }), (glob, text) => {
        const regular = new RegExp(`^${glob.replaceAll('*', '.*')}$`);
        expect(matchGlob(glob, text) !== undefined).toBe(regular.test(text));
      }),
    );
    const started = performance.now();
    matchGlob('*a*a*a*a*a*a*a*b', 'a'.repeat(100_000));
    expect(performance.now() - started).toBeLessThan(100);
  });
  it('fill the target', () => expect(fillStars('x/*-*', ['1', '2'])).toBe('x/1-2'));
});

describe('nearest names', () => {
  it.each([
    ['gpt5', ['gpt-5', 'claude'], ['gpt-5']],
    ['gpt-5', ['openai/gpt-5-mini', 'z'], ['openai/gpt-5-mini']],
    ['zzz', ['gpt-5'], []],
    ['fasst', ['fast', 'claude-*', 'fast'], ['fast']],
  ])('of %s', (asked, names, near) => expect(nearestNames(asked, names)).toEqual(near));
});
