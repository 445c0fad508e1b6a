import { describe, expect, it } from 'vitest';
import { ABILITIES } from '../ir/index.ts';
import type { Candidate } from './candidate.ts';
import { candidateOf, lineOf, needLetters, needsOf } from './kept-letters.ts';
import { NEEDS } from './needs.ts';
import { FAILURES } from './routes/route.ts';

/** As they stand in files: changing one of these changes what rows say that are kept already. */
const LINES: readonly (readonly [line: string, candidate: Omit<Candidate, 'provider' | 'model'>])[] = [
  ['1caw', { verdict: 'chosen', protocol: 'openai-chat', reasons: ['alias', 'weight'] }],
  ['+rpr', { verdict: 'eligible', protocol: 'openai-responses', reasons: ['pattern', 'round_robin'] }],
  ['-mdz', { verdict: 'rejected', protocol: 'anthropic-messages', reasons: ['default', 'random'] }],
  ['1giP', { verdict: 'chosen', protocol: 'gemini', reasons: ['pinned_by_request', 'priority'] }],
  ['+lfb', { verdict: 'eligible', protocol: 'openai-completions', reasons: ['fallback', 'least_busy'] }],
  ['+bqh', { verdict: 'eligible', protocol: 'bedrock-converse', reasons: ['lowest_latency', 'hedge'] }],
  ['-.cn', { verdict: 'rejected', reasons: ['lowest_cost', 'price_unknown'] }],
  ['-.yux', { verdict: 'rejected', reasons: ['key_not_allowed', 'model_unsupported', 'disabled'] }],
  ['-.okgm', { verdict: 'rejected', reasons: ['provider_filter', 'data_retention', 'region_excluded', 'max_price'] }],
  ['1.A', { verdict: 'chosen', reasons: ['cache_hit'] }],
  ['-.HsL', { verdict: 'rejected', reasons: ['hash', 'sticky_session', 'context_too_long'] }],
  [
    '-.BWUKQFl',
    {
      verdict: 'rejected',
      reasons: ['circuit_open', 'cooldown', 'unhealthy', 'credential_bad', 'quota_exhausted', 'concurrency_full', 'last_target'],
    },
  ],
  ['+caf:crld', { verdict: 'eligible', protocol: 'openai-chat', reasons: ['alias', 'fallback'], after: FAILURES }],
  ['-.~t~v~f~a~m~s~r~i~o', { verdict: 'rejected', reasons: NEEDS.map((need) => `capability_missing:${need}` as const) }],
  [
    '-.~g~e~k~d~p~c~l~n~x~y~b',
    { verdict: 'rejected', reasons: ['generate', ...ABILITIES].map((one) => `capability_missing:${one}` as 'capability_missing:generate') },
  ],
  [
    '-.a~(mask)~v~(images[1])',
    { verdict: 'rejected', reasons: ['alias', 'capability_missing:mask', 'capability_missing:vision', 'capability_missing:images[1]'] },
  ],
];

describe('a candidate on a line', () => {
  it.each(LINES)('%s', (line, candidate) => {
    for (const [provider, model] of [
      ['one', 'm'],
      ['one', 'a b:c/d\ne'],
      ['', 'not-allowed'],
    ] as const) {
      const whole = { provider, model, ...candidate };
      expect(lineOf(whole)).toBe(`${line} ${provider}/${model}`);
      expect(candidateOf(`${line} ${provider}/${model}`)).toEqual(whole);
    }
  });
});

it('needs are letters', () => {
  expect(needLetters(NEEDS)).toBe('tvfamsrio');
  expect(needsOf('tvfamsrio?')).toEqual(NEEDS);
});
