import { type Choice, type JsonObject, type Part, type Reply, textOf } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { encodeStop } from '../openai-chat/stops.ts';
import { encodeUsage } from '../openai-chat/usage.ts';
import { residueOf } from './dialect.ts';

/** The reply's id: one that the gateway has given, the upstream's, or a new one. */
export const replyId = (id: string, context: ReplyContext): string => context.replyId ?? (id === '' ? context.newId('cmpl-') : id);

/** What a client that asked for `echo` reads before the answer. */
export const echoOf = (context: ReplyContext): string =>
  context.body['echo'] === true ? textOf(context.request.turns[0]?.parts ?? []) : '';

/** Notes a part that a bare text cannot hold. Thoughts go without a word: nobody who completes a text asks for them. */
export function noteLoss(kind: Part['kind'], context: ReplyContext): void {
  if (kind !== 'text' && kind !== 'refusal' && kind !== 'reasoning') context.notes.add(kind, 'dropped', 'a completion is text alone');
}

function encodeChoice(choice: Choice, index: number, context: ReplyContext): JsonObject {
  for (const part of choice.parts) noteLoss(part.kind, context);
  return { text: echoOf(context) + textOf(choice.parts), index, logprobs: null, finish_reason: encodeStop(choice.stop, false, false) };
}

/** Writes a whole reply. */
export function encodeReply(reply: Reply, context: ReplyContext): JsonObject {
  return {
    ...residueOf(reply),
    id: replyId(reply.id, context),
    object: 'text_completion',
    created: reply.createdAt ?? context.now(),
    model: reply.model,
    choices: [reply, ...(reply.others ?? [])].map((choice, index) => encodeChoice(choice, index, context)),
    ...(reply.usage ? { usage: encodeUsage(reply.usage) } : {}),
  };
}
