import { type Citation, isObject, type Json, type JsonObject, type PartHead, type Sequencer } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeAnnotations } from './citations.ts';
import { given } from './dialect.ts';
import { objects, str } from './fields.ts';
import { decodeLogprobs } from './logprobs.ts';
import { appendDetail, readOwnDetails, sealOfMembers } from './reasoning-details.ts';
import { contentPiece, reasoningText, replyAudio, replyImage, thinkingText, TRANSCRIPT } from './reply-parts.ts';
import { createStreamCalls } from './stream-calls.ts';

/** One choice of a stream: takes its deltas, tells the sequencer of parts. */
export interface StreamChoice {
  delta(delta: JsonObject): void;
  /** `logprobs` of the choice, beside the delta. */
  logprobs(value: Json): void;
  citations(citations: readonly Citation[]): void;
  /** More text of the answer: the usual case, without looking at the rest of the delta. */
  plain(kind: 'text' | 'reasoning', text: string, literal?: string): void;
  /** Ends what is open. */
  finish(): void;
  /** What it has cited so far. */
  cited(): readonly Citation[];
  /** Anything has come for it. */
  hasBegun(): boolean;
  hasToolCall(): boolean;
}

const HEADS = {
  text: { kind: 'text' },
  refusal: { kind: 'refusal' },
  reasoning: { kind: 'reasoning' },
  summary: { kind: 'reasoning', form: 'summary' },
  transcript: { kind: 'text', ...TRANSCRIPT },
} as const satisfies Record<string, PartHead>;

/** The kinds of part that flow: one of them is open at a time. */
type Flow = keyof typeof HEADS;

const isThought = (flow: Flow | undefined): boolean => flow === 'reasoning' || flow === 'summary';

/** Audio that comes in pieces; it is told whole. */
interface StreamAudio {
  piece(piece: JsonObject): void;
  take(): PartHead | undefined;
}

function createStreamAudio(): StreamAudio {
  let bytes: Buffer[] | undefined;
  let id = '';
  let expires: Json | undefined;
  return {
    piece(piece) {
      bytes ??= [];
      id ||= str(piece['id']);
      expires = piece['expires_at'] ?? expires;
      const data = str(piece['data']);
      if (data !== '') bytes.push(Buffer.from(data, 'base64'));
    },
    take() {
      if (!bytes) return undefined;
      const data = Buffer.concat(bytes).toString('base64');
      bytes = undefined;
      const [media] = replyAudio({ id, data, ...given('expires_at', expires) });
      return media?.kind === 'media' ? media : undefined;
    },
  };
}

/** Thoughts as `reasoning_details` tells them. */
interface StreamDetails {
  /** Takes a delta's entries; returns text that no other member of the stream has told. */
  read(delta: JsonObject): string;
  /** Another member than `reasoning_details` tells the text. */
  beside(): void;
  /** They are a summary of the thoughts. */
  isSummary(): boolean;
  /** The seal of what came since the last one. */
  take(maker: string): ReturnType<typeof readOwnDetails>;
  forget(): void;
}

function createStreamDetails(): StreamDetails {
  let list: JsonObject[] = [];
  let beside = false;
  return {
    read(delta) {
      const text = reasoningText(delta);
      beside ||= text !== '';
      const more = objects(delta['reasoning_details']);
      for (const detail of more) appendDetail(list, detail);
      // Where a member for text is used, the entries repeat it.
      return beside ? text : more.map((detail) => str(detail['text']) || str(detail['summary'])).join('');
    },
    beside() {
      beside = true;
    },
    isSummary: () => list.length > 0 && list.every((detail) => detail['type'] === 'reasoning.summary'),
    take(maker) {
      const part = list.length > 0 ? readOwnDetails(list, '', maker) : undefined;
      if (part?.seal) list = [];
      return part;
    },
    forget() {
      list = [];
    },
  };
}

/** Where reading one choice stands. */
interface Reading {
  readonly choice: number;
  readonly sequencer: Sequencer;
  readonly context: SourceContext;
  readonly details: StreamDetails;
  readonly audio: StreamAudio;
  readonly newKey: () => string;
  readonly calls: ReturnType<typeof createStreamCalls>;
  /** The part that is open, and its key. */
  flow: Flow | undefined;
  flowKey: string;
  begun: boolean;
  cited: readonly Citation[];
  textSeal: ReturnType<typeof sealOfMembers>;
}

function newReading(choice: number, sequencer: Sequencer, context: SourceContext): Reading {
  let serial = 0;
  const newKey = (): string => `${choice}:${serial++}`;
  const reading: Reading = {
    choice,
    sequencer,
    context,
    details: createStreamDetails(),
    audio: createStreamAudio(),
    newKey,
    calls: createStreamCalls({ choice, sequencer, context, newKey, beforeNew: () => endWords(reading) }),
    flow: undefined,
    flowKey: '',
    begun: false,
    cited: [],
    textSeal: {},
  };
  return reading;
}

function endFlow(reading: Reading): void {
  const { flow, details, context, textSeal } = reading;
  if (!flow) return;
  const seal = isThought(flow) ? details.take(context.maker)?.seal : flow === 'text' ? textSeal.seal : undefined;
  if (flow === 'text') reading.textSeal = {};
  // Thoughts that nobody sealed are not told again with later ones.
  if (isThought(flow)) details.forget();
  reading.flow = undefined;
  reading.sequencer.end(reading.flowKey, { type: 'part-end', ...given('seal', seal) });
}

function whole(reading: Reading, part: PartHead, seal?: ReturnType<typeof sealOfMembers>): void {
  endFlow(reading);
  const { sequencer, choice } = reading;
  const key = reading.newKey();
  sequencer.start(key, part, choice);
  sequencer.end(key, { type: 'part-end', ...seal });
}

/** A seal without a text of its own: thoughts that are not shown, or whose seal came after their part had ended. */
function lateSeal(reading: Reading): void {
  if (isThought(reading.flow)) return;
  const seal = reading.details.take(reading.context.maker)?.seal;
  if (seal) whole(reading, HEADS.reasoning, { seal });
}

/** What is said ends, with its seals: a call begins, or nothing more comes. */
function endWords(reading: Reading): void {
  if (reading.textSeal.seal && reading.flow !== 'text') open(reading, 'text');
  endFlow(reading);
  lateSeal(reading);
}

/** Opens a part for flowing text where another one, or none, is open. */
function open(reading: Reading, kind: Flow): void {
  if (reading.flow === kind) return;
  endFlow(reading);
  if (!isThought(kind)) lateSeal(reading);
  reading.calls.endWhole();
  reading.flow = kind;
  reading.flowKey = reading.newKey();
  reading.sequencer.start(reading.flowKey, HEADS[kind], reading.choice);
}

function say(reading: Reading, kind: Flow, text: string, literal?: string): void {
  if (text === '') return;
  if (reading.flow !== kind) open(reading, kind);
  reading.sequencer.push(reading.flowKey, literal === undefined ? { type: 'part-delta', text } : { type: 'part-delta', text, literal });
}

/** What kind of thoughts they are shows when they begin. */
function think(reading: Reading, text: string, literal?: string): void {
  const { flow, details } = reading;
  say(reading, isThought(flow) ? (flow as Flow) : details.isSummary() ? 'summary' : 'reasoning', text, literal);
}

function contentElement(reading: Reading, piece: Json): void {
  if (isObject(piece) && piece['type'] === 'thinking') {
    think(reading, thinkingText(piece['thinking']));
    return;
  }
  const part = contentPiece(piece);
  if (part?.kind === 'text' || part?.kind === 'refusal') say(reading, part.kind, part.text);
  else if (part?.kind === 'media' || part?.kind === 'native') whole(reading, part);
}

function content(reading: Reading, value: Json | undefined): void {
  if (typeof value === 'string') say(reading, 'text', value);
  else if (Array.isArray(value)) for (const piece of value as readonly Json[]) contentElement(reading, piece);
}

function cite(reading: Reading, list: readonly Citation[]): void {
  if (list.length === 0) return;
  open(reading, 'text');
  reading.cited = [...reading.cited, ...list];
  reading.sequencer.push(reading.flowKey, { type: 'part-note', citations: list });
}

function image(reading: Reading, value: JsonObject): void {
  const part = replyImage(value);
  if (part.kind === 'media' || part.kind === 'native') whole(reading, part);
}

function heard(reading: Reading, piece: JsonObject): void {
  reading.audio.piece(piece);
  say(reading, 'transcript', str(piece['transcript']));
}

/** All that a delta may hold, in the order in which it is told. */
function readDelta(reading: Reading, delta: JsonObject): void {
  const { calls, context } = reading;
  think(reading, reading.details.read(delta));
  content(reading, delta['content']);
  say(reading, 'refusal', str(delta['refusal']));
  if (isObject(delta['audio'])) heard(reading, delta['audio']);
  for (const one of objects(delta['images'])) image(reading, one);
  if (delta['extra_content']) reading.textSeal = sealOfMembers(delta, context.maker);
  for (const piece of objects(delta['tool_calls'])) calls.piece(piece);
  if (isObject(delta['function_call'])) calls.piece({ index: 0, function: delta['function_call'] });
  cite(reading, decodeAnnotations(delta['annotations']));
}

/** Reads one choice. */
export function createStreamChoice(choice: number, sequencer: Sequencer, context: SourceContext): StreamChoice {
  const reading = newReading(choice, sequencer, context);
  return {
    cited: () => reading.cited,
    hasBegun: () => reading.begun,
    hasToolCall: () => reading.calls.any(),
    citations: (list) => cite(reading, list),
    plain(kind, text, literal) {
      reading.begun = true;
      if (kind === 'text') say(reading, 'text', text, literal);
      else {
        reading.details.beside();
        think(reading, text, literal);
      }
    },
    delta(delta) {
      reading.begun = true;
      readDelta(reading, delta);
    },
    logprobs(value) {
      const logprobs = decodeLogprobs(value);
      if (logprobs.length > 0 && reading.flow === 'text') sequencer.push(reading.flowKey, { type: 'part-note', logprobs });
    },
    finish() {
      endWords(reading);
      reading.calls.endAll();
      const media = reading.audio.take();
      if (media) whole(reading, media);
    },
  };
}
