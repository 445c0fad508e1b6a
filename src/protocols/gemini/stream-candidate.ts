import {
  createKeptText,
  isObject,
  type Json,
  type JsonObject,
  type Part,
  type Seal,
  type Sequencer,
  type Stop,
  type ToolCallPart,
} from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { normal, objects, str } from './dialect.ts';
import { decodeCitations, placeCitation } from './grounding.ts';
import { answeredBy, answeredCall } from './hosted-parts.ts';
import { decodeLogprobs } from './logprobs.ts';
import { createPartialArgs, isClosing, isPartial, type PartialArgs } from './partial-args.ts';
import { decodeReplyPart, flows } from './reply-parts.ts';
import { finishWord, stopOf } from './stops.ts';

/** A text or thought that is open: more of it may come, until something else does. */
interface Open {
  readonly kind: 'text' | 'reasoning';
  /** Where it begins in the candidate's whole text. */
  readonly from: number;
  /** A part with a signature stands alone: nothing flows into it. */
  readonly signed: boolean;
  readonly seal: Seal | undefined;
}

interface PartialCall {
  readonly part: JsonObject;
  readonly call: JsonObject;
  readonly args: PartialArgs;
}

/** One of the answers of a reply, read piece by piece into events of its parts. */
export interface StreamCandidate {
  read(candidate: JsonObject): void;
  /** More text and nothing else. */
  plain(kind: Open['kind'], text: string, literal?: string): void;
  /** Ends its last part. */
  close(): void;
  stop(): Stop | undefined;
  /** What the shared language has no word for. */
  readonly rest: JsonObject;
}

const KNOWN: ReadonlySet<string> = new Set(['content', 'finishReason', 'index', 'logprobsResult']);

const saysText = (part: JsonObject): boolean => str(part['text']) !== '' && part['thought'] !== true;

/** Sources that a chunk names, after those of the chunks before. */
function added(before: Json | undefined, more: Json | undefined): Json | undefined {
  if (!isObject(before) || !isObject(more)) return more;
  const out: Record<string, Json | undefined> = { ...before };
  for (const [name, list] of Object.entries(more)) {
    const known = out[name];
    out[name] = Array.isArray(known) && Array.isArray(list) ? [...(known as readonly Json[]), ...(list as readonly Json[])] : list;
  }
  return out;
}

/** Where reading one candidate stands. */
interface Reading {
  readonly index: number;
  /** Its parts' name in the sequencer: one is open at a time. */
  readonly key: string;
  readonly sequencer: Sequencer;
  readonly context: SourceContext;
  readonly cited: Set<string>;
  readonly rest: Record<string, JsonObject[string]>;
  /** All of its text. */
  readonly text: ReturnType<typeof createKeptText>;
  open: Open | undefined;
  partial: PartialCall | undefined;
  /** Calls that the server may yet answer itself: until something else comes, or the end. */
  held: ToolCallPart[];
  calls: boolean;
  /** Why it has ended, in the server's word. */
  word: string | undefined;
}

function closePart(reading: Reading): void {
  const { open, sequencer, key } = reading;
  if (!open) return;
  sequencer.end(key, { type: 'part-end', ...(open.seal ? { seal: open.seal } : {}) });
  reading.open = undefined;
}

function push({ text, sequencer, key }: Reading, kind: Open['kind'], more: string, literal: string | undefined): void {
  if (kind === 'text') text.add(more);
  if (more !== '')
    sequencer.push(key, literal === undefined ? { type: 'part-delta', text: more } : { type: 'part-delta', text: more, literal });
}

function plain(reading: Reading, kind: Open['kind'], more: string, literal?: string): void {
  if (reading.open?.kind !== kind || reading.open.signed || reading.held.length > 0) {
    flushCalls(reading);
    closePart(reading);
    reading.sequencer.start(reading.key, { kind }, reading.index);
    reading.open = { kind, from: reading.text.length(), signed: false, seal: undefined };
  }
  push(reading, kind, more, literal);
}

/** A part that is whole as it comes. */
function whole(reading: Reading, part: Part): void {
  closePart(reading);
  const { sequencer, key, index } = reading;
  if (part.kind === 'tool-call') {
    reading.calls = true;
    const { argumentsJson, seal: _seal, ...head } = part;
    sequencer.start(key, head, index);
    sequencer.push(key, { type: 'part-delta', text: argumentsJson });
  } else if (part.kind !== 'tool-result') sequencer.start(key, part, index);
  sequencer.end(key, { type: 'part-end', ...('seal' in part && part.seal ? { seal: part.seal } : {}) });
}

function flushCalls(reading: Reading): void {
  flushPartial(reading);
  const calling = reading.held;
  reading.held = [];
  for (const one of calling) whole(reading, one);
}

/** The server's own answer to a call of its; `false` when it is none. */
function settled(reading: Reading, part: Part): boolean {
  if (part.kind !== 'native') return false;
  const at = answeredBy(reading.held, part);
  const [found] = at < 0 ? [] : reading.held.splice(at, 1);
  if (found) for (const one of answeredCall(found, part.value)) whole(reading, one);
  return found !== undefined;
}

function say(reading: Reading, part: Part): void {
  if (part.kind === 'tool-call') {
    reading.held.push(part);
    return;
  }
  if (settled(reading, part)) return;
  flushCalls(reading);
  if (part.kind !== 'text' && part.kind !== 'reasoning') {
    whole(reading, part);
    return;
  }
  if (flows(part)) {
    plain(reading, part.kind, part.text);
    return;
  }
  closePart(reading);
  const { text: more, seal, ...head } = part;
  reading.sequencer.start(reading.key, head, reading.index);
  reading.open = { kind: part.kind, from: reading.text.length(), signed: true, seal };
  push(reading, part.kind, more, undefined);
}

function flushPartial(reading: Reading): void {
  if (!reading.partial) return;
  const { part, call, args } = reading.partial;
  reading.partial = undefined;
  const { partialArgs: _pieces, willContinue: _more, ...plainCall } = call;
  const read = decodeReplyPart({ ...part, functionCall: { ...plainCall, args: args.value } }, reading.context);
  if (read) say(reading, read);
}

/** A call in pieces; `false` when it is none. */
function piece(reading: Reading, part: JsonObject): boolean {
  const raw = part['functionCall'];
  if (!isObject(raw)) return false;
  const call = normal(raw);
  if (!isPartial(call)) {
    if (!isClosing(call)) return false;
    flushPartial(reading);
    return true;
  }
  if (str(call['name']) !== '') {
    flushPartial(reading);
    reading.partial = { part, call, args: createPartialArgs() };
  }
  reading.partial?.args.add(call['partialArgs']);
  if (call['willContinue'] !== true) flushPartial(reading);
  return true;
}

function readPart(reading: Reading, raw: JsonObject): void {
  if (piece(reading, raw)) return;
  const read = decodeReplyPart(raw, reading.context);
  if (!read) return;
  flushPartial(reading);
  say(reading, read);
}

function cite(reading: Reading, candidate: JsonObject): void {
  const { cited, text, sequencer, key } = reading;
  const citations = decodeCitations(candidate, text.text()).filter((citation) => {
    const mark = JSON.stringify(citation);
    return !cited.has(mark) && cited.add(mark);
  });
  if (citations.length === 0) return;
  if (reading.open?.kind !== 'text') plain(reading, 'text', '');
  const from = reading.open?.from ?? 0;
  sequencer.push(key, { type: 'part-note', citations: citations.map((citation) => placeCitation(citation, from, text.length())) });
}

function keepRest({ rest }: Reading, candidate: JsonObject): void {
  for (const name in candidate)
    if (!KNOWN.has(name)) rest[name] = name === 'citationMetadata' ? added(rest[name], candidate[name]) : candidate[name];
}

function readCandidate(reading: Reading, raw: JsonObject): void {
  const candidate = normal(raw);
  keepRest(reading, candidate);
  const content = isObject(candidate['content']) ? normal(candidate['content']) : {};
  const parts = objects(content['parts']).map(normal);
  const hasText = parts.some(saysText);
  // What comes without words of its own is about those before it.
  if (!hasText) cite(reading, candidate);
  for (const one of parts) readPart(reading, one);
  if (hasText) cite(reading, candidate);
  const logprobs = decodeLogprobs(candidate['logprobsResult']);
  if (logprobs.length > 0 && reading.open?.kind === 'text') reading.sequencer.push(reading.key, { type: 'part-note', logprobs });
  reading.word = finishWord(candidate['finishReason']) ?? reading.word;
}

/** Reads one candidate: `index` is its place among the answers. */
export function createStreamCandidate(index: number, sequencer: Sequencer, context: SourceContext): StreamCandidate {
  const reading: Reading = {
    index,
    key: String(index),
    sequencer,
    context,
    cited: new Set(),
    rest: {},
    text: createKeptText(),
    open: undefined,
    partial: undefined,
    held: [],
    calls: false,
    word: undefined,
  };
  return {
    stop: () => (reading.word === undefined ? undefined : stopOf(reading.word, reading.calls)),
    rest: reading.rest,
    plain: (kind, text, literal) => plain(reading, kind, text, literal),
    close() {
      flushCalls(reading);
      closePart(reading);
    },
    read: (candidate) => readCandidate(reading, candidate),
  };
}
