import type { Fault } from '../../ir/index.ts';
import type { Outcome, Place, Probing } from '../../policy/health.ts';
import { USUAL_RETRY, verdictOf, waitMs } from '../../policy/retry.ts';
import type { Tour } from './one-try.ts';
import type { Next, OnceMore } from './walking.ts';

/** One try under way, and what is remembered of its place. */
export interface UnderWay {
  readonly next: Next;
  readonly place: Place;
  probing: Probing;
  /** Remembered already: not to be counted again where the try ends with it. */
  told?: Fault;
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
 * Decides whether something that does no harm and has failed within a try is asked of the same place once more. It is as any try that
 * comes to nothing and is made again: it counts, is told, is remembered of the place, and is bounded by what bounds those.
 */
export function createOnceMore(tour: Tour, underWay: UnderWay): OnceMore {
  const { call, trying, tries } = tour;
  const { next, place } = underWay;
  const { candidate, provider } = next;
  const rule = provider.retry ?? USUAL_RETRY;
  const most = rule.times ?? (place.watched ? Infinity : 0);
  const isOpen = (): boolean =>
    trying.health.whyOut(place) === 'circuit_open' || trying.health.whyCredentialOut(place.credential) === 'circuit_open';
  // The last one that is left is asked all the same, and no oftener than that.
  const wasOpen = isOpen();
  let failures = 0;
  return (fault, leastMs) => {
    const times = failuresAt(tour, next, failures + 1);
    const pauseMs = Math.max(leastMs, waitMs(times, trying.random(), fault, rule));
    const mayTry = !wasOpen && tour.sent < tries && times <= most && trying.monotonic() + pauseMs < tour.deadline;
    if (!mayTry || !mayPass(fault, rule.askedMs)) return undefined;
    trying.health.ended(place, underWay.probing, judged(fault));
    underWay.told = fault;
    if (isOpen() || !trying.budget.withdraw()) return undefined;
    failures++;
    underWay.probing = trying.health.began(place);
    call.failed.push(`${candidate.provider}/${candidate.model};${fault.code ?? fault.kind}`);
    tour.sent++;
    return pauseMs;
  };
}
