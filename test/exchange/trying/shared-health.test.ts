import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createHealth, type Health, type HealthFact, type Outcome, type Place, type Probing } from '../../../src/policy/health.ts';
import { createRetryBudget } from '../../../src/policy/retry.ts';
import type { OutReason } from '../../../src/policy/signals.ts';

/** Where every process stands in time. */
interface Time {
  ms: number;
}

interface Process {
  readonly health: Health;
  readonly marked: Map<string, OutReason>;
  readonly told: HealthFact[];
}

/** Processes that began at other times than each other, and tell each other all they learn, as text. */
function processes(count: number, time: Time): readonly Process[] {
  const all = Array.from({ length: count }, (_, index): Process => {
    const marked = new Map<string, OutReason>();
    const told: HealthFact[] = [];
    const health = createHealth({
      monotonic: () => time.ms + index * 1_000_000,
      now: () => time.ms + 1_700_000_000_000,
      mark: (name, out) => void (out === undefined ? marked.delete(name) : marked.set(name, out)),
      tell(fact) {
        told.push(fact);
        const text = JSON.stringify(fact);
        for (const other of all) if (other.health !== health) other.health.learn(JSON.parse(text) as HealthFact);
      },
    });
    return { health, marked, told };
  });
  return all;
}

const CREDENTIALS = ['a#1', 'a#2'];
const place = (changes: Partial<Place> = {}): Place => ({
  provider: 'a',
  model: 'm',
  credential: 'a#1',
  credentials: CREDENTIALS,
  watched: true,
  ...changes,
});
const verdict = (scope: 'target' | 'limit' | 'credential' | 'client'): Outcome => ({ verdict: { scope, again: false } });
const OUTCOMES: readonly Outcome[] = [
  {},
  verdict('target'),
  verdict('limit'),
  verdict('credential'),
  verdict('client'),
  { ...verdict('limit'), retryAfterMs: 9000 },
  { ...verdict('target'), retryAfterMs: 1500 },
  { gone: true },
];

const FACTS: readonly { name: string; does: (tell: (outcome: Outcome, at?: Partial<Place>) => void) => void; told: number; out: string }[] =
  [
    { name: 'a failure is told, though it opens nothing yet', does: (end) => end(verdict('target')), told: 1, out: '' },
    {
      name: 'the fifth failure opens the breaker everywhere; those after it say nothing new',
      does: (end) => Array.from({ length: 9 }).forEach(() => end(verdict('target'))),
      told: 5,
      out: 'a/m circuit_open',
    },
    {
      name: 'a success after failures is told once',
      does(end) {
        end(verdict('target'));
        for (let i = 0; i < 9; i++) end({});
      },
      told: 2,
      out: '',
    },
    { name: 'what was well and stays well is not told', does: (end) => Array.from({ length: 9 }).forEach(() => end({})), told: 0, out: '' },
    { name: 'the mistakes of clients are not told', does: (end) => end(verdict('client')), told: 0, out: '' },
    {
      name: 'credentials are set aside everywhere',
      does(end) {
        end(verdict('credential'));
        end({ ...verdict('limit'), retryAfterMs: 60_000 }, { credential: 'a#2' });
      },
      told: 2,
      out: 'a credential_bad',
    },
    {
      name: 'credentials that are never set aside are so nowhere',
      does(end) {
        end(verdict('credential'), { setAside: 'off' });
        end({ ...verdict('limit'), retryAfterMs: 60_000 }, { credential: 'a#2', setAside: 'off' });
      },
      told: 1,
      out: '',
    },
    { name: 'nothing is told of what is not watched', does: (end) => end(verdict('target'), { watched: false }), told: 0, out: '' },
  ];

describe('what one process is told of a place', () => {
  it.each(FACTS)('$name', ({ does, told, out }) => {
    const [one, other] = processes(2, { ms: 0 }) as [Process, Process];
    does((outcome, at) => one.health.ended(place(at), { target: false, credential: false }, outcome));
    expect(one.told).toHaveLength(told);
    expect(other.told).toEqual([]);
    for (const { marked } of [one, other]) expect([...marked].map((pair) => pair.join(' ')).join(', ')).toBe(out);
  });

  it('keeps its time: what was told late ends no later', () => {
    const time = { ms: 0 };
    const facts: HealthFact[] = [];
    const mark = (): void => {};
    const ports = { monotonic: () => time.ms, now: () => time.ms, mark };
    const one = createHealth({ ...ports, tell: (fact) => void facts.push(fact) });
    one.ended(place(), { target: false, credential: false }, { ...verdict('limit'), retryAfterMs: 5000 });
    time.ms = 4000;
    const other = createHealth(ports);
    for (const fact of facts) other.learn(fact);
    expect(other.whyCredentialOut('a#1')).toBeDefined();
    time.ms = 5000;
    expect(other.whyCredentialOut('a#1')).toBeUndefined();
  });

  it('one probe goes through, of all of them together', () => {
    const time = { ms: 0 };
    const [one, other] = processes(2, time) as [Process, Process];
    for (let i = 0; i < 5; i++) (i % 2 === 0 ? one : other).health.ended(place(), { target: false, credential: false }, verdict('target'));
    time.ms = 5000;
    const probing = one.health.began(place());
    expect(probing.target).toBe(true);
    expect(other.health.began(place()).target).toBe(false);
    expect(other.health.whyOut(place())).toBe('circuit_open');
    one.health.ended(place(), probing, {});
    expect(other.health.whyOut(place())).toBe(undefined);
  });
});

it('several that learn from each other act as one', () => {
  const step = fc.record({
    who: fc.nat(2),
    waits: fc.constantFrom(0, 0, 0, 1000, 5000, 30_000),
    model: fc.constantFrom('m', 'n'),
    credential: fc.constantFrom(...CREDENTIALS),
    outcome: fc.constantFrom(...OUTCOMES),
    early: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const time = { ms: 0 };
      const several = processes(3, time);
      const [alone] = processes(1, time) as [Process];
      for (const { who, waits, model, credential, outcome, early } of steps) {
        const at = place({ model, credential });
        time.ms += waits;
        // A call that was under way before is no probe, whatever has come meanwhile.
        const act = (health: Health): Probing => {
          const probing = early ? { target: false, credential: false } : health.began(at);
          health.ended(at, probing, outcome);
          return probing;
        };
        expect(act((several[who] as Process).health)).toEqual(act(alone.health));
        for (const { health } of [...several, alone]) health.refresh();
        for (const { health, marked } of several) {
          expect(health.whyOut(at)).toBe(alone.health.whyOut(at));
          for (const id of CREDENTIALS) expect(health.whyCredentialOut(id)).toBe(alone.health.whyCredentialOut(id));
          expect(marked).toEqual(alone.marked);
        }
      }
    }),
  );
});

describe('the budget of repetitions of several processes', () => {
  it.each([1, 2, 4, 5, 8, 16])('%i have no more than one alone at first, and get to one each', (count) => {
    let now = 0;
    const budgets = Array.from({ length: count }, () => createRetryBudget(() => now, count));
    const drain = (): number => budgets.reduce((sum, budget) => sum + [...drained(budget)].length, 0);
    expect(drain()).toBeLessThanOrEqual(10);
    now = count * 1000;
    expect(drain()).toBeLessThanOrEqual(count + 10);
    now = 1e9;
    expect(drain()).toBeGreaterThanOrEqual(Math.min(count, 10));
    expect(drain()).toBe(0);
  });
});

function* drained(budget: ReturnType<typeof createRetryBudget>): Generator<true> {
  while (budget.withdraw()) yield true;
}
