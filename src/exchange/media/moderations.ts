import { moderationsCodecs } from '../../media/moderations/index.ts';
import type { ModerationsReply, ModerationsRequest } from '../../media/moderations/shape.ts';
import type { MediaContext } from './media-exchange.ts';
import { codecOf, understood } from './whole.ts';

/** Asks the target to judge the inputs. */
export async function moderate(context: MediaContext, request: ModerationsRequest): Promise<ModerationsReply> {
  const codec = codecOf(moderationsCodecs, context);
  const answer = await context.ask(codec.encode(request, context.target), codec);
  const reply = understood(context, () => codec.decode(answer, request, context.target));
  context.count(reply.usage);
  return reply;
}
