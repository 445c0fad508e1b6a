import type { Fault } from '../../ir/index.ts';
import { verdictOf } from '../../policy/retry.ts';
import type { AttemptEnd, Cached, Call } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { CLIENT_GONE, recordHead } from '../call-record.ts';
import { type ExchangePorts, respondFault } from '../exchange.ts';
import { finish, type Flight, type Follower, join, leave, type Outcome } from './flight.ts';
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

/** Another call's answer, and how this one came by it: it was kept, or is being given. */
export interface Shared extends Pick<KeptAnswer, 'provider' | 'model'> {
  readonly as: 'hit' | 'shared';
}

/** Who followed so many calls that failed is told of the last failure, instead of making one more. */
export const MAX_FOLLOWED = 2;

/** What the client is told of an answer's age in milliseconds. */
export const hit = (ageMs: number): Cached => ({ how: 'hit', ageS: Math.max(0, Math.floor(ageMs / 1000)) });

/** One line for a call that no provider was asked for. */
function recordShared({ call, operation, stream }: Sharer, ports: ExchangePorts, end: AttemptEnd, status: number, from?: Shared): void {
  ports.record({
    ...recordHead(call, operation, call.model),
    status,
    attempts: 0,
    durationMs: ports.clock.monotonic() - call.started,
    endedBy: end.endedBy === 'client' ? 'client' : 'gateway',
    ...(stream ? { stream: true } : {}),
    ...(from ? { provider: from.provider, model: from.model, cache: from.as } : {}),
    ...(end.stop ? { stop: end.stop.reason } : {}),
    ...(end.fault ? { fault: end.fault.code ?? end.fault.kind } : {}),
  });
}

/** Tells a fault and writes the record of a call that shared another one's answer. Gives `end`. */
export function settleShared(sharer: Sharer, ports: ExchangePorts, end: AttemptEnd, from?: Shared): AttemptEnd {
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
export const sharedOf = ({ source }: Flight): Shared | undefined => source && { ...source, as: 'shared' };

/** Ends a flight that came to nothing else, and lets nobody join it any more. */
export function land(key: string, flight: Flight, { flights }: Answers): void {
  if (flights.get(key) === flight) flights.delete(key);
  finish(flight, { nothing: true });
}
