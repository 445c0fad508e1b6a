import { type Citation, type JsonObject, type PartHead, type Seal, type Sequencer, type TokenLogprob } from '../../ir/index.ts';
import { unknownMembers } from '../../wire/fields.ts';
import type { SourceContext } from '../protocol.ts';
import { readSealed } from './carried.ts';
import { decodeAnnotations } from './citations.ts';
import { objects, str, withResidue, given } from './dialect.ts';
import { decodeLogprobs } from './logprobs.ts';
import { decodeItem } from './reply-items.ts';

/*
 * The parts of one item of a stream that flow: pieces of a message, and of thoughts and their summaries.
 */

export type FlowKind = 'text' | 'refusal' | 'thought' | 'summary';

/** A part that flows: a piece of a message or of thoughts, by its index. */
export interface OpenFlow {
  readonly key: string;
  readonly kind: FlowKind;
  readonly index: number;
  /** Something has been told of it. */
  said: boolean;
  citations: number;
  logprobs: boolean;
}

/** One item of the output, while it comes. */
export interface OpenItem {
  readonly index: number;
  /** The item as it was added; the events name it by its id. */
  item: JsonObject;
  readonly id: string;
  flow: OpenFlow | undefined;
  /** Parts that have ended, by kind and index: an item that is done tells the rest. */
  readonly over: Set<string>;
  /** A call, or a hosted tool's call, once it has begun. */
  call: { readonly key: string; said: boolean } | undefined;
}

const keyOf = (kind: FlowKind, index: number): string => `${kind}${index}`;

/** A number of something; what is none counts as 0. */
export const count = (value: unknown): number => (typeof value === 'number' && Number.isInteger(value) && value >= 0 ? value : 0);

const MESSAGE = new Set(['type', 'role', 'content', 'status', 'name', 'id']);
const REASONING = new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status']);

function headOf(kind: FlowKind, { item, id }: OpenItem, first: boolean): PartHead {
  const isThought = kind === 'thought' || kind === 'summary';
  const more = unknownMembers(item, isThought ? REASONING : MESSAGE);
  const residue = Object.keys(more).length > 0 && (first || !isThought) ? withResidue({ item: more }) : {};
  switch (kind) {
    case 'text':
      return { kind: 'text', id, ...residue };
    case 'refusal':
      return { kind: 'refusal', id, ...residue };
    case 'thought':
      return { kind: 'reasoning', id, ...residue };
    case 'summary':
      return { kind: 'reasoning', form: 'summary', id, ...residue };
  }
}

/** The kind of part that a content part is. */
export function kindOf(part: JsonObject): FlowKind | undefined {
  switch (part['type']) {
    case 'output_text':
    case 'text':
      return 'text';
    case 'refusal':
      return 'refusal';
    case 'reasoning_text':
      return 'thought';
    case 'summary_text':
      return 'summary';
    default:
      return undefined;
  }
}

const textOf = (part: JsonObject): string => str(part['text']) || str(part['refusal']);

/** Where the parts of one stream are told. */
export interface Telling {
  readonly sequencer: Sequencer;
  readonly context: SourceContext;
  /** Parts that have been told: the key of the next one. */
  serial: number;
  /** There was a call that the client is to run. */
  hasToolCall: boolean;
}

/** A key for a part that begins. */
export const newKey = (telling: Telling): string => String(telling.serial++);

/** Ends the part of an item that flows, where one does. */
export function endFlow({ sequencer }: Telling, of: OpenItem, seal?: Seal): void {
  const { flow } = of;
  if (!flow) return;
  of.flow = undefined;
  of.over.add(keyOf(flow.kind, flow.index));
  sequencer.end(flow.key, { type: 'part-end', ...given('seal', seal) });
}

/** The part of that index, begun where it has not; `undefined` when it is over. */
export function flowAt(telling: Telling, of: OpenItem, kind: FlowKind, index: number): OpenFlow | undefined {
  if (of.flow?.kind === kind && of.flow.index === index) return of.flow;
  if (of.over.has(keyOf(kind, index))) return undefined;
  endFlow(telling, of);
  const flow: OpenFlow = { key: newKey(telling), kind, index, said: false, citations: 0, logprobs: false };
  telling.sequencer.start(flow.key, headOf(kind, of, of.over.size === 0));
  of.flow = flow;
  return flow;
}

/** More text of a part. */
export function sayFlow({ sequencer }: Telling, flow: OpenFlow, text: string, literal?: string): void {
  if (text === '') return;
  flow.said = true;
  sequencer.push(flow.key, literal === undefined ? { type: 'part-delta', text } : { type: 'part-delta', text, literal });
}

/** What is said of a part's text, beside it. */
export function noteFlow({ sequencer }: Telling, flow: OpenFlow, citations: readonly Citation[], logprobs: readonly TokenLogprob[]): void {
  flow.citations += citations.length;
  flow.logprobs ||= logprobs.length > 0;
  if (citations.length === 0 && logprobs.length === 0) return;
  sequencer.push(flow.key, {
    type: 'part-note',
    ...(citations.length > 0 ? { citations } : {}),
    ...(logprobs.length > 0 ? { logprobs } : {}),
  });
}

/** What a part's last word adds to what its events told. */
export function completeFlow(telling: Telling, of: OpenItem, kind: FlowKind, index: number, part: JsonObject): void {
  const text = textOf(part);
  const isThought = kind === 'thought' || kind === 'summary';
  // Empty thoughts are none; an empty text is the model's.
  if (isThought && text === '' && !of.flow) return;
  const flow = flowAt(telling, of, kind, index);
  if (!flow) return;
  if (!flow.said) sayFlow(telling, flow, text);
  if (kind === 'text') {
    const citations = decodeAnnotations(part['annotations']).slice(flow.citations);
    noteFlow(telling, flow, citations, flow.logprobs ? [] : decodeLogprobs(part['logprobs']));
  }
  // Thoughts stay open: their seal comes with the item.
  if (!isThought) endFlow(telling, of);
}

/** A part that is known whole. */
export function tellWhole(telling: Telling, part: PartHead, seal?: Seal): void {
  const key = newKey(telling);
  telling.sequencer.start(key, part);
  telling.sequencer.end(key, { type: 'part-end', ...given('seal', seal) });
}

/** What of an item does not flow. */
export function tellSolid(telling: Telling, item: JsonObject): void {
  for (const part of decodeItem(item, telling.context)) if (part.kind === 'media' || part.kind === 'native') tellWhole(telling, part);
}

/** The last word on a message. */
export function endMessage(telling: Telling, of: OpenItem, item: JsonObject): void {
  for (const [index, part] of objects(item['content']).entries()) {
    const kind = kindOf(part);
    if (kind) completeFlow(telling, of, kind, index, part);
  }
  endFlow(telling, of);
  tellSolid(telling, { ...item, id: of.id });
}

/** The last word on thoughts. */
export function endReasoning(telling: Telling, of: OpenItem, item: JsonObject): void {
  const seal = readSealed(str(item['encrypted_content']), telling.context.maker);
  for (const [index, part] of objects(item['content']).entries()) completeFlow(telling, of, 'thought', index, part);
  for (const [index, part] of objects(item['summary']).entries()) completeFlow(telling, of, 'summary', index, part);
  if (of.flow) endFlow(telling, of, seal);
  else if (seal) tellWhole(telling, { kind: 'reasoning', id: of.id }, seal);
}
