import { parseObject } from '../ir/index.ts';
import { decide, type Decision, type RouteRequest } from '../policy/decide.ts';
import { isOrderReason } from '../policy/routes/strategies.ts';
import type { Signals } from '../policy/signals.ts';
import type { Call } from './call.ts';
import { readCaller } from './read-caller.ts';
import { readNeeds } from './read-needs.ts';

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
 * Where a call goes. Its body is looked through only where there is a choice: what a call needs does not matter to a lone
 * target, so that most are decided by their model's name alone.
 */
export function decideCall(call: Routed, signals: Signals): Decision {
  const request = plainRequest(call);
  const decision = decide(call.snapshot, request, signals);
  if (isSettled(decision) && request.prefers?.requireParameters !== true) return decision;
  const body = call.prepared?.body ?? parseObject(call.body.toString('utf8'));
  // What is no JSON is told by the lane.
  if (!body) return decision;
  return decide(call.snapshot, { ...request, needs: readNeeds(body), caller: readCaller(call.headers, body, call.address) }, signals);
}
