import type { Fault } from '../../ir/index.ts';
import { keepAnswered } from '../../policy/kept-decision.ts';
import { verdictOf } from '../../policy/retry.ts';
import type { CachedRoute } from '../../policy/routes/cached-route.ts';
import type { AttemptEnd, Cached, Call } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { CLIENT_GONE, recordHead } from '../call-record.ts';
import { type ExchangePorts, respondFault } from '../exchange.ts';
import type { CallRecord } from '../ports.ts';
import type { CacheWish } from './cache-wish.ts';
import { finish, type Flight, type Follower, isOpen, join, leave, type Outcome, takeOff } from './flight.ts';
import type { AnswerStore, KeptAnswer } from './kept-answers.ts';

/** Answers that are kept, and those that are being made. */
export interface Answers {
  readonly store: AnswerStore;
  /** By the key of what was asked; as many as calls run. */
  readonly flights: Map<string, Flight>;
}

/** What answering once needs of the world. */
export interface OncePorts extends ExchangePorts {
  readonly answers: Answers;
}

/** A call that may be told what another one was told. */
export interface Sharer {
  readonly call: Pick<Call, 'id' | 'label' | 'at' | 'started' | 'key' | 'client' | 'snapshot' | 'model'> & { readonly form?: Call['form'] };
  readonly operation: string;
  readonly stream: boolean;
  readonly sink: ClientSink;
}

/** A call that may be answered with what is kept under its key, or is being made. */
export interface Asker extends Sharer {
  readonly route: CachedRoute;
  readonly wish: CacheWish;
  readonly key: string;
}

/** Another call's answer, and how this one came by it: it was kept, or is being given. Nobody has made it where that call came to nothing. */
export interface Shared {
  readonly as: 'hit' | 'shared';
  readonly by?: Pick<KeptAnswer, 'provider' | 'model' | 'upstream'> | undefined;
}

/** Who followed so many calls that failed is told of the last failure, instead of making one more. */
const MAX_FOLLOWED = 2;

/** What the client is told of an answer's age in milliseconds. */
export const hit = (ageMs: number): Cached => ({ how: 'hit', ageS: Math.max(0, Math.floor(ageMs / 1000)) });

/** Who made an answer, in a record: its place, and as what it was decided by. */
function madeBy({ by }: Shared): Pick<CallRecord, 'provider' | 'model' | 'route'> {
  if (!by) return {};
  const { provider, model, upstream } = by;
  return { provider, model, route: keepAnswered({ provider, model, ...(upstream ? { protocol: upstream } : {}) }) };
}

/** One line for a call that no provider was asked for. */
function recordShared({ call, operation, stream }: Sharer, ports: ExchangePorts, end: AttemptEnd, status: number, from: Shared): void {
  ports.record({
    ...recordHead(call, operation, call.model),
    status,
    attempts: 0,
    durationMs: ports.clock.monotonic() - call.started,
    endedBy: end.endedBy === 'client' ? 'client' : 'gateway',
    ...(stream ? { stream: true } : {}),
    cache: from.as,
    ...madeBy(from),
    ...(end.stop ? { stop: end.stop.reason } : {}),
    ...(end.fault ? { fault: end.fault.code ?? end.fault.kind } : {}),
  });
}

/** Tells a fault and writes the record of a call that shared another one's answer. Gives `end`. */
export function settleShared(sharer: Sharer, ports: ExchangePorts, end: AttemptEnd, from: Shared): AttemptEnd {
  const { call, sink } = sharer;
  const left = end.endedBy === 'client' && !sink.begun ? CLIENT_GONE : 200;
  const status = end.fault && !sink.closed ? respondFault(call, sink, end.fault, end) : left;
  recordShared(sharer, ports, end, status, from);
  return end;
}

/** Whether others who ask the same would only be told the same: their own mistake, or to come back later. */
export function isPointless(fault: Fault): boolean {
  const { scope } = verdictOf(fault);
  return scope === 'client' || scope === 'gateway' || scope === 'limit' || fault.retryAfterMs !== undefined;
}

/** Waits until a flight is over, or the client has left. */
export async function waitFor({ sink }: Sharer, flight: Flight): Promise<Outcome | AttemptEnd> {
  const follower: Follower = { wake() {}, drop() {} };
  const gone = new Promise<AttemptEnd>((resolve) => sink.onGone(() => resolve({ endedBy: 'client' })));
  join(flight, follower);
  try {
    return await Promise.race([flight.over, gone]);
  } finally {
    leave(flight, follower);
  }
}

/** Who answers a flight, as a record says it. */
export const sharedOf = ({ source }: Flight): Shared => ({ as: 'shared', by: source });

/** Makes a call that others may follow. `make` gets what is kept and fresh enough. A flight that comes to nothing else ends with it. */
export async function lead<T>(
  { sink, key, wish }: Asker,
  { answers, clock }: OncePorts,
  make: (flight: Flight, kept: KeptAnswer | undefined) => Promise<T>,
): Promise<T> {
  const { store, flights } = answers;
  const flight = takeOff(sink);
  if (wish.reads) flights.set(key, flight);
  try {
    const kept = wish.reads ? await store.get(key) : undefined;
    return await make(flight, kept && clock.now() - kept.at <= wish.maxAgeMs ? kept : undefined);
  } finally {
    if (flights.get(key) === flight) flights.delete(key);
    finish(flight, { nothing: true });
  }
}

/** What the call that is under way for the same question came to, or a call of its own; `undefined`: none that it followed came to anything. */
export async function followOrLead<T>(
  { wish, key }: Asker,
  { answers }: OncePorts,
  ways: { readonly follow: (flight: Flight, isLast: boolean) => Promise<T | undefined>; readonly lead: () => Promise<T> },
): Promise<T | undefined> {
  for (let followed = 1; followed <= MAX_FOLLOWED; followed++) {
    const flight = wish.reads ? answers.flights.get(key) : undefined;
    if (!flight || !isOpen(flight)) return ways.lead();
    const end = await ways.follow(flight, followed === MAX_FOLLOWED);
    if (end !== undefined) return end;
  }
  return undefined;
}
