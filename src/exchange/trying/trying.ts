import { createHealth } from '../../policy/health.ts';
import type { LiveSignals } from '../../policy/live-signals.ts';
import { createRetryBudget } from '../../policy/retry.ts';
import { createSlots } from './slots.ts';
import type { Trying } from './walk.ts';

/** What trying remembers, empty. What it learns of targets is told to `signals`, which decisions read. */
export const createTrying = (signals: Pick<LiveSignals, 'mark'>, monotonic: () => number, random: () => number = Math.random): Trying => ({
  health: createHealth(monotonic, signals.mark),
  budget: createRetryBudget(monotonic),
  slots: createSlots(),
  monotonic,
  random,
});
