import { type Fault, GatewayError, type Usage } from '../../ir/index.ts';
import type { Minute } from '../../policy/minute.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import type { Guide } from './guide.ts';
import { askOnceMore, beginTry, judged } from './once-more.ts';
import { type Admission, admit, type Refusal } from './requests.ts';
import { keyRoomsOf, type Room, roomsOf, takeAll } from './rooms.ts';
import type { Release } from './slots.ts';
import type { Next, Step, Tried, Trying, Walking } from './walking.ts';

/** One call on its way, with what its tries share. */
export interface Tour {
  readonly call: Walking;
  readonly trying: Trying;
  readonly guide: Guide;
  /** So many at most. */
  readonly tries: number;
  /** Tries whose end was not the call's. */
  readonly tried: Tried[];
  /** Monotonic milliseconds at which it was known where to go first. */
  readonly began: number;
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
  /** Its place in the minutes of its key and provider, where they have such. */
  readonly admission?: Admission;
}

/** A place that takes nothing more in this minute. */
export interface Refused extends Refusal {
  readonly next: Next;
}

type Entering = Entry | Refused | undefined;

/**
 * Waits for room at a place; does not wait where there is no bound on it, nor for another minute. `until`: the client, or whoever else
 * may make it pointless; `undefined` when that has happened. Throws the refusal where there is no room in time.
 */
export function enter(tour: Tour, next: Next, until: Waiter = tour.call.sink): Entering | Promise<Entering> {
  if (tour.deadline === Infinity) tour.deadline = deadlineOf(tour.call, next);
  const { candidate, provider } = next;
  const ofKey = keyRoomsOf(provider);
  const ofTarget = roomsOf(candidate, provider);
  const isBounded = ofKey.length > 0 || ofTarget.length > 0;
  if (provider.minutes) return enterMinutes(tour, next, provider.minutes, [...ofKey, ...ofTarget], until);
  if (isBounded) return enterRooms(tour, next, [...ofKey, ...ofTarget], until);
  return until.closed ? undefined : { next };
}

/** First room for the call at once, which it may have to wait for: what is counted goes out then. */
async function enterMinutes(tour: Tour, next: Next, minutes: readonly Minute[], rooms: readonly Room[], until: Waiter): Promise<Entering> {
  const { call, trying } = tour;
  const entry = rooms.length > 0 ? await enterRooms(tour, next, rooms, until) : { next };
  if (!entry || until.closed) return undefined;
  let isIn = false;
  try {
    // One of which nothing is known finds no room in a minute that has none.
    const tokens = minutes.some(({ tpm }) => tpm !== undefined) ? Math.max(1, call.tokens()) : 0;
    const admitted = await admit(minutes, tokens, trying.minutes);
    if ('refusal' in admitted) return { next, ...admitted };
    isIn = !until.closed;
    if (isIn) return { ...entry, ...admitted };
    admitted.admission.end(undefined);
    return undefined;
  } finally {
    if (!isIn) entry.release?.();
  }
}

async function enterRooms(tour: Tour, next: Next, rooms: readonly Room[], until: Waiter): Promise<Entry | undefined> {
  const { call, trying } = tour;
  const maxMs = (): number => tour.deadline - trying.monotonic();
  const release = await takeAll(rooms, { owner: call.owner, sink: until, maxMs }, trying.slots);
  if (release && !until.closed) return { next, release };
  release?.();
  return undefined;
}

/** When all of a call must have ended, by the place where it goes first. */
function deadlineOf({ started, within }: Walking, first: Next): number {
  const own = started + timeoutsOf(first).total;
  return within ? (within.endsAt ??= own) : own;
}

/** How long a try at a place may take: as its target says, else as its provider does. */
export function timeoutsOf({ candidate, provider }: Pick<Next, 'candidate' | 'provider'>): Step['timeouts'] {
  return candidate.timeouts ? { ...provider.timeouts, ...candidate.timeouts } : provider.timeouts;
}

/** The first one has all of its time, those that come later what is left of it; and so has the first one of a part of a call. */
function timeoutsLeft({ deadline, sent, trying, call }: Tour, { next, release }: Entry): Step['timeouts'] {
  const own = timeoutsOf(next);
  if (sent === 0 && !release && !call.within) return own;
  // Whole milliseconds: some timers take nothing else.
  return { ...own, total: Math.max(1, Math.min(own.total, Math.ceil(deadline - trying.monotonic()))) };
}

/** What an upstream has said that it was; it may have said anything. */
function tokensOf(usage: Usage | undefined): number | undefined {
  const all = usage && usage.input + usage.output;
  return all !== undefined && Number.isFinite(all) ? Math.max(0, all) : undefined;
}

/** How a call ends, for now, at a place that takes nothing more in this minute: nothing was sent. */
export const refusedTry = ({ next, refusal }: Refused): Tried => ({
  next,
  number: 0,
  end: { fault: refusal, endedBy: 'gateway' },
  thrown: new GatewayError(refusal),
  tookMs: 0,
  isFinal: false,
});

/** Makes one try at a place that was entered. `sink`: the client, as this try sees it. Rejects by a defect only. */
export async function tryOnce(tour: Tour, entry: Entry, sink: ClientSink): Promise<Tried> {
  const { call, trying, guide } = tour;
  const { next, release, admission } = entry;
  const { candidate, provider } = next;
  const timeouts = timeoutsLeft(tour, entry);
  const number = ++tour.sent;
  const sentAt = trying.monotonic();
  const apartMs = number > 1 || release ? sentAt - tour.began : 0;
  const place = guide.placeOf(next);
  const underWay = beginTry(trying, next, place);
  let fault: Fault | undefined;
  let gone = true;
  let end: AttemptEnd | undefined;
  let thrown: GatewayError | undefined;
  try {
    try {
      const onceMore: Step['onceMore'] = (failed, leastMs, told) => askOnceMore(tour, underWay, failed, leastMs, told);
      const step = { candidate, provider, timeouts, number, sink, isLimited: release !== undefined, apartMs, onceMore };
      end = await call.run(admission ? { ...step, requests: admission } : step);
    } catch (error) {
      // What cannot be written for a target is told as its end; and so is whatever a try makes of its being given up.
      if (!(error instanceof GatewayError)) throw error;
      thrown = error;
      end = { fault: error.fault, endedBy: 'gateway' };
    }
    gone = end.endedBy === 'client';
    ({ fault } = end);
    const isFinal = !fault || gone || sink.begun || call.sink.closed;
    return { next, number, end, ...(thrown ? { thrown } : {}), tookMs: trying.monotonic() - sentAt, isFinal };
  } finally {
    release?.();
    admission?.end(tokensOf(end?.usage ?? call.usageOf?.(number)));
    if (!fault || fault !== underWay.told) trying.health.ended(place, underWay.probing, fault ? { ...judged(fault), gone } : { gone });
  }
}
