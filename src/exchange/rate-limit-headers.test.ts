import { describe, expect, it } from 'vitest';
import { rateLimitHeader } from './rate-limit-headers.ts';

const NOW = Date.parse('2026-11-26T08:00:00.400Z');

describe('what is left of a limit', () => {
  it.each([
    {
      name: 'x-ratelimit-remaining-requests',
      value: '9',
      client: 'anthropic-messages',
      is: ['anthropic-ratelimit-requests-remaining', '9'],
    },
    {
      name: 'x-ratelimit-reset-tokens',
      value: '6m0s',
      client: 'anthropic-messages',
      is: ['anthropic-ratelimit-tokens-reset', '2026-11-26T08:06:01Z'],
    },
    {
      name: 'x-ratelimit-reset-tokens',
      value: '20ms',
      client: 'anthropic-messages',
      is: ['anthropic-ratelimit-tokens-reset', '2026-11-26T08:00:01Z'],
    },
    {
      name: 'x-ratelimit-reset-requests',
      value: '1h2m3.5s',
      client: 'anthropic-messages',
      is: ['anthropic-ratelimit-requests-reset', '2026-11-26T09:02:04Z'],
    },
    { name: 'x-ratelimit-reset-requests', value: 'soon', client: 'anthropic-messages', is: undefined },
    { name: 'anthropic-ratelimit-tokens-limit', value: '40000', client: 'openai-chat', is: ['x-ratelimit-limit-tokens', '40000'] },
    {
      name: 'anthropic-ratelimit-requests-reset',
      value: '2026-11-26T08:00:07Z',
      client: 'openai-responses',
      is: ['x-ratelimit-reset-requests', '7s'],
    },
    {
      name: 'anthropic-ratelimit-requests-reset',
      value: '2026-11-26T07:00:00Z',
      client: 'gemini',
      is: ['x-ratelimit-reset-requests', '0s'],
    },
    {
      name: 'anthropic-ratelimit-requests-reset',
      value: '2026-11-26T08:00:07Z',
      client: 'anthropic-messages',
      is: ['anthropic-ratelimit-requests-reset', '2026-11-26T08:00:07Z'],
    },
    {
      name: 'x-ratelimit-remaining-tokens-minute',
      value: '5',
      client: 'anthropic-messages',
      is: ['x-ratelimit-remaining-tokens-minute', '5'],
    },
    {
      name: 'anthropic-ratelimit-input-tokens-limit',
      value: '5',
      client: 'openai-chat',
      is: ['anthropic-ratelimit-input-tokens-limit', '5'],
    },
  ] as const)('$name: $value, for $client', ({ name, value, client, is }) => expect(rateLimitHeader(name, value, client, NOW)).toEqual(is));
});
