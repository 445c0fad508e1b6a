import { type Citation, type Json, type JsonObject, parseObject, type PartHead, type Sequencer } from '../../ir/index.ts';
import { decodeCitations, placed } from './citations.ts';
import { argumentsOf, blockResidue, decodeReplyBlock, sealed, str } from './reply-decode.ts';

/*
 * Reads the blocks of a stream into events of their parts.
 */

/** A block that is open on the wire. */
export interface OpenBlock {
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

/** The blocks of one stream. */
export interface StreamBlocks {
  /** By their number. */
  readonly open: Map<string, OpenBlock>;
  readonly parts: Sequencer;
  /** Who can open the seals that come. */
  readonly maker: string;
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

const say = ({ parts }: StreamBlocks, key: string, text: string): void => {
  if (text !== '') parts.push(key, { type: 'part-delta', text });
};

/** More text of a block, which counts it: its citations are placed by that. */
export function tellText({ parts }: StreamBlocks, key: string, block: OpenBlock, text: string, literal?: string): void {
  block.length += text.length;
  if (text !== '') parts.push(key, literal === undefined ? { type: 'part-delta', text } : { type: 'part-delta', text, literal });
}

/** A block begins. */
export function startBlock(blocks: StreamBlocks, key: string, value: JsonObject): OpenBlock {
  const { kind, head } = headOf(value);
  const block: OpenBlock = { kind, value, json: '', signature: value['signature'], length: 0, cited: [] };
  blocks.open.set(key, block);
  if (head) blocks.parts.start(key, head);
  if (kind === 'text') {
    tellText(blocks, key, block, str(value['text']));
    block.cited.push(...(decodeCitations(value['citations']) ?? []));
  } else if (kind === 'thinking') say(blocks, key, str(value['thinking']));
  return block;
}

/** Text that comes without a start of its block is no less said. */
function impliedBlock(blocks: StreamBlocks, key: string, { type }: JsonObject): OpenBlock | undefined {
  if (type === 'text_delta') return startBlock(blocks, key, { type: 'text', text: '' });
  if (type === 'thinking_delta') return startBlock(blocks, key, { type: 'thinking', thinking: '' });
  return undefined;
}

/** More of a block. */
export function blockDelta(blocks: StreamBlocks, key: string, change: JsonObject): void {
  const block = blocks.open.get(key) ?? impliedBlock(blocks, key, change);
  if (!block) return;
  switch (change['type']) {
    case 'text_delta':
      tellText(blocks, key, block, str(change['text']));
      return;
    case 'thinking_delta':
      say(blocks, key, str(change['thinking']));
      return;
    case 'signature_delta':
      block.signature = change['signature'];
      return;
    case 'input_json_delta':
      block.json += str(change['partial_json']);
      if (block.kind === 'tool_use') say(blocks, key, str(change['partial_json']));
      return;
    case 'citations_delta':
      block.cited.push(...(decodeCitations([change['citation'] ?? null]) ?? []));
      return;
    default:
      block.value = grow(block.value, change);
  }
}

/** A block ends. */
export function stopBlock(blocks: StreamBlocks, key: string): void {
  const block = blocks.open.get(key);
  if (!block) return;
  blocks.open.delete(key);
  if (block.kind === 'whole') {
    tellWhole(blocks, key, block);
    return;
  }
  const { parts, maker } = blocks;
  if (block.kind === 'text' && block.cited.length > 0) parts.push(key, { type: 'part-note', citations: placed(block.cited, block.length) });
  // Some servers send the whole input at the start and no deltas; a call without arguments has none.
  if (block.kind === 'tool_use' && block.json === '') say(blocks, key, argumentsOf(block.value['input']));
  parts.end(key, { type: 'part-end', ...(block.kind === 'thinking' ? sealed(block.signature, maker) : {}) });
}

function tellWhole({ parts, maker }: StreamBlocks, key: string, block: OpenBlock): void {
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
