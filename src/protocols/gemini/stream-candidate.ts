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

export function createStreamCandidate(index: number, sequencer: Sequencer, context: SourceContext): StreamCandidate {
  const key = String(index);
  const cited = new Set<string>();
  const rest: Record<string, JsonObject[string]> = {};
  let open: Open | undefined;
  let partial: PartialCall | undefined;
  /** Calls that the server may yet answer itself: until something else comes, or the end. */
  let held: ToolCallPart[] = [];
  const text = createKeptText();
  let calls = false;
  let word: string | undefined;

  function closePart(): void {
    if (!open) return;
    sequencer.end(key, { type: 'part-end', ...(open.seal ? { seal: open.seal } : {}) });
    open = undefined;
  }

  function push(kind: Open['kind'], more: string, literal: string | undefined): void {
    if (kind === 'text') text.add(more);
    if (more !== '')
      sequencer.push(key, literal === undefined ? { type: 'part-delta', text: more } : { type: 'part-delta', text: more, literal });
  }

  function plain(kind: Open['kind'], more: string, literal?: string): void {
    if (open?.kind !== kind || open.signed || held.length > 0) {
      flushCalls();
      closePart();
      sequencer.start(key, { kind }, index);
      open = { kind, from: text.length(), signed: false, seal: undefined };
    }
    push(kind, more, literal);
  }

  /** A part that is whole as it comes. */
  function whole(part: Part): void {
    closePart();
    if (part.kind === 'tool-call') {
      calls = true;
      const { argumentsJson, seal: _seal, ...head } = part;
      sequencer.start(key, head, index);
      sequencer.push(key, { type: 'part-delta', text: argumentsJson });
    } else if (part.kind !== 'tool-result') sequencer.start(key, part, index);
    sequencer.end(key, { type: 'part-end', ...('seal' in part && part.seal ? { seal: part.seal } : {}) });
  }

  function flushCalls(): void {
    flushPartial();
    const calling = held;
    held = [];
    for (const one of calling) whole(one);
  }

  /** The server's own answer to a call of its; `false` when it is none. */
  function settled(part: Part): boolean {
    if (part.kind !== 'native') return false;
    const at = answeredBy(held, part);
    const [found] = at < 0 ? [] : held.splice(at, 1);
    if (found) for (const one of answeredCall(found, part.value)) whole(one);
    return found !== undefined;
  }

  function say(part: Part): void {
    if (part.kind === 'tool-call') {
      held.push(part);
      return;
    }
    if (settled(part)) return;
    flushCalls();
    if (part.kind !== 'text' && part.kind !== 'reasoning') {
      whole(part);
      return;
    }
    if (flows(part)) {
      plain(part.kind, part.text);
      return;
    }
    closePart();
    const { text: more, seal, ...head } = part;
    sequencer.start(key, head, index);
    open = { kind: part.kind, from: text.length(), signed: true, seal };
    push(part.kind, more, undefined);
  }

  function flushPartial(): void {
    if (!partial) return;
    const { part, call, args } = partial;
    partial = undefined;
    const { partialArgs: _pieces, willContinue: _more, ...plainCall } = call;
    const read = decodeReplyPart({ ...part, functionCall: { ...plainCall, args: args.value } }, context);
    if (read) say(read);
  }

  /** A call in pieces; `false` when it is none. */
  function piece(part: JsonObject): boolean {
    const raw = part['functionCall'];
    if (!isObject(raw)) return false;
    const call = normal(raw);
    if (!isPartial(call)) {
      if (!isClosing(call)) return false;
      flushPartial();
      return true;
    }
    if (str(call['name']) !== '') {
      flushPartial();
      partial = { part, call, args: createPartialArgs() };
    }
    partial?.args.add(call['partialArgs']);
    if (call['willContinue'] !== true) flushPartial();
    return true;
  }

  function part(raw: JsonObject): void {
    if (piece(raw)) return;
    const read = decodeReplyPart(raw, context);
    if (!read) return;
    flushPartial();
    say(read);
  }

  function cite(candidate: JsonObject): void {
    const citations = decodeCitations(candidate, text.text()).filter((citation) => {
      const mark = JSON.stringify(citation);
      return !cited.has(mark) && cited.add(mark);
    });
    if (citations.length === 0) return;
    if (open?.kind !== 'text') plain('text', '');
    const from = open?.from ?? 0;
    sequencer.push(key, { type: 'part-note', citations: citations.map((citation) => placeCitation(citation, from, text.length())) });
  }

  return {
    stop: () => (word === undefined ? undefined : stopOf(word, calls)),
    rest,
    plain,
    close() {
      flushCalls();
      closePart();
    },
    read(raw) {
      const candidate = normal(raw);
      for (const name in candidate)
        if (!KNOWN.has(name)) rest[name] = name === 'citationMetadata' ? added(rest[name], candidate[name]) : candidate[name];
      const content = isObject(candidate['content']) ? normal(candidate['content']) : {};
      const parts = objects(content['parts']).map(normal);
      const hasText = parts.some(saysText);
      // What comes without words of its own is about those before it.
      if (!hasText) cite(candidate);
      for (const one of parts) part(one);
      if (hasText) cite(candidate);
      const logprobs = decodeLogprobs(candidate['logprobsResult']);
      if (logprobs.length > 0 && open?.kind === 'text') sequencer.push(key, { type: 'part-note', logprobs });
      word = finishWord(candidate['finishReason']) ?? word;
    },
  };
}
