import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import { WaitingTexts } from './waiting-texts.ts';

const LENGTHS = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1000, max: 5000 }));

it('gives back every text, in the order in which they came', () => {
  fc.assert(
    fc.property(fc.array(fc.option(LENGTHS)), (steps) => {
      const waiting = new WaitingTexts();
      const model: string[] = [];
      for (const [at, length] of steps.entries()) {
        if (length === null) expect(waiting.shift()).toBe(model.shift());
        else {
          const text = String.fromCodePoint(0x4e00 + at).repeat(length);
          waiting.push(text);
          model.push(text);
        }
        expect(waiting.isEmpty).toBe(model.length === 0);
      }
      while (model.length > 0) expect(waiting.shift()).toBe(model.shift());
      expect(waiting.isEmpty).toBe(true);
    }),
  );
});
