import type { Candidate } from './candidate.ts';

/** Why a target is not to be tried now. */
export type OutReason = 'circuit_open' | 'cooldown' | 'unhealthy' | 'credential_bad' | 'quota_exhausted' | 'concurrency_full';

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
  /** Whether a target takes no more calls now; absent: all of them have room. */
  readonly isFull?: IsFull;
}

/** Whether a target takes no more calls at once than it has. */
export type IsFull = (target: Pick<Candidate, 'provider' | 'model' | 'rooms'>) => boolean;

/** A moment at which nothing is known: the first of everything is taken. */
export const NO_SIGNALS: Signals = { random: 0, turns: new Map(), targets: new Map() };
