import { createConversations } from '../../policy/conversations.ts';
import { createHealth, type HealthFact } from '../../policy/health.ts';
import type { HealthNews } from '../../policy/health-news.ts';
import type { LiveSignals } from '../../policy/live-signals.ts';
import { createRetryBudget, type RetryLimits, USUAL_LIMITS } from '../../policy/retry.ts';
import { createCounterWaits } from '../counter-waits.ts';
import type { Clock } from '../ports.ts';
import { createMinutes } from './minutes.ts';
import { createSlots } from './slots.ts';
import type { Trying } from './walking.ts';

/** What trying depends on besides the clock. */
export interface TryingOptions {
  /** From 0 up to, not including, 1. */
  readonly random?: () => number;
  /** Processes that do the same work: each may spend its part of what all of them may. Default 1. */
  readonly processes?: number;
  /** What bounds repetitions, in force now; absent: as usual. */
  readonly limits?: () => RetryLimits;
  /** Told of each thing that changes what is remembered, for the others' `health.learn`. */
  readonly tell?: (fact: HealthFact) => void;
  /** Told what an operator is to know of targets, keys and providers. */
  readonly news?: (news: HealthNews) => void;
}

/** What trying remembers, empty. What it learns of targets is told to `signals`, which decisions read. */
export function createTrying(
  { mark }: Pick<LiveSignals, 'mark'>,
  { now, monotonic }: Clock,
  { random = Math.random, processes = 1, limits = () => USUAL_LIMITS, tell, news }: TryingOptions = {},
): Trying {
  return {
    health: createHealth({ monotonic, now, mark, ...(tell ? { tell } : {}), ...(news ? { news } : {}) }),
    budget: createRetryBudget(monotonic, processes, limits),
    hedges: createRetryBudget(monotonic, processes, () => ({ ...limits(), share: limits().hedges })),
    slots: createSlots(),
    minutes: createMinutes(monotonic),
    counterWaits: createCounterWaits(monotonic),
    conversations: createConversations(),
    limits,
    monotonic,
    random,
  };
}
