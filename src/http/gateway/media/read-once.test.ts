import { expect, it } from 'vitest';
import { readOnce } from './read-once.ts';

it('is read when it is first asked for, and once for all that ask in a row', () => {
  let count = 0;
  const read = readOnce(() => ({ count: ++count }));
  expect(count).toBe(0);
  expect(Array.from({ length: 32 }, () => read().count)).toEqual(Array.from({ length: 32 }, () => 1));
});
