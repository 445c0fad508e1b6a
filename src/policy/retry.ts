import type { Fault } from '../ir/index.ts';
import { isMinuteFull } from './minute.ts';
import type { Failure } from './routes/route.ts';

/** What a fault says, and of whom. */
export interface Verdict {
  /**
   * Whose trouble it is. `client`: its own mistake, which no other place would make good. `limit`: the credential must wait.
   * `gateway`: ours. Only `credential`, `limit` and `target` say anything of an upstream's health.
   */
  readonly scope: 'client' | 'gateway' | 'credential' | 'limit' | 'target';
  /** With `credential`: it is not refused for what it is, but has nothing left to spend. */
  readonly quota?: true;
  /** Asking the same place once more may help. */
  readonly again: boolean;
  /** What a route may list to go elsewhere after it. */
  readonly failure?: Failure;
}

/** When the same place is asked again, and how long is waited before. */
export interface RetryRule {
  /** So often at most in one call; absent: as often as there are tries. */
  readonly times?: number;
  /** The most that is waited before the first time, at random; twice as much before each one after it. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** The longest `Retry-After` that a call waits for itself; a longer one is the caller's to wait for. */
  readonly askedMs: number;
  /** What fails later than that was worked on: it is not asked of the same place again. */
  readonly quickMs: number;
}

/** Where the operator says nothing else. */
export const USUAL_RETRY: RetryRule = { firstMs: 100, longestMs: 2000, askedMs: 2000, quickMs: 5000 };

/** Connections that did not come to be, or broke before an answer. */
const CONNECTION = new Set(['upstream_unreachable', 'upstream_unresolved', 'upstream_closed', 'upstream_cut']);

const TOO_LONG =
  /context[_ ]?(?:length|window)|maximum context|prompt is too long|too many (?:input )?tokens|exceeds? the (?:model'?s )?max\w* (?:number of |input |context )?tokens|input token count/i;
const REFUSED = /content[_ ]?(?:policy|filter|management)|safety system|moderation_blocked|data_?inspection|inappropriate content/i;

/** The failure that a refusal of a request is, where a route may have somewhere else to go with it. */
function failureOf({ kind, code = '', message }: Fault): Pick<Verdict, 'failure'> {
  if (kind !== 'bad_request' && kind !== 'too_large') return {};
  if (kind === 'too_large' || TOO_LONG.test(code) || TOO_LONG.test(message)) return { failure: 'context' };
  return REFUSED.test(code) || REFUSED.test(message) ? { failure: 'refused' } : {};
}

/** What is to be thought of a fault that ended a try. */
export function verdictOf(fault: Fault, { askedMs }: Pick<RetryRule, 'askedMs'> = USUAL_RETRY): Verdict {
  const { by, kind, code = '', retryAfterMs, quota } = fault;
  if (code === 'upstream_credential') return { scope: 'credential', again: false, failure: 'down', ...(quota ? { quota } : {}) };
  // Nobody was asked: it says nothing of anybody's health.
  if (isMinuteFull(fault)) return { scope: 'gateway', again: false, failure: 'rateLimited' };
  // What the gateway itself found of an upstream is a failure there; all else that it says is its own refusal.
  if (by === 'gateway' && kind !== 'upstream' && kind !== 'timeout') return { scope: 'gateway', again: false };
  const isSoon = retryAfterMs !== undefined && retryAfterMs <= askedMs;
  switch (kind) {
    case 'rate_limit':
      return { scope: 'limit', again: isSoon, failure: 'rateLimited' };
    case 'overloaded':
      return { scope: 'target', again: isSoon, failure: 'down' };
    case 'upstream':
    case 'timeout':
    case 'internal':
      return { scope: 'target', again: CONNECTION.has(code), failure: 'down' };
    default:
      return { scope: 'client', again: false, ...failureOf(fault) };
  }
}

/**
 * How long to wait before the same place is asked again: what it said, or anything up to a bound that doubles (full jitter), so
 * that those who failed together do not come back together. `random`: from 0 up to 1.
 */
export function waitMs(
  retry: number,
  random: number,
  { retryAfterMs }: Pick<Fault, 'retryAfterMs'>,
  { firstMs, longestMs }: Pick<RetryRule, 'firstMs' | 'longestMs'> = USUAL_RETRY,
): number {
  const jitter = random * Math.min(longestMs, firstMs * 2 ** (retry - 1));
  return (retryAfterMs ?? 0) + jitter;
}

/** Bounds how much of the traffic is repetition, all callers together. */
export interface RetryBudget {
  /** A call has come. */
  deposit(): void;
  /** Whether one more repetition may be made; counts it. */
  withdraw(): boolean;
}

/** What bounds the repetitions of all calls together. */
export interface RetryLimits {
  /** Tries of one call at most, wherever they go. */
  readonly tries: number;
  /** Repetitions for each call; `Infinity`: as many as there are. */
  readonly share: number;
  /** Tries beside slow ones for each call that may have one; `Infinity`: as many as there are. */
  readonly hedges: number;
  /** So many of either are possible however little goes on, all processes together; they come back one a second. */
  readonly reserve: number;
}

/** Where the operator says nothing else: one repetition for every ten calls. */
export const USUAL_LIMITS: RetryLimits = { tries: 3, share: 0.1, hedges: 0.1, reserve: 10 };

/** What calls leave for later is no more than that, all processes together. */
const MOST = 100;

/**
 * A repetition for every few calls, and some where there is little traffic: an upstream in trouble is not asked twice as often.
 * `processes`: so many share the load, each with its part of what does not come from calls. `limits`: those in force now.
 */
export function createRetryBudget(
  monotonic: () => number,
  processes = 1,
  limits: () => Pick<RetryLimits, 'share' | 'reserve'> = () => USUAL_LIMITS,
): RetryBudget {
  // However many share it, each gets to one in the end.
  const reserveOf = (all: number): number => (all === 0 ? 0 : Math.max(1, all / processes));
  let left = limits().reserve / processes;
  let at = monotonic();
  return {
    deposit() {
      const { share, reserve } = limits();
      // Nothing is counted where nothing is bounded: whatever bound comes later begins with what there was.
      if (share !== Infinity && left < Math.max(reserveOf(reserve), MOST / processes)) left += share;
    },
    withdraw() {
      const { share, reserve: all } = limits();
      if (share === Infinity) return true;
      const reserve = reserveOf(all);
      const now = monotonic();
      if (left < reserve) left = Math.min(reserve, left + (now - at) / 1000 / processes);
      at = now;
      if (left < 1) return false;
      left--;
      return true;
    },
  };
}
