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

/** Writes a client's stream of `GenerateContentResponse`s. https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent */
export function createStreamEncoder(context: ReplyContext): StreamEncoder {
  const choices: Told[] = [];
  /** What every chunk ends with. */
  let tail = '';
  let residue: JsonObject = {};
  let usage: Usage | undefined;
  let open: Open | undefined;
  let said = false;

  const chunk = (candidate: string, write: WriteFrame): void => {
    said = true;
    write(`{"candidates":[${candidate}],${tail}`);
  };
  const toldAt = (choice: number): Told => (choices[choice] ??= { text: createKeptText(), citations: [], logprobs: [] });

  function begin(event: Extract<ReplyEvent, { type: 'reply-start' }>): void {
    const { createTime, ...rest } = residueOf(event);
    residue = rest;
    const made = createTime === undefined ? '' : `"createTime":${JSON.stringify(createTime)},`;
    tail = `${made}"modelVersion":${JSON.stringify(event.model)},"responseId":${JSON.stringify(responseId(event.id, context))}}`;
  }

  function start(head: PartHead, choice: number): void {
    const told = toldAt(choice);
    const grows = head.kind === 'text' || head.kind === 'refusal' || (head.kind === 'reasoning' && !head.redacted);
    const more = grows ? JSON.stringify(residueOf(head)).slice(1, -1) : '';
    const before = `{"candidates":[{"content":{"parts":[{${more === '' ? '' : `${more},`}"text":`;
    const after = `${head.kind === 'reasoning' ? ',"thought":true' : ''}}],"role":"model"},"index":${choice}}],${tail}`;
    open = { head, choice, told, base: told.text.length(), text: '', flow: grows ? { prefix: before, suffix: after } : undefined };
  }

  function delta({ text, literal }: Extract<ReplyEvent, { type: 'part-delta' }>, write: WriteFrame): void {
    if (!open || text === '') return;
    const { flow } = open;
    if (!flow) {
      open.text += text;
      return;
    }
    said = true;
    if (open.head.kind !== 'reasoning') open.told.text.add(text);
    write(flow.prefix + (literal ?? JSON.stringify(text)) + flow.suffix);
  }

  function endPart(event: PartEnd, write: WriteFrame): void {
    if (!open) return;
    const { choice } = open;
    const part = gathered(open, event);
    open = undefined;
    const parts = part ? encodeReplyPart(part, context) : [];
    if (parts.length > 0) chunk(JSON.stringify({ content: { parts, role: 'model' }, index: choice }), write);
  }

  function last(stop: Stop, index: number, own: JsonObject): JsonObject {
    const told = toldAt(index);
    return { content: { parts: [{ text: '' }], role: 'model' }, ...encodeBeside(stop, index, own, { ...told, text: told.text.text() }) };
  }

  function end(event: Extract<ReplyEvent, { type: 'reply-end' }>, write: WriteFrame): void {
    const { createTime: _said, ...atEnd } = residueOf(event);
    const { envelope, candidates } = ownWords({ ...residue, ...atEnd });
    const blocked = isBlocked(envelope, said ? 1 : 0);
    const lasts = [event.stop, ...(event.others ?? [])].map((stop, index) => last(stop, index, candidates[index] ?? {}));
    const body = {
      ...(blocked ? {} : { candidates: lasts }),
      ...envelope,
      ...(usage ? { usageMetadata: encodeUsage(usage) } : {}),
    };
    const text = JSON.stringify(body).slice(0, -1);
    write(`${text}${text === '{' ? '' : ','}${tail}`);
  }

  return {
    event(event, write) {
      switch (event.type) {
        case 'part-delta':
          delta(event, write);
          return;
        case 'reply-start':
          begin(event);
          return;
        case 'part-start':
          start(event.part, event.choice ?? 0);
          return;
        case 'part-note':
          if (!open) return;
          for (const citation of event.citations ?? []) open.told.citations.push({ citation, base: open.base });
          open.told.logprobs.push(...(event.logprobs ?? []));
          return;
        case 'part-end':
          endPart(event, write);
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
