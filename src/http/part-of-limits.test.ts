import { totalmem } from 'node:os';
import { describe, expect, it } from 'vitest';
import { testConfig } from '../../test/server.ts';
import { partOfLimits } from './part-of-limits.ts';

const { limits } = testConfig();

describe('of limits that count for all processes', () => {
  it('one alone has all', () => {
    expect(partOfLimits(1)(limits)).toBe(limits);
  });

  it('each has its part: never less than one call', () => {
    const three = partOfLimits(3);
    const overload = { ...limits.overload, memoryBytes: 3000 };
    const parted = { calls: 34, connections: 67, overload: { memoryBytes: 1000 } };
    expect(three({ ...limits, calls: 100, connections: 200, overload })).toMatchObject(parted);
    expect(three({ ...limits, calls: 1, overload }).calls).toBe(1);
  });

  it('the memory of the machine is parted as well, where no other is given', () => {
    const { memoryBytes = 0 } = partOfLimits(4)({ ...limits, overload: { ...limits.overload } }).overload;
    expect(memoryBytes).toBeGreaterThan(0);
    expect(memoryBytes).toBeLessThan(totalmem() / 4);
  });

  it('is made once for a configuration', () => {
    const two = partOfLimits(2);
    expect(two(limits)).toBe(two(limits));
  });
});
