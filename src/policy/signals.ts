import type { Candidate } from './candidate.ts';

/** Why a target is not to be tried now. */
export type OutReason = 'circuit_open' | 'cooldown' | 'unhealthy' | 'credential_bad' | 'quota_exhausted' | FullReason;

/** Why a target takes no more calls now: of calls at once, or in this minute. */
export type FullReason = 'concurrency_full' | 'local_rate_limit';

/** Whether a reason says that a target is full. */
export const isFullReason = (reason: string): reason is FullReason => reason === 'concurrency_full' || reason === 'local_rate_limit';

/** What is known of a target at this moment. */
export interface TargetSignals {
  /** Calls under way. */
  readonly busy?: number;
  /** Moving average of the time to the first token, in milliseconds. */
  readonly firstTokenMs?: number;
  /** Moving average of the tokens of answers in a second, from the call to its end. */
  readonly tokensPerSecond?: number;
  readonly out?: OutReason;
}

/** Something looked up by name. */
export interface Lookup<V> {
  readonly size: number;
  get(name: string): V | undefined;
}

/** Everything that changes between two equal calls and that a decision reads: a plain value, so that it can be taken again. */
export interface Signals {
  /** From 0 up to, not including, 1. */
  readonly random: number;
  /** How many turns each route has taken, by its name. */
  readonly turns: Lookup<number>;
  /** By `provider/model`, or `provider` for all of it. */
  readonly targets: Lookup<TargetSignals>;
  /** Why a target takes no more calls now; absent: all of them have room. */
  readonly whyFull?: WhyFull;
}

/** Why a target takes no more calls now; `undefined`: it has room. */
export type WhyFull = (target: Pick<Candidate, 'provider' | 'model' | 'rooms'>) => FullReason | undefined;

/** A moment at which nothing is known: the first of everything is taken. */
export const NO_SIGNALS: Signals = { random: 0, turns: new Map(), targets: new Map() };
