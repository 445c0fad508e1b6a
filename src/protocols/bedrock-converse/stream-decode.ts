import {
  createSequencer,
  type Emit,
  type Fault,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type PartHead,
  type Stop,
} from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { SourceContext, StreamDecoder } from '../protocol.ts';
import { decodeException } from './faults.ts';
import { decodeCitation, decodeImage, decodeStop, decodeUsage, redacted, signature, str, tierOf } from './reply-decode.ts';

/** A block that is open on the wire. */
interface OpenBlock {
  readonly kind: 'text' | 'reasoning' | 'tool-call' | 'redacted';
  signature: Json | undefined;
  /** Base64 of redacted thinking, in its pieces. */
  hidden: string;
}

/** Reads deltas of blocks into events of their parts. Text and thinking begin without a word: their first delta opens them. */
function createBlocks(emit: Emit, context: SourceContext) {
  const parts = createSequencer(emit);
  const open = new Map<string, OpenBlock>();

  const begin = (key: string, kind: OpenBlock['kind'], head?: PartHead): OpenBlock => {
    const known = open.get(key);
    if (known) return known;
    const block: OpenBlock = { kind, signature: undefined, hidden: '' };
    open.set(key, block);
    if (head) parts.start(key, head);
    return block;
  };
  const say = (key: string, text: string): void => {
    if (text !== '') parts.push(key, { type: 'part-delta', text });
  };
  const think = (key: string, said: JsonObject): void => {
    const { text, signature: signed, redactedContent } = said;
    if (typeof redactedContent === 'string') begin(key, 'redacted').hidden += redactedContent;
    if (typeof text === 'string') {
      begin(key, 'reasoning', { kind: 'reasoning' });
      say(key, text);
    }
    if (typeof signed === 'string') begin(key, 'reasoning', { kind: 'reasoning' }).signature = signed;
  };

  return {
    start(key: string, start: JsonObject): void {
      const { toolUse, image } = start;
      if (isObject(toolUse)) {
        begin(key, 'tool-call', {
          kind: 'tool-call',
          id: str(toolUse['toolUseId']) || context.newId('tooluse_'),
          name: str(toolUse['name']),
        });
      }
      const made = isObject(image) ? decodeImage(image) : undefined;
      if (made) begin(key, 'text', made);
    },
    delta(key: string, delta: JsonObject): void {
      const { text, toolUse, reasoningContent, citation } = delta;
      if (typeof text === 'string') {
        begin(key, 'text', { kind: 'text' });
        say(key, text);
      } else if (isObject(toolUse)) say(key, str(toolUse['input']));
      else if (isObject(reasoningContent)) think(key, reasoningContent);
      else if (isObject(citation)) {
        begin(key, 'text', { kind: 'text' });
        parts.push(key, { type: 'part-note', citations: [decodeCitation(citation)] });
      }
    },
    stop(key: string): void {
      const block = open.get(key);
      if (!block) return;
      open.delete(key);
      if (block.kind === 'redacted') {
        const part = redacted(block.hidden, context.maker);
        if (part.kind !== 'reasoning') return;
        const { text: _text, seal, ...head } = part;
        parts.start(key, head);
        parts.end(key, { type: 'part-end', ...(seal ? { seal } : {}) });
        return;
      }
      parts.end(key, { type: 'part-end', ...signature(block.signature, context.maker) });
    },
    endAll(): void {
      for (const key of open.keys()) this.stop(key);
      parts.endAll();
      parts.flush();
    },
  };
}

/** Reads a ConverseStream. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  let emit: Emit = () => {};
  let started = false;
  let over = false;
  let stop: Stop | undefined;
  let tier: { readonly serviceTier?: string } = {};
  const blocks = createBlocks((event) => emit(event), context);

  const begin = (): void => {
    if (started) return;
    started = true;
    emit({ type: 'reply-start', id: context.newId('msg_'), model: '' });
  };
  const fail = (fault: Fault): void => {
    over = true;
    emit({ type: 'fault', fault });
  };
  const finish = (): void => {
    over = true;
    emit({ type: 'reply-end', stop: stop ?? { reason: 'other' }, ...tier });
  };
  /** The stop comes before the last word, which counts the tokens. */
  const count = (value: JsonObject): void => {
    begin();
    tier = tierOf(value);
    if (isObject(value['usage'])) emit({ type: 'usage', usage: decodeUsage(value['usage']) });
    if (stop) finish();
  };

  const event = (name: string, value: JsonObject): void => {
    const key = String(value['contentBlockIndex'] ?? 0);
    switch (name) {
      case 'messageStart':
        begin();
        return;
      case 'contentBlockStart':
        begin();
        if (isObject(value['start'])) blocks.start(key, value['start']);
        return;
      case 'contentBlockDelta':
        begin();
        if (isObject(value['delta'])) blocks.delta(key, value['delta']);
        return;
      case 'contentBlockStop':
        blocks.stop(key);
        return;
      case 'messageStop':
        begin();
        blocks.endAll();
        stop = decodeStop(value['stopReason']);
        return;
      case 'metadata':
        count(value);
        return;
      case 'exception':
        fail(decodeException(value));
        return;
      default: // What is not known yet.
    }
  };

  return {
    isDone: () => over,
    frame(frame: SseFrame, to: Emit) {
      if (over) return;
      emit = to;
      const value = parseObject(frame.data);
      if (value) event(frame.event ?? '', value);
      else if (frame.data !== '') {
        fail(gatewayFault('upstream', 'The upstream sent an event that is not JSON', { code: 'upstream_bad_event', by: 'upstream' }));
      }
    },
    end(to: Emit, cut?: Fault) {
      if (over) return;
      emit = to;
      // The reply is whole once its stop has come; only the count was lost then.
      if (stop && !cut) {
        finish();
        return;
      }
      fail(
        cut ??
          gatewayFault('upstream', 'The upstream ended its stream before the message was complete', {
            code: 'stream_ended_early',
            by: 'upstream',
          }),
      );
    },
  };
}
