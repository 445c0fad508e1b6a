import { createNotes, GatewayError, type JsonObject, type Turn } from '../ir/index.ts';
import { createFindWord } from '../wire/find-word.ts';
import type { Outgoing } from './attempt.ts';
import type { Call, Decoded, Target } from './call.ts';
import { overheard } from './lanes/overheard.ts';
import type { SealStore } from './ports.ts';
import { bareIds, createSealKeeper, restoreSeals } from './seal-keeper.ts';
import { decodeCall, writeRaw } from './write-request.ts';

const findTools = createFindWord(Buffer.from('"tools"'));

/**
 * Whether the thoughts of a call on the raw lane must be minded: its model wants them back beside its tool calls, and most
 * clients of the dialect know no such field.
 */
const mindsThoughts = (call: Call, target: Target): boolean =>
  target.wire.factsOf(target.model).thoughtsWithCalls === true && call.operation === 'generate' && findTools(call.body) >= 0;

/** The call, read; `undefined` where it cannot be: then the provider says what is wrong with it. */
function readable(call: Call): Decoded | undefined {
  try {
    return decodeCall(call);
  } catch (error) {
    if (error instanceof GatewayError) return undefined;
    throw error;
  }
}

/** A turn with tool calls that came back without a thought. */
const isBare = ({ role, parts }: Turn): boolean =>
  role === 'assistant' && parts.some((part) => part.kind === 'tool-call') && !parts.some((part) => part.kind === 'reasoning');

/** The body with the thoughts that are kept for it; `undefined` where there are none, or nothing lacks them. */
async function withThoughts(call: Call, target: Target, { request, body }: Decoded, seals: SealStore): Promise<JsonObject | undefined> {
  if (!request.turns.some(isBare)) return undefined;
  const kept = await seals.get(call.key.id, bareIds(request));
  if (kept.size === 0) return undefined;
  const { model, provider, codec, wire } = target;
  const encoded = codec.encodeRequest(
    { ...restoreSeals(request, kept), model },
    { model, facts: wire.factsOf(model), maker: provider.maker, notes: createNotes() },
  );
  return { ...body, messages: encoded['messages'] ?? [] };
}

/** A call on the raw lane. Thoughts that its model wants back beside its tool calls are kept, and put back where the client left them out. */
export function writeRawMinding(call: Call, target: Target, seals: SealStore): Outgoing | Promise<Outgoing> {
  const decoded = mindsThoughts(call, target) ? readable(call) : undefined;
  return decoded ? writeMinding(call, target, decoded, seals) : writeRaw(call, target);
}

async function writeMinding(call: Call, target: Target, decoded: Decoded, seals: SealStore): Promise<Outgoing> {
  const body = await withThoughts(call, target, decoded, seals);
  const outgoing = writeRaw(body ? { ...call, prepared: { raw: true, ...call.prepared, body } } : call, target);
  return {
    ...outgoing,
    lane(context) {
      // One a try: what a broken answer thought is not kept.
      const keeper = createSealKeeper(target.provider.maker, decoded.request.turns.at(-1));
      return overheard(outgoing.lane(context), context, (event) => {
        keeper.event(event);
        if (event.type === 'reply-end' && keeper.kept.size > 0) seals.put(call.key.id, keeper.kept);
      });
    },
  };
}
