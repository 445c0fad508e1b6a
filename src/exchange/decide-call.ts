import { parseObject } from '../ir/index.ts';
import { decide, type Decision, type RouteRequest } from '../policy/decide.ts';
import { type Decided, decideNoting } from '../policy/kept-decision.ts';
import { isOrderReason, markedCaller } from '../policy/routes/strategies.ts';
import type { Candidate } from '../policy/candidate.ts';
import type { Needs } from '../policy/needs.ts';
import type { Signals } from '../policy/signals.ts';
import type { Snapshot } from '../policy/snapshot.ts';
import type { Call } from './call.ts';
import { type LookAhead, lookAhead } from './look-ahead.ts';
import { readCaller } from './read-caller.ts';
import { readNeeds } from './read-needs.ts';
import { namesInAll } from './refuse-losses.ts';

type Routed = Pick<Call, 'snapshot' | 'platform' | 'model' | 'key' | 'client' | 'body' | 'headers' | 'routing' | 'address'> & {
  readonly prepared?: Call['prepared'];
};

/** What of a call a decision needs in any case. */
function plainRequest({ platform, model, key, client, routing }: Routed): RouteRequest {
  return {
    model,
    operation: 'generate',
    key,
    protocol: client.id,
    ...(platform === undefined ? {} : { platform }),
    ...routing?.asks,
  };
}

/** Nothing about the call could change where it goes: there is one target at most, and no route has put it there. */
const isSettled = ({ candidates: [only, second], turned }: Decision): boolean =>
  only === undefined || (second === undefined && turned === undefined && !only.reasons.some(isOrderReason));

/**
 * Decides by what is known of a call without looking through its body; what that says is asked for only where there is a choice: a
 * lone target is asked whatever the call needs, so that most are decided by their model's name alone.
 */
export function decideByNeed(
  snapshot: Snapshot,
  request: RouteRequest,
  signals: Signals,
  look: (decision: Decision) => Pick<RouteRequest, 'needs' | 'caller'>,
): Decided {
  const decision = decide(snapshot, request, signals);
  if (isSettled(decision) && request.prefers?.requireParameters !== true && !request.prefers?.maxPrice) return { decision, request };
  const { needs, caller } = look(decision);
  const whole = { ...request, ...(needs ? { needs } : {}), ...(caller ? { caller: markedCaller(caller) } : {}) };
  return decideNoting(snapshot, whole, signals);
}

/**
 * Where a call goes whose tokens are to be counted only: where it would go itself, and where it is too long for every target, there
 * all the same. That it is too long is what is asked.
 */
export function decideCount(call: Routed, signals: Signals): Decided {
  const decided = decideCall(call, signals);
  const { decision, request } = decided;
  const isTooLong = decision.refusal !== undefined && decision.candidates.some(({ reasons }) => reasons.includes('context_too_long'));
  if (!isTooLong || !request.needs) return decided;
  const { tokens: _tokens, ...needs } = request.needs;
  return decideNoting(call.snapshot, { ...request, needs }, signals);
}

/** What candidates would leave out of a call. */
type LossReader = (candidate: Candidate) => readonly string[];

function lostIn(candidates: readonly Candidate[], far: LookAhead, lossesAt: LossReader): Pick<Needs, 'lost'> {
  const lost: Record<string, readonly string[]> = {};
  const named = namesInAll();
  lookAhead(candidates, far, (one) => {
    const names = lossesAt(one);
    if (names.length > 0) lost[`${one.provider}/${one.model}`] = named(names);
    return names.length === 0;
  });
  return Object.keys(lost).length > 0 ? { lost } : {};
}

/** How to find what would be left out, and at how many targets the call may be tried. */
interface Losses {
  readonly reader: () => LossReader;
  readonly tries: number;
}

/** Where a call goes, and what that was decided by. `losses`: asked only where nothing may be left out. */
export function decideCall(call: Routed, signals: Signals, losses?: Losses): Decided {
  return decideByNeed(call.snapshot, plainRequest(call), signals, ({ candidates }) => {
    const body = call.prepared?.body ?? parseObject(call.body.toString('utf8'));
    // What is no JSON is told by the lane.
    if (!body) return {};
    const far = { tries: losses?.tries ?? 0, bytes: call.body.length };
    const lost = losses && call.routing?.asks.prefers?.requireParameters === true ? lostIn(candidates, far, losses.reader()) : {};
    return { needs: { ...readNeeds(body), ...lost }, caller: readCaller(call.headers, body, call.address) };
  });
}
