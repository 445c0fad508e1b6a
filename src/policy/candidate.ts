import type { ProtocolId } from '../ir/index.ts';
import type { Timeouts } from '../presets/preset.ts';
import type { Lack } from './needs.ts';
import type { Rule } from './rules.ts';
import type { Failure } from './routes/route.ts';
import type { OrderReason } from './routes/strategies.ts';
import type { OutReason } from './signals.ts';

/** Why a candidate stands where it stands: a closed list (docs/routing.md, Reason codes). */
export type ReasonCode =
  | 'alias'
  | 'pattern'
  | 'default'
  | 'pinned_by_request'
  | 'key_not_allowed'
  | 'model_unsupported'
  | 'disabled'
  | 'fallback'
  | 'hedge'
  | 'provider_filter'
  | 'data_retention'
  | 'region_excluded'
  | 'max_price'
  | 'price_unknown'
  | 'last_target'
  | 'cache_hit'
  | OrderReason
  | OutReason
  | Lack;

/** A provider and model that a call may go to, and whether it does. */
export interface Candidate {
  readonly provider: string;
  /** The provider's own id. */
  readonly model: string;
  /** Absent when the provider has no way to be asked. */
  readonly protocol?: ProtocolId;
  readonly verdict: 'chosen' | 'eligible' | 'rejected';
  readonly reasons: readonly ReasonCode[];
  /** To be tried only after a failure of one of these kinds; absent: after any. */
  readonly after?: readonly Failure[];
  /** The route's own, over the provider's. */
  readonly timeouts?: Partial<Timeouts>;
  /** Milliseconds without a word of it after which another is tried beside it, as its route asks. */
  readonly hedgeMs?: number;
  /** Calls that it may have under way at once as a target of these routes. */
  readonly rooms?: readonly Room[];
}

/** What one target of a route takes at once. */
export interface Room {
  readonly route: string;
  readonly calls: number;
}

/** A candidate before it is known how it stands to the others. */
export type Draft = { -readonly [K in keyof Candidate]: Candidate[K] } & {
  /** What the routes that led here say of where calls may go. */
  rules?: readonly Rule[];
};

/** Those that are tried, in order, should those before fail in any way. */
export function triedInOrder(candidates: readonly Candidate[]): readonly Candidate[] {
  const chosen = candidates.filter(({ verdict }) => verdict === 'chosen');
  return candidates.length === 1 ? chosen : [...chosen, ...candidates.filter(({ verdict }) => verdict === 'eligible')];
}
