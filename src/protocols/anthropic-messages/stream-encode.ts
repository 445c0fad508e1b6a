import {
  type Citation,
  type JsonObject,
  type Part,
  type PartHead,
  type ReasoningPart,
  type ReplyEvent,
  type Residue,
  type TextPart,
  type Usage,
} from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { writeSignature } from './carried-parts.ts';
import { residueOf } from './dialect.ts';
import { faultFrame } from './faults.ts';
import {
  encodeReplyPart,
  noteUncited,
  redactedBlock,
  sayCitations,
  sealCarrier,
  silentText,
  textHead,
  thinkingHead,
  toolUseHead,
} from './reply-blocks.ts';
import { encodeEnd, noteChoices, replyId, tierMember } from './reply-encode.ts';
import { encodeUsage } from './usage.ts';

type Start = Extract<ReplyEvent, { type: 'reply-start' }>;
type End = Extract<ReplyEvent, { type: 'reply-end' }>;
type PartEnd = Extract<ReplyEvent, { type: 'part-end' }>;
type PartNote = Extract<ReplyEvent, { type: 'part-note' }>;

interface State {
  /** The part that is open; parts of further choices are not shown. */
  head: PartHead | undefined;
  /** Its block has begun: text begins with its first word, so that a part of none is no block. */
  begun: boolean;
  /** What has come of a part that is told whole at its end. */
  text: string;
  index: number;
  /** The block before was text, whose seal waits for a block after it: no answer ends in what is not to be read (`endingInText`). */
  afterText: boolean;
  readonly waiting: JsonObject[];
  /** The frame of a delta up to its text. */
  prefix: string;
  usage: Usage | undefined;
  refusal: string;
  /** Citations of a text that has not begun. */
  readonly early: Citation[];
  readonly held: { toolCall: boolean; refusal: boolean };
  residue: { readonly residue?: Residue };
}

/** The member that holds the text of a delta. */
const DELTAS = {
  text: '{"type":"text_delta","text":',
  refusal: '{"type":"text_delta","text":',
  reasoning: '{"type":"thinking_delta","thinking":',
  'tool-call': '{"type":"input_json_delta","partial_json":',
} as const;

const grows = (head: PartHead): head is Extract<PartHead, { kind: keyof typeof DELTAS }> =>
  head.kind in DELTAS && !('redacted' in head && head.redacted);

/** Free text as the inside of a JSON string. */
const escaped = (text: string): string => JSON.stringify(text).slice(1, -1);

const send = (value: JsonObject, write: WriteFrame): void => write(JSON.stringify(value), String(value['type']));

function stopBlock(state: State, write: WriteFrame): void {
  send({ type: 'content_block_stop', index: state.index }, write);
  state.index++;
}

const blockDelta = ({ index }: State, delta: JsonObject, write: WriteFrame): void =>
  send({ type: 'content_block_delta', index, delta }, write);

/** A block that is known whole. The input of a call comes as a delta, as the API has it. */
function wholeBlock(state: State, block: JsonObject, write: WriteFrame): void {
  nextBlock(state, false, write);
  const hasInput = (block['type'] === 'server_tool_use' || block['type'] === 'mcp_tool_use') && block['input'] !== undefined;
  send({ type: 'content_block_start', index: state.index, content_block: hasInput ? { ...block, input: {} } : block }, write);
  if (hasInput) blockDelta(state, { type: 'input_json_delta', partial_json: JSON.stringify(block['input']) }, write);
  stopBlock(state, write);
}

/** Another block begins: what waited for one goes before it. */
function nextBlock(state: State, isText: boolean, write: WriteFrame): void {
  for (const block of state.waiting.splice(0)) wholeBlock(state, block, write);
  state.afterText = isText;
}

/** What the part before was sealed with. */
function carry(state: State, carriers: readonly JsonObject[], write: WriteFrame): void {
  if (state.afterText) state.waiting.push(...carriers);
  else for (const block of carriers) wholeBlock(state, block, write);
}

function openBlock(state: State, content_block: JsonObject, kind: keyof typeof DELTAS, write: WriteFrame): void {
  nextBlock(state, kind === 'text' || kind === 'refusal', write);
  send({ type: 'content_block_start', index: state.index, content_block }, write);
  state.prefix = `{"type":"content_block_delta","index":${state.index},"delta":${DELTAS[kind]}`;
  state.begun = true;
}

/** The part that came in pieces and is told whole. */
function gathered(head: PartHead, text: string, end: PartEnd): Part | undefined {
  const tail = { ...(end.seal ? { seal: end.seal } : {}), ...(end.residue ? { residue: end.residue } : {}) };
  switch (head.kind) {
    case 'hosted-call':
      return { ...head, inputJson: head.inputJson + text, ...tail, ...(end.native ? { native: end.native } : {}) };
    case 'hosted-result':
      return { ...head, ...tail, ...(end.native ? { native: end.native } : {}) };
    case 'media':
    case 'native':
      return { ...head, ...tail };
    default:
      return undefined;
  }
}

/** What the pieces below share. */
interface Writing {
  readonly context: ReplyContext;
  readonly state: State;
}

function newWriting(context: ReplyContext): Writing {
  const state: State = {
    head: undefined,
    begun: false,
    text: '',
    index: 0,
    afterText: false,
    waiting: [],
    prefix: '',
    usage: undefined,
    refusal: '',
    early: [],
    held: { toolCall: false, refusal: false },
    residue: {},
  };
  return { context, state };
}

function start({ context, state }: Writing, event: Start, write: WriteFrame): void {
  state.residue = event;
  const message = {
    container: null,
    ...residueOf(event),
    id: replyId(event.id, context),
    type: 'message',
    role: 'assistant',
    model: event.model,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: { ...encodeUsage(state.usage), ...tierMember(event.serviceTier) },
  };
  write(JSON.stringify({ type: 'message_start', message }), 'message_start');
}

function partStart({ context, state }: Writing, head: PartHead, choice: number, write: WriteFrame): void {
  state.begun = false;
  state.text = '';
  state.head = choice === 0 ? head : undefined;
  if (choice > 0) {
    noteChoices(context);
    return;
  }
  if (head.kind === 'refusal') state.held.refusal = true;
  if (head.kind === 'reasoning' && !head.redacted) openBlock(state, thinkingHead(residueOf(head)), 'reasoning', write);
  if (head.kind === 'tool-call') {
    state.held.toolCall = true;
    openBlock(state, toolUseHead(head), 'tool-call', write);
    blockDelta(state, { type: 'input_json_delta', partial_json: '' }, write);
    if (head.input === 'text') blockDelta(state, { type: 'input_json_delta', partial_json: '{"input":"' }, write);
  }
}

function cite({ context, state }: Writing, citations: readonly Citation[] | undefined, write: WriteFrame): void {
  for (const citation of sayCitations(citations, context.notes)) blockDelta(state, { type: 'citations_delta', citation }, write);
}

function partDelta(writing: Writing, text: string, literal: string | undefined, write: WriteFrame): void {
  const { state } = writing;
  const { head } = state;
  if (!head || text === '') return;
  if (!grows(head)) {
    state.text += text;
    return;
  }
  if (!state.begun) {
    openBlock(state, textHead(residueOf(head)), head.kind, write);
    cite(writing, state.early.splice(0), write);
  }
  if (head.kind === 'refusal') state.refusal += text;
  const isFree = head.kind === 'tool-call' && head.input === 'text';
  const json = isFree ? JSON.stringify(escaped(text)) : (literal ?? JSON.stringify(text));
  write(`${state.prefix}${json}}}`, 'content_block_delta');
}

function partNote(writing: Writing, note: PartNote, write: WriteFrame): void {
  const { head, begun, early } = writing.state;
  if (head?.kind !== 'text') return;
  // A citation may come before the first word; without any word there is no block to hang it on.
  if (begun) cite(writing, note.citations, write);
  else early.push(...(note.citations ?? []));
}

function endGrown({ state }: Writing, head: PartHead, end: PartEnd, write: WriteFrame): void {
  if (head.kind === 'reasoning') blockDelta(state, { type: 'signature_delta', signature: writeSignature(end.seal) }, write);
  if (head.kind === 'tool-call' && head.input === 'text') blockDelta(state, { type: 'input_json_delta', partial_json: '"}' }, write);
  stopBlock(state, write);
  if (head.kind !== 'reasoning') carry(state, sealCarrier(end.seal), write);
}

/** A part of which no block has begun: it is told whole, or is none. */
function endUnbegun({ context, state }: Writing, head: PartHead, end: PartEnd, write: WriteFrame): void {
  const seal = end.seal ? { seal: end.seal } : {};
  if (head.kind === 'text') {
    noteUncited(state.early.splice(0), context.notes);
    const part: TextPart = { ...head, text: '', ...seal };
    carry(state, silentText(part), write);
  } else if (head.kind === 'reasoning') {
    const part: ReasoningPart = { ...head, text: state.text, ...seal };
    wholeBlock(state, redactedBlock(part), write);
  } else {
    const part = gathered(head, state.text, end);
    for (const block of part ? encodeReplyPart(part, context.notes) : []) wholeBlock(state, block, write);
  }
}

function partEnd(writing: Writing, end: PartEnd, write: WriteFrame): void {
  const { state } = writing;
  const { head } = state;
  state.head = undefined;
  if (!head) return;
  if (state.begun) endGrown(writing, head, end, write);
  else endUnbegun(writing, head, end, write);
}

function end({ state }: Writing, event: End, write: WriteFrame): void {
  const residue = event.residue ? event : state.residue;
  const { container, context_management } = residueOf(residue);
  const delta = { ...encodeEnd(event.stop, state.held, residue, state.refusal), container: container ?? null };
  const usage = { ...encodeUsage(state.usage), ...tierMember(event.serviceTier) };
  const managed = context_management === undefined ? {} : { context_management };
  write(JSON.stringify({ type: 'message_delta', delta, usage, ...managed }), 'message_delta');
  write('{"type":"message_stop"}', 'message_stop');
}

/** Writes a client's stream. https://docs.claude.com/en/docs/build-with-claude/streaming */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const writing = newWriting(context);
  return {
    event(event, write) {
      switch (event.type) {
        case 'reply-start':
          start(writing, event, write);
          return;
        case 'part-start':
          partStart(writing, event.part, event.choice ?? 0, write);
          return;
        case 'part-delta':
          partDelta(writing, event.text, event.literal, write);
          return;
        case 'part-note':
          partNote(writing, event, write);
          return;
        case 'part-end':
          partEnd(writing, event, write);
          return;
        case 'usage':
          writing.state.usage = event.usage;
          return;
        case 'reply-end':
          end(writing, event, write);
          return;
        case 'fault':
          faultFrame(event.fault, context.requestId ?? '', write);
          return;
      }
    },
  };
}
