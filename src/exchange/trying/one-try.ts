import { type Fault, GatewayError } from '../../ir/index.ts';
import { verdictOf } from '../../policy/retry.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import type { Guide } from './guide.ts';
import { keyRoomsOf, roomsOf, takeAll } from './rooms.ts';
import type { Release } from './slots.ts';
import type { Next, Step, Tried, Trying, Walking } from './walking.ts';

/** One call on its way, with what its tries share. */
export interface Tour {
  readonly call: Walking;
  readonly trying: Trying;
  readonly guide: Guide;
  /** Tries whose end was not the call's. */
  readonly tried: Tried[];
  /** Monotonic milliseconds at which all of it must have ended; known with the first try. */
  deadline: number;
  /** Tries that were sent. */
  sent: number;
  hedged: boolean;
  /** Remembers a try that came to nothing, and tells of it. */
  readonly fail: (one: Tried) => void;
}

/** Who waits for room. */
export type Waiter = Pick<ClientSink, 'closed' | 'onGone'>;

/** A place that a try may go to now: it holds room there until the try has ended. */
export interface Entry {
  readonly next: Next;
  readonly release?: Release;
}

/**
 * Waits for room at a place. `until`: the client, or whoever else may make it pointless; `undefined` when that has happened. Throws
 * the refusal where there is none in time.
 */
export async function enter(tour: Tour, next: Next, until: Waiter = tour.call.sink): Promise<Entry | undefined> {
  const { call, trying } = tour;
  if (tour.deadline === Infinity) tour.deadline = call.started + timeoutsOf(next).total;
  const { candidate, provider } = next;
  const rooms = [...keyRoomsOf(provider), ...roomsOf(candidate, provider.settings)];
  if (rooms.length === 0) return until.closed ? undefined : { next };
  const maxMs = (): number => tour.deadline - trying.monotonic();
  const release = await takeAll(rooms, { owner: call.owner, sink: until, maxMs }, trying.slots);
  if (release && !until.closed) return { next, release };
  release?.();
  return undefined;
}

function timeoutsOf({ candidate, provider }: Next): Step['timeouts'] {
  return candidate.timeouts ? { ...provider.timeouts, ...candidate.timeouts } : provider.timeouts;
}

/** The first one has all of its time, those that come later what is left of it. */
function timeoutsLeft({ deadline, sent, trying }: Tour, { next, release }: Entry): Step['timeouts'] {
  const own = timeoutsOf(next);
  if (sent === 0 && !release) return own;
  // Whole milliseconds: some timers take nothing else.
  return { ...own, total: Math.max(1, Math.min(own.total, Math.ceil(deadline - trying.monotonic()))) };
}

/** Makes one try at a place that was entered. `sink`: the client, as this try sees it. Rejects by a defect only. */
export async function tryOnce(tour: Tour, entry: Entry, sink: ClientSink): Promise<Tried> {
  const { call, trying, guide } = tour;
  const { next, release } = entry;
  const { candidate, provider } = next;
  const timeouts = timeoutsLeft(tour, entry);
  const number = ++tour.sent;
  const sentAt = trying.monotonic();
  const place = guide.placeOf(next);
  const probing = trying.health.began(place);
  let fault: Fault | undefined;
  let gone = true;
  try {
    const { end, thrown } = await outcomeOf({ candidate, provider, timeouts, number, sink, isLimited: release !== undefined }, call.run);
    gone = end.endedBy === 'client';
    ({ fault } = end);
    const isFinal = !fault || gone || sink.begun || call.sink.closed;
    return { next, number, end, ...(thrown ? { thrown } : {}), tookMs: trying.monotonic() - sentAt, isFinal };
  } finally {
    release?.();
    const verdict = fault && verdictOf(fault);
    const { retryAfterMs } = fault ?? {};
    trying.health.ended(place, probing, {
      ...(verdict ? { verdict } : {}),
      ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      gone,
    });
  }
}

/** What cannot be written for a target is told as its end; and so is whatever a try makes of its being given up. */
async function outcomeOf(step: Step, run: Walking['run']): Promise<{ readonly end: AttemptEnd; readonly thrown?: GatewayError }> {
  try {
    return { end: await run(step) };
  } catch (error) {
    if (error instanceof GatewayError) return { end: { fault: error.fault, endedBy: 'gateway' }, thrown: error };
    throw error;
  }
}
