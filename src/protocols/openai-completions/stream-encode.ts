import type { PartHead, ReplyEvent, Usage } from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { faultFrame } from '../openai-chat/faults.ts';
import { encodeStop } from '../openai-chat/stops.ts';
import { encodeUsage } from '../openai-chat/usage.ts';
import { residueOf } from './dialect.ts';
import { echoOf, noteLoss, replyId } from './reply-encode.ts';

type Start = Extract<ReplyEvent, { type: 'reply-start' }>;
type End = Extract<ReplyEvent, { type: 'reply-end' }>;

/** Where writing one stream stands. */
interface Writing {
  readonly context: ReplyContext;
  /** Every chunk up to its choices. */
  head: string;
  /** A chunk of the open part up to its text; `undefined`: the part is not shown. */
  prefix: string | undefined;
  usage: Usage | undefined;
  readonly begun: Set<number>;
}

function chunk({ head }: Writing, text: string, index: number, finish: string | null, write: WriteFrame): void {
  const choice = { text, index, logprobs: null, finish_reason: finish };
  write(`${head}"choices":[${JSON.stringify(choice)}]}`);
}

function start(writing: Writing, event: Start): void {
  const { context } = writing;
  const envelope = {
    ...residueOf(event),
    id: replyId(event.id, context),
    object: 'text_completion',
    created: event.createdAt ?? context.now(),
    model: event.model,
  };
  writing.head = `${JSON.stringify(envelope).slice(0, -1)},`;
}

/** The prompt, where it is wanted before what the model says. */
function echo(writing: Writing, index: number, write: WriteFrame): void {
  if (writing.begun.has(index)) return;
  writing.begun.add(index);
  const text = echoOf(writing.context);
  if (text !== '') chunk(writing, text, index, null, write);
}

function startPart(writing: Writing, { kind }: PartHead, index: number, write: WriteFrame): void {
  noteLoss(kind, writing.context);
  const isShown = kind === 'text' || kind === 'refusal';
  if (isShown) echo(writing, index, write);
  writing.prefix = isShown ? `${writing.head}"choices":[{"index":${index},"logprobs":null,"finish_reason":null,"text":` : undefined;
}

function end(writing: Writing, event: End, write: WriteFrame): void {
  for (const [index, stop] of [event.stop, ...(event.others ?? [])].entries()) {
    echo(writing, index, write);
    chunk(writing, '', index, encodeStop(stop, false, false), write);
  }
  const { context, usage, head } = writing;
  if (context.request.includeUsage && usage) write(`${head}"choices":[],"usage":${JSON.stringify(encodeUsage(usage))}}`);
  write('[DONE]');
}

/** Writes a client's stream of `text_completion` chunks. https://platform.openai.com/docs/api-reference/completions */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const writing: Writing = { context, head: '', prefix: undefined, usage: undefined, begun: new Set() };
  return {
    event(event, write) {
      switch (event.type) {
        case 'reply-start':
          return start(writing, event);
        case 'part-start':
          return startPart(writing, event.part, event.choice ?? 0, write);
        case 'part-delta':
          if (writing.prefix !== undefined) write(`${writing.prefix}${event.literal ?? JSON.stringify(event.text)}}]}`);
          return;
        case 'usage':
          writing.usage = event.usage;
          return;
        case 'reply-end':
          return end(writing, event, write);
        case 'fault':
          return faultFrame(event.fault, '', write);
        default:
      }
    },
  };
}
