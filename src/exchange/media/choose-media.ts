import { type Ability, GatewayError, gatewayFault, type JsonObject } from '../../ir/index.ts';
import type { Decision, RouteRequest } from '../../policy/decide.ts';
import { type Decided, keepDecision, type KeptDecision } from '../../policy/kept-decision.ts';
import type { Provider, ProviderMedia } from '../../presets/preset.ts';
import type { Call } from '../call.ts';
import { decideByNeed } from '../decide-call.ts';
import type { ExchangePorts } from '../exchange.ts';
import { readCaller } from '../read-caller.ts';
import { readMoment } from '../trying/moment.ts';
import { readMediaNeeds } from './read-media-needs.ts';

/** What of a call its decision needs. */
export interface Asking extends Pick<Call, 'model' | 'key' | 'client' | 'platform' | 'snapshot' | 'headers' | 'address' | 'routing'> {
  readonly ability: Ability;
  /** The body, as far as it says who calls and what is needed; read only where there is a choice. */
  readonly told?: () => JsonObject;
  /** Decided before: where it goes is not asked again. */
  readonly decided?: Decided;
  /** Which of a provider's wires for the ability is best for this call, where it has several; else the first. */
  readonly prefers?: (media: ProviderMedia) => boolean;
}

/** A target with what does the work there. */
export interface Chosen {
  readonly provider: Provider;
  readonly media: ProviderMedia;
  readonly model: string;
}

function decideAsked(call: Asking, ports: Pick<ExchangePorts, 'signals' | 'trying'>): Decided {
  const { model, ability, key, client, platform, snapshot, routing, headers, told, address } = call;
  const pinned = platform === undefined ? {} : { platform };
  const request: RouteRequest = { model, operation: ability, key, protocol: client.id, ...pinned, ...routing?.asks };
  const decided = decideByNeed(snapshot, request, readMoment(ports, snapshot), () => {
    const body = told?.() ?? {};
    return { needs: readMediaNeeds(ability, body), caller: readCaller(headers, body, address) };
  });
  ports.signals.follow(decided.decision);
  return decided;
}

/** Where a call goes; throws the refusal where there is nowhere. `settling`: gets what is kept of it, in either case. */
export function decideMedia(
  call: Asking,
  ports: Pick<ExchangePorts, 'signals' | 'trying'>,
  settling: { route?: KeptDecision } = {},
): Decision {
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

/** What does the work at a provider: the wire that is best for the call. */
export function chosenAt(call: Asking, provider: Provider, model: string): Chosen {
  const able = provider.media.filter((one) => one.ability === call.ability && one.serves(model));
  const media = (call.prefers && able.find(call.prefers)) ?? able[0];
  if (!media) throw new Error(`provider '${provider.name}' has no ${call.ability}`);
  return { provider, media, model };
}

/** The target that a call goes to, and the decision for whoever runs it; throws the refusal where there is none. */
export function chooseMedia(call: Asking, ports: Pick<ExchangePorts, 'signals' | 'trying'>): Chosen & { readonly decided: Decided } {
  const decided = call.decided ?? decideAsked(call, ports);
  const candidate = decideMedia({ ...call, decided }, ports).candidates.find(({ verdict }) => verdict === 'chosen');
  const provider = candidate && call.snapshot.providers.get(candidate.provider);
  if (!provider) throw new Error('a decision without a choice or a refusal');
  return { ...chosenAt(call, provider, candidate.model), decided };
}
