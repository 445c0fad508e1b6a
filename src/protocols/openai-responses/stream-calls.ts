import { type JsonObject, type Sequencer } from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { DIALECT, str } from './dialect.ts';
import { hostedHead, hostedInput, hostedResult, isHostedCall } from './hosted-items.ts';
import { callHead, callText } from './reply-items.ts';
import type { OpenItem, StreamFlows } from './stream-flows.ts';

/** The calls of a stream: of the client's tools, and of those that the provider runs. */
export interface StreamCalls {
  /** Begins the call that an item is, where it is one and has a name. */
  start(of: OpenItem): void;
  say(of: OpenItem, text: string): void;
  end(of: OpenItem, item: JsonObject): void;
  /** There was one that the client is to run. */
  any(): boolean;
}

/** Whether an item is a call of one of the client’s tools. */
export const isClientCall = (type: string): boolean => type === 'function_call' || type === 'custom_tool_call';

export function createStreamCalls(sequencer: Sequencer, flows: StreamFlows, context: SourceContext, newKey: () => string): StreamCalls {
  let any = false;

  function startCall(of: OpenItem): { readonly key: string; said: boolean } | undefined {
    if (of.call) return of.call;
    const { item } = of;
    const type = str(item['type']);
    const isCall = isClientCall(type);
    // A call is told once it has a name.
    if (isCall ? str(item['name']) === '' : !isHostedCall(type)) return undefined;
    const key = newKey();
    sequencer.start(key, isCall ? callHead(item, context) : hostedHead(item));
    any ||= isCall;
    of.call = { key, said: false };
    return of.call;
  }

  function sayCall(of: OpenItem, text: string): void {
    const call = startCall(of);
    if (!call || text === '') return;
    call.said = true;
    sequencer.push(call.key, { type: 'part-delta', text });
  }

  function endCall(of: OpenItem, item: JsonObject): void {
    of.item = { ...of.item, ...item };
    const call = startCall(of);
    if (!call) return;
    if (!call.said) sayCall(of, callText(of.item));
    sequencer.end(call.key);
  }

  function endHosted(of: OpenItem, item: JsonObject): void {
    of.item = item;
    const call = startCall(of);
    if (!call) return;
    if (!call.said) sayCall(of, hostedInput(item));
    sequencer.end(call.key, { type: 'part-end', native: { by: DIALECT, value: item } });
    const result = hostedResult(item);
    if (result) flows.whole(result);
  }

  return {
    any: () => any,
    start: startCall,
    say: sayCall,
    end: (of, item) => (isClientCall(str(item['type'])) ? endCall(of, item) : endHosted(of, item)),
  };
}
