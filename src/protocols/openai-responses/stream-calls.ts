import type { JsonObject } from '../../ir/index.ts';
import { DIALECT, str } from './dialect.ts';
import { hostedHead, hostedInput, hostedResult, isHostedCall } from './hosted-items.ts';
import { callHead, callText } from './reply-items.ts';
import { newKey, type OpenItem, tellWhole, type Telling } from './stream-flows.ts';

/*
 * The calls of a stream: of the client's tools, and of those that the provider runs.
 */

/** Whether an item is a call of one of the client’s tools. */
export const isClientCall = (type: string): boolean => type === 'function_call' || type === 'custom_tool_call';

/** Begins the call that an item is, where it is one and has a name. */
export function startCall(telling: Telling, of: OpenItem): OpenItem['call'] {
  if (of.call) return of.call;
  const { item } = of;
  const type = str(item['type']);
  const isCall = isClientCall(type);
  // A call is told once it has a name.
  if (isCall ? str(item['name']) === '' : !isHostedCall(type)) return undefined;
  const key = newKey(telling);
  telling.sequencer.start(key, isCall ? callHead(item, telling.context) : hostedHead(item));
  telling.hasToolCall ||= isCall;
  of.call = { key, said: false };
  return of.call;
}

/** More of a call's input. */
export function sayCall(telling: Telling, of: OpenItem, text: string): void {
  const call = startCall(telling, of);
  if (!call || text === '') return;
  call.said = true;
  telling.sequencer.push(call.key, { type: 'part-delta', text });
}

function endClientCall(telling: Telling, of: OpenItem, item: JsonObject): void {
  of.item = { ...of.item, ...item };
  const call = startCall(telling, of);
  if (!call) return;
  if (!call.said) sayCall(telling, of, callText(of.item));
  telling.sequencer.end(call.key);
}

function endHosted(telling: Telling, of: OpenItem, item: JsonObject): void {
  of.item = item;
  const call = startCall(telling, of);
  if (!call) return;
  if (!call.said) sayCall(telling, of, hostedInput(item));
  telling.sequencer.end(call.key, { type: 'part-end', native: { by: DIALECT, value: item } });
  const result = hostedResult(item);
  if (result) tellWhole(telling, result);
}

/** The last word on a call. */
export function endCall(telling: Telling, of: OpenItem, item: JsonObject): void {
  if (isClientCall(str(item['type']))) endClientCall(telling, of, item);
  else endHosted(telling, of, item);
}
