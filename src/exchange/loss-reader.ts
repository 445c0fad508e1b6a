import { GatewayError, type Notes, type ProtocolId } from '../ir/index.ts';
import type { Candidate } from '../policy/candidate.ts';
import type { ProviderCodec } from '../protocols/protocol.ts';
import type { Call, Decoded, Target } from './call.ts';
import { lostParameters } from './refuse-losses.ts';
import { targetOf } from './target-of.ts';
import { decodeCall, writeRaw, writeTranslated } from './write-request.ts';

/** What writing a call for a target notes. Neither seals nor media are brought along for it: no parameter stands in them. */
function notesAt(call: Call, target: Target, decoded: () => Decoded): Notes {
  if (target.lane === 'raw') return writeRaw(call, target).notes;
  const read = decoded();
  const { n = 1, ...single } = read.request;
  // Several answers of a target that gives one are several calls.
  const request = n > 1 && !target.wire.factsOf(target.model).n ? single : read.request;
  return writeTranslated(call, target, read, request, () => {
    throw new Error('nothing was sent');
  }).notes;
}

/** Reads what parameters of a call its candidates would leave out, by writing it for them. What one refuses it will say itself. */
export function lossReader(
  asked: Call,
  ports: { readonly codecs: ReadonlyMap<ProtocolId, ProviderCodec> },
): (candidate: Candidate) => readonly string[] {
  const { routing: _routing, ...rest } = asked;
  // Losses are to be told here, not refused.
  const call: Call = { ...rest, strict: false };
  let read: Decoded | undefined;
  return (candidate) => {
    const provider = call.snapshot.providers.get(candidate.provider);
    if (!provider || candidate.protocol === undefined) return [];
    try {
      const target = targetOf(call, { candidate, provider, timeouts: provider.timeouts }, ports);
      return lostParameters(notesAt(call, target, () => (read ??= decodeCall(call))));
    } catch (error) {
      if (error instanceof GatewayError) return [];
      throw error;
    }
  };
}
