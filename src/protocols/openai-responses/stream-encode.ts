import { type Fault, type JsonObject, type ReplyEvent, type Usage } from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { isOwn } from './dialect.ts';
import { failureOf, faultFrame, writeFailure } from './faults.ts';
import { createItemWriter, type ItemWriter } from './item-writer.ts';
import { endOutput, noteChoices } from './reply-encode.ts';
import { responseWriter, type Snapshot } from './response-object.ts';
import { encodeStop } from './stops.ts';

type Start = Extract<ReplyEvent, { type: 'reply-start' }>;
type End = Extract<ReplyEvent, { type: 'reply-end' }>;
type PartStart = Extract<ReplyEvent, { type: 'part-start' }>;

/** Where writing a reply stands. */
interface Writing {
  readonly context: ReplyContext;
  readonly items: ItemWriter;
  response: ((snapshot: Snapshot) => JsonObject) | undefined;
  usage: Usage | undefined;
  /** A provider of this dialect answers. */
  own: boolean;
  /** A part of a further choice is passing by. */
  aside: boolean;
}

function start(writing: Writing, event: Start, write: WriteFrame): void {
  const { context, items } = writing;
  writing.own = isOwn(event);
  writing.response = responseWriter(event, context);
  const begun = JSON.stringify(writing.response({ status: 'in_progress', output: [] }));
  items.sender.printed('response.created', begun, write);
  items.sender.printed('response.in_progress', begun, write);
}

function end({ context, items, own, response, usage }: Writing, event: End, write: WriteFrame): void {
  const stop = encodeStop(event.stop, own || isOwn(event));
  items.finish(write, stop.status);
  const output = endOutput(items.sender.output, stop.status);
  const completedAt = stop.status === 'completed' ? context.now() : undefined;
  const done = response?.({ ...stop, output, usage, completedAt, serviceTier: event.serviceTier });
  items.sender.send(`response.${stop.status}`, { response: done ?? {} }, write);
}

function fail({ context, items, response, usage }: Writing, fault: Fault, write: WriteFrame): void {
  if (!response) return faultFrame(fault, context.requestId ?? '', write);
  const { output, sequence } = items.sender;
  writeFailure(fault, response({ status: 'failed', output, usage, error: failureOf(fault) }), sequence(), write);
}

function partStart(writing: Writing, event: PartStart, write: WriteFrame): void {
  writing.aside = (event.choice ?? 0) > 0;
  if (writing.aside) noteChoices(writing.context);
  else writing.items.start(event.part, write);
}

/** Writes a client's stream. https://platform.openai.com/docs/api-reference/responses-streaming */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const items = createItemWriter(context);
  const writing: Writing = { context, items, response: undefined, usage: undefined, own: false, aside: false };
  return {
    event(event, write) {
      switch (event.type) {
        case 'part-delta':
          if (!writing.aside) items.delta(event.text, event.literal, write);
          return;
        case 'reply-start':
          start(writing, event, write);
          return;
        case 'part-start':
          partStart(writing, event, write);
          return;
        case 'part-note':
          if (!writing.aside) items.note(event, write);
          return;
        case 'part-end':
          if (!writing.aside) items.end(event, write);
          return;
        case 'usage':
          writing.usage = event.usage;
          return;
        case 'reply-end':
          end(writing, event, write);
          return;
        case 'fault':
          fail(writing, event.fault, write);
      }
    },
  };
}
