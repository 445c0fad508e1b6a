import { type Ability, GatewayError, gatewayFault } from '../../ir/index.ts';
import type { Decision, RouteRequest } from '../../policy/decide.ts';
import { keepDecision, type KeptDecision } from '../../policy/kept-decision.ts';
import type { Provider, ProviderMedia } from '../../presets/preset.ts';
import type { Call } from '../call.ts';
import { decideByNeed } from '../decide-call.ts';
import type { ExchangePorts } from '../exchange.ts';

/** What of a call its decision needs. */
interface Asking extends Pick<Call, 'model' | 'key' | 'client' | 'platform' | 'snapshot'> {
  readonly ability: Ability;
  /** Which of a provider's wires for the ability is best for this call, where it has several; else the first. */
  readonly prefers?: (media: ProviderMedia) => boolean;
}

/** A target with what does the work there. */
export interface Chosen {
  readonly provider: Provider;
  readonly media: ProviderMedia;
  readonly model: string;
}

/** Where a call goes, kept in `settling`; throws the refusal where there is nowhere. */
export function decideMedia(
  call: Asking,
  { signals, trying }: Pick<ExchangePorts, 'signals' | 'trying'>,
  settling: { route?: KeptDecision } = {},
): Decision {
  const { model, ability, key, client, platform, snapshot } = call;
  const pinned = platform === undefined ? {} : { platform };
  trying.health.refresh();
  const request: RouteRequest = { model, operation: ability, key, protocol: client.id, ...pinned };
  const decided = decideByNeed(snapshot, request, signals.read(), () => ({}));
  const { decision } = decided;
  settling.route = keepDecision(decided);
  signals.follow(decision);
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

/** The target that a call goes to; throws the refusal where there is none. */
export function chooseMedia(call: Asking, ports: Pick<ExchangePorts, 'signals' | 'trying'>): Chosen {
  const candidate = decideMedia(call, ports).candidates.find(({ verdict }) => verdict === 'chosen');
  const provider = candidate && call.snapshot.providers.get(candidate.provider);
  if (!provider) throw new Error('a decision without a choice or a refusal');
  return chosenAt(call, provider, candidate.model);
}
