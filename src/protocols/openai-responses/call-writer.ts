import type { PartHead, Seal } from '../../ir/index.ts';
import type { ReplyContext, WriteFrame } from '../protocol.ts';
import { type EventSender, type Flow, flowOf, placeOf, writeWhole } from './event-sender.ts';
import { callItem, callItemId, sealCarrier, wholeArguments } from './output-items.ts';

type CallHead = Extract<PartHead, { kind: 'tool-call' }>;

/** Writes calls of the client's tools: each is an item that ends with its part. */
export interface CallWriter {
  start(head: CallHead, write: WriteFrame): Flow;
  end(open: { readonly text: string; readonly flow: Flow | undefined }, head: CallHead, seal: Seal | undefined, write: WriteFrame): void;
}

export function createCallWriter(sender: EventSender, context: ReplyContext): CallWriter {
  let id = '';
  return {
    start(head, write) {
      id = callItemId(head, context);
      sender.added(callItem(head, id, '', 'in_progress'), write);
      const event = head.input === 'text' ? 'response.custom_tool_call_input.delta' : 'response.function_call_arguments.delta';
      return flowOf(event, {}, placeOf(id, sender));
    },
    end(open, head, seal, write) {
      const at = placeOf(id, sender);
      const text = wholeArguments(open.text, head.input);
      if (open.text === '' && text !== '' && open.flow) sender.flow(open.flow, JSON.stringify(text), write);
      if (head.input === 'text') sender.send('response.custom_tool_call_input.done', { input: text, ...at }, write);
      else sender.send('response.function_call_arguments.done', { arguments: text, ...at }, write);
      sender.done(callItem(head, id, text, 'completed'), write);
      for (const carrier of sealCarrier(seal, context)) writeWhole(carrier, sender, write);
    },
  };
}
