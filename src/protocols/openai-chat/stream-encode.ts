import {
  createKeptText,
  type Json,
  type JsonObject,
  type KeptText,
  type PartHead,
  type ReasoningPart,
  type ReplyEvent,
  type Seal,
  type Usage,
} from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { type ChunkText, createChunkText, type Flow } from './chunk-text.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT, residueOf } from './dialect.ts';
import { faultFrame } from './faults.ts';
import { encodeLogprobs } from './logprobs.ts';
import { BETWEEN_THOUGHTS, createPlaces, encodeAudio, encodeImage } from './message-encode.ts';
import { membersOfSeal, reasoningDetails, sealDetail } from './reasoning-details.ts';
import { isLegacy } from './reply-encode.ts';
import { encodeStop } from './stops.ts';

type PartNote = Extract<ReplyEvent, { type: 'part-note' }>;
type CallHead = Extract<PartHead, { kind: 'tool-call' }>;
type ThoughtHead = Extract<PartHead, { kind: 'reasoning' }>;
type MediaHead = Extract<PartHead, { kind: 'media' }>;

/** The part that is open. */
interface OpenPart {
  readonly head: PartHead;
  readonly place: number;
  /** UTF-16 units of `content` before it. */
  readonly start: number;
  /** A reasoning part's text, which its seal is told with. */
  thought: KeptText | undefined;
  empty: boolean;
  /** The chunks that its text goes in; `undefined`: it is not shown as it comes. */
  flow: Flow | undefined;
}

/** Writes the parts of one choice. */
interface ChoiceWriter {
  start(head: PartHead, write: WriteFrame): void;
  delta(text: string, literal: string | undefined, write: WriteFrame): void;
  note(event: PartNote, write: WriteFrame): void;
  end(seal: Seal | undefined, write: WriteFrame): void;
  /** Comes before the choice's finish. */
  finish(write: WriteFrame): void;
  hasToolCall(): boolean;
}

/**
 * Writes `reasoning_details`. Thoughts that nobody sealed are among them only where something else is: they wait for the
 * first seal.
 */
function createSealWriter(send: (delta: JsonObject, write: WriteFrame) => void) {
  let waiting: Json[] = [];
  let sealed = false;
  const flush = (details: readonly Json[], write: WriteFrame): void => {
    const reasoning_details = [...waiting, ...details];
    waiting = [];
    if (reasoning_details.length > 0) send({ reasoning_details }, write);
  };
  return {
    seal(details: readonly Json[], write: WriteFrame): void {
      sealed = true;
      flush(details, write);
    },
    unsealed(part: ReasoningPart, place: number): void {
      waiting.push(...reasoningDetails(part, place));
    },
    finish(write: WriteFrame): void {
      if (sealed) flush([], write);
    },
  };
}

/** Where writing one choice stands. */
interface Writing {
  readonly index: number;
  /** The form before tools: one `function_call`. */
  readonly legacy: boolean;
  readonly chunks: ChunkText;
  readonly context: ReplyContext;
  readonly places: ReturnType<typeof createPlaces>;
  readonly seals: ReturnType<typeof createSealWriter>;
  open: OpenPart | undefined;
  /** UTF-16 units of `content` so far. */
  content: number;
  calls: number;
  images: number;
  /** A thought has been told. */
  thought: boolean;
  transcript: string;
}

const send = ({ chunks, index }: Writing, delta: JsonObject, write: WriteFrame): void => chunks.send(index, delta, write);

function startCall(writing: Writing, part: CallHead, write: WriteFrame): Flow | undefined {
  const { chunks, index, context, legacy } = writing;
  const { id, name } = part;
  const at = writing.calls++;
  if (legacy && part.input !== 'text') {
    if (at > 0) {
      context.notes.add('function_call', 'dropped', 'the form before tools holds one call');
      return undefined;
    }
    send(writing, { function_call: { name, arguments: '' } }, write);
    return chunks.flow(index, '"function_call":{"arguments":', '}');
  }
  if (part.input === 'text') {
    send(writing, { tool_calls: [{ ...residueOf(part), index: at, id, type: 'custom', custom: { name, input: '' } }] }, write);
    return chunks.flow(index, `"tool_calls":[{"index":${at},"type":"custom","custom":{"input":`, '}}]');
  }
  send(writing, { tool_calls: [{ ...residueOf(part), index: at, id, type: 'function', function: { name, arguments: '' } }] }, write);
  return chunks.flow(index, `"tool_calls":[{"index":${at},"function":{"arguments":`, '}}]');
}

function media(writing: Writing, part: MediaHead, write: WriteFrame): undefined {
  const { context, transcript, images } = writing;
  if (part.media === 'audio') send(writing, { audio: encodeAudio(part, transcript, context.newId('audio_')) }, write);
  else if (part.media === 'image') send(writing, { images: [{ index: images, ...encodeImage(part) }] }, write);
  else context.notes.add('choices[].message', 'dropped', `a message of this dialect holds no ${part.media}`);
  return undefined;
}

/** Says what of a part is known when it begins; returns the chunks of its text. */
function opening(writing: Writing, head: PartHead, write: WriteFrame): Flow | undefined {
  const { chunks, index } = writing;
  switch (head.kind) {
    case 'text':
      return residueOf(head)['transcript'] === true ? undefined : chunks.flow(index, '"content":', '');
    case 'refusal':
      return chunks.flow(index, '"refusal":', '');
    case 'tool-call':
      return startCall(writing, head, write);
    case 'media':
      return media(writing, head, write);
    case 'reasoning':
      return undefined;
    default:
      writing.context.notes.add(head.kind, 'dropped', 'a chat message has no place for it');
      return undefined;
  }
}

/** The first text of a thought; between two thoughts stands a blank line. */
function startThought(writing: Writing, write: WriteFrame): Flow {
  if (writing.thought) send(writing, { reasoning_content: BETWEEN_THOUGHTS }, write);
  writing.thought = true;
  return writing.chunks.flow(writing.index, '"reasoning_content":', '');
}

function more(writing: Writing, text: string, literal: string | undefined, write: WriteFrame): void {
  const { open } = writing;
  if (!open || text === '') return;
  const { kind } = open.head;
  if (kind === 'reasoning') {
    open.flow ??= startThought(writing, write);
    (open.thought ??= createKeptText()).add(text);
  } else if (kind === 'text') {
    if (open.flow) writing.content += text.length;
    else writing.transcript += text;
  }
  open.empty = false;
  if (open.flow) write(open.flow.prefix + (literal ?? JSON.stringify(text)) + open.flow.suffix);
}

function note(writing: Writing, event: PartNote, write: WriteFrame): void {
  const { open, chunks, context, index } = writing;
  if (open?.head.kind !== 'text' || !open.flow) return;
  const annotations = encodeCitations(event.citations ?? [], open.start, context.notes);
  if (annotations.length > 0) send(writing, { annotations }, write);
  if (event.logprobs && event.logprobs.length > 0) chunks.send(index, {}, write, encodeLogprobs(event.logprobs));
}

function endThought({ seals }: Writing, part: OpenPart, head: ThoughtHead, seal: Seal | undefined, write: WriteFrame): void {
  const whole: ReasoningPart = { ...head, text: part.thought?.text() ?? '', ...(seal ? { seal } : {}) };
  if (seal) seals.seal(reasoningDetails(whole, part.place), write);
  else seals.unsealed(whole, part.place);
}

function endCall(writing: Writing, part: OpenPart, head: CallHead, seal: Seal | undefined, write: WriteFrame): void {
  // Clients parse what came: nothing at all is no JSON.
  if (part.empty && head.input !== 'text' && part.flow) write(`${part.flow.prefix}"{}"${part.flow.suffix}`);
  if (seal?.by === DIALECT) send(writing, { tool_calls: [{ index: writing.calls - 1, ...membersOfSeal(seal) }] }, write);
  else if (seal) writing.seals.seal([sealDetail(seal, head.id, part.place)], write);
}

function endText(writing: Writing, part: OpenPart, seal: Seal | undefined, write: WriteFrame): void {
  if (seal?.by === DIALECT) send(writing, membersOfSeal(seal), write);
  else if (seal) writing.seals.seal([sealDetail(seal, `content:${part.start}-${writing.content}`, part.place)], write);
}

function endMedia(writing: Writing, part: OpenPart, head: MediaHead, seal: Seal | undefined, write: WriteFrame): void {
  if (head.media !== 'image') return;
  const held = seal ?? head.seal;
  if (held && held.by !== DIALECT) writing.seals.seal([sealDetail(held, `image:${writing.images}`, part.place)], write);
  writing.images++;
}

function endPart(writing: Writing, seal: Seal | undefined, write: WriteFrame): void {
  const part = writing.open;
  writing.open = undefined;
  if (part?.head.kind === 'text') endText(writing, part, seal, write);
  else if (part?.head.kind === 'reasoning') endThought(writing, part, part.head, seal, write);
  else if (part?.head.kind === 'tool-call') endCall(writing, part, part.head, seal, write);
  else if (part?.head.kind === 'media') endMedia(writing, part, part.head, seal, write);
}

function createChoiceWriter(index: number, legacy: boolean, chunks: ChunkText, context: ReplyContext): ChoiceWriter {
  const writing: Writing = {
    index,
    legacy,
    chunks,
    context,
    places: createPlaces(),
    seals: createSealWriter((delta, write) => chunks.send(index, delta, write)),
    open: undefined,
    content: 0,
    calls: 0,
    images: 0,
    thought: false,
    transcript: '',
  };
  return {
    hasToolCall: () => writing.calls > 0,
    start(head, write) {
      const place = writing.places.of(head.kind);
      const flow = opening(writing, head, write);
      writing.open = { head, place, start: writing.content, thought: undefined, empty: true, flow };
    },
    delta: (text, literal, write) => more(writing, text, literal, write),
    note: (event, write) => note(writing, event, write),
    end: (seal, write) => endPart(writing, seal, write),
    finish: writing.seals.finish,
  };
}

/** Writes a client's stream of `chat.completion.chunk`s. https://platform.openai.com/docs/api-reference/chat/streaming */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const legacy = isLegacy(context.body);
  const chunks = createChunkText(context);
  const choices: ChoiceWriter[] = [];
  let current: ChoiceWriter | undefined;
  let usage: Usage | undefined;

  function choiceAt(index: number, write: WriteFrame): ChoiceWriter {
    const known = choices[index];
    if (known) return known;
    chunks.send(index, { role: 'assistant', content: '', refusal: null }, write);
    return (choices[index] = createChoiceWriter(index, legacy, chunks, context));
  }

  function end(event: Extract<ReplyEvent, { type: 'reply-end' }>, write: WriteFrame): void {
    for (const [index, stop] of [event.stop, ...(event.others ?? [])].entries()) {
      const choice = choiceAt(index, write);
      choice.finish(write);
      chunks.finish(index, encodeStop(stop, choice.hasToolCall(), legacy), write);
    }
    if (context.request.includeUsage && usage) chunks.usage(usage, write);
    write('[DONE]');
  }

  return {
    event(event, write) {
      switch (event.type) {
        case 'part-delta':
          current?.delta(event.text, event.literal, write);
          return;
        case 'reply-start':
          chunks.begin(event);
          choiceAt(0, write);
          return;
        case 'part-start':
          current = choiceAt(event.choice ?? 0, write);
          current.start(event.part, write);
          return;
        case 'part-note':
          current?.note(event, write);
          return;
        case 'part-end':
          current?.end(event.seal, write);
          return;
        case 'usage':
          usage = event.usage;
          return;
        case 'reply-end':
          end(event, write);
          return;
        case 'fault':
          faultFrame(event.fault, context.requestId ?? '', write);
      }
    },
  };
}
