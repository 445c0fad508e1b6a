import { describe, expect, it } from 'vitest';
import { CALM, fairShare, look, mayEnter, type OverloadRules, type Pressure, type Reading } from './overload.ts';

const RULES: OverloadRules = { delayMs: 100, calls: 10_000 };
const READING: Reading = { elapsedMs: 20, delayMs: 0, busy: 0.5, memory: 0.5, inFlight: 200, refused: 0, isUneven: false };

type Runs = readonly (readonly [changes: Partial<Reading>, times: number])[];

/** Looks again and again: readings and how many of each. */
function after(...runs: Runs): Pressure {
  let pressure = CALM;
  for (const [changes, times] of runs) for (let i = 0; i < times; i++) pressure = look(pressure, { ...READING, ...changes }, RULES);
  return pressure;
}

const LATE = { delayMs: 150, busy: 1, elapsedMs: 170 };

describe('calls are refused', () => {
  it.each<{ name: string; runs: Runs; reason: string | undefined }>([
    { name: 'not while all is well', runs: [[{}, 100]], reason: undefined },
    {
      name: 'not for one long pause',
      runs: [
        [{}, 5],
        [{ delayMs: 2000, elapsedMs: 2020, busy: 1 }, 1],
        [{}, 1],
      ],
      reason: undefined,
    },
    {
      name: 'not for a burst',
      runs: [
        [{}, 5],
        [LATE, 3],
        [{}, 5],
      ],
      reason: undefined,
    },
    { name: 'not for a machine that others keep busy', runs: [[{ ...LATE, busy: 0.4 }, 50]], reason: undefined },
    { name: 'when the event loop stays late', runs: [[LATE, 6]], reason: 'delay' },
    { name: 'not when it is a little late', runs: [[{ delayMs: 50, busy: 1 }, 50]], reason: undefined },
    { name: 'unless one key crowds out the others', runs: [[{ delayMs: 50, busy: 1, isUneven: true }, 50]], reason: 'delay' },
    { name: 'at once when memory is full', runs: [[{ memory: 1.01 }, 1]], reason: 'memory' },
    { name: 'near the cap on calls', runs: [[{ inFlight: 9001 }, 1]], reason: 'calls' },
  ])('$name', ({ runs, reason }) => expect(after(...runs).shedding?.reason).toBe(reason));

  it.each<{ name: string; runs: Runs; isOver: boolean }>([
    {
      name: 'a second without refusals ends it',
      runs: [
        [LATE, 6],
        [{}, 60],
      ],
      isOver: true,
    },
    {
      name: 'refusals keep it',
      runs: [
        [LATE, 6],
        [{ refused: 1 }, 60],
      ],
      isOver: false,
    },
    { name: 'so does memory that is full', runs: [[{ memory: 1.1 }, 100]], isOver: false },
  ])('until: $name', ({ runs, isOver }) => expect(after(...runs).shedding === undefined).toBe(isOver));

  it('more and more of them while it stays late, fewer when it does not', () => {
    const first = after([LATE, 6]).shedding?.limit ?? 0;
    const later = after([LATE, 6], [{ ...LATE, inFlight: 100, refused: 9 }, 5]).shedding?.limit ?? 0;
    const back = after([LATE, 6], [{ ...LATE, inFlight: 100, refused: 9 }, 5], [{ inFlight: 100, refused: 9 }, 20]).shedding?.limit ?? 0;
    expect(first).toBe(150);
    expect(later).toBeLessThan(first);
    expect(back).toBeGreaterThan(later);
  });

  it('never all of them: without calls nothing would tell that it is over', () => {
    expect(after([{ ...LATE, inFlight: 0, refused: 9 }, 200]).shedding?.limit).toBeGreaterThanOrEqual(4);
  });
});

describe('shares', () => {
  it.each<readonly [wanted: readonly number[], limit: number, share: number]>([
    [[1, 2, 3], 10, 7],
    [[1, 2, 30], 10, 7],
    [[1000, 1, 1], 100, 98],
    [[50, 50, 50], 30, 10],
    [[1, 1, 1, 1], 2, 0.5],
    [[], 5, 5],
  ])('of %j in %i: %d', (wanted, limit, share) => expect(fairShare(wanted, limit)).toBeCloseTo(share));

  it.each([
    { name: 'below its share, also where all are full', limit: 10, share: 5, all: 12, own: 4, may: true },
    { name: 'at its share', limit: 10, share: 5, all: 12, own: 5, may: false },
    { name: 'at its share, though there is room', limit: 10, share: 5, all: 8, own: 5, may: false },
    { name: 'with nothing, where shares are below one and there is room', limit: 2, share: 0.5, all: 1, own: 0, may: true },
    { name: 'with nothing, where shares are below one and there is none', limit: 2, share: 0.5, all: 2, own: 0, may: false },
  ])('$name', ({ limit, share, all, own, may }) => expect(mayEnter(limit, share, all, own)).toBe(may));
});

/** A server whose calls run a second and take 10 ms of the processor: 100 a second are what it can. */
function simulate(callers: readonly number[], seconds: number) {
  const STEP = 20;
  const calls: { readonly key: number; left: number }[] = [];
  const keys = callers.map(() => ({ due: 0, refused: 0, came: 0, done: 0 }));
  let pressure = CALM;
  let backlog = 0;
  let refused = 0;
  let worst = 0;
  for (let at = 0; at < seconds * 1000; at += STEP) {
    const own = keys.map((_, key) => calls.filter((call) => call.key === key).length);
    const wanted = keys.map((key, index) => (own[index] ?? 0) + key.refused / 2);
    const { shedding } = pressure;
    const share = shedding ? fairShare(wanted, shedding.limit) : Infinity;
    for (const [index, key] of keys.entries()) {
      key.due += ((callers[index] ?? 0) * STEP) / 1000;
      if (at % 500 === 0) key.refused /= 2;
      for (; key.due >= 1; key.due--) {
        key.came++;
        if (shedding && !mayEnter(shedding.limit, share, calls.length, own[index] ?? 0)) {
          key.refused++;
          refused++;
        } else {
          calls.push({ key: index, left: 10 });
          own[index] = (own[index] ?? 0) + 1;
        }
      }
    }
    // Each wants a hundredth of the processor; what is not done in time waits, and is done late.
    const want = (calls.length * STEP) / 100;
    backlog = Math.max(0, backlog + want - STEP);
    for (const call of calls) call.left -= STEP / 100;
    for (let i = calls.length - 1; i >= 0; i--) {
      const call = calls[i];
      if (!call || call.left > 0) continue;
      const key = keys[call.key];
      if (key && at > seconds * 500) key.done++;
      calls.splice(i, 1);
    }
    const most = Math.max(...own);
    const busy = Math.min(1, (want + backlog) / STEP);
    const reading = {
      elapsedMs: STEP,
      delayMs: backlog,
      busy,
      memory: 0.1,
      inFlight: calls.length,
      refused,
      isUneven: most > calls.length / 2,
    };
    pressure = look(pressure, reading, RULES);
    refused = 0;
    if (at > seconds * 500) worst = Math.max(worst, backlog);
  }
  const half = seconds / 2;
  return { rates: keys.map(({ done }) => done / half), lost: keys.map((key) => key.refused), worst };
}

describe('a server that is asked for more than it can', () => {
  it('still does what it can, and is not late', () => {
    const { rates, worst } = simulate([1000], 40);
    expect(rates[0]).toBeGreaterThan(90);
    expect(worst).toBeLessThan(100);
  });

  it('serves who asks little as if nothing were', () => {
    const { rates, lost } = simulate([1000, 5, 5, 5], 40);
    for (const rate of rates.slice(1)) expect(rate).toBeGreaterThan(4.8);
    expect(lost.slice(1)).toEqual([expect.closeTo(0), expect.closeTo(0), expect.closeTo(0)]);
    expect(rates[0]).toBeGreaterThan(70);
  });

  it('divides it equally between two that both ask for all', () => {
    const { rates } = simulate([1000, 400], 40);
    expect(Math.abs((rates[0] ?? 0) - (rates[1] ?? 0))).toBeLessThan(15);
  });

  it('refuses nobody where it is enough', () => expect(simulate([60, 20], 20).lost).toEqual([0, 0]));
});
