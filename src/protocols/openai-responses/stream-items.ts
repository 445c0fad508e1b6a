import { isObject, type JsonObject, type Sequencer } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeAnnotation } from './citations.ts';
import { given, str } from './dialect.ts';
import { isHostedCall } from './hosted-items.ts';
import { decodeLogprobs } from './logprobs.ts';
import { decodeItem } from './reply-items.ts';
import { createStreamCalls, isClientCall } from './stream-calls.ts';
import { count, createStreamFlows, type FlowKind, kindOf, type OpenItem } from './stream-flows.ts';

/*
 * Puts the parts of a stream together, item by item. Items are known by `output_index`: ids change between the events of
 * one item on some servers. Seen on wires: deltas without the events that open their part, an item that is only told when
 * it is done, arguments only in the last event.
 */

export interface StreamItems {
  added(event: JsonObject): void;
  done(event: JsonObject): void;
  /** More text of a part. */
  delta(kind: FlowKind, event: JsonObject, literal?: string): void;
  /** The text of a part, whole. */
  told(kind: FlowKind, event: JsonObject, text: string): void;
  /** A part of a message or of thoughts is done. */
  partDone(event: JsonObject): void;
  annotation(event: JsonObject): void;
  argumentsDelta(event: JsonObject): void;
  argumentsDone(event: JsonObject): void;
  /** The usual event, more text where text is flowing already; false where it is not. */
  quick(
    outputIndex: number,
    contentIndex: number,
    kind: 'text' | 'thought' | 'summary',
    text: string,
    literal: string | undefined,
  ): boolean;
  /** Ends what is open. */
  finish(): void;
  /** Items of the last word that no event has told. */
  rest(output: readonly JsonObject[]): void;
  hasToolCall(): boolean;
  any(): boolean;
}

export function createStreamItems(sequencer: Sequencer, context: SourceContext): StreamItems {
  const items = new Map<number, OpenItem>();
  /** Items that are done: what comes later for them is a repetition. */
  const ended = new Set<number>();
  let last: OpenItem | undefined;
  let serial = 0;
  const newKey = (): string => String(serial++);
  const flows = createStreamFlows(sequencer, context, newKey);
  const calls = createStreamCalls(sequencer, flows, context, newKey);

  const indexOf = (event: JsonObject): number | undefined => {
    const { output_index: index } = event;
    if (typeof index === 'number') return index;
    const id = str(event['item_id']);
    const named = id === '' ? undefined : [...items.values()].find((one) => one.id === id);
    return (named ?? last)?.index;
  };

  function open(index: number, item: JsonObject, prefix: string): OpenItem {
    const made: OpenItem = { index, item, id: str(item['id']) || context.newId(prefix), flow: undefined, over: new Set(), call: undefined };
    items.set(index, made);
    last = made;
    return made;
  }

  function itemAt(event: JsonObject, type: string): OpenItem | undefined {
    const index = indexOf(event) ?? 0;
    if (ended.has(index)) return undefined;
    const prefix = type === 'message' ? 'msg_' : 'rs_';
    return items.get(index) ?? open(index, { type, ...given('id', str(event['item_id']) || undefined) }, prefix);
  }

  const place = (kind: FlowKind, event: JsonObject): number => count(event[kind === 'summary' ? 'summary_index' : 'content_index']);
  const ownerOf = (kind: FlowKind): string => (kind === 'text' || kind === 'refusal' ? 'message' : 'reasoning');

  function endItem(of: OpenItem, item: JsonObject): void {
    const type = str(item['type']);
    if (type === 'message') flows.endMessage(of, item);
    else if (type === 'reasoning') flows.endReasoning(of, item);
    else if (isClientCall(type) || isHostedCall(type)) calls.end(of, item);
    else for (const part of decodeItem(item, context)) if (part.kind === 'media' || part.kind === 'native') flows.whole(part);
  }

  function finishItem(index: number, item: JsonObject): void {
    if (ended.has(index)) return;
    const of = items.get(index) ?? open(index, item, item['type'] === 'message' ? 'msg_' : 'rs_');
    endItem(of, item);
    ended.add(index);
    items.delete(index);
  }

  return {
    hasToolCall: () => calls.any(),
    any: () => serial > 0,
    added(event) {
      const item = isObject(event['item']) ? event['item'] : undefined;
      if (!item) return;
      const index = typeof event['output_index'] === 'number' ? event['output_index'] : items.size + ended.size;
      if (items.has(index) || ended.has(index)) return;
      calls.start(open(index, item, item['type'] === 'message' ? 'msg_' : 'rs_'));
    },
    done(event) {
      const item = isObject(event['item']) ? event['item'] : undefined;
      if (item) finishItem(indexOf(event) ?? items.size + ended.size, item);
    },
    delta(kind, event, literal) {
      const of = itemAt(event, ownerOf(kind));
      const flow = of && flows.flowAt(of, kind, place(kind, event));
      if (!flow) return;
      flows.say(flow, str(event['delta']), literal);
      if (kind === 'text') flows.note(flow, [], decodeLogprobs(event['logprobs']));
    },
    told(kind, event, text) {
      const of = itemAt(event, ownerOf(kind));
      const flow = of && flows.flowAt(of, kind, place(kind, event));
      if (flow && !flow.said) flows.say(flow, text);
      if (flow && kind === 'text' && !flow.logprobs) flows.note(flow, [], decodeLogprobs(event['logprobs']));
    },
    partDone(event) {
      const part = isObject(event['part']) ? event['part'] : undefined;
      const kind = part && kindOf(part);
      const of = part && kind && itemAt(event, ownerOf(kind));
      if (of && part && kind) flows.complete(of, kind, place(kind, event), part);
    },
    annotation(event) {
      const of = itemAt(event, 'message');
      const flow = of && flows.flowAt(of, 'text', count(event['content_index']));
      if (flow && isObject(event['annotation'])) flows.note(flow, [decodeAnnotation(event['annotation'])], []);
    },
    argumentsDelta(event) {
      const of = items.get(indexOf(event) ?? -1);
      if (of) calls.say(of, str(event['delta']));
    },
    argumentsDone(event) {
      const of = items.get(indexOf(event) ?? -1);
      const text = str(event['arguments']) || str(event['input']);
      if (of && !of.call?.said) calls.say(of, text);
    },
    quick(outputIndex, contentIndex, kind, text, literal) {
      const flow = items.get(outputIndex)?.flow;
      if (flow?.kind !== kind || flow.index !== contentIndex) return false;
      flows.say(flow, text, literal);
      return true;
    },
    finish() {
      for (const of of items.values()) {
        flows.endFlow(of);
        if (of.call) sequencer.end(of.call.key);
      }
      items.clear();
    },
    rest(output) {
      for (const [index, item] of output.entries()) if (!ended.has(index)) finishItem(index, item);
    },
  };
}
