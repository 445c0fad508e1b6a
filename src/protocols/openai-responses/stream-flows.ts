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

/** Tells the sequencer of flowing parts. */
export interface StreamFlows {
  /** The part of that index, begun where it has not; `undefined` when it is over. */
  flowAt(of: OpenItem, kind: FlowKind, index: number): OpenFlow | undefined;
  say(flow: OpenFlow, text: string, literal?: string): void;
  note(flow: OpenFlow, citations: readonly Citation[], logprobs: readonly TokenLogprob[]): void;
  /** What a part's last word adds to what its events told. */
  complete(of: OpenItem, kind: FlowKind, index: number, part: JsonObject): void;
  /** A part that is known whole. */
  whole(part: PartHead): void;
  endFlow(of: OpenItem, seal?: Seal): void;
  endMessage(of: OpenItem, item: JsonObject): void;
  endReasoning(of: OpenItem, item: JsonObject): void;
}

export function createStreamFlows(sequencer: Sequencer, context: SourceContext, newKey: () => string): StreamFlows {
  function endFlow(of: OpenItem, seal?: Seal): void {
    const { flow } = of;
    if (!flow) return;
    of.flow = undefined;
    of.over.add(keyOf(flow.kind, flow.index));
    sequencer.end(flow.key, { type: 'part-end', ...given('seal', seal) });
  }

  function flowAt(of: OpenItem, kind: FlowKind, index: number): OpenFlow | undefined {
    if (of.flow?.kind === kind && of.flow.index === index) return of.flow;
    if (of.over.has(keyOf(kind, index))) return undefined;
    endFlow(of);
    const flow: OpenFlow = { key: newKey(), kind, index, said: false, citations: 0, logprobs: false };
    sequencer.start(flow.key, headOf(kind, of, of.over.size === 0));
    of.flow = flow;
    return flow;
  }

  function say(flow: OpenFlow, text: string, literal?: string): void {
    if (text === '') return;
    flow.said = true;
    sequencer.push(flow.key, literal === undefined ? { type: 'part-delta', text } : { type: 'part-delta', text, literal });
  }

  function note(flow: OpenFlow, citations: readonly Citation[], logprobs: readonly TokenLogprob[]): void {
    flow.citations += citations.length;
    flow.logprobs ||= logprobs.length > 0;
    if (citations.length === 0 && logprobs.length === 0) return;
    sequencer.push(flow.key, {
      type: 'part-note',
      ...(citations.length > 0 ? { citations } : {}),
      ...(logprobs.length > 0 ? { logprobs } : {}),
    });
  }

  function complete(of: OpenItem, kind: FlowKind, index: number, part: JsonObject): void {
    const text = textOf(part);
    const isThought = kind === 'thought' || kind === 'summary';
    // Empty thoughts are none; an empty text is the model's.
    if (isThought && text === '' && !of.flow) return;
    const flow = flowAt(of, kind, index);
    if (!flow) return;
    if (!flow.said) say(flow, text);
    if (kind === 'text') {
      const citations = decodeAnnotations(part['annotations']).slice(flow.citations);
      note(flow, citations, flow.logprobs ? [] : decodeLogprobs(part['logprobs']));
    }
    // Thoughts stay open: their seal comes with the item.
    if (!isThought) endFlow(of);
  }

  function whole(part: PartHead): void {
    const key = newKey();
    sequencer.start(key, part);
    sequencer.end(key);
  }

  function endMessage(of: OpenItem, item: JsonObject): void {
    for (const [index, part] of objects(item['content']).entries()) {
      const kind = kindOf(part);
      if (kind) complete(of, kind, index, part);
    }
    endFlow(of);
    // What does not flow is told whole.
    for (const part of decodeItem({ ...item, id: of.id }, context)) if (part.kind === 'media' || part.kind === 'native') whole(part);
  }

  function endReasoning(of: OpenItem, item: JsonObject): void {
    const seal = readSealed(str(item['encrypted_content']), context.maker);
    for (const [index, part] of objects(item['content']).entries()) complete(of, 'thought', index, part);
    for (const [index, part] of objects(item['summary']).entries()) complete(of, 'summary', index, part);
    if (of.flow) return endFlow(of, seal);
    if (!seal) return;
    const key = newKey();
    sequencer.start(key, { kind: 'reasoning', id: of.id });
    sequencer.end(key, { type: 'part-end', seal });
  }

  return { flowAt, say, note, complete, whole, endFlow, endMessage, endReasoning };
}
