import { type Choice, type JsonObject, type Reply, wordTable } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { residueOf } from './dialect.ts';
import { encodeMessage } from './message-encode.ts';
import { encodeStop } from './stops.ts';
import { encodeUsage } from './usage.ts';

/** Whether the client asked with `functions`, the form before `tools`: it is answered in kind. */
export const isLegacy = (body: JsonObject): boolean => Array.isArray(body['functions']) && !Array.isArray(body['tools']);

/** The reply's id: one that the gateway has given, the upstream's, or a new one. */
export const replyId = (id: string, context: ReplyContext): string => context.replyId ?? (id === '' ? context.newId('chatcmpl-') : id);

function encodeChoice(choice: Choice, index: number, context: ReplyContext): JsonObject {
  const legacy = isLegacy(context.body);
  const { message, logprobs, toolCall } = encodeMessage(choice.parts, legacy, context.notes, context.newId);
  return { index, message, logprobs, finish_reason: encodeStop(choice.stop, toolCall, legacy) };
}

/** Other dialects' words for tiers, in this one's; its providers' own pass as they are. */
const TIERS: Readonly<Record<string, string | null>> = wordTable({ standard: 'default', batch: null });

/** The tier that served the reply; nothing where this dialect has no word for it. */
export function tierMember(tier: string | undefined): JsonObject {
  if (tier === undefined) return {};
  const word = tier in TIERS ? TIERS[tier] : tier;
  return word === null || word === undefined ? {} : { service_tier: word };
}

/** Writes a whole reply. */
export function encodeReply(reply: Reply, context: ReplyContext): JsonObject {
  const { others = [] } = reply;
  return {
    ...residueOf(reply),
    id: replyId(reply.id, context),
    object: 'chat.completion',
    created: reply.createdAt ?? context.now(),
    model: reply.model,
    choices: [reply, ...others].map((choice, index) => encodeChoice(choice, index, context)),
    ...(reply.usage ? { usage: encodeUsage(reply.usage) } : {}),
    ...tierMember(reply.serviceTier),
  };
}
