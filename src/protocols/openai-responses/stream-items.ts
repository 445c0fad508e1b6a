import { isObject, type JsonObject, type Sequencer } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeAnnotation } from './citations.ts';
import { given, str } from './dialect.ts';
import { isHostedCall } from './hosted-items.ts';
import { decodeLogprobs } from './logprobs.ts';
import { endCall, isClientCall, sayCall, startCall } from './stream-calls.ts';
import {
  completeFlow,
  count,
  endFlow,
  endMessage,
  endReasoning,
  flowAt,
  type FlowKind,
  kindOf,
  noteFlow,
  type OpenFlow,
  type OpenItem,
  sayFlow,
  tellSolid,
  type Telling,
} from './stream-flows.ts';

/*
 * Puts the parts of a stream together, item by item. Items are known by `output_index`: ids change between the events of
 * one item on some servers. Seen on wires: deltas without the events that open their part, an item that is only told when
 * it is done, arguments only in the last event.
 */

/** The items of one stream. */
export interface StreamItems extends Telling {
  readonly open: Map<number, OpenItem>;
  /** Items that are done: what comes later for them is a repetition. */
  readonly ended: Set<number>;
  /** The item that was opened last. */
  last: OpenItem | undefined;
}

/** The items of a stream that begins. */
export const newStreamItems = (sequencer: Sequencer, context: SourceContext): StreamItems => ({
  sequencer,
  context,
  serial: 0,
  hasToolCall: false,
  open: new Map(),
  ended: new Set(),
  last: undefined,
});

/** Where an item stands that no event has placed: behind all others. */
const nextIndex = ({ open, ended }: StreamItems): number => open.size + ended.size;

function indexOf({ open, last }: StreamItems, event: JsonObject): number | undefined {
  const { output_index: index } = event;
  if (typeof index === 'number') return index;
  const id = str(event['item_id']);
  const named = id === '' ? undefined : [...open.values()].find((one) => one.id === id);
  return (named ?? last)?.index;
}

function openItem(items: StreamItems, index: number, item: JsonObject): OpenItem {
  const id = str(item['id']) || items.context.newId(item['type'] === 'message' ? 'msg_' : 'rs_');
  const made: OpenItem = { index, item, id, flow: undefined, over: new Set(), call: undefined };
  items.open.set(index, made);
  items.last = made;
  return made;
}

/** The item of an event, opened where no event has; `undefined` when it is done. */
function itemAt(items: StreamItems, event: JsonObject, type: 'message' | 'reasoning'): OpenItem | undefined {
  const index = indexOf(items, event) ?? 0;
  if (items.ended.has(index)) return undefined;
  return items.open.get(index) ?? openItem(items, index, { type, ...given('id', str(event['item_id']) || undefined) });
}

const ownerOf = (kind: FlowKind): 'message' | 'reasoning' => (kind === 'text' || kind === 'refusal' ? 'message' : 'reasoning');
const placeOf = (kind: FlowKind, event: JsonObject): number => count(event[kind === 'summary' ? 'summary_index' : 'content_index']);

/** The part that an event tells of. */
function flowOf(items: StreamItems, kind: FlowKind, event: JsonObject): OpenFlow | undefined {
  const of = itemAt(items, event, ownerOf(kind));
  return of && flowAt(items, of, kind, placeOf(kind, event));
}

function endItem(items: StreamItems, of: OpenItem, item: JsonObject): void {
  const type = str(item['type']);
  if (type === 'message') endMessage(items, of, item);
  else if (type === 'reasoning') endReasoning(items, of, item);
  else if (isClientCall(type) || isHostedCall(type)) endCall(items, of, item);
  else tellSolid(items, item);
}

function finishItem(items: StreamItems, index: number, item: JsonObject): void {
  if (items.ended.has(index)) return;
  endItem(items, items.open.get(index) ?? openItem(items, index, item), item);
  items.ended.add(index);
  items.open.delete(index);
}

/** An item begins. */
export function itemAdded(items: StreamItems, event: JsonObject): void {
  const item = isObject(event['item']) ? event['item'] : undefined;
  if (!item) return;
  const index = typeof event['output_index'] === 'number' ? event['output_index'] : nextIndex(items);
  if (!items.open.has(index) && !items.ended.has(index)) startCall(items, openItem(items, index, item));
}

/** An item is done. */
export function itemDone(items: StreamItems, event: JsonObject): void {
  if (isObject(event['item'])) finishItem(items, indexOf(items, event) ?? nextIndex(items), event['item']);
}

/** More text of a part. */
export function partDelta(items: StreamItems, kind: FlowKind, event: JsonObject): void {
  const flow = flowOf(items, kind, event);
  if (!flow) return;
  sayFlow(items, flow, str(event['delta']));
  if (kind === 'text') noteFlow(items, flow, [], decodeLogprobs(event['logprobs']));
}

/** More text where text is flowing already, as nearly always; false where it is not. */
export function quickDelta(
  items: StreamItems,
  outputIndex: number,
  contentIndex: number,
  kind: 'text' | 'thought' | 'summary',
  text: string,
  literal: string | undefined,
): boolean {
  const flow = items.open.get(outputIndex)?.flow;
  if (flow?.kind !== kind || flow.index !== contentIndex) return false;
  sayFlow(items, flow, text, literal);
  return true;
}

/** The text of a part, whole. */
export function partTold(items: StreamItems, kind: FlowKind, event: JsonObject, text: string): void {
  const flow = flowOf(items, kind, event);
  if (!flow) return;
  if (!flow.said) sayFlow(items, flow, text);
  if (kind === 'text' && !flow.logprobs) noteFlow(items, flow, [], decodeLogprobs(event['logprobs']));
}

/** A part of a message or of thoughts is done. */
export function partDone(items: StreamItems, event: JsonObject): void {
  const part = isObject(event['part']) ? event['part'] : undefined;
  const kind = part && kindOf(part);
  const of = kind && itemAt(items, event, ownerOf(kind));
  if (of) completeFlow(items, of, kind, placeOf(kind, event), part);
}

/** A citation of a message's text. */
export function annotationAdded(items: StreamItems, event: JsonObject): void {
  const flow = flowOf(items, 'text', event);
  if (flow && isObject(event['annotation'])) noteFlow(items, flow, [decodeAnnotation(event['annotation'])], []);
}

/** More of a call's arguments. */
export function argumentsDelta(items: StreamItems, event: JsonObject): void {
  const of = items.open.get(indexOf(items, event) ?? -1);
  if (of) sayCall(items, of, str(event['delta']));
}

/** A call's arguments, whole. */
export function argumentsDone(items: StreamItems, event: JsonObject): void {
  const of = items.open.get(indexOf(items, event) ?? -1);
  if (of && !of.call?.said) sayCall(items, of, str(event['arguments']) || str(event['input']));
}

/** The last word: items of it that no event has told, and the end of what is open. */
export function endItems(items: StreamItems, output: readonly JsonObject[]): void {
  for (const [index, item] of output.entries()) finishItem(items, index, item);
  for (const of of items.open.values()) {
    endFlow(items, of);
    if (of.call) items.sequencer.end(of.call.key);
  }
  items.open.clear();
}
