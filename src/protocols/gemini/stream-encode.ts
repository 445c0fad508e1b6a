import {
  createKeptText,
  type JsonObject,
  type KeptText,
  type Part,
  type PartHead,
  type ReplyEvent,
  type Stop,
  type TokenLogprob,
  type Usage,
} from '../../ir/index.ts';
import type { ReplyContext, StreamEncoder, WriteFrame } from '../protocol.ts';
import { residueOf } from './dialect.ts';
import { faultFrame } from './faults.ts';
import type { PlacedCitation } from './grounding.ts';
import { encodeBeside, isBlocked, ownWords, responseId } from './reply-encode.ts';
import { encodeReplyPart } from './reply-part-encode.ts';
import { encodeUsage } from './usage.ts';

type PartEnd = Extract<ReplyEvent, { type: 'part-end' }>;

/** A candidate as far as it was told. */
interface Told {
  readonly text: KeptText;
  readonly citations: PlacedCitation[];
  readonly logprobs: TokenLogprob[];
}

/** The part that is open. */
interface Open {
  readonly head: PartHead;
  readonly choice: number;
  readonly told: Told;
  /** Where it begins in the candidate's whole text. */
  readonly base: number;
  /** What has come of a part that is told whole at its end. */
  text: string;
  /** A chunk around a text that flows; `undefined`: the part is told whole at its end. */
  readonly flow: { readonly prefix: string; readonly suffix: string } | undefined;
}

/** The part that came in pieces. */
function gathered({ head, text }: Open, end: PartEnd): Part | undefined {
  const tail = { ...(end.seal ? { seal: end.seal } : {}), ...(end.residue ? { residue: end.residue } : {}) };
  switch (head.kind) {
    case 'tool-call':
      return { ...head, argumentsJson: text, ...tail };
    case 'hosted-call':
      return { ...head, inputJson: head.inputJson + text, ...tail, ...(end.native ? { native: end.native } : {}) };
    case 'hosted-result':
      return { ...head, ...tail, ...(end.native ? { native: end.native } : {}) };
    case 'text':
    case 'reasoning':
      // The words are told; what is left is the signature.
      return end.seal ? { ...head, text: '', ...tail } : undefined;
    case 'refusal':
      return undefined;
    default:
      return { ...head, ...tail };
  }
}

/** Where writing one stream stands. */
interface Writing {
  readonly context: ReplyContext;
  readonly choices: Told[];
  /** What every chunk ends with. */
  tail: string;
  residue: JsonObject;
  usage: Usage | undefined;
  open: Open | undefined;
  said: boolean;
}

const toldAt = ({ choices }: Writing, choice: number): Told =>
  (choices[choice] ??= { text: createKeptText(), citations: [], logprobs: [] });

function begin(writing: Writing, event: Extract<ReplyEvent, { type: 'reply-start' }>): void {
  const { createTime, ...rest } = residueOf(event);
  writing.residue = rest;
  const made = createTime === undefined ? '' : `"createTime":${JSON.stringify(createTime)},`;
  const id = responseId(event.id, writing.context);
  writing.tail = `${made}"modelVersion":${JSON.stringify(event.model)},"responseId":${JSON.stringify(id)}}`;
}

function startPart(writing: Writing, head: PartHead, choice: number): void {
  const told = toldAt(writing, choice);
  const grows = head.kind === 'text' || head.kind === 'refusal' || (head.kind === 'reasoning' && !head.redacted);
  const more = grows ? JSON.stringify(residueOf(head)).slice(1, -1) : '';
  const prefix = `{"candidates":[{"content":{"parts":[{${more === '' ? '' : `${more},`}"text":`;
  const suffix = `${head.kind === 'reasoning' ? ',"thought":true' : ''}}],"role":"model"},"index":${choice}}],${writing.tail}`;
  writing.open = { head, choice, told, base: told.text.length(), text: '', flow: grows ? { prefix, suffix } : undefined };
}

function partDelta(writing: Writing, text: string, literal: string | undefined, write: WriteFrame): void {
  const { open } = writing;
  if (!open || text === '') return;
  const { flow } = open;
  if (!flow) {
    open.text += text;
    return;
  }
  writing.said = true;
  if (open.head.kind !== 'reasoning') open.told.text.add(text);
  write(flow.prefix + (literal ?? JSON.stringify(text)) + flow.suffix);
}

function partNote({ open }: Writing, { citations = [], logprobs = [] }: Extract<ReplyEvent, { type: 'part-note' }>): void {
  if (!open) return;
  for (const citation of citations) open.told.citations.push({ citation, base: open.base });
  open.told.logprobs.push(...logprobs);
}

function endPart(writing: Writing, event: PartEnd, write: WriteFrame): void {
  const { open, context, tail } = writing;
  if (!open) return;
  writing.open = undefined;
  const part = gathered(open, event);
  const parts = part ? encodeReplyPart(part, context) : [];
  if (parts.length === 0) return;
  writing.said = true;
  write(`{"candidates":[${JSON.stringify({ content: { parts, role: 'model' }, index: open.choice })}],${tail}`);
}

function lastOf(writing: Writing, stop: Stop, index: number, own: JsonObject): JsonObject {
  const told = toldAt(writing, index);
  return { content: { parts: [{ text: '' }], role: 'model' }, ...encodeBeside(stop, index, own, { ...told, text: told.text.text() }) };
}

function end(writing: Writing, event: Extract<ReplyEvent, { type: 'reply-end' }>, write: WriteFrame): void {
  const { createTime: _said, ...atEnd } = residueOf(event);
  const { residue, said, usage, tail } = writing;
  const { envelope, candidates } = ownWords({ ...residue, ...atEnd });
  const blocked = isBlocked(envelope, said ? 1 : 0);
  const lasts = [event.stop, ...(event.others ?? [])].map((stop, index) => lastOf(writing, stop, index, candidates[index] ?? {}));
  const body = {
    ...(blocked ? {} : { candidates: lasts }),
    ...envelope,
    ...(usage ? { usageMetadata: encodeUsage(usage) } : {}),
  };
  const text = JSON.stringify(body).slice(0, -1);
  write(`${text}${text === '{' ? '' : ','}${tail}`);
}

/** Writes a client's stream of `GenerateContentResponse`s. https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const writing: Writing = { context, choices: [], tail: '', residue: {}, usage: undefined, open: undefined, said: false };
  return {
    event(event, write) {
      switch (event.type) {
        case 'part-delta':
          return partDelta(writing, event.text, event.literal, write);
        case 'reply-start':
          return begin(writing, event);
        case 'part-start':
          return startPart(writing, event.part, event.choice ?? 0);
        case 'part-note':
          return partNote(writing, event);
        case 'part-end':
          return endPart(writing, event, write);
        case 'usage':
          writing.usage = event.usage;
          return;
        case 'reply-end':
          return end(writing, event, write);
        case 'fault':
          return faultFrame(event.fault, context.requestId ?? '', write);
      }
    },
  };
}
