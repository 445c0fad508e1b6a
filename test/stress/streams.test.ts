import { expect, it } from 'vitest';
import { runPairs } from './streams.ts';

it('every numbered event once and in order, through every pair, 16 streams at a time, however they are cut', async () => {
  const wrong: unknown[] = [];
  let events = 0;
  for await (const pair of runPairs(16, 250)) {
    events += pair.events;
    if (pair.wrong > 0) wrong.push(pair);
  }
  expect(wrong).toEqual([]);
  expect(events).toBe(16 * 16 * 250);
}, 60_000);
