/** A time in which a credential is not used, because the provider said so or refuses it. */
export interface Cooldown {
  readonly why: 'cooldown' | 'credential_bad' | 'quota_exhausted';
  /** Monotonic milliseconds. */
  readonly until: number;
  /** How often in a row it was refused. */
  readonly times: number;
}

/** How long a credential is not used. */
export interface CooldownRule {
  /** One that was refused: the first time; twice as long after each refusal in a row. */
  readonly firstMs: number;
  readonly longestMs: number;
  /** The longest that a provider's `Retry-After` is believed. */
  readonly believedMs: number;
}

/** Where the operator says nothing else. */
export const USUAL_COOLDOWN: CooldownRule = { firstMs: 30_000, longestMs: 600_000, believedMs: 3_600_000 };

/** A credential that was refused (401, 403), or has nothing left to spend: it is tried again after a while that doubles. */
export function afterRefusal(
  before: Cooldown | undefined,
  why: Exclude<Cooldown['why'], 'cooldown'>,
  now: number,
  rule: CooldownRule = USUAL_COOLDOWN,
): Cooldown {
  const isAgain = before !== undefined && before.why !== 'cooldown';
  const times = isAgain ? before.times + (now >= before.until ? 1 : 0) : 1;
  return { why, times, until: now + Math.min(rule.longestMs, rule.firstMs * 2 ** (times - 1)) };
}

/** A provider named a time to come back. The later of two counts. */
export function afterWaitAsked(
  before: Cooldown | undefined,
  retryAfterMs: number,
  now: number,
  { believedMs }: Pick<CooldownRule, 'believedMs'> = USUAL_COOLDOWN,
): Cooldown {
  const until = now + Math.min(retryAfterMs, believedMs);
  return before && before.until > until ? before : { why: 'cooldown', times: 0, until };
}
