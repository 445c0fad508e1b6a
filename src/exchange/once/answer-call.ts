import { createHash } from 'node:crypto';
import { GatewayError, gatewayFault, type ProtocolId } from '../../ir/index.ts';
import { type CachedRoute, cachedRoute } from '../../policy/routes/cached-route.ts';
import type { AttemptEnd, Call, Decoded } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { runExchange } from '../exchange.ts';
import { createGate } from '../trying/gate-sink.ts';
import { decodeCall } from '../write-request.ts';
import { cacheWish, endsWell, standsAlone } from './cache-wish.ts';
import { chainOf } from './event-chain.ts';
import { answerOf, finish, type Flight, type Follower, hasRead, join, leave, listenIn, type Outcome } from './flight.ts';
import { flightSink } from './flight-sink.ts';
import type { KeptAnswer } from './kept-answers.ts';
import { createHearing, sayAgain } from './replay.ts';
import { chatKey } from './request-key.ts';
import {
  type Asker,
  followOrLead,
  hit,
  isPointless,
  lead,
  type OncePorts,
  settleShared,
  type Shared,
  sharedOf,
  waitFor,
} from './sharing.ts';

/** A call that may be answered with what another was told. */
interface Asking extends Asker {
  readonly call: Call;
  readonly decoded: Decoded;
  /** What its own words are: who uses the same gets the same bytes. Absent where the gateway has changed them. */
  readonly words?: string;
}

function wordsOf({ client, stream, form, body, prepared }: Call): Pick<Asking, 'words'> {
  if (prepared) return {};
  return { words: createHash('sha256').update(`${client.id} ${stream} ${form}\n`).update(body).digest('base64url') };
}

/** The call as one that may share an answer; `undefined` for one that stands alone, or cannot be read: its target says what is wrong with it. */
function askingOf(call: Call, sink: ClientSink, route: CachedRoute): Asking | undefined {
  const wish = cacheWish(call.headers);
  if (!wish.keeps) return undefined;
  try {
    const decoded = decodeCall(call);
    if (standsAlone(call, decoded.request)) return undefined;
    return {
      call,
      operation: call.operation,
      stream: call.stream,
      sink,
      route,
      decoded,
      wish,
      key: chatKey(call, route, decoded.request),
      ...wordsOf(call),
    };
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

const isUsable = (kept: KeptAnswer, { words }: Asking): boolean =>
  kept.events !== undefined || (words !== undefined && kept.said?.to === words);

/** Gives a kept answer: in the same words where the question was in the same, else written anew. */
async function give(asking: Asking, kept: KeptAnswer, as: Shared['as'], ports: OncePorts, waitsSince?: number): Promise<AttemptEnd> {
  const { decoded, sink, words } = asking;
  const call = { ...asking.call, cached: hit(ports.clock.now() - kept.at) };
  const { said, events = [] } = kept;
  const isSame = said !== undefined && said.to === words;
  const hearer = { call, decoded, sink, ports, waitsSince };
  if (isSame) {
    sayAgain(hearer, kept, said);
    return settleShared(asking, ports, { endedBy: 'gateway', ...stopOf(kept) }, { as, by: kept });
  }
  const hearing = createHearing(hearer, kept, chainOf(events));
  hearing.pump();
  return settleShared(asking, ports, await hearing.done, { as, by: kept });
}

function stopOf({ events }: KeptAnswer): Pick<AttemptEnd, 'stop'> {
  const last = events?.at(-1);
  return last?.type === 'reply-end' ? { stop: last.stop } : {};
}

/** Reads what a flight says as it comes. Resolves when the client was told all of it, or `undefined` when it was told nothing and must be answered otherwise. */
async function hear(
  asking: Asking,
  flight: Flight,
  first: NonNullable<Flight['first']>,
  ports: OncePorts,
): Promise<AttemptEnd | undefined> {
  const { call, decoded } = asking;
  const sink = createGate(asking.sink);
  const hearer = { call: { ...call, cached: hit(0) }, decoded, sink, ports, waitsSince: ports.clock.monotonic() };
  let hearing: ReturnType<typeof createHearing> | undefined;
  let drop: () => void = () => {};
  const dropped = new Promise<undefined>((resolve) => {
    drop = () => resolve(undefined);
  });
  const gone = new Promise<AttemptEnd>((resolve) => sink.onGone(() => resolve({ endedBy: 'client' })));
  const follower: Follower = {
    at: () => hearing?.place() ?? first,
    wake() {
      if (!hearing && flight.source && first.next) hearing = createHearing(hearer, flight.source, first, () => hasRead(flight));
      hearing?.pump();
    },
    drop() {
      hearing?.breakOff(tooSlow);
      drop();
    },
  };
  join(flight, follower);
  follower.wake();
  try {
    const outcome = await Promise.race([flight.over, gone, dropped]);
    if (outcome === undefined) return { fault: tooSlow, endedBy: 'gateway' };
    if ('endedBy' in outcome) return outcome;
    if (!hearing || (!sink.begun && !flight.isComplete)) return undefined;
    if (!flight.isComplete) hearing.breakOff('fault' in outcome ? outcome.fault : endedEarly);
    return await hearing.done;
  } finally {
    leave(flight, follower);
  }
}

const tooSlow = gatewayFault('timeout', 'The answer was taken too slowly', { code: 'client_too_slow' });
const endedEarly = gatewayFault('upstream', 'The upstream ended its stream before the reply was complete', { code: 'stream_ended_early' });

/** Answers with what a call that runs already is told. `undefined`: that came to nothing that would be an answer. */
async function follow(asking: Asking, flight: Flight, isLast: boolean, ports: OncePorts): Promise<AttemptEnd | undefined> {
  const { call } = asking;
  const { first } = flight;
  const waitsSince = ports.clock.monotonic();
  if (call.stream && first) {
    const end = await hear(asking, flight, first, ports);
    if (end) return settleShared(asking, ports, end, sharedOf(flight));
  }
  const outcome = await waitFor(asking, flight);
  if ('endedBy' in outcome) return settleShared(asking, ports, outcome, sharedOf(flight));
  if ('kept' in outcome) return isUsable(outcome.kept, asking) ? give(asking, outcome.kept, 'shared', ports, waitsSince) : undefined;
  if (!('fault' in outcome) || (!isLast && !isPointless(outcome.fault))) return undefined;
  const { fault, end, dialect } = outcome;
  // An upstream's own words are for clients of its dialect.
  const { errorBody, headers } = end ?? {};
  const own = errorBody && dialect === call.client.id ? { errorBody } : {};
  return settleShared(asking, ports, { fault, endedBy: 'gateway', ...own, ...(headers ? { headers } : {}) }, sharedOf(flight));
}

/** Makes the call, lets others follow it, and keeps what came of it. */
function make(asking: Asking, ports: OncePorts): Promise<AttemptEnd> {
  const { call, key, route, wish, words } = asking;
  return lead(asking, ports, async (flight, kept) => {
    if (kept && isUsable(kept, asking)) {
      finish(flight, { kept });
      return give(asking, kept, 'hit', ports);
    }
    const made: Call = {
      ...call,
      cached: { how: wish.reads ? 'miss' : 'bypass' },
      overhears: (own, { provider, model, protocol }) => listenIn(flight, own, { provider: provider.name, model, upstream: protocol }),
    };
    const end = await runExchange(made, flightSink(flight), ports);
    const answer = end.fault || end.endedBy === 'client' ? undefined : answerOf(flight, ports.clock.now(), words, call.stream);
    if (answer && isKeepable(answer, end)) ports.answers.store.put(key, answer, route.ttlMs);
    finish(flight, outcomeOf(end, answer, call.client.id));
    return end;
  });
}

function outcomeOf(end: AttemptEnd, kept: KeptAnswer | undefined, dialect: ProtocolId): Outcome {
  if (end.fault) return { fault: end.fault, end, dialect };
  if (kept) return { kept };
  return end.endedBy === 'client' ? { nothing: true } : { told: true };
}

/** What was cut short, refused or only estimated is told to those who wait for it now, and to nobody later. */
function isKeepable({ events }: KeptAnswer, { stop, usage }: AttemptEnd): boolean {
  const last = events?.at(-1);
  const stops = last?.type === 'reply-end' ? [last.stop, ...(last.others ?? [])] : stop ? [stop] : [];
  return stops.length > 0 && endsWell(stops) && usage?.estimated !== true;
}

async function answerOnce(asking: Asking, ports: OncePorts): Promise<AttemptEnd> {
  const end = await followOrLead(asking, ports, {
    follow: (flight, isLast) => follow(asking, flight, isLast, ports),
    lead: () => make(asking, ports),
  });
  return end ?? runExchange({ ...asking.call, cached: { how: 'miss' } }, asking.sink, ports);
}

/**
 * Answers one call: on a route that keeps answers with what was said before to the same question, or what is being said to it now, in
 * whatever protocol; else, and on every other route, by a call of its own. As `runExchange`, it never rejects.
 */
export function answerCall(call: Call, sink: ClientSink, ports: OncePorts): Promise<AttemptEnd> {
  const route = cachedRoute(call.snapshot, call);
  if (!route || call.operation !== 'generate') return runExchange(call, sink, ports);
  const asking = askingOf(call, sink, route);
  return asking ? answerOnce(asking, ports) : runExchange({ ...call, cached: { how: 'bypass' } }, sink, ports);
}
