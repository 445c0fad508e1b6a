import { expect, it } from 'vitest';
import type { Measured } from './part.ts';
import { CALLS, ROUTED } from './pairs.ts';
import { deadline, lastOne, opening } from './set-aside.ts';

async function brokenOf(rows: AsyncIterable<Measured>, many: number): Promise<readonly Measured[]> {
  const all: Measured[] = [];
  for await (const row of rows) all.push(row);
  expect(all).toHaveLength(many);
  return all.filter(({ isKept }) => !isKept);
}

it('five failures in a row have calls go elsewhere, at every endpoint', async () => {
  expect(await brokenOf(opening(), CALLS.length)).toEqual([]);
}, 60_000);

it('the last target of a route is asked however it fails, at every endpoint', async () => {
  expect(await brokenOf(lastOne(3), CALLS.length)).toEqual([]);
}, 60_000);

// Longer and later than is promised: machines that test are busy. A second target that had all of its own time would end later still.
it('a call that nobody answers ends in its time, whatever is tried, at every endpoint', async () => {
  expect(await brokenOf(deadline({ calls: 1, totalMs: 4000, lateMs: 2500 }), ROUTED.length)).toEqual([]);
}, 60_000);
