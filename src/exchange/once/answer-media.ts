import type { CachedRoute } from '../../policy/routes/cached-route.ts';
import { cachedRoute } from '../../policy/routes/cached-route.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { type MediaCall, type MediaContext, runMedia } from '../media/media-exchange.ts';
import { type CacheWish, cacheWish } from './cache-wish.ts';
import { answerOf, finish, type Flight, isOpen, listenIn, takeOff } from './flight.ts';
import { flightSink } from './flight-sink.ts';
import type { KeptAnswer } from './kept-answers.ts';
import { sayAgain } from './replay.ts';
import { answerKey } from './request-key.ts';
import {
  hit,
  isPointless,
  land,
  MAX_FOLLOWED,
  type OncePorts,
  settleShared,
  type Shared,
  sharedOf,
  type Sharer,
  waitFor,
} from './sharing.ts';

/** What is asked of an ability besides chat. */
export interface MediaQuestion {
  /** JSON of what was asked and of the form in which the answer is wanted. Read only where answers are kept. */
  readonly meaning: () => unknown;
  /** Answers through the context; doing it twice does no harm. */
  readonly work: (context: MediaContext) => Promise<AttemptEnd | void>;
}

interface Asking extends Sharer {
  readonly call: MediaCall;
  readonly route: CachedRoute;
  readonly wish: CacheWish;
  readonly key: string;
  readonly work: MediaQuestion['work'];
}

/** The key says all of what was asked, the form too: who has the same key asked in the same words. */
const WORDS = '';

function give(asking: Asking, kept: KeptAnswer, as: Shared['as'], ports: OncePorts, waitsSince?: number): boolean {
  if (!kept.said) return false;
  const call = { ...asking.call, cached: hit(ports.clock.now() - kept.at) };
  sayAgain({ call, sink: asking.sink, ports, waitsSince }, kept, kept.said);
  settleShared(asking, ports, { endedBy: 'gateway' }, { ...kept, as });
  return true;
}

/** Makes the call, lets others wait for it, and keeps what came of it. */
async function lead(asking: Asking, ports: OncePorts): Promise<void> {
  const { call, sink, key, route, wish, work } = asking;
  const { store, flights } = ports.answers;
  const flight = takeOff(sink);
  if (wish.reads) flights.set(key, flight);
  try {
    const kept = wish.reads ? await store.get(key) : undefined;
    if (kept && ports.clock.now() - kept.at <= wish.maxAgeMs && give(asking, kept, 'hit', ports)) {
      finish(flight, { kept });
      return;
    }
    await runMedia({ ...call, cached: { how: wish.reads ? 'miss' : 'bypass' } }, flightSink(flight), ports, (context) => {
      listenIn(flight, context.sink, { provider: context.provider.name, model: context.model });
      return work(context);
    });
    const { fault } = flight;
    const answer = fault ? undefined : answerOf(flight, ports.clock.now(), WORDS, false);
    if (answer) store.put(key, answer, route.ttlMs);
    finish(flight, fault ? { fault } : answer ? { kept: answer } : { told: true });
  } finally {
    land(key, flight, ports.answers);
  }
}

/** Waits for another call's answer; false where there is none to be had of it. */
async function follow(asking: Asking, flight: Flight, isLast: boolean, ports: OncePorts): Promise<boolean> {
  const waitsSince = ports.clock.monotonic();
  const outcome = await waitFor(asking, flight);
  if ('kept' in outcome) return give(asking, outcome.kept, 'shared', ports, waitsSince);
  if ('endedBy' in outcome) settleShared(asking, ports, outcome, sharedOf(flight));
  else if ('fault' in outcome && (isLast || isPointless(outcome.fault)))
    settleShared(asking, ports, { fault: outcome.fault, endedBy: 'gateway' }, sharedOf(flight));
  else return false;
  return true;
}

/** As `runMedia`; on a route that keeps answers with what was said before to the same question, or what is being said to it now. Throws what `meaning` throws. */
export async function answerMedia(call: MediaCall, sink: ClientSink, ports: OncePorts, { meaning, work }: MediaQuestion): Promise<void> {
  const route = cachedRoute(call.snapshot, call);
  if (!route) return runMedia(call, sink, ports, work);
  const wish = cacheWish(call.headers);
  if (!wish.keeps) return runMedia({ ...call, cached: { how: 'bypass' } }, sink, ports, work);
  const key = answerKey(call, route, [call.ability, meaning()]);
  const asking: Asking = { call, operation: call.ability, stream: false, sink, route, wish, key, work };
  for (let followed = 1; followed <= MAX_FOLLOWED; followed++) {
    const flight = wish.reads ? ports.answers.flights.get(key) : undefined;
    if (!flight || !isOpen(flight)) return lead(asking, ports);
    if (await follow(asking, flight, followed === MAX_FOLLOWED, ports)) return;
  }
  return runMedia({ ...call, cached: { how: 'miss' } }, sink, ports, work);
}
