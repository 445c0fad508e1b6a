/** What is remembered of a place's failures. A plain value. */
export interface Breaker {
  /** In a row. */
  readonly failures: number;
  /** How often it has opened in a row. */
  readonly opened: number;
  /** Monotonic milliseconds until which nothing goes through; then one probe does. */
  readonly until: number;
  /** A probe is under way, at most until then. */
  readonly probeUntil: number;
}

/** Nothing has failed. */
export const CLOSED: Breaker = { failures: 0, opened: 0, until: 0, probeUntil: 0 };

/** When a breaker opens, and for how long. */
export interface BreakerRule {
  /** Failures in a row. */
  readonly failures: number;
  /** The first time; twice as long after each failed probe. */
  readonly firstMs: number;
  readonly longestMs: number;
}

/** Where the operator says nothing else. */
export const USUAL_RULE: BreakerRule = { failures: 5, firstMs: 5000, longestMs: 60_000 };

/** A probe that has not ended by then is given up: another may be made. */
const PROBE_MS = 60_000;

/** Whether calls may go through. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** `half-open`: the next one through is the probe; while it runs it is open for the others. */
export function stateOf({ opened, until, probeUntil }: Breaker, now: number): BreakerState {
  if (opened === 0) return 'closed';
  return now < until || now < probeUntil ? 'open' : 'half-open';
}

/** After a failure. The last of so many in a row opens it, a failed probe opens it for twice as long. */
export function afterFailure(breaker: Breaker, now: number, isProbe: boolean, rule: BreakerRule = USUAL_RULE): Breaker {
  // Calls that were under way when it opened say nothing new.
  if (breaker.opened > 0 && !isProbe) return breaker;
  const failures = breaker.failures + 1;
  if (failures < rule.failures) return { ...breaker, failures };
  const opened = breaker.opened + 1;
  return { failures, opened, until: now + Math.min(rule.longestMs, rule.firstMs * 2 ** (opened - 1)), probeUntil: 0 };
}

/** A probe has begun. */
export const withProbe = (breaker: Breaker, now: number): Breaker => ({ ...breaker, probeUntil: now + PROBE_MS });

/** The probe came to no end that says anything: its client left. */
export const withoutProbe = (breaker: Breaker): Breaker => (breaker.probeUntil === 0 ? breaker : { ...breaker, probeUntil: 0 });
