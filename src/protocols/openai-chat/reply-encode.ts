import { type Choice, type JsonObject, type Reply } from '../../ir/index.ts';
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
    ...(reply.serviceTier === undefined ? {} : { service_tier: reply.serviceTier }),
  };
}
