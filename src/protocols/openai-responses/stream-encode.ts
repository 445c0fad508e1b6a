import {
  type Citation,
  createKeptText,
  type Fault,
  type HostedCallPart,
  type HostedResultPart,
  type JsonObject,
  type KeptText,
  type Part,
  type PartHead,
  type ReplyEvent,
  type Seal,
  type TokenLogprob,
  type Usage,
} from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { writeSealed } from './carried.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT, isOwn } from './dialect.ts';
import { failureOf, faultFrame, writeFailure } from './faults.ts';
import { createEventSender, type Flow, flowOf, placeOf, writeWhole } from './event-sender.ts';
import { createCallWriter } from './call-writer.ts';
import {
  hiddenThought,
  hostedCall,
  isResultOf,
  isSummary,
  messageItem,
  reasoningItem,
  refusalContent,
  sealCarrier,
  textContent,
  wholeItems,
} from './output-items.ts';
import { goesOnSaid, goesOnThinking } from './part-groups.ts';
import { endOutput, noteChoices } from './reply-encode.ts';
import { responseWriter, type Snapshot } from './response-object.ts';
import { encodeStop } from './stops.ts';

type Start = Extract<ReplyEvent, { type: 'reply-start' }>;
type End = Extract<ReplyEvent, { type: 'reply-end' }>;
type PartEnd = Extract<ReplyEvent, { type: 'part-end' }>;
type PartNote = Extract<ReplyEvent, { type: 'part-note' }>;
type Head<K extends PartHead['kind']> = Extract<PartHead, { kind: K }>;
type SaidHead = Head<'text'> | Head<'refusal'>;

/** The item that is open: a message or thoughts, of which further parts may come. */
type OpenItem =
  | { readonly kind: 'message'; readonly id: string; readonly first: SaidHead; last: SaidHead; readonly content: JsonObject[] }
  | {
      readonly kind: 'reasoning';
      readonly id: string;
      readonly first: Head<'reasoning'>;
      last: Head<'reasoning'>;
      readonly summary: string[];
      readonly content: string[];
      seal: Seal | undefined;
    };

/** The part that is open. */
interface OpenPart {
  readonly head: PartHead;
  readonly said: KeptText;
  flow: Flow | undefined;
  citations: readonly Citation[];
  logprobs: readonly TokenLogprob[];
}

/** A part that has ended, with all of its text. */
interface DonePart extends OpenPart {
  readonly text: string;
}

/** Writes the items of a reply, one after another. */
function createItemWriter(context: ReplyContext) {
  const sender = createEventSender();
  const calls = createCallWriter(sender, context);
  let item: OpenItem | undefined;
  let part: OpenPart | undefined;
  let waiting: HostedCallPart | undefined;

  const place = (id: string): JsonObject => placeOf(id, sender);
  const whole = (made: JsonObject, write: WriteFrame): void => writeWhole(made, sender, write);

  function close(write: WriteFrame, status: 'completed' | 'incomplete' = 'completed'): void {
    const open = item;
    item = undefined;
    if (open?.kind === 'message') sender.done(messageItem(open.id, open.first, open.content, status), write);
    else if (open?.kind === 'reasoning')
      sender.done(reasoningItem(open.id, open.first, open, writeSealed(open.seal, open.first.id !== undefined)), write);
  }

  function startSaid(head: SaidHead, write: WriteFrame): Flow {
    if (item?.kind === 'message' && goesOnSaid(item.last, head, false)) item.last = head;
    else {
      close(write);
      const id = head.id ?? context.newId('msg_');
      item = { kind: 'message', id, first: head, last: head, content: [] };
      sender.added(messageItem(id, head, [], 'in_progress'), write);
    }
    const content_index = item.content.length;
    const at = place(item.id);
    const empty = head.kind === 'text' ? textContent({ text: '' }) : refusalContent('');
    sender.send('response.content_part.added', { content_index, ...at, part: empty }, write);
    return head.kind === 'text'
      ? flowOf('response.output_text.delta', { content_index }, { item_id: item.id, logprobs: [], output_index: sender.output.length })
      : flowOf('response.refusal.delta', { content_index }, at);
  }

  function endSaid(open: DonePart, head: SaidHead, seal: Seal | undefined, write: WriteFrame): void {
    if (item?.kind !== 'message') return;
    const at = { content_index: item.content.length, ...place(item.id) };
    const made = head.kind === 'text' ? textContent(open) : refusalContent(open.text);
    if (head.kind === 'text') sender.send('response.output_text.done', { ...at, logprobs: made['logprobs'] ?? [], text: open.text }, write);
    else sender.send('response.refusal.done', { ...at, refusal: open.text }, write);
    sender.send('response.content_part.done', { ...at, part: made }, write);
    item.content.push(made);
    if (!seal) return;
    close(write);
    for (const carrier of sealCarrier(seal, context)) whole(carrier, write);
  }

  /** Thoughts begin with their first word: without one they are a seal at most. */
  function startThought(head: Head<'reasoning'>, write: WriteFrame): Flow {
    if (item?.kind === 'reasoning' && goesOnThinking(item.last, head, item.seal !== undefined)) item.last = head;
    else {
      close(write);
      const id = head.id ?? context.newId('rs_');
      item = { kind: 'reasoning', id, first: head, last: head, summary: [], content: [], seal: undefined };
      sender.added(reasoningItem(id, head, item, undefined), write);
    }
    const at = place(item.id);
    if (isSummary(head, context)) {
      const summary_index = item.summary.length;
      sender.send('response.reasoning_summary_part.added', { ...at, part: { type: 'summary_text', text: '' }, summary_index }, write);
      return flowOf('response.reasoning_summary_text.delta', { summary_index }, at);
    }
    const content_index = item.content.length;
    sender.send('response.content_part.added', { content_index, ...at, part: { type: 'reasoning_text', text: '' } }, write);
    return flowOf('response.reasoning_text.delta', { content_index }, at);
  }

  function endThought({ head, text, flow }: DonePart, seal: Seal | undefined, write: WriteFrame): void {
    if (head.kind !== 'reasoning') return;
    if (item?.kind !== 'reasoning' || !flow) return endSilent(head, seal, write);
    const at = place(item.id);
    if (isSummary(head, context)) {
      const summary_index = item.summary.length;
      sender.send('response.reasoning_summary_text.done', { ...at, summary_index, text }, write);
      sender.send('response.reasoning_summary_part.done', { ...at, part: { type: 'summary_text', text }, summary_index }, write);
      item.summary.push(text);
    } else {
      const content_index = item.content.length;
      sender.send('response.reasoning_text.done', { content_index, ...at, text }, write);
      sender.send('response.content_part.done', { content_index, ...at, part: { type: 'reasoning_text', text } }, write);
      item.content.push(text);
    }
    item.seal = seal;
    // Nothing can follow in it: clients need not wait for what comes next.
    if (seal || item.first.id === undefined) close(write);
  }

  /** Thoughts without words, or whose words are hidden. */
  function endSilent(head: Head<'reasoning'>, seal: Seal | undefined, write: WriteFrame): void {
    if (!seal) return;
    if (item?.kind === 'reasoning' && !head.redacted && goesOnThinking(item.last, head, false)) {
      item.seal = seal;
      return close(write);
    }
    close(write);
    whole(hiddenThought({ ...head, text: '', seal }, context), write);
  }

  function tell(items: readonly JsonObject[], write: WriteFrame): void {
    if (items.length > 0) close(write);
    for (const made of items) whole(made, write);
  }

  /** A call of another dialect waits for what it gave: both are one item. */
  function release(write: WriteFrame, result?: HostedResultPart): void {
    const call = waiting;
    waiting = undefined;
    if (call) tell(hostedCall(call, result, context), write);
  }

  function endWhole(gathered: Part | undefined, write: WriteFrame): void {
    if (!gathered) return;
    if (isResultOf(gathered, waiting)) return release(write, gathered);
    release(write);
    if (gathered.kind === 'hosted-call' && gathered.native?.by !== DIALECT) waiting = gathered;
    else tell(wholeItems(gathered, context), write);
  }

  return {
    sender,
    finish(write: WriteFrame, status: 'completed' | 'incomplete'): void {
      release(write);
      close(write, status);
    },
    start(head: PartHead, write: WriteFrame): void {
      if (head.kind !== 'hosted-result') release(write);
      part = { head, said: createKeptText(), flow: undefined, citations: [], logprobs: [] };
      if (head.kind === 'text' || head.kind === 'refusal') part.flow = startSaid(head, write);
      else if (head.kind === 'tool-call') {
        close(write);
        part.flow = calls.start(head, write);
      }
    },
    delta(text: string, literal: string | undefined, write: WriteFrame): void {
      if (!part || text === '') return;
      part.said.add(text);
      if (part.head.kind === 'reasoning' && !part.flow && !part.head.redacted) part.flow = startThought(part.head, write);
      if (part.flow) sender.flow(part.flow, literal ?? JSON.stringify(text), write);
    },
    note(note: PartNote, write: WriteFrame): void {
      if (part?.head.kind !== 'text' || item?.kind !== 'message') return;
      part.logprobs = [...part.logprobs, ...(note.logprobs ?? [])];
      let annotation_index = encodeCitations(part.citations).length;
      for (const annotation of encodeCitations(note.citations ?? [])) {
        const at = { content_index: item.content.length, ...place(item.id) };
        sender.send('response.output_text.annotation.added', { annotation, annotation_index: annotation_index++, ...at }, write);
      }
      part.citations = [...part.citations, ...(note.citations ?? [])];
    },
    end(event: PartEnd, write: WriteFrame): void {
      if (!part) return;
      const open: DonePart = { ...part, text: part.said.text() };
      const { head } = open;
      part = undefined;
      if (head.kind === 'text' || head.kind === 'refusal') endSaid(open, head, event.seal, write);
      else if (head.kind === 'reasoning') endThought(open, event.seal, write);
      else if (head.kind === 'tool-call') calls.end(open, head, event.seal, write);
      else endWhole(gathered(head, open.text, event), write);
    },
  };
}

/** A part that is told whole at its end. */
function gathered(head: PartHead, text: string, end: PartEnd): Part | undefined {
  const tail = { ...(end.seal ? { seal: end.seal } : {}), ...(end.residue ? { residue: end.residue } : {}) };
  const native = end.native ? { native: end.native } : {};
  switch (head.kind) {
    case 'hosted-call':
      return { ...head, inputJson: head.inputJson + text, ...tail, ...native };
    case 'hosted-result':
      return { ...head, ...tail, ...native };
    case 'media':
    case 'native':
      return { ...head, ...tail };
    default:
      return undefined;
  }
}

/** Writes a client's stream. https://platform.openai.com/docs/api-reference/responses-streaming */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const items = createItemWriter(context);
  const { sender } = items;
  let response: ((snapshot: Snapshot) => JsonObject) | undefined;
  let usage: Usage | undefined;
  /** A provider of this dialect answers. */
  let own = false;
  /** A part of a further choice is passing by. */
  let aside = false;

  function start(event: Start, write: WriteFrame): void {
    own = isOwn(event);
    response = responseWriter(event, context);
    const begun = JSON.stringify(response({ status: 'in_progress', output: [] }));
    sender.printed('response.created', begun, write);
    sender.printed('response.in_progress', begun, write);
  }

  function end(event: End, write: WriteFrame): void {
    const stop = encodeStop(event.stop, own || isOwn(event));
    items.finish(write, stop.status);
    const output = endOutput(sender.output, stop.status);
    const completedAt = stop.status === 'completed' ? context.now() : undefined;
    const done = response?.({ ...stop, output, usage, completedAt, serviceTier: event.serviceTier });
    sender.send(`response.${stop.status}`, { response: done ?? {} }, write);
  }

  function fail(fault: Fault, write: WriteFrame): void {
    if (!response) return faultFrame(fault, context.requestId ?? '', write);
    writeFailure(fault, response({ status: 'failed', output: sender.output, usage, error: failureOf(fault) }), sender.sequence(), write);
  }

  function partStart(event: Extract<ReplyEvent, { type: 'part-start' }>, write: WriteFrame): void {
    aside = (event.choice ?? 0) > 0;
    if (aside) noteChoices(context);
    else items.start(event.part, write);
  }

  return {
    event(event, write) {
      switch (event.type) {
        case 'part-delta':
          if (!aside) items.delta(event.text, event.literal, write);
          return;
        case 'reply-start':
          start(event, write);
          return;
        case 'part-start':
          partStart(event, write);
          return;
        case 'part-note':
          if (!aside) items.note(event, write);
          return;
        case 'part-end':
          if (!aside) items.end(event, write);
          return;
        case 'usage':
          usage = event.usage;
          return;
        case 'reply-end':
          end(event, write);
          return;
        case 'fault':
          fail(event.fault, write);
      }
    },
  };
}
