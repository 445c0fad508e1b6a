import { cachedRoute } from '../../policy/routes/cached-route.ts';
import type { AttemptEnd } from '../call.ts';
import type { ClientSink } from '../client-sink.ts';
import { type MediaCall, type MediaContext, runMedia } from '../media/media-exchange.ts';
import { cacheWish } from './cache-wish.ts';
import { answerOf, finish, type Flight, listenIn } from './flight.ts';
import { flightSink } from './flight-sink.ts';
import type { KeptAnswer } from './kept-answers.ts';
import { sayAgain } from './replay.ts';
import { answerKey } from './request-key.ts';
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

/** What is asked of an ability besides chat. */
export interface MediaQuestion {
  /** JSON of what was asked and of the form in which the answer is wanted. Read only where answers are kept. */
  readonly meaning: () => unknown;
  /** Answers through the context; doing it twice does no harm. */
  readonly work: (context: MediaContext) => Promise<AttemptEnd | void>;
}

interface Asking extends Asker {
  readonly call: MediaCall;
  readonly work: MediaQuestion['work'];
}

/** The key says all of what was asked, the form too: who has the same key asked in the same words. */
const WORDS = '';

function give(asking: Asking, kept: KeptAnswer, as: Shared['as'], ports: OncePorts, waitsSince?: number): boolean {
  if (!kept.said) return false;
  const call = { ...asking.call, cached: hit(ports.clock.now() - kept.at) };
  sayAgain({ call, sink: asking.sink, ports, waitsSince }, kept, kept.said);
  settleShared(asking, ports, { endedBy: 'gateway' }, { as, by: kept });
  return true;
}

/** Makes the call, lets others wait for it, and keeps what came of it. */
function make(asking: Asking, ports: OncePorts): Promise<true> {
  const { call, key, route, wish, work } = asking;
  return lead<true>(asking, ports, async (flight, kept) => {
    if (kept && give(asking, kept, 'hit', ports)) {
      finish(flight, { kept });
      return true;
    }
    await runMedia({ ...call, cached: { how: wish.reads ? 'miss' : 'bypass' } }, flightSink(flight), ports, (context) => {
      listenIn(flight, context.sink, { provider: context.provider.name, model: context.model });
      return work(context);
    });
    const { fault } = flight;
    const answer = fault ? undefined : answerOf(flight, ports.clock.now(), WORDS, false);
    if (answer) ports.answers.store.put(key, answer, route.ttlMs);
    finish(flight, fault ? { fault } : answer ? { kept: answer } : { told: true });
    return true;
  });
}

/** Waits for another call's answer; `undefined` where there is none to be had of it. */
async function follow(asking: Asking, flight: Flight, isLast: boolean, ports: OncePorts): Promise<true | undefined> {
  const waitsSince = ports.clock.monotonic();
  const outcome = await waitFor(asking, flight);
  if ('kept' in outcome) return give(asking, outcome.kept, 'shared', ports, waitsSince) ? true : undefined;
  if ('endedBy' in outcome) settleShared(asking, ports, outcome, sharedOf(flight));
  else if ('fault' in outcome && (isLast || isPointless(outcome.fault)))
    settleShared(asking, ports, { fault: outcome.fault, endedBy: 'gateway' }, sharedOf(flight));
  else return undefined;
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
  const isAnswered = await followOrLead(asking, ports, {
    follow: (flight, isLast) => follow(asking, flight, isLast, ports),
    lead: () => make(asking, ports),
  });
  if (!isAnswered) await runMedia({ ...call, cached: { how: 'miss' } }, sink, ports, work);
}
