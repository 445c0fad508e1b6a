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

const OPENS_AT = 5;
const FIRST_MS = 5000;
const LONGEST_MS = 60_000;
/** A probe that has not ended by then is given up: another may be made. */
const PROBE_MS = 60_000;

/** Whether calls may go through. */
export type BreakerState = 'closed' | 'open' | 'half-open';

/** `half-open`: the next one through is the probe; while it runs it is open for the others. */
export function stateOf({ opened, until, probeUntil }: Breaker, now: number): BreakerState {
  if (opened === 0) return 'closed';
  return now < until || now < probeUntil ? 'open' : 'half-open';
}

/** After a failure. The fifth in a row opens it, a failed probe opens it for twice as long. */
export function afterFailure(breaker: Breaker, now: number, isProbe: boolean): Breaker {
  // Calls that were under way when it opened say nothing new.
  if (breaker.opened > 0 && !isProbe) return breaker;
  const failures = breaker.failures + 1;
  if (failures < OPENS_AT) return { ...breaker, failures };
  const opened = breaker.opened + 1;
  return { failures, opened, until: now + Math.min(LONGEST_MS, FIRST_MS * 2 ** (opened - 1)), probeUntil: 0 };
}

/** A probe has begun. */
export const withProbe = (breaker: Breaker, now: number): Breaker => ({ ...breaker, probeUntil: now + PROBE_MS });

/** The probe came to no end that says anything: its client left. */
export const withoutProbe = (breaker: Breaker): Breaker => (breaker.probeUntil === 0 ? breaker : { ...breaker, probeUntil: 0 });
