import { describe, expect, it } from 'vitest';
import { atRest, CALM, fairShare, look, mayEnter, type OverloadRules, type Pressure, type Reading } from './overload.ts';

const RULES: OverloadRules = { delayMs: 100, calls: 10_000 };
const READING: Reading = {
  elapsedMs: 20,
  delayMs: 0,
  busy: 0.5,
  ranMs: 10,
  memory: 0.5,
  inFlight: 200,
  came: 0,
  ended: 0,
  refused: 0,
};

type Runs = readonly (readonly [changes: Partial<Reading>, times: number])[];

/** Looks again and again: readings and how many of each. Calls above the limit have been refused. */
const after = (...runs: Runs): Pressure => from(CALM, ...runs);

/** The same, after what was before. */
function from(before: Pressure, ...runs: Runs): Pressure {
  let pressure = before;
  for (const [changes, times] of runs) {
    for (let i = 0; i < times; i++) {
      const asked = changes.inFlight ?? READING.inFlight;
      const inFlight = Math.min(asked, Math.ceil(pressure.shedding?.limit ?? Infinity));
      pressure = look(pressure, { ...READING, refused: asked - inFlight, ...changes, inFlight }, RULES);
    }
  }
  return pressure;
}

/** Why calls have been refused at the end, if they have. */
const reasonOf = ({ shedding }: Pressure): string | undefined => (shedding?.isBurst === false ? shedding.reason : undefined);

/** A turn of the event loop that is all work, and what is under way after it. */
const turn = (ms: number, inFlight = 200): Partial<Reading> => ({
  elapsedMs: ms,
  delayMs: Math.max(0, ms - 20),
  busy: 1,
  ranMs: ms,
  inFlight,
});
/** The same, where others on the machine have the processor for most of the time: it waits for one, which is no idling. */
const starved = (ms: number, share: number, inFlight = 200): Partial<Reading> => ({ ...turn(ms, inFlight), ranMs: ms * share });
/** Turns in which ever more are under way, by this factor each. */
const flood = (turns: number, ms: number, from: number, times: number): Runs =>
  Array.from({ length: turns }, (_, index) => [turn(ms, from * times ** index), 1] as const);

const LATE = turn(170);
const FLOOD: Runs = [
  [LATE, 8],
  [turn(170, 400), 1],
];

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
    {
      name: 'not for two thousand connections at once, nor for who comes while they are served',
      runs: [
        [turn(300, 0), 1],
        [turn(1200, 2000), 1],
        [turn(900, 2020), 1],
        [turn(400, 1950), 3],
        [turn(200, 900), 3],
        [{}, 5],
      ],
      reason: undefined,
    },
    {
      name: 'not for two thousand that come within a second, on a server that serves a thousand',
      runs: [[turn(60, 100), 2], ...flood(5, 200, 400, 1.5), [turn(250, 2025), 6], [{}, 5]],
      reason: undefined,
    },
    {
      name: 'not for a crowd that comes over some long turns, of which each alone would be late enough',
      runs: [...flood(6, 320, 300, 1.45), [turn(250, 2000), 1], [turn(150, 1500), 2], [{}, 5]],
      reason: undefined,
    },
    {
      name: 'not for a thousand streams that open together and then run',
      runs: [
        [turn(400, 0), 1],
        [turn(700, 1000), 1],
        [turn(180, 1000), 10],
        [turn(180, 1100), 10],
        [turn(60, 1000), 100],
      ],
      reason: undefined,
    },
    {
      name: 'not for a machine that others keep busy, whatever comes',
      runs: [...flood(50, 170, 10, 1.2).map(([, times]) => [starved(170, 0.3, 500), times] as const), ...flood(20, 60, 10, 1.2)],
      reason: undefined,
    },
    {
      name: 'not for work that is none of ours: it idles',
      runs: flood(20, 170, 10, 1.2).map(([one, times]) => [{ ...one, busy: 0.4 }, times]),
      reason: undefined,
    },
    {
      name: 'not at the start, when all is slow and few call',
      runs: [
        [turn(400, 3), 1],
        [turn(150, 4), 30],
      ],
      reason: undefined,
    },
    {
      name: 'not for such a start with a burst on a machine that others keep busy',
      runs: [
        [starved(900, 0.4, 0), 1],
        [starved(3000, 0.4, 400), 1],
        [starved(900, 0.4, 420), 4],
        [{}, 5],
      ],
      reason: undefined,
    },
    { name: 'when the event loop stays late and ever more come', runs: flood(14, 170, 100, 1.2), reason: 'delay' },
    {
      name: 'also on a machine that others keep busy, where it is late by its own work',
      runs: flood(14, 500, 100, 1.2).map(([one, times]) => [{ ...one, ranMs: 200 }, times]),
      reason: 'delay',
    },
    { name: 'when it stays late and nothing drains, though no more are under way', runs: [[LATE, 50]], reason: 'delay' },
    { name: 'not when it is a little late', runs: flood(14, 70, 100, 1.2), reason: undefined },
    { name: 'at once when memory is full', runs: [[{ memory: 1.01 }, 1]], reason: 'memory' },
    { name: 'near the cap on calls', runs: [[{ inFlight: 9001 }, 1]], reason: 'calls' },
  ])('$name', ({ runs, reason }) => expect(reasonOf(after(...runs))).toBe(reason));

  it.each<{ name: string; runs: Runs; isOver: boolean }>([
    {
      name: 'a second without refusals ends it',
      runs: [...FLOOD, [{}, 60]],
      isOver: true,
    },
    {
      name: 'refusals keep it',
      runs: [...FLOOD, [{ refused: 1 }, 60]],
      isOver: false,
    },
    { name: 'so does memory that is full', runs: [[{ memory: 1.1 }, 100]], isOver: false },
  ])('until: $name', ({ runs, isOver }) => expect(after(...runs).shedding === undefined).toBe(isOver));

  it('more and more of them while it stays late, fewer when it does not', () => {
    const first = after(...FLOOD).shedding?.limit ?? 0;
    const later = after(...FLOOD, [{ ...LATE, inFlight: 100, refused: 9 }, 5]).shedding?.limit ?? 0;
    const back = after(...FLOOD, [{ ...LATE, inFlight: 100, refused: 9 }, 5], [{ inFlight: 100, refused: 9 }, 20]).shedding?.limit ?? 0;
    expect(first).toBeLessThan(332);
    expect(later).toBeLessThan(first);
    expect(back).toBeGreaterThan(later);
  });

  it('never all of them: without calls nothing would tell that it is over', () => {
    expect(after(...FLOOD, [{ ...LATE, inFlight: 0, refused: 9 }, 200]).shedding?.limit).toBeGreaterThanOrEqual(4);
  });
});

describe('what calls take', () => {
  /** A server with much to do, whose calls take so long each, and that is not late. */
  const taking = (ms: number): Runs => [[{ ...turn(100, 50), delayMs: 0, came: 100 / ms, ended: 100 / ms }, 100]];
  /** Calls that come faster than they are served: how many are under way at most while it is late for so long. */
  const most = (before: Pressure, came: number, ended: number): number => {
    let pressure = before;
    let inFlight = 50;
    let top = 0;
    for (let at = 0; at < 40; at++) {
      inFlight = Math.min(inFlight + came, pressure.shedding?.limit ?? Infinity);
      top = Math.max(top, inFlight);
      pressure = look(pressure, { ...READING, ...turn(150, inFlight), came, ended }, RULES);
    }
    return top;
  };

  it.each<{ name: string; ms: number; came: number; least: number; most: number }>([
    { name: 'heavy ones: what ten seconds are enough for is let in', ms: 40, came: 60, least: 200, most: 800 },
    { name: 'light ones: so are many more', ms: 2, came: 200, least: 4000, most: 10_000 },
  ])('bounds how many may come at once: $name', ({ ms, came, least, most: limit }) => {
    const many = most(after(...taking(ms)), came, 150 / ms);
    expect(many).toBeGreaterThan(least);
    expect(many).toBeLessThan(limit);
  });

  it('is still known after a rest, and not told by a server that mostly waits', () => {
    const known = after(...taking(20), [{ ended: 1000, busy: 0.2, ranMs: 4 }, 1000]);
    expect(atRest(known)).toEqual({ ...CALM, cost: known.cost });
    expect(known.cost.callMs).toBeCloseTo(20);
  });

  it('of a mix is not what the quick ones took that have ended, while those that are more work go on', () => {
    // Of three that come two are quick and end at once; the third is most of the work, and none has ended yet.
    const mixed = from(after(...taking(20)), [{ ...turn(100, 500), delayMs: 0, came: 15, ended: 10 }, 40]);
    expect(mixed.cost.callMs).toBeGreaterThan(15);
  });

  it('of many that have just come is not what the few took that have ended', () => {
    const streams = from(CALM, [{ ...turn(150, 1000), delayMs: 0, came: 250 }, 4], [{ ...turn(150, 1000), delayMs: 0, ended: 4 }, 4]);
    expect(reasonOf(from(streams, [turn(150, 1000), 8], [turn(150, 1100), 4]))).toBeUndefined();
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

/**
 * A server whose calls are streams of a second that take 10 ms of the processor: 100 a second are what it can. What it does not get
 * done waits, and its event loop takes up to 1 ms of each call in a turn.
 */
function simulate(callers: readonly number[], seconds: number) {
  const STEP = 20;
  const calls: { readonly key: number; came: number; done: number }[] = [];
  const keys = callers.map(() => ({ due: 0, refused: 0, done: 0 }));
  let pressure = CALM;
  let worst = 0;
  let [came, ended] = [0, 0];
  for (let at = 0; at < seconds * 1000; at += STEP) {
    const isCounted = at > seconds * 500;
    let refused = 0;
    const own = keys.map((_, key) => calls.filter((call) => call.key === key).length);
    const wanted = keys.map((key, index) => (own[index] ?? 0) + key.refused / 2);
    const { shedding } = pressure;
    const share = shedding ? fairShare(wanted, shedding.limit) : Infinity;
    for (const [index, key] of keys.entries()) {
      key.due += ((callers[index] ?? 0) * STEP) / 1000;
      if (at % 500 === 0) key.refused /= 2;
      for (; key.due >= 1; key.due--) {
        if (shedding && !mayEnter(shedding.limit, share, calls.length, own[index] ?? 0)) {
          key.refused++;
          refused++;
        } else {
          calls.push({ key: index, came: 0, done: 0 });
          came++;
          own[index] = (own[index] ?? 0) + 1;
        }
      }
    }
    for (const call of calls) call.came = Math.min(10, call.came + STEP / 100);
    const work = calls.reduce((sum, call) => sum + call.came - call.done, 0);
    for (const call of calls) call.done += (call.came - call.done) * Math.min(1, STEP / work);
    for (let i = calls.length - 1; i >= 0; i--) {
      const call = calls[i];
      if (!call || call.done < 9.99) continue;
      const key = keys[call.key];
      if (key && isCounted) key.done++;
      calls.splice(i, 1);
      ended++;
    }
    const busy = Math.min(1, work / STEP);
    const delayMs = Math.min(calls.length, Math.max(0, work - STEP));
    const reading = { elapsedMs: STEP, delayMs, busy, ranMs: STEP * busy, memory: 0.1, inFlight: calls.length, came, ended, refused };
    [came, ended] = [0, 0];
    pressure = look(pressure, reading, RULES);
    if (isCounted) worst = Math.max(worst, delayMs);
  }
  const half = seconds / 2;
  return { rates: keys.map(({ done }) => done / half), lost: keys.map((key) => key.refused), worst };
}

describe('a server that is asked for more than it can', () => {
  it('still does what it can, and is not late', () => {
    const { rates, worst } = simulate([1000], 40);
    expect(rates[0]).toBeGreaterThan(90);
    expect(worst).toBeLessThan(200);
  });

  it('serves who asks little as if nothing were', () => {
    const { rates, lost } = simulate([1000, 5, 5, 5], 40);
    for (const rate of rates.slice(1)) expect(rate).toBeGreaterThan(4.8);
    expect(lost.slice(1)).toEqual([expect.closeTo(0), expect.closeTo(0), expect.closeTo(0)]);
    expect(rates[0]).toBeGreaterThan(70);
  });

  it('divides it equally between two that both ask for all', () => {
    const { rates } = simulate([1000, 400], 160);
    expect(Math.abs((rates[0] ?? 0) - (rates[1] ?? 0))).toBeLessThan(15);
  });

  it('refuses nobody where it is enough', () => expect(simulate([60, 20], 20).lost).toEqual([0, 0]));
});
