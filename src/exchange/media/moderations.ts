import { moderationsCodecs } from '../../media/moderations/index.ts';
import type { ModerationsReply, ModerationsRequest } from '../../media/moderations/shape.ts';
import type { MediaContext } from './media-exchange.ts';
import { codecOf, understood } from './whole.ts';
import type { Writing } from './writing.ts';

/** Writes for a target what `moderate` would ask it, so that it is known what it refuses or loses. */
export const writeModerations = (writing: Writing, request: ModerationsRequest): void =>
  void codecOf(moderationsCodecs, writing).encode(request, writing.target);

/** Asks the target to judge the inputs. */
export async function moderate(context: MediaContext, request: ModerationsRequest): Promise<ModerationsReply> {
  const codec = codecOf(moderationsCodecs, context);
  const answer = await context.ask(codec.encode(request, context.target), codec);
  const reply = understood(context, () => codec.decode(answer, request, context.target));
  context.count(reply.usage);
  return reply;
}
