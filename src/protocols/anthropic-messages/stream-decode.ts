import {
  type Citation,
  createSequencer,
  type Emit,
  type Fault,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type PartHead,
  type Sequencer,
  type Stop,
} from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { SourceContext, StreamDecoder } from '../protocol.ts';
import { decodeCitations, placed } from './citations.ts';
import { withResidue } from './dialect.ts';
import { decodeErrorEvent } from './faults.ts';
import { argumentsOf, blockResidue, decodeReplyBlock, messageResidue, sealed, str, tierOf } from './reply-decode.ts';
import { decodeStop } from './stops.ts';
import { decodeUsage, mergeUsage } from './usage.ts';

/** A block that is open on the wire. */
interface OpenBlock {
  readonly kind: 'text' | 'thinking' | 'tool_use' | 'whole';
  /** The block as it stands: for kinds that are told whole at their end, and for what may come at its start. */
  value: JsonObject;
  /** JSON text of an input that has come in pieces. */
  json: string;
  signature: Json | undefined;
  /** UTF-16 units of text so far. */
  length: number;
  /** Citations of a text: where they stand is known when it ends. */
  readonly cited: Citation[];
}

/** The text delta as the API writes it, up to the block's number; around it nothing but white space. */
const TEXT_DELTA = '{"type":"content_block_delta","index":';
const TEXT_FIELD = ',"delta":{"type":"text_delta","text":"';
/** What a JSON string cannot be copied past without a look. */
const SPECIAL = /["\\\u0000-\u001f]/; // eslint-disable-line no-control-regex

interface TextDelta {
  readonly key: string;
  readonly text: string;
  readonly literal: string;
}

/** Reads the commonest frame without parsing all of it; `undefined`: it is another, or written in another way. */
function readTextDelta(data: string): TextDelta | undefined {
  if (!data.startsWith(TEXT_DELTA)) return undefined;
  const comma = data.indexOf(',', TEXT_DELTA.length);
  if (comma < 0 || !data.startsWith(TEXT_FIELD, comma)) return undefined;
  const from = comma + TEXT_FIELD.length;
  const to = data.lastIndexOf('"');
  if (to < from || !/^"\s*\}\s*\}\s*$/.test(data.slice(to))) return undefined;
  const key = data.slice(TEXT_DELTA.length, comma);
  const inner = data.slice(from, to);
  const literal = data.slice(from - 1, to + 1);
  if (!SPECIAL.test(inner)) return { key, text: inner, literal };
  try {
    return { key, text: JSON.parse(literal) as string, literal };
  } catch {
    return undefined;
  }
}

interface State {
  started: boolean;
  over: boolean;
  usage: JsonObject;
  stop: Stop | undefined;
  residue: JsonObject;
  tier: { readonly serviceTier?: string };
  readonly blocks: Map<string, OpenBlock>;
}

function headOf(block: JsonObject): { readonly kind: OpenBlock['kind']; readonly head?: PartHead } {
  switch (block['type']) {
    case 'text':
      return { kind: 'text', head: { kind: 'text', ...blockResidue(block) } };
    case 'thinking':
      return { kind: 'thinking', head: { kind: 'reasoning', ...blockResidue(block) } };
    case 'tool_use':
      return { kind: 'tool_use', head: { kind: 'tool-call', id: str(block['id']), name: str(block['name']), ...blockResidue(block) } };
    default:
      return { kind: 'whole' };
  }
}

/** Adds what a delta says to a block that is told whole: texts grow, other members are replaced. */
function grow(value: JsonObject, delta: JsonObject): JsonObject {
  const out: Record<string, Json | undefined> = { ...value };
  for (const [key, more] of Object.entries(delta)) {
    if (key === 'type' || more === undefined) continue;
    out[key] = typeof more === 'string' ? str(out[key]) + more : more;
  }
  return out;
}

/** Reads deltas of a block into events of its part. */
function createBlocks(state: State, parts: Sequencer, maker: string) {
  const say = (key: string, text: string): void => {
    if (text !== '') parts.push(key, { type: 'part-delta', text });
  };
  const tell = (key: string, block: OpenBlock, text: string): void => {
    block.length += text.length;
    say(key, text);
  };

  function start(key: string, value: JsonObject): void {
    const { kind, head } = headOf(value);
    const block: OpenBlock = { kind, value, json: '', signature: value['signature'], length: 0, cited: [] };
    state.blocks.set(key, block);
    if (!head) return;
    parts.start(key, head);
    if (kind === 'text') {
      tell(key, block, str(value['text']));
      block.cited.push(...(decodeCitations(value['citations']) ?? []));
    } else if (kind === 'thinking') say(key, str(value['thinking']));
  }

  /** Text that comes without a start of its block is no less said. */
  function implied(key: string, { type }: JsonObject): OpenBlock | undefined {
    if (type === 'text_delta') start(key, { type: 'text', text: '' });
    else if (type === 'thinking_delta') start(key, { type: 'thinking', thinking: '' });
    return state.blocks.get(key);
  }

  function delta(key: string, change: JsonObject): void {
    const block = state.blocks.get(key) ?? implied(key, change);
    if (!block) return;
    switch (change['type']) {
      case 'text_delta':
        tell(key, block, str(change['text']));
        return;
      case 'thinking_delta':
        say(key, str(change['thinking']));
        return;
      case 'signature_delta':
        block.signature = change['signature'];
        return;
      case 'input_json_delta':
        block.json += str(change['partial_json']);
        if (block.kind === 'tool_use') say(key, str(change['partial_json']));
        return;
      case 'citations_delta':
        block.cited.push(...(decodeCitations([change['citation'] ?? null]) ?? []));
        return;
      default:
        block.value = grow(block.value, change);
    }
  }

  function stop(key: string): void {
    const block = state.blocks.get(key);
    if (!block) return;
    state.blocks.delete(key);
    if (block.kind === 'whole') {
      tellWhole(key, block);
      return;
    }
    if (block.kind === 'text' && block.cited.length > 0)
      parts.push(key, { type: 'part-note', citations: placed(block.cited, block.length) });
    // Some servers send the whole input at the start and no deltas; a call without arguments has none.
    if (block.kind === 'tool_use' && block.json === '') say(key, argumentsOf(block.value['input']));
    parts.end(key, { type: 'part-end', ...(block.kind === 'thinking' ? sealed(block.signature, maker) : {}) });
  }

  function tellWhole(key: string, block: OpenBlock): void {
    const input = block.json === '' ? undefined : parseObject(block.json);
    const part = decodeReplyBlock(input ? { ...block.value, input } : block.value, maker);
    if (part.kind === 'tool-result' || part.kind === 'text' || part.kind === 'refusal' || part.kind === 'tool-call') return;
    if (part.kind !== 'reasoning') {
      parts.start(key, part);
      parts.end(key, { type: 'part-end', ...('seal' in part && part.seal ? { seal: part.seal } : {}) });
      return;
    }
    const { text: _text, seal, ...head } = part;
    parts.start(key, head);
    parts.end(key, { type: 'part-end', ...(seal ? { seal } : {}) });
  }

  return { start, delta, stop };
}

const isDelta = (value: Json | undefined): value is JsonObject => isObject(value);

const without = (from: JsonObject, ...keys: readonly string[]): JsonObject =>
  Object.fromEntries(Object.entries(from).filter(([key, value]) => !keys.includes(key) && value !== null && value !== undefined));

/** Reads a stream of `/v1/messages`. https://docs.claude.com/en/docs/build-with-claude/streaming */
export function createStreamDecoder(context: SourceContext): StreamDecoder {
  const state: State = { started: false, over: false, usage: {}, stop: undefined, residue: {}, tier: {}, blocks: new Map() };
  let emit: Emit = () => {};
  const parts = createSequencer((event) => emit(event));
  const blocks = createBlocks(state, parts, context.maker);

  const fail = (fault: Fault): void => {
    state.over = true;
    emit({ type: 'fault', fault });
  };
  const report = (usage: Json | undefined): void => {
    if (!isObject(usage)) return;
    state.usage = mergeUsage(state.usage, usage);
    state.tier = tierOf(state.usage);
    emit({ type: 'usage', usage: decodeUsage(state.usage) });
  };
  const begin = (message: JsonObject): void => {
    if (state.started) return;
    state.started = true;
    state.residue = messageResidue(message);
    const usage = isObject(message['usage']) ? message['usage'] : {};
    emit({ type: 'reply-start', id: str(message['id']), model: str(message['model']), ...tierOf(usage), ...withResidue(state.residue) });
    report(message['usage']);
  };
  const change = (event: JsonObject): void => {
    const delta = isDelta(event['delta']) ? event['delta'] : {};
    if (typeof delta['stop_reason'] === 'string') state.stop = decodeStop(delta['stop_reason'], delta['stop_sequence']);
    state.residue = {
      ...state.residue,
      ...without(delta, 'stop_reason', 'stop_sequence'),
      ...without(event, 'type', 'delta', 'usage'),
    };
    report(event['usage']);
  };
  const finish = (): void => {
    state.over = true;
    parts.endAll();
    parts.flush();
    emit({ type: 'reply-end', stop: state.stop ?? { reason: 'other' }, ...state.tier, ...withResidue(state.residue) });
  };

  function event(value: JsonObject, name: string): void {
    const key = String(value['index'] ?? 0);
    if (name.startsWith('content_block') || name === 'message_delta' || name === 'message_stop') begin({});
    switch (name) {
      case 'message_start':
        begin(isObject(value['message']) ? value['message'] : {});
        return;
      case 'content_block_start':
        if (isObject(value['content_block'])) blocks.start(key, value['content_block']);
        return;
      case 'content_block_delta':
        if (isDelta(value['delta'])) blocks.delta(key, value['delta']);
        return;
      case 'content_block_stop':
        blocks.stop(key);
        return;
      case 'message_delta':
        change(value);
        return;
      case 'message_stop':
        finish();
        return;
      case 'error':
        fail(decodeErrorEvent(value));
        return;
      default: // `ping`, and what is not known yet.
    }
  }

  return {
    isDone: () => state.over,
    frame(frame: SseFrame, to: Emit) {
      if (state.over) return;
      emit = to;
      const text = readTextDelta(frame.data);
      const open = text && state.blocks.get(text.key);
      if (text && open?.kind === 'text') {
        open.length += text.text.length;
        if (text.text !== '') parts.push(text.key, { type: 'part-delta', text: text.text, literal: text.literal });
        return;
      }
      const value = parseObject(frame.data);
      if (value) event(value, str(value['type']) || (isObject(value['error']) ? 'error' : (frame.event ?? '')));
      else if (frame.data !== '' && frame.data !== '[DONE]') {
        fail(gatewayFault('upstream', 'The upstream sent an event that is not JSON', { code: 'upstream_bad_event', by: 'upstream' }));
      }
    },
    end(to: Emit, cut?: Fault) {
      if (state.over) return;
      emit = to;
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
