import { type ReplyEvent, type Usage } from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { faultFrame } from '../openai-chat/faults.ts';
import { encodeStop } from '../openai-chat/stops.ts';
import { encodeUsage } from '../openai-chat/usage.ts';
import { residueOf } from './dialect.ts';
import { echoOf, noteLoss, replyId } from './reply-encode.ts';

type Start = Extract<ReplyEvent, { type: 'reply-start' }>;
type End = Extract<ReplyEvent, { type: 'reply-end' }>;

/** Writes a client's stream of `text_completion` chunks. https://platform.openai.com/docs/api-reference/completions */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  /** Every chunk up to its choices. */
  let head = '';
  /** A chunk of the open part up to its text; `undefined`: the part is not shown. */
  let prefix: string | undefined;
  let usage: Usage | undefined;
  const begun = new Set<number>();

  const chunk = (text: string, index: number, finish: string | null, write: WriteFrame): void =>
    write(
      `${head}"choices":[{"text":${JSON.stringify(text)},"index":${index},"logprobs":null,"finish_reason":${JSON.stringify(finish)}}]}`,
    );

  function start(event: Start): void {
    const envelope = {
      ...residueOf(event),
      id: replyId(event.id, context),
      object: 'text_completion',
      created: event.createdAt ?? context.now(),
      model: event.model,
    };
    head = `${JSON.stringify(envelope).slice(0, -1)},`;
  }

  function echo(index: number, write: WriteFrame): void {
    if (begun.has(index)) return;
    begun.add(index);
    const text = echoOf(context);
    if (text !== '') chunk(text, index, null, write);
  }

  function end(event: End, write: WriteFrame): void {
    for (const [index, stop] of [event.stop, ...(event.others ?? [])].entries()) {
      echo(index, write);
      chunk('', index, encodeStop(stop, false, false), write);
    }
    if (context.request.includeUsage && usage) write(`${head}"choices":[],"usage":${JSON.stringify(encodeUsage(usage))}}`);
    write('[DONE]');
  }

  return {
    event(event, write) {
      switch (event.type) {
        case 'reply-start':
          return start(event);
        case 'part-start': {
          const index = event.choice ?? 0;
          noteLoss(event.part.kind, context);
          const shown = event.part.kind === 'text' || event.part.kind === 'refusal';
          if (shown) echo(index, write);
          prefix = shown ? `${head}"choices":[{"index":${index},"logprobs":null,"finish_reason":null,"text":` : undefined;
          return;
        }
        case 'part-delta':
          if (prefix !== undefined) write(`${prefix}${event.literal ?? JSON.stringify(event.text)}}]}`);
          return;
        case 'usage':
          usage = event.usage;
          return;
        case 'reply-end':
          return end(event, write);
        case 'fault':
          return faultFrame(event.fault, '', write);
        default:
      }
    },
  };
}
