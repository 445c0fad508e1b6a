// When streams were held up, and what held up others at the same moment: the machine then, and not who carried them.
import type { Timed } from './timed.ts';

/** From when to when, as `performance.now()` has it. */
export interface Moment {
  readonly from: number;
  readonly to: number;
}

const isAtOnce = (one: Moment, other: Moment): boolean => one.from <= other.to && other.from <= one.to;

/** Whether it fell into one of these. */
export const fallsInto = (moment: Moment, moments: readonly Moment[]): boolean => moments.some((one) => isAtOnce(moment, one));

/** The gaps that were longer than the upstream's own by more than `limitMs`, as the time in which their events were due and did not come. */
export const lateIn = (streams: readonly Timed[], limitMs: number): Moment[] =>
  streams.flatMap(({ gaps }) => gaps.filter(({ by }) => by > limitMs).map(({ by, at }) => ({ from: at - by, to: at })));

/** The moments of both in which the other was held up as well. */
export const shared = (some: readonly Moment[], others: readonly Moment[]): Moment[] => [
  ...some.filter((one) => fallsInto(one, others)),
  ...others.filter((one) => fallsInto(one, some)),
];
