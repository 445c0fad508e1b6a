import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createHeldBytes } from './held-bytes.ts';

it('gives back what came, whatever the pieces', () => {
  const sizes = fc.array(fc.oneof(fc.nat(40), fc.integer({ min: 900, max: 1100 }), fc.constant(17_000)), { maxLength: 120 });
  fc.assert(
    fc.property(sizes, (lengths) => {
      const held = createHeldBytes();
      const pieces = lengths.map((length, at) => Buffer.alloc(length, at));
      for (const piece of pieces) held.add(piece);
      expect(held.length()).toBe(lengths.reduce((sum, length) => sum + length, 0));
      expect(held.whole().equals(Buffer.concat(pieces))).toBe(true);
    }),
  );
});

it('takes little more than its bytes where they come one by one', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const used = (): number => {
    collect();
    const { heapUsed, external } = process.memoryUsage();
    return heapUsed + external;
  };
  const held = createHeldBytes();
  const before = used();
  for (let count = 0; count < 1_000_000; count++) held.add(Buffer.from([count & 255]));
  expect(used() - before).toBeLessThan(8 * 2 ** 20);
  expect(held.whole().subarray(0, 300)).toEqual(Buffer.from(Array.from({ length: 300 }, (_, at) => at & 255)));
});
