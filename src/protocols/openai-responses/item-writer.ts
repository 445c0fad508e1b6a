import {
  type Citation,
  createKeptText,
  type HostedCallPart,
  type HostedResultPart,
  type JsonObject,
  type KeptText,
  type Part,
  type PartHead,
  type ReplyEvent,
  type Seal,
  type TokenLogprob,
} from '../../ir/index.ts';
import type { ReplyContext, WriteFrame } from '../protocol.ts';
import { createCallWriter, type CallWriter } from './call-writer.ts';
import { writeSealed } from './carried.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT } from './dialect.ts';
import { createEventSender, type EventSender, type Flow, flowOf, placeOf, writeWhole } from './event-sender.ts';
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

type PartEnd = Extract<ReplyEvent, { type: 'part-end' }>;
type PartNote = Extract<ReplyEvent, { type: 'part-note' }>;
type Head<K extends PartHead['kind']> = Extract<PartHead, { kind: K }>;
type SaidHead = Head<'text'> | Head<'refusal'>;
type Status = 'completed' | 'incomplete';

/** The item that is open: a message or thoughts, of which further parts may come. */
type OpenItem = OpenMessage | OpenThoughts;

interface OpenMessage {
  readonly kind: 'message';
  readonly id: string;
  readonly first: SaidHead;
  last: SaidHead;
  readonly content: JsonObject[];
}

interface OpenThoughts {
  readonly kind: 'reasoning';
  readonly id: string;
  readonly first: Head<'reasoning'>;
  last: Head<'reasoning'>;
  readonly summary: string[];
  readonly content: string[];
  seal: Seal | undefined;
}

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

/** Where writing the items of a reply stands. */
interface Writing {
  readonly context: ReplyContext;
  readonly sender: EventSender;
  readonly calls: CallWriter;
  item: OpenItem | undefined;
  part: OpenPart | undefined;
  /** A call of another dialect that waits for what it gave: both are one item. */
  waiting: HostedCallPart | undefined;
}

/** Writes the items of a reply, one after another. */
export interface ItemWriter {
  readonly sender: EventSender;
  start(head: PartHead, write: WriteFrame): void;
  delta(text: string, literal: string | undefined, write: WriteFrame): void;
  note(note: PartNote, write: WriteFrame): void;
  end(event: PartEnd, write: WriteFrame): void;
  /** Ends what is open. */
  finish(write: WriteFrame, status: Status): void;
}

function close(writing: Writing, write: WriteFrame, status: Status = 'completed'): void {
  const { item: open, sender } = writing;
  writing.item = undefined;
  if (open?.kind === 'message') sender.done(messageItem(open.id, open.first, open.content, status), write);
  else if (open?.kind === 'reasoning')
    sender.done(reasoningItem(open.id, open.first, open, writeSealed(open.seal, open.first.id !== undefined)), write);
}

/** The message that what is said belongs to: the open one where it goes on, else another. */
function messageFor(writing: Writing, head: SaidHead, write: WriteFrame): OpenMessage {
  const { item: open } = writing;
  if (open?.kind === 'message' && goesOnSaid(open.last, head, false)) {
    open.last = head;
    return open;
  }
  close(writing, write);
  const id = head.id ?? writing.context.newId('msg_');
  const made: OpenMessage = { kind: 'message', id, first: head, last: head, content: [] };
  writing.item = made;
  writing.sender.added(messageItem(id, head, [], 'in_progress'), write);
  return made;
}

function startSaid(writing: Writing, head: SaidHead, write: WriteFrame): Flow {
  const { sender } = writing;
  const { id, content } = messageFor(writing, head, write);
  const content_index = content.length;
  const at = placeOf(id, sender);
  const empty = head.kind === 'text' ? textContent({ text: '' }) : refusalContent('');
  sender.send('response.content_part.added', { content_index, ...at, part: empty }, write);
  return head.kind === 'text'
    ? flowOf('response.output_text.delta', { content_index }, { item_id: id, logprobs: [], output_index: sender.output.length })
    : flowOf('response.refusal.delta', { content_index }, at);
}

function endSaid(writing: Writing, open: DonePart, head: SaidHead, seal: Seal | undefined, write: WriteFrame): void {
  const { item, sender, context } = writing;
  if (item?.kind !== 'message') return;
  const at = { content_index: item.content.length, ...placeOf(item.id, sender) };
  const made = head.kind === 'text' ? textContent(open) : refusalContent(open.text);
  if (head.kind === 'text') sender.send('response.output_text.done', { ...at, logprobs: made['logprobs'] ?? [], text: open.text }, write);
  else sender.send('response.refusal.done', { ...at, refusal: open.text }, write);
  sender.send('response.content_part.done', { ...at, part: made }, write);
  item.content.push(made);
  if (!seal) return;
  close(writing, write);
  for (const carrier of sealCarrier(seal, context)) writeWhole(carrier, sender, write);
}

/** The item that a thought belongs to: the open one where it goes on, else another. */
function thoughtsFor(writing: Writing, head: Head<'reasoning'>, write: WriteFrame): OpenThoughts {
  const { item: open } = writing;
  if (open?.kind === 'reasoning' && goesOnThinking(open.last, head, open.seal !== undefined)) {
    open.last = head;
    return open;
  }
  close(writing, write);
  const id = head.id ?? writing.context.newId('rs_');
  const made: OpenThoughts = { kind: 'reasoning', id, first: head, last: head, summary: [], content: [], seal: undefined };
  writing.item = made;
  writing.sender.added(reasoningItem(id, head, made, undefined), write);
  return made;
}

/** Thoughts begin with their first word: without one they are a seal at most. */
function startThought(writing: Writing, head: Head<'reasoning'>, write: WriteFrame): Flow {
  const { sender } = writing;
  const item = thoughtsFor(writing, head, write);
  const at = placeOf(item.id, sender);
  if (isSummary(head, writing.context)) {
    const summary_index = item.summary.length;
    sender.send('response.reasoning_summary_part.added', { ...at, part: { type: 'summary_text', text: '' }, summary_index }, write);
    return flowOf('response.reasoning_summary_text.delta', { summary_index }, at);
  }
  const content_index = item.content.length;
  sender.send('response.content_part.added', { content_index, ...at, part: { type: 'reasoning_text', text: '' } }, write);
  return flowOf('response.reasoning_text.delta', { content_index }, at);
}

function endThought(writing: Writing, { head, text, flow }: DonePart, seal: Seal | undefined, write: WriteFrame): void {
  if (head.kind !== 'reasoning') return;
  const { item, sender } = writing;
  if (item?.kind !== 'reasoning' || !flow) return endSilent(writing, head, seal, write);
  const at = placeOf(item.id, sender);
  if (isSummary(head, writing.context)) {
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
  if (seal || item.first.id === undefined) close(writing, write);
}

/** Thoughts without words, or whose words are hidden. */
function endSilent(writing: Writing, head: Head<'reasoning'>, seal: Seal | undefined, write: WriteFrame): void {
  if (!seal) return;
  const { item, context, sender } = writing;
  if (item?.kind === 'reasoning' && !head.redacted && goesOnThinking(item.last, head, false)) {
    item.seal = seal;
    return close(writing, write);
  }
  close(writing, write);
  writeWhole(hiddenThought({ ...head, text: '', seal }, context), sender, write);
}

function tell(writing: Writing, items: readonly JsonObject[], write: WriteFrame): void {
  if (items.length > 0) close(writing, write);
  for (const made of items) writeWhole(made, writing.sender, write);
}

/** Tells the call that waits, with what it gave. */
function release(writing: Writing, write: WriteFrame, result?: HostedResultPart): void {
  const call = writing.waiting;
  writing.waiting = undefined;
  if (call) tell(writing, hostedCall(call, result, writing.context), write);
}

function endWhole(writing: Writing, whole: Part | undefined, write: WriteFrame): void {
  if (!whole) return;
  if (isResultOf(whole, writing.waiting)) return release(writing, write, whole);
  release(writing, write);
  if (whole.kind === 'hosted-call' && whole.native?.by !== DIALECT) writing.waiting = whole;
  else tell(writing, wholeItems(whole, writing.context), write);
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

function startPart(writing: Writing, head: PartHead, write: WriteFrame): void {
  if (head.kind !== 'hosted-result') release(writing, write);
  const part: OpenPart = { head, said: createKeptText(), flow: undefined, citations: [], logprobs: [] };
  writing.part = part;
  if (head.kind === 'text' || head.kind === 'refusal') part.flow = startSaid(writing, head, write);
  else if (head.kind === 'tool-call') {
    close(writing, write);
    part.flow = writing.calls.start(head, write);
  }
}

function more(writing: Writing, text: string, literal: string | undefined, write: WriteFrame): void {
  const { part } = writing;
  if (!part || text === '') return;
  part.said.add(text);
  if (part.head.kind === 'reasoning' && !part.flow && !part.head.redacted) part.flow = startThought(writing, part.head, write);
  if (part.flow) writing.sender.flow(part.flow, literal ?? JSON.stringify(text), write);
}

function notePart({ part, item, sender }: Writing, note: PartNote, write: WriteFrame): void {
  if (part?.head.kind !== 'text' || item?.kind !== 'message') return;
  part.logprobs = [...part.logprobs, ...(note.logprobs ?? [])];
  let annotation_index = encodeCitations(part.citations).length;
  for (const annotation of encodeCitations(note.citations ?? [])) {
    const at = { content_index: item.content.length, ...placeOf(item.id, sender) };
    sender.send('response.output_text.annotation.added', { annotation, annotation_index: annotation_index++, ...at }, write);
  }
  part.citations = [...part.citations, ...(note.citations ?? [])];
}

function endPart(writing: Writing, event: PartEnd, write: WriteFrame): void {
  const { part } = writing;
  if (!part) return;
  const open: DonePart = { ...part, text: part.said.text() };
  const { head } = open;
  writing.part = undefined;
  if (head.kind === 'text' || head.kind === 'refusal') endSaid(writing, open, head, event.seal, write);
  else if (head.kind === 'reasoning') endThought(writing, open, event.seal, write);
  else if (head.kind === 'tool-call') writing.calls.end(open, head, event.seal, write);
  else endWhole(writing, gathered(head, open.text, event), write);
}

/** `context`: of the reply that the items are of. Nothing is written yet. */
export function createItemWriter(context: ReplyContext): ItemWriter {
  const sender = createEventSender();
  const calls = createCallWriter(sender, context);
  const writing: Writing = { context, sender, calls, item: undefined, part: undefined, waiting: undefined };
  return {
    sender,
    start: (head, write) => startPart(writing, head, write),
    delta: (text, literal, write) => more(writing, text, literal, write),
    note: (note, write) => notePart(writing, note, write),
    end: (event, write) => endPart(writing, event, write),
    finish(write, status) {
      release(writing, write);
      close(writing, write, status);
    },
  };
}
