import type { ProtocolId } from '../ir/index.ts';
import type { ProviderWire } from '../presets/preset.ts';
import type { ProviderCodec } from '../protocols/protocol.ts';
import type { Call, Target } from './call.ts';
import { choicesOf } from './choices.ts';
import type { Step } from './trying/walking.ts';
import { holdsForeignSeal } from './write-request.ts';

/** Whether the bytes may pass as they are. */
function isRaw(call: Call, wire: ProviderWire, model: string): boolean {
  if (wire.protocol !== call.client.id || holdsForeignSeal(call.body) || call.prepared?.raw === false) return false;
  return choicesOf(call) <= 1 || wire.factsOf(model).n;
}

/** Where a try of a call goes, and by which lane. */
export function targetOf(
  call: Call,
  { candidate, provider, timeouts }: Pick<Step, 'candidate' | 'provider' | 'timeouts'>,
  { codecs }: { readonly codecs: ReadonlyMap<ProtocolId, ProviderCodec> },
): Target {
  const { protocol, model } = candidate;
  const wire = protocol && provider.wires.get(protocol);
  const codec = protocol && codecs.get(protocol);
  if (!protocol || !wire || !codec) throw new Error(`candidate ${candidate.provider} has no wire`);
  return { candidate, provider, wire, codec, model, protocol, lane: isRaw(call, wire, model) ? 'raw' : 'translated', timeouts };
}
