import { describe, expect, it } from 'vitest';
import { type Fault, gatewayFault } from '../../../src/ir/index.ts';
import { createRetryBudget, verdictOf, waitMs } from '../../../src/policy/retry.ts';
import { CONNECTION_FAULTS } from '../../../src/upstream/connection-fault.ts';

const said = (kind: Fault['kind'], status: number, more: Partial<Fault> = {}): Fault => ({
  kind,
  status,
  message: 'no',
  by: 'upstream',
  ...more,
});

describe('what a fault means', () => {
  it.each<[string, Fault, string, boolean, string | undefined]>([
    ['a refused connection', CONNECTION_FAULTS.unreachable, 'target', true, 'down'],
    ['an unknown host', CONNECTION_FAULTS.unresolved, 'target', true, 'down'],
    ['a closed connection', CONNECTION_FAULTS.closed, 'target', true, 'down'],
    ['a cut answer', CONNECTION_FAULTS.cut, 'target', true, 'down'],
    ['no connection in time', CONNECTION_FAULTS.connectTimeout, 'target', false, 'down'],
    ['no answer in time', CONNECTION_FAULTS.headersTimeout, 'target', false, 'down'],
    ['no HTTP', CONNECTION_FAULTS.malformed, 'target', false, 'down'],
    ['a certificate', CONNECTION_FAULTS.untrusted, 'target', false, 'down'],
    ['what we could not write', CONNECTION_FAULTS.requestInvalid, 'gateway', false, undefined],
    ['500', said('upstream', 502), 'target', false, 'down'],
    ['503', said('overloaded', 503), 'target', false, 'down'],
    ['503 for a second', said('overloaded', 503, { retryAfterMs: 1000 }), 'target', true, 'down'],
    ['504', said('timeout', 504), 'target', false, 'down'],
    ['408', said('timeout', 408), 'target', false, 'down'],
    ['429', said('rate_limit', 429), 'limit', false, 'rateLimited'],
    ['429 for a second', said('rate_limit', 429, { retryAfterMs: 1000 }), 'limit', true, 'rateLimited'],
    ['429 for a minute', said('rate_limit', 429, { retryAfterMs: 60_000 }), 'limit', false, 'rateLimited'],
    [
      'a minute that is full',
      gatewayFault('rate_limit', 'full', { code: 'local_rate_limit', retryAfterMs: 1000 }),
      'gateway',
      false,
      'rateLimited',
    ],
    ['429 with our word for that', said('rate_limit', 429, { code: 'local_rate_limit', retryAfterMs: 1000 }), 'limit', true, 'rateLimited'],
    ['our credential', gatewayFault('upstream', 'no', { code: 'upstream_credential' }), 'credential', false, 'down'],
    ['nothing left to spend', gatewayFault('upstream', 'no', { code: 'upstream_credential', quota: true }), 'credential', false, 'down'],
    ['400', said('bad_request', 400), 'client', false, undefined],
    ['404', said('not_found', 404), 'client', false, undefined],
    ['413', said('too_large', 413), 'client', false, 'context'],
    ['422', said('bad_request', 422), 'client', false, undefined],
    ['a code for too long', said('bad_request', 400, { code: 'context_length_exceeded' }), 'client', false, 'context'],
    [
      'words for too long',
      said('bad_request', 400, { message: 'prompt is too long: 210000 tokens > 200000 maximum' }),
      'client',
      false,
      'context',
    ],
    ['a word about tokens', said('bad_request', 400, { message: "Unsupported parameter: 'max_tokens'" }), 'client', false, undefined],
    ['content', said('bad_request', 400, { code: 'content_policy_violation' }), 'client', false, 'refused'],
    ['our own refusal', gatewayFault('bad_request', 'no', { code: 'not_expressible' }), 'gateway', false, undefined],
    ['a stream that ended too early', gatewayFault('upstream', 'no', { code: 'stream_ended_early' }), 'target', false, 'down'],
    ['our own defect', gatewayFault('internal', 'no'), 'gateway', false, undefined],
  ])('%s', (_, fault, scope, again, failure) => {
    const quota = fault.quota ? { quota: true } : {};
    expect(verdictOf(fault)).toEqual({ scope, again, ...(failure === undefined ? {} : { failure }), ...quota });
  });
});

describe('waiting before the same place is asked again', () => {
  it('is anything up to a bound that doubles and ends', () => {
    expect([1, 2, 3, 10].map((retry) => waitMs(retry, 0.5, {}))).toEqual([50, 100, 200, 1000]);
    expect(waitMs(3, 0, {})).toBe(0);
  });
  it('is never shorter than what the upstream asked for', () => {
    expect(waitMs(1, 0, { retryAfterMs: 1500 })).toBe(1500);
    expect(waitMs(1, 0.5, { retryAfterMs: 1500 })).toBe(1550);
  });
});

describe('the budget of repetitions', () => {
  it('is a tenth of the calls, after a reserve', () => {
    const budget = createRetryBudget(() => 0);
    let made = 0;
    for (let call = 0; call < 10_000; call++) {
      budget.deposit();
      if (budget.withdraw()) made++;
    }
    expect(made).toBeGreaterThanOrEqual(1000);
    expect(made).toBeLessThanOrEqual(1011);
  });
  it('comes back with time where there is little traffic, and no further than the reserve', () => {
    let now = 0;
    const budget = createRetryBudget(() => now);
    const drain = (): number => {
      let made = 0;
      while (budget.withdraw()) made++;
      return made;
    };
    expect(drain()).toBe(10);
    now = 3000;
    expect(drain()).toBe(3);
    now = 1e9;
    expect(drain()).toBe(10);
  });
});
