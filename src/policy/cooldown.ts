/** A time in which a credential is not used, because the provider said so or refuses it. */
export interface Cooldown {
  readonly why: 'cooldown' | 'credential_bad' | 'quota_exhausted';
  /** Monotonic milliseconds. */
  readonly until: number;
  /** How often in a row it was refused. */
  readonly times: number;
}

const REPROBE_MS = 30_000;
const LONGEST_REPROBE_MS = 600_000;
/** The longest that a provider's `Retry-After` is believed. */
const LONGEST_WAIT_MS = 3_600_000;

/** A credential that was refused (401, 403), or has nothing left to spend: it is tried again after a while that doubles. */
export function afterRefusal(before: Cooldown | undefined, why: Exclude<Cooldown['why'], 'cooldown'>, now: number): Cooldown {
  const isAgain = before !== undefined && before.why !== 'cooldown';
  const times = isAgain ? before.times + (now >= before.until ? 1 : 0) : 1;
  return { why, times, until: now + Math.min(LONGEST_REPROBE_MS, REPROBE_MS * 2 ** (times - 1)) };
}

/** A provider named a time to come back. The later of two counts. */
export function afterWaitAsked(before: Cooldown | undefined, retryAfterMs: number, now: number): Cooldown {
  const until = now + Math.min(retryAfterMs, LONGEST_WAIT_MS);
  return before && before.until > until ? before : { why: 'cooldown', times: 0, until };
}
