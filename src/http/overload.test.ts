import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createOverload, type Gauges, type Overload, systemGauges } from './overload.ts';

const LIMITS = { calls: 10_000, bodies: 2 ** 30, overload: { shed: true, delayMs: 100 } };

/** Each look finds that so much time has gone by, and that the processor was had for so much of it. */
let turn: { elapsedMs: number; busy: number; ranMs: number };
let now: number;
let memory: number;
const gauges: Gauges = {
  now: () => (now += turn.elapsedMs),
  busy: () => turn.busy,
  ran: () => turn.ranMs,
  waited: () => 0,
  memory: () => memory,
};
const CALM = { elapsedMs: 20, busy: 0.3, ranMs: 6 };
const LATE = { elapsedMs: 200, busy: 1, ranMs: 200 };

let overload: Overload;
let told: (string | undefined)[];
const begin = (shed = true): void => {
  overload = createOverload(
    () => ({ ...LIMITS, overload: { ...LIMITS.overload, shed } }),
    (reason) => void told.push(reason),
    gauges,
  );
};
beforeEach(() => {
  vi.useFakeTimers();
  now = 0;
  memory = 0.1;
  told = [];
  turn = CALM;
});
afterEach(() => {
  overload.stop();
  vi.useRealTimers();
});

/** Looks so often. */
const look = (times: number): void => void vi.advanceTimersByTime(times * 20);
const isIn = (key: string): boolean => typeof overload.enter(key) === 'function';
/** So many come; how many are let in. */
const come = (many: number, key = 'a'): number => Array.from({ length: many }, () => isIn(key)).filter(Boolean).length;

describe('an event loop that is late', () => {
  it('lets a burst in, and who comes while it drains', () => {
    begin();
    expect(come(1000)).toBe(1000);
    turn = LATE;
    for (let i = 0; i < 10; i++) {
      look(1);
      expect(come(2)).toBe(2);
    }
    expect(told).toEqual([]);
  });

  it('has a flood refused, the key that asks for most first, and takes all again when it is over', () => {
    begin();
    turn = LATE;
    let [asked, taken] = [0, 0];
    for (let many = 50; many < 2000; many *= 1.3) {
      asked += Math.floor(many);
      taken += come(Math.floor(many));
      look(1);
    }
    expect(taken).toBeLessThan(asked);
    expect(told).toEqual(['delay']);
    expect(isIn('a')).toBe(false);
    expect(isIn('b')).toBe(true);
    turn = CALM;
    look(60);
    expect(told).toEqual(['delay', undefined]);
    expect(isIn('a')).toBe(true);
  });

  it('says so where it is refused for another reason by now, but not each time where they take turns', () => {
    begin();
    turn = LATE;
    for (let many = 50; many < 2000; many *= 1.3) {
      come(Math.floor(many));
      look(1);
    }
    expect(told).toEqual(['delay']);
    for (let times = 0; times < 10; times++) {
      for (memory of [1.1, 0.1]) {
        come(1);
        look(4);
      }
    }
    expect(told.length).toBeLessThanOrEqual(4);
    memory = 1.1;
    for (let times = 0; times < 40; times++) {
      come(1);
      look(1);
    }
    expect(told.at(-1)).toBe('memory');
    expect(told.every((reason, at) => reason !== undefined && reason !== told[at - 1])).toBe(true);
  });

  it('waits for a processor that others have: nobody is refused', () => {
    begin();
    turn = { ...LATE, ranMs: 60 };
    for (let many = 50; many < 2000; many *= 1.3) {
      expect(come(Math.floor(many))).toBe(Math.floor(many));
      look(1);
    }
  });

  it('is no matter where that is off', () => {
    begin(false);
    turn = LATE;
    for (let many = 50; many < 2000; many *= 1.3) {
      expect(come(Math.floor(many))).toBe(Math.floor(many));
      look(1);
    }
  });
});

it('memory is what it was last where no file can be opened to ask', () => {
  const gauges = systemGauges();
  const settings = { shed: true, delayMs: 100, memoryBytes: 2 ** 40 };
  const before = gauges.memory(settings);
  const asked = vi.spyOn(process.memoryUsage, 'rss').mockImplementation(() => {
    throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
  });
  expect(gauges.memory(settings)).toBeCloseTo(before, 2);
  expect(asked).toHaveBeenCalled();
  asked.mockRestore();
});
