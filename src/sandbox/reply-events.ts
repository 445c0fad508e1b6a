import { type Part, type Reply, type ReplyEvent, type TextPart, unfold } from '../ir/index.ts';
import { splitJson, splitText } from './split-text.ts';

type Delta = Extract<ReplyEvent, { type: 'part-delta' }>;

function* pieces(open: Part['kind'] | undefined, delta: Delta): Iterable<ReplyEvent> {
  for (const text of open === 'tool-call' ? splitJson(delta.text) : splitText(delta.text)) yield { type: 'part-delta', text };
}

/** Each piece of a text with the log probability of its token (pieces are tokens here). */
function* piecesWithLogprobs(logprobs: NonNullable<TextPart['logprobs']>): Iterable<ReplyEvent> {
  for (const logprob of logprobs) {
    yield { type: 'part-delta', text: logprob.token };
    yield { type: 'part-note', logprobs: [logprob] };
  }
}

/** A whole reply as the events of a stream, its texts in small pieces. Collected again they are the reply. */
export function* replyEvents(reply: Reply): Iterable<ReplyEvent> {
  const events: ReplyEvent[] = [];
  unfold(reply, (event) => events.push(event));
  let open: Part['kind'] | undefined;
  for (const [index, event] of events.entries()) {
    if (event.type === 'part-start') open = event.part.kind;
    const next = events[index + 1];
    const logprobs = event.type === 'part-delta' && next?.type === 'part-note' ? next.logprobs : undefined;
    if (event.type === 'part-delta') yield* logprobs ? piecesWithLogprobs(logprobs) : pieces(open, event);
    else if (event.type !== 'part-note' || !event.logprobs) yield event;
  }
}
