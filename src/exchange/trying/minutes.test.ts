import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createLedgers, createMinutes, type Full, type Held, type Taking } from './minutes.ts';

const MINUTE = 60_000;
const place = { place: 'p', title: 'A key' };
const ONE: Taking = { requests: 1, tokens: 1 };

/** A call that comes so much later than the one before it, is expected to take so much, and really takes so much. */
const call = fc.record({
  afterMs: fc.oneof(
    fc.double({ min: 0, max: 500, noNaN: true }),
    fc.double({ min: 0, max: 70_000, noNaN: true }),
    // Where a minute ends.
    fc.double({ min: 59_800, max: 60_200, noNaN: true }),
  ),
  expected: fc.integer({ min: 0, max: 60 }),
  really: fc.option(fc.integer({ min: 0, max: 60 })),
  /** Calls that come before it is known what it took. */
  settledAfter: fc.integer({ min: 0, max: 5 }),
});

interface Started {
  readonly at: number;
  tokens: number;
}

const within = (started: readonly Started[], now: number): readonly Started[] => started.filter(({ at }) => now - at <= MINUTE);

const sum = (started: readonly Started[]): number => started.reduce((all, { tokens }) => all + tokens, 0);

describe('a minute', () => {
  it('never lets more than so many requests start within any 60 seconds, and refuses none that would stay below within 60.1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 8 }), fc.array(call, { maxLength: 60 }), (rpm, calls) => {
        let now = 12_345.678;
        const ledgers = createLedgers(() => now);
        const starts: number[] = [];
        for (const { afterMs } of calls) {
          now += afterMs;
          const counted = ledgers.count({ ...place, rpm }, { requests: 1, tokens: 0 });
          if (!('freeInMs' in counted)) starts.push(now);
          else expect(starts.filter((at) => now - at < MINUTE + 100).length).toBeGreaterThanOrEqual(rpm);
          expect(starts.filter((at) => now - at <= MINUTE).length).toBeLessThanOrEqual(rpm);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('tells when there is room: not a millisecond before, and then there is', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 20, max: 100 }),
        fc.array(call, { maxLength: 60 }),
        (rpm, tpm, calls) => {
          let now = 1;
          const minute = { ...place, rpm, tpm };
          const ledgers = createLedgers(() => now);
          for (const { afterMs, expected } of calls) {
            now += afterMs;
            const taking = { requests: 1, tokens: expected };
            const counted = ledgers.count(minute, taking);
            if (!('freeInMs' in counted)) continue;
            now += counted.freeInMs - 1;
            expect('freeInMs' in ledgers.count(minute, taking)).toBe(true);
            now += 1.001;
            expect(ledgers.count(minute, taking)).toEqual({ at: expect.any(Number) });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it('lets a call in only where its tokens fit beside those of the calls that began within 60 seconds, as far as they are known', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.array(call, { maxLength: 60 }), (tpm, calls) => {
        let now = 0;
        const minutes = createMinutes(() => now);
        const started: Started[] = [];
        const settling: { readonly at: number; readonly settle: () => void }[] = [];
        for (const [index, { afterMs, expected, really, settledAfter }] of calls.entries()) {
          now += afterMs;
          for (const due of settling.filter(({ at }) => at === index)) due.settle();
          const before = sum(within(started, now));
          const taken = minutes.take({ ...place, tpm }, { requests: 1, tokens: expected }) as Held | Full;
          if ('freeInMs' in taken) continue;
          // One that is larger than the whole minute has it for itself.
          if (expected > 0) expect(before + Math.min(expected, tpm)).toBeLessThanOrEqual(tpm);
          const mine: Started = { at: now, tokens: expected };
          started.push(mine);
          if (really === null) continue;
          const settle = (): void => {
            taken.settle({ requests: 1, tokens: really });
            mine.tokens = really;
          };
          settling.push({ at: index + settledAfter, settle });
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('counts what a call has taken that was longer than a minute when it ends', () => {
    let now = 0;
    const minutes = createMinutes(() => now);
    const limited = { ...place, tpm: 1000 };
    const long = minutes.take(limited, { requests: 1, tokens: 10 }) as Held;
    now = 90_000;
    expect(minutes.fullForMs(limited)).toBe(0);
    long.settle({ requests: 1, tokens: 1510 });
    expect(minutes.fullForMs(limited)).toBe(60_100);
    now += 60_100;
    expect(minutes.fullForMs(limited)).toBe(0);
  });

  it('has the place again of a call that sent nothing', () => {
    const minutes = createMinutes(() => 5);
    const minute = { ...place, rpm: 1, tpm: 10 };
    for (let round = 0; round < 3; round++) {
      const taken = minutes.take(minute, { requests: 1, tokens: 10 }) as Held;
      expect(minutes.fullForMs(minute)).toBeGreaterThan(60_000);
      taken.settle({ requests: 0, tokens: 0 });
      expect(minutes.fullForMs(minute)).toBe(0);
    }
  });

  it('says which limit is reached', () => {
    const ledgers = createLedgers(() => 5);
    ledgers.count({ ...place, rpm: 2 }, { requests: 1, tokens: 9 });
    expect(ledgers.count({ ...place, rpm: 1 }, ONE)).toMatchObject({ by: 'rpm' });
    expect(ledgers.count({ ...place, rpm: 2, tpm: 9 }, ONE)).toMatchObject({ by: 'tpm' });
    expect(ledgers.count({ ...place, rpm: 2, tpm: 10 }, ONE)).toEqual({ at: 0 });
  });

  it('has never room for more requests than it may have', () => {
    const ledgers = createLedgers(() => 5);
    expect(ledgers.count({ ...place, rpm: 3 }, { requests: 4, tokens: 0 })).toEqual({ by: 'rpm', freeInMs: Infinity });
    expect(ledgers.size()).toBe(0);
  });

  it('counts all the same after its limits are changed', () => {
    const ledgers = createLedgers(() => 5);
    for (let at = 0; at < 5; at++) ledgers.count({ ...place, rpm: 5 }, ONE);
    expect(ledgers.fullForMs({ ...place, rpm: 4 })).toBeGreaterThan(0);
    expect(ledgers.fullForMs({ ...place, rpm: 6 })).toBe(0);
    expect(ledgers.fullForMs(place)).toBe(0);
    expect(ledgers.fullForMs({ ...place, place: 'another', rpm: 1 })).toBe(0);
  });

  it('keeps no more than 601 parts of it, however much is let in', () => {
    let now = 0;
    const ledgers = createLedgers(() => now);
    for (let at = 0; at < 200_000; at++) {
      now += 3;
      expect('at' in ledgers.count({ ...place, rpm: 1_000_000 }, ONE)).toBe(true);
    }
    expect(ledgers.size()).toBeLessThanOrEqual(601);
    now += 61_000;
    ledgers.count({ ...place, place: 'another' }, ONE);
    expect(ledgers.size()).toBe(1);
  });
});
