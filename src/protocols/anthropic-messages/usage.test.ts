import { describe, expect, it } from 'vitest';
import { decodeUsage, encodeUsage } from './usage.ts';

const message = { type: 'message', input_tokens: 180, output_tokens: 8, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
const summary = {
  type: 'compaction',
  input_tokens: 100,
  output_tokens: 80,
  cache_read_input_tokens: 55_000,
  cache_creation_input_tokens: 30,
  cache_creation: { ephemeral_5m_input_tokens: 10, ephemeral_1h_input_tokens: 20 },
};

describe('summaries that the API makes meanwhile are paid for, and its totals leave them out', () => {
  const total = { input_tokens: 180, output_tokens: 8, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
  it.each([
    {
      what: 'one',
      iterations: [summary, message],
      used: { input: 55_310, output: 88, cacheRead: 55_000, cacheWrite: 30, cacheWrite1h: 20 },
    },
    {
      what: 'two',
      iterations: [summary, message, summary],
      used: { input: 110_440, output: 168, cacheRead: 110_000, cacheWrite: 60, cacheWrite1h: 40 },
    },
    { what: 'none', iterations: [message], used: { input: 180, output: 8, cacheRead: 0, cacheWrite: 0 } },
    { what: 'no list', iterations: null, used: { input: 180, output: 8, cacheRead: 0, cacheWrite: 0 } },
    {
      what: 'nonsense',
      iterations: ['compaction', 7, { type: 'compaction' }],
      used: { input: 180, output: 8, cacheRead: 0, cacheWrite: 0 },
    },
  ])('$what', ({ iterations, used }) => {
    const usage = { ...total, iterations };
    expect(decodeUsage(usage)).toEqual({ ...used, native: { by: 'anthropic-messages', value: usage } });
  });

  it('is told to a client of this dialect as the API tells it', () => {
    const usage = { ...total, iterations: [summary, message] };
    expect(encodeUsage(decodeUsage(usage))).toMatchObject(usage);
  });
});
