import { GatewayError } from '../../ir/index.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { createGate } from './gate-sink.ts';
import { createGuide } from './guide.ts';
import { enter, type Entry, type Refused, refusedTry, type Tour, tryOnce } from './one-try.ts';
import { hedgeMsOf, race } from './race.ts';
import type { Next, Tried, Trying, Walking } from './walking.ts';

/** Resolves after a while, or when the client has left. */
function pause(ms: number, sink: ClientSink): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    sink.onGone(() => {
      clearTimeout(timer);
      resolve();
    });
  });
}

/** Of several tries at one place the last one: what the others were told is over. */
const lastAtEach = (tried: readonly Tried[]): readonly Tried[] =>
  tried.filter(({ next: { candidate, provider } }, at) =>
    tried.slice(at + 1).every(({ next }) => next.candidate !== candidate || next.provider.credential !== provider.credential),
  );

/** What the caller is told in the end: with the earliest time at which any of those that asked for patience is there again. */
function lastWord(end: AttemptEnd, tried: readonly Tried[]): AttemptEnd {
  const { fault } = end;
  if (!fault || tried.length < 2 || (fault.kind !== 'rate_limit' && fault.kind !== 'overloaded')) return end;
  const waits = lastAtEach(tried).flatMap(({ end: { fault: said } }) => (said?.retryAfterMs === undefined ? [] : [said.retryAfterMs]));
  return waits.length === 0 ? end : { ...end, fault: { ...fault, retryAfterMs: Math.min(...waits) } };
}

/** What a record says of a try whose end is not the call's. */
function wordOf({ next: { candidate }, end: { fault } }: Tried): string {
  return `${candidate.provider}/${candidate.model};${fault?.code ?? fault?.kind}`;
}

/** Remembers a try that failed. */
function failedAt({ tried, call }: Tour, one: Tried): void {
  tried.push(one);
  call.failed.push(wordOf(one));
}

/** Whether what a try has left behind allows another. */
const mayFollow = ({ mayGoOn }: Walking, { end: { fault } }: Tried): boolean =>
  mayGoOn === undefined || fault === undefined || mayGoOn(fault);

/**
 * The try that the caller is told of, the last one as a rule. That the last place has no words for a request says nothing of the places before
 * it, which may have an answer the next time: then the end of one of those is the call's.
 */
function toldOf({ tried, call }: Tour, last: Tried): Tried {
  if (last.end.fault?.code !== 'not_expressible') return last;
  const told = tried.findLast(({ end: { fault } }) => fault?.code !== 'not_expressible');
  if (!told) return last;
  call.failed.splice(call.failed.lastIndexOf(wordOf(told)), 1, wordOf(last));
  call.answeredBy(told.number);
  return told;
}

/** How a call ends with this try, of some. */
function conclude({ end, thrown }: Tried, tried: readonly Tried[]): AttemptEnd {
  const last = lastWord(end, tried);
  if (!thrown) return last;
  throw last.fault && last !== end ? new GatewayError(last.fault) : thrown;
}

/**
 * Tries a call at the places that were decided, until one answers, the client was told something, or nothing is left that could
 * help.
 */
export async function walk(call: Walking, trying: Trying): Promise<AttemptEnd> {
  trying.budget.deposit();
  const guide = createGuide(call, trying);
  let next = guide.first();
  const began = trying.monotonic();
  const fail = (one: Tried): void => failedAt(tour, one);
  const { tries } = trying.limits();
  const tour: Tour = { call, trying, guide, tries, tried: [], began, deadline: Infinity, sent: 0, hedged: false, fail };
  for (;;) {
    const entering = enter(tour, next);
    const entry = entering instanceof Promise ? await entering.catch((error: unknown) => enterElsewhere(tour, next, error)) : entering;
    const last = entry && ('refusal' in entry ? refusedTry(entry) : await tryAt(tour, entry));
    // It waited for room, and the client left meanwhile.
    if (!last) return { endedBy: 'client' };
    if (last.isFinal) return conclude(last, [last]);
    const all = [...tour.tried, last];
    const mayGoOn = tour.sent < tries && mayFollow(call, last);
    const following = mayGoOn ? guide.next(all) : undefined;
    if (!following || trying.monotonic() + following.waitMs >= tour.deadline) return conclude(toldOf(tour, last), all);
    tour.fail(last);
    if (following.waitMs > 0) await pause(following.waitMs, call.sink);
    if (call.sink.closed) return { endedBy: 'client' };
    next = following;
  }
}

/** Goes in elsewhere where a place had no room in time. Throws the refusal where nowhere else is room, or no time is left. */
async function enterElsewhere(tour: Tour, place: Next, refusal: unknown): Promise<Entry | Refused | undefined> {
  const { guide, tried, trying, call, deadline } = tour;
  const refused = [place];
  for (let error = refusal; ;) {
    const isFull = error instanceof GatewayError && error.fault.code === 'concurrency_full';
    const other = isFull && trying.monotonic() < deadline ? guide.instead(refused, tried) : undefined;
    if (!other) throw error;
    const { provider, model } = refused.at(-1)?.candidate ?? place.candidate;
    call.failed.push(`${provider}/${model};concurrency_full`);
    try {
      return await enter(tour, other);
    } catch (again) {
      error = again;
      refused.push(other);
    }
  }
}

/** One try, or two side by side. */
function tryAt(tour: Tour, entry: Entry): Promise<Tried | undefined> {
  const hedgeMs = hedgeMsOf(tour, entry.next);
  return hedgeMs === undefined ? tryOnce(tour, entry, createGate(tour.call.sink)) : race(tour, entry, hedgeMs);
}
