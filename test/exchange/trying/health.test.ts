import { beforeEach, describe, expect, it } from 'vitest';
import { createHealth, type Health, type Outcome, type Place } from '../../../src/policy/health.ts';
import type { OutReason } from '../../../src/policy/signals.ts';

let now: number;
let marked: Map<string, OutReason>;
let health: Health;
beforeEach(() => {
  now = 0;
  marked = new Map();
  health = createHealth({
    monotonic: () => now,
    now: () => now,
    mark: (name, out) => void (out === undefined ? marked.delete(name) : marked.set(name, out)),
  });
});

const place = (changes: Partial<Place> = {}): Place => ({
  provider: 'a',
  model: 'm',
  credential: 'a#1',
  credentials: ['a#1'],
  watched: true,
  ...changes,
});
const end = (at: Place, outcome: Outcome): void => health.ended(at, health.began(at), outcome);
const DOWN: Outcome = { verdict: { scope: 'target', again: false, failure: 'down' } };
const LIMITED: Outcome = { verdict: { scope: 'limit', again: false, failure: 'rateLimited' } };
const REFUSED: Outcome = { verdict: { scope: 'credential', again: false, failure: 'down' } };
const MISTAKE: Outcome = { verdict: { scope: 'client', again: false } };
const times = (count: number, outcome: Outcome, at = place()): void => {
  for (let i = 0; i < count; i++) end(at, outcome);
};

describe('the breaker of a target', () => {
  it('opens at the fifth failure in a row', () => {
    times(4, DOWN);
    end(place(), {});
    times(4, DOWN);
    expect(health.whyOut(place())).toBe(undefined);
    times(1, DOWN);
    expect(health.whyOut(place())).toBe('circuit_open');
    expect(marked.get('a/m')).toBe('circuit_open');
    expect(health.whyOut(place({ model: 'other' }))).toBe(undefined);
  });
  it('lets one probe through after a while, and no other beside it; the probe closes it', () => {
    times(5, DOWN);
    now = 5000;
    health.refresh();
    expect(marked.size).toBe(0);
    const probe = health.began(place());
    expect(probe.target).toBe(true);
    expect(health.whyOut(place())).toBe('circuit_open');
    expect(marked.get('a/m')).toBe('circuit_open');
    health.ended(place(), probe, {});
    expect(health.whyOut(place())).toBe(undefined);
    expect(marked.size).toBe(0);
  });
  it('opens for twice as long when the probe fails, up to a minute', () => {
    times(5, DOWN);
    for (const wait of [5000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
      now += wait - 1;
      expect(health.whyOut(place())).toBe('circuit_open');
      now += 1;
      expect(health.whyOut(place())).toBe(undefined);
      end(place(), DOWN);
    }
  });
  it('lets another probe through when the client of the first has left', () => {
    times(5, DOWN);
    now = 5000;
    end(place(), { gone: true });
    expect(health.whyOut(place())).toBe(undefined);
  });
  it('is closed by a probe that the upstream answered with the client’s own mistake', () => {
    times(5, DOWN);
    now = 5000;
    end(place(), MISTAKE);
    times(4, DOWN);
    expect(health.whyOut(place())).toBe(undefined);
  });
  it('does not count the mistakes of clients', () => {
    times(100, MISTAKE);
    times(100, { verdict: { scope: 'gateway', again: false } });
    expect(health.whyOut(place())).toBe(undefined);
  });
  it('says nothing of calls that were under way when it opened', () => {
    const early = health.began(place());
    times(5, DOWN);
    now = 4999;
    health.ended(place(), early, DOWN);
    now = 5000;
    expect(health.whyOut(place())).toBe(undefined);
  });
  it('is none where health is off', () => {
    times(50, DOWN, place({ watched: false }));
    expect(health.whyOut(place({ watched: false }))).toBe(undefined);
    expect(marked.size).toBe(0);
  });
});

describe('a credential', () => {
  const siblings = { credentials: ['a#1', 'a#2'] };
  it('that is refused is set aside, and its siblings are not', () => {
    end(place(siblings), REFUSED);
    expect(health.whyCredentialOut('a#1')).toBe('credential_bad');
    expect(health.whyCredentialOut('a#2')).toBe(undefined);
    expect(health.whyOut(place(siblings))).toBe(undefined);
    end(place({ ...siblings, credential: 'a#2' }), REFUSED);
    expect(health.whyOut(place(siblings))).toBe('credential_bad');
    expect(marked.get('a')).toBe('credential_bad');
  });
  it('is tried again after a time that doubles, and is good once it works', () => {
    end(place(), REFUSED);
    end(place(), REFUSED);
    now = 30_000;
    health.refresh();
    expect(marked.size).toBe(0);
    end(place(), REFUSED);
    now += 59_999;
    expect(health.whyCredentialOut('a#1')).toBeDefined();
    now += 1;
    expect(health.whyCredentialOut('a#1')).toBeUndefined();
    end(place(), {});
    end(place(), REFUSED);
    now += 30_000;
    expect(health.whyCredentialOut('a#1')).toBeUndefined();
  });
  it('waits as long as the provider asked, on every target, whatever comes back meanwhile', () => {
    const early = health.began(place());
    end(place(), { ...LIMITED, retryAfterMs: 7000 });
    end(place({ model: 'other' }), { ...LIMITED, retryAfterMs: 1000 });
    health.ended(place(), early, {});
    for (const model of ['m', 'other', 'third']) expect(health.whyOut(place({ model }))).toBe('cooldown');
    now = 6999;
    expect(health.whyOut(place())).toBe('cooldown');
    now = 7000;
    expect(health.whyOut(place())).toBe(undefined);
    health.refresh();
    expect(marked.size).toBe(0);
  });
  it('that is limited five times in a row without a word of when is left alone for a while', () => {
    times(5, LIMITED);
    expect(health.whyOut(place())).toBe('circuit_open');
    now = 5000;
    expect(health.whyOut(place())).toBe(undefined);
  });
});

it('what is remembered of targets that callers name is bounded', () => {
  for (let i = 0; i < 10_000; i++) end(place({ model: `m${i}` }), DOWN);
  for (let i = 0; i < 10_000; i++) times(5, DOWN, place({ model: `m${i % 2500}` }));
  expect(marked.size).toBeLessThanOrEqual(2000);
});
