import { type Json, type JsonObject, type Reply, type Residue, type Stop } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { residueOf } from './dialect.ts';
import { encodeReplyPart, endingInText } from './reply-blocks.ts';
import { encodeStopReason, type Held, heldBy } from './stops.ts';
import { encodeUsage } from './usage.ts';

/** The reply's id: one that the gateway has given, the upstream's, or a new one. */
export const replyId = (id: string, context: ReplyContext): string => context.replyId ?? (id === '' ? context.newId('msg_') : id);

/** `stop_reason` and what stands beside it. */
export function encodeEnd(stop: Stop, held: Held, residue: { readonly residue?: Residue }, refusal: string): JsonObject {
  const stop_reason = encodeStopReason(stop, held);
  const details = residueOf(residue)['stop_details'];
  const refused: Json = refusal === '' ? null : { type: 'refusal', category: null, explanation: refusal };
  return { stop_reason, stop_sequence: stop.reason === 'stop-sequence' ? (stop.sequence ?? null) : null, stop_details: details ?? refused };
}

/** A tier in this dialect's words; others have no place in its usage. */
const TIERS: ReadonlySet<string> = new Set(['standard', 'priority', 'batch']);

/** The tier that served it, where it is one of this dialect’s. */
export const tierMember = (tier: string | undefined): JsonObject => (tier !== undefined && TIERS.has(tier) ? { service_tier: tier } : {});

/** Notes that a client of this dialect gets one answer only. */
export function noteChoices(context: ReplyContext): void {
  context.notes.add('n', 'dropped', 'Messages has one answer a reply: the first was sent');
}

/** Writes a whole reply. */
export function encodeReply(reply: Reply, context: ReplyContext): JsonObject {
  if (reply.others && reply.others.length > 0) noteChoices(context);
  const refusal = reply.parts.map((part) => (part.kind === 'refusal' ? part.text : '')).join('');
  return {
    container: null,
    ...residueOf(reply),
    id: replyId(reply.id, context),
    type: 'message',
    role: 'assistant',
    model: reply.model,
    content: endingInText(reply.parts.flatMap((part) => encodeReplyPart(part, context.notes))),
    ...encodeEnd(reply.stop, heldBy(reply.parts), reply, refusal),
    usage: { ...encodeUsage(reply.usage), ...tierMember(reply.serviceTier) },
  };
}
