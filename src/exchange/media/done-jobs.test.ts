import { expect, it } from 'vitest';
import { createDoneJobs } from './done-jobs.ts';

const MIB = 2 ** 20;

it('gives each away once', () => {
  const jobs = createDoneJobs<string>();
  jobs.put('a', 'made', 10);
  jobs.put('a', 'made anew', 20);
  expect([jobs.take('a'), jobs.take('a'), jobs.take('b')]).toEqual(['made anew', undefined, undefined]);
});

it.each([
  { name: 'many small ones', bytes: 100, all: 1500, left: 1000 },
  { name: 'some that hold films', bytes: 20 * MIB, all: 10, left: 3 },
  { name: 'those that are too large', bytes: 65 * MIB, all: 3, left: 0 },
])('of $name the last are remembered', ({ bytes, all, left }) => {
  const jobs = createDoneJobs<number>();
  for (let number = 0; number < all; number++) jobs.put(`job ${number}`, number, bytes);
  const known = Array.from({ length: all }, (_, number) => jobs.take(`job ${number}`)).filter((one) => one !== undefined);
  expect(known).toEqual(Array.from({ length: left }, (_, number) => all - left + number));
  // What was taken makes room.
  jobs.put('next', 1, Math.min(bytes, 64 * MIB));
  expect(jobs.take('next')).toBe(1);
});
