import { createNotes, type Fault, gatewayFault, type Note, type Notes } from '../../ir/index.ts';
import type { AttemptEnd, Call, Decoded, Target } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { type ExchangePorts, imageShower, sealListener } from '../exchange.ts';
import type { ReplyTaker } from '../lanes/client-stream.ts';
import type { LaneContext } from '../lanes/lane.ts';
import { clientTaker } from '../lanes/translated.ts';
import { cacheHeaders, callHeaders, servedBy } from '../out-headers.ts';
import type { Link } from './event-chain.ts';
import type { Source } from './flight.ts';
import type { SaidAnswer } from './kept-answers.ts';

/** A call that is given what another one was told. */
export interface Hearer {
  /** With how old the answer is. */
  readonly call: Call;
  readonly decoded: Decoded;
  readonly sink: ClientSink;
  readonly ports: ExchangePorts;
  /** Since when it has waited for another call (monotonic milliseconds); absent: it has not. */
  readonly waitsSince?: number | undefined;
}

/** How long a call has waited until now. */
const waitedMs = ({ waitsSince, ports }: Pick<Saying, 'waitsSince' | 'ports'>): number =>
  waitsSince === undefined ? 0 : ports.clock.monotonic() - waitsSince;

/** The target that answered, as a call that goes there knows it. */
function targetOf(call: Call, { provider: name, model, upstream }: Source, ports: ExchangePorts): Target {
  const provider = call.snapshot.providers.get(name);
  const wire = upstream && provider?.wires.get(upstream);
  const codec = upstream && ports.codecs.get(upstream);
  if (!provider || !wire || !codec) throw new Error(`an answer of '${name}', which is not there`);
  const candidate = { provider: name, model, protocol: upstream, verdict: 'chosen', reasons: ['cache_hit'] } as const;
  return { candidate, provider, wire, codec, model, protocol: upstream, lane: 'translated', timeouts: provider.timeouts };
}

/** What was lost of the question is lost for everybody who asks it. */
function notesOf({ notes }: Source): Notes {
  const list = createNotes();
  for (const note of notes?.split(', ') ?? []) {
    const [field = '', what] = note.split(';');
    list.add(field, what as Note['what'], 'of the question that was answered first');
  }
  return list;
}

/** What its taker tells a hearing. */
interface Heard {
  readonly settle: (end: AttemptEnd) => void;
  readonly fail: (error: unknown) => void;
  /** The client has read on. */
  readonly resume: () => void;
}

/** Writes events as the lane that asked the provider would have. */
function takerFor(hearer: Hearer, source: Source, { settle, fail, resume }: Heard): ReplyTaker {
  const { call, decoded, sink, ports } = hearer;
  const waited = waitedMs(hearer);
  const target = targetOf(call, source, ports);
  const context: LaneContext = {
    call,
    target,
    sink,
    notes: notesOf(source),
    attempt: 0,
    overheadMs: () => ports.clock.monotonic() - call.started - waited,
    now: () => ports.clock.now(),
    newId: ports.newId,
    onFirstToken: () => {},
    done: settle,
    abortUpstream: () => {},
    resumeUpstream: resume,
    onDefect: fail,
    ...imageShower(call, target, decoded, ports),
  };
  return clientTaker(context, decoded, {}, sealListener(call, target, decoded, ports));
}

/** How far a client has heard an answer. */
interface Hearing {
  readonly taker: ReplyTaker;
  readonly fail: Heard['fail'];
  /** The last event that it was told. */
  place: Link;
  /** It must read before it is told more. */
  isWaiting: boolean;
  /** What comes after all that there is to read. */
  broken: Fault | undefined;
}

/** Tells what there is to tell, as far as the client reads. */
function pump(hearing: Hearing): void {
  const { taker } = hearing;
  try {
    while (!hearing.isWaiting && !taker.isOver()) {
      const { next } = hearing.place;
      if (!next?.event) break;
      hearing.place = next;
      taker.event(next.event);
      hearing.isWaiting = !taker.flows();
    }
    const { broken, isWaiting, place } = hearing;
    if (broken && !isWaiting && !place.next && !taker.isOver()) taker.event({ type: 'fault', fault: broken });
  } catch (error) {
    hearing.fail(error);
  }
}

/** Takes a reply's events for a client that did not make the call. `onRead`: it has read on after it had to wait. */
export function createHearing(hearer: Hearer, source: Source, at: Link, onRead?: () => void) {
  const { call, sink, ports } = hearer;
  const { promise: done, resolve: settle } = Promise.withResolvers<AttemptEnd>();
  const fail = (error: unknown): void => {
    ports.onDefect(error, call.id);
    if (sink.begun) sink.abort();
    settle({ fault: gatewayFault('internal', 'The gateway failed on this request'), endedBy: 'gateway' });
  };
  const resume = (): void => {
    hearing.isWaiting = false;
    pump(hearing);
    onRead?.();
  };
  const taker = takerFor(hearer, source, { settle, fail, resume });
  const hearing: Hearing = { taker, fail, place: at, isWaiting: false, broken: undefined };
  sink.onDrain(resume);
  sink.onGone(() => settle({ ...taker.soFar(), endedBy: 'client' }));
  return {
    pump: () => pump(hearing),
    /** After what there is to read comes this fault. */
    breakOff(fault: Fault): void {
      hearing.broken = fault;
      pump(hearing);
    },
    place: () => hearing.place,
    /** Settles when the client was told everything, or has left. */
    done,
  };
}

interface Saying {
  readonly call: Pick<Call, 'client' | 'id' | 'label' | 'started' | 'cached'>;
  readonly sink: ClientSink;
  readonly ports: Pick<ExchangePorts, 'clock'>;
  readonly waitsSince?: number | undefined;
}

/** Gives an answer in the very words in which it was given before. */
export function sayAgain(saying: Saying, { provider, model, notes }: Source, said: SaidAnswer): void {
  const { call, sink, ports } = saying;
  const { body, headers, status, isStream } = said;
  sink.begin(
    status,
    {
      ...callHeaders(call),
      ...servedBy({ provider: { name: provider }, model }, 0),
      'x-pailou-overhead-ms': (ports.clock.monotonic() - call.started - waitedMs(saying)).toFixed(2),
      ...headers,
      ...(notes === undefined ? {} : { 'x-pailou-notes': notes }),
      ...(call.cached ? cacheHeaders(call.cached) : {}),
    },
    isStream ? undefined : body.length,
  );
  sink.end(body);
}
