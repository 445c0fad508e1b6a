import type { JsonObject } from '../../ir/index.ts';
import type { WriteFrame } from '../protocol.ts';
import { itemEvents } from './item-events.ts';

/** The event that a text flows in, up to its literal and after it; the sequence number closes it. */
export interface Flow {
  readonly event: string;
  readonly prefix: string;
  readonly suffix: string;
}

/** Numbers the events of a stream, and keeps the items that are done. */
export interface EventSender {
  readonly output: readonly JsonObject[];
  sequence(): number;
  send(type: string, members: JsonObject, write: WriteFrame): void;
  /** An event whose response is printed already. */
  printed(type: string, response: string, write: WriteFrame): void;
  flow(flow: Flow, literal: string, write: WriteFrame): void;
  added(item: JsonObject, write: WriteFrame): void;
  done(item: JsonObject, write: WriteFrame): void;
}

export function createEventSender(): EventSender {
  let sequence = 0;
  const output: JsonObject[] = [];
  return {
    output,
    sequence: () => sequence,
    send(type: string, members: JsonObject, write: WriteFrame): void {
      write(JSON.stringify({ type, ...members, sequence_number: sequence++ }), type);
    },
    printed(type: string, response: string, write: WriteFrame): void {
      write(`{"type":"${type}","response":${response},"sequence_number":${sequence++}}`, type);
    },
    flow({ event, prefix, suffix }: Flow, literal: string, write: WriteFrame): void {
      write(`${prefix}${literal}${suffix}${sequence++}}`, event);
    },
    added(item: JsonObject, write: WriteFrame): void {
      this.send('response.output_item.added', { item, output_index: output.length }, write);
    },
    done(item: JsonObject, write: WriteFrame): void {
      this.send('response.output_item.done', { item, output_index: output.length }, write);
      output.push(item);
    },
  };
}

/** Where an event of the item that is open belongs. */
export const placeOf = (id: string, { output }: EventSender): JsonObject => ({ item_id: id, output_index: output.length });

/** The event of a text that is yet to come: `before` and `after` its literal. */
export const flowOf = (event: string, before: JsonObject, after: JsonObject): Flow => ({
  event,
  prefix: `${JSON.stringify({ type: event, ...before }).slice(0, -1)},"delta":`,
  suffix: `,${JSON.stringify(after).slice(1, -1)},"sequence_number":`,
});

/** Tells an item that is known whole. */
export function writeWhole(item: JsonObject, sender: EventSender, write: WriteFrame): void {
  const { head, between } = itemEvents(item);
  sender.added(head, write);
  for (const [type, members] of between) sender.send(type, { ...placeOf(String(item['id'] ?? ''), sender), ...members }, write);
  sender.done(item, write);
}
