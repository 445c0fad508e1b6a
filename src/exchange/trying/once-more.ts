import type { Fault } from '../../ir/index.ts';
import type { Outcome, Place, Probing } from '../../policy/health.ts';
import { USUAL_RETRY, verdictOf, waitMs } from '../../policy/retry.ts';
import type { Tour } from './one-try.ts';
import type { Next, Trying } from './walking.ts';

/** One try under way, and what is remembered of its place. */
interface UnderWay {
  readonly next: Next;
  readonly place: Place;
  probing: Probing;
  /** Its place was out when it began: the last one that is left is asked all the same, and no oftener than that. */
  readonly wasOpen: boolean;
  /** How often something was asked once more within it. */
  more: number;
  /** Remembered already: not to be counted again where the try ends with it. */
  told: Fault | undefined;
}

const isOpen = ({ health }: Trying, place: Place): boolean =>
  health.whyOut(place) === 'circuit_open' || health.whyCredentialOut(place.credential) === 'circuit_open';

/** A try begins at a place, which is told so. */
export function beginTry(trying: Trying, next: Next, place: Place): UnderWay {
  const probing = trying.health.began(place);
  return { next, place, probing, wasOpen: isOpen(trying, place), more: 0, told: undefined };
}

/** What a failure says of its place. */
export function judged(fault: Fault): Omit<Outcome, 'gone'> {
  const { retryAfterMs } = fault;
  return { verdict: verdictOf(fault), ...(retryAfterMs === undefined ? {} : { retryAfterMs }) };
}

/** Whether the same question may be answered a little later. What the gateway itself has waited for in vain has had its time. */
function mayPass(fault: Fault, askedMs: number): boolean {
  const { by, kind, retryAfterMs = 0 } = fault;
  const { scope } = verdictOf(fault);
  return (scope === 'limit' || scope === 'target') && !(by === 'gateway' && kind === 'timeout') && retryAfterMs <= askedMs;
}

/** How often the place has failed in this call. */
const failuresAt = ({ tried }: Tour, { candidate }: Next, more: number): number =>
  tried.filter((one) => one.next.candidate === candidate).length + more;

/**
 * Decides whether something that does no harm and has failed within a try is asked of the same place once more, as `OnceMore` says. It is
 * as any try that comes to nothing and is made again: it counts, is told, is remembered of the place, and is bounded by what bounds those.
 */
export function askOnceMore(tour: Tour, underWay: UnderWay, fault: Fault, leastMs: number, told = fault): number | undefined {
  const { call, trying } = tour;
  const { next, place, wasOpen } = underWay;
  const { candidate, provider } = next;
  const rule = provider.retry ?? USUAL_RETRY;
  const most = rule.times ?? (place.watched ? Infinity : 0);
  const times = failuresAt(tour, next, underWay.more + 1);
  const pauseMs = Math.max(leastMs, waitMs(times, trying.random(), fault, rule));
  const mayTry = !wasOpen && tour.sent < tour.tries && times <= most && trying.monotonic() + pauseMs < tour.deadline;
  if (!mayTry || !mayPass(fault, rule.askedMs)) return undefined;
  trying.health.ended(place, underWay.probing, judged(fault));
  underWay.told = told;
  if (isOpen(trying, place) || !trying.budget.withdraw()) return undefined;
  underWay.more++;
  underWay.probing = trying.health.began(place);
  call.failed.push(`${candidate.provider}/${candidate.model};${fault.code ?? fault.kind}`);
  tour.sent++;
  return pauseMs;
}
