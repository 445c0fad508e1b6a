import { type Ability, GatewayError, gatewayFault, type JsonObject } from '../../ir/index.ts';
import type { Decision, RouteRequest } from '../../policy/decide.ts';
import { type Decided, keepDecision, type KeptDecision } from '../../policy/kept-decision.ts';
import type { ProviderMedia } from '../../presets/preset.ts';
import type { Call } from '../call.ts';
import { decideByNeed } from '../decide-call.ts';
import type { ExchangePorts } from '../exchange.ts';
import { readCaller } from '../read-caller.ts';
import { readMoment } from '../trying/moment.ts';
import { misfitsOf } from './misfits.ts';
import { readMediaNeeds } from './read-media-needs.ts';
import { type Chosen, chosenAt, type Writing } from './writing.ts';

/** What of a call its decision needs. */
export interface Asking extends Pick<Call, 'model' | 'key' | 'client' | 'platform' | 'snapshot' | 'headers' | 'address' | 'routing'> {
  readonly ability: Ability;
  /** The body, as far as it says who calls and what is needed; read only where there is a choice. */
  readonly told?: () => JsonObject;
  /**
   * Writes the call for a target as it would be written to be sent, as far as it is known already: throws what the target would refuse,
   * and leaves notes of what it would lose. Nothing else comes of it.
   */
  readonly write?: (writing: Writing) => void;
  /** Size of the body, where it was read whole. */
  readonly bytes?: number;
  /** Decided before: where it goes is not asked again. */
  readonly decided?: Decided;
  /** Which of a provider's wires for the ability is best for this call, where it has several; else the first. */
  readonly prefers?: (media: ProviderMedia) => boolean;
}

/** What deciding needs of the world. */
type Ports = Pick<ExchangePorts, 'signals' | 'trying' | 'newId'>;

function decideAsked(call: Asking, ports: Ports): Decided {
  const { model, ability, key, client, platform, snapshot, routing, headers, told, address } = call;
  const pinned = platform === undefined ? {} : { platform };
  const request: RouteRequest = { model, operation: ability, key, protocol: client.id, ...pinned, ...routing?.asks };
  const { tries } = ports.trying.limits();
  const strictly = routing?.asks.prefers?.requireParameters === true;
  const decided = decideByNeed(snapshot, request, readMoment(ports, snapshot), ({ candidates }) => {
    const body = told?.() ?? {};
    const misfits = candidates.length > 1 || strictly ? misfitsOf(call, candidates, ports.newId, { strictly, tries }) : {};
    return { needs: { ...readMediaNeeds(ability, body), ...misfits }, caller: readCaller(headers, body, address) };
  });
  ports.signals.follow(decided.decision);
  return decided;
}

/** Where a call goes; throws the refusal where there is nowhere. `settling`: gets what is kept of it, in either case. */
export function decideMedia(call: Asking, ports: Ports, settling: { route?: KeptDecision } = {}): Decision {
  const decided = call.decided ?? decideAsked(call, ports);
  const { decision } = decided;
  const { key, snapshot } = call;
  const isOwnAccount = key.models === undefined && snapshot.keys.get(key.id)?.models !== undefined;
  settling.route = { ...keepDecision(decided), ...(isOwnAccount ? { a: 1 } : {}) };
  if (!decision.refusal) return decision;
  const { kind, message, param } = decision.refusal;
  const code = kind === 'not_found' ? 'model_not_found' : `${kind}_error`;
  throw new GatewayError(gatewayFault(kind, message, { code, ...(param ? { param } : {}) }));
}

/** The target that a call goes to, and the decision for whoever runs it; throws the refusal where there is none. */
export function chooseMedia(call: Asking, ports: Ports): Chosen & { readonly decided: Decided } {
  const decided = call.decided ?? decideAsked(call, ports);
  const candidate = decideMedia({ ...call, decided }, ports).candidates.find(({ verdict }) => verdict === 'chosen');
  const provider = candidate && call.snapshot.providers.get(candidate.provider);
  if (!provider) throw new Error('a decision without a choice or a refusal');
  return { ...chosenAt(call, provider, candidate.model), decided };
}
