import type { JsonObject, Reply } from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { outputItems } from './output-items.ts';
import { responseWriter } from './response-object.ts';
import { isOwn } from './dialect.ts';
import { encodeStop, unended } from './stops.ts';

/** Notes that a client of this dialect gets one answer only. */
export function noteChoices(context: ReplyContext): void {
  context.notes.add('n', 'dropped', 'Responses has one answer a reply: the first was sent');
}

/** The last item of an answer that was broken off is not complete. */
export function endOutput(output: readonly JsonObject[], status: 'completed' | 'incomplete'): readonly JsonObject[] {
  const last = output.at(-1);
  return status === 'incomplete' && last?.['type'] === 'message' ? [...output.slice(0, -1), { ...last, status }] : output;
}

/** Writes a whole response. */
export function encodeReply(reply: Reply, context: ReplyContext): JsonObject {
  if (reply.others && reply.others.length > 0) noteChoices(context);
  const own = isOwn(reply);
  const end = encodeStop(reply.stop, own);
  const status = own ? unended(reply.stop) : undefined;
  return responseWriter(
    reply,
    context,
  )({
    ...(status === undefined ? end : { status }),
    output: endOutput(outputItems(reply.parts, context), end.status),
    usage: reply.usage,
    completedAt: end.status === 'completed' ? context.now() : undefined,
  });
}
