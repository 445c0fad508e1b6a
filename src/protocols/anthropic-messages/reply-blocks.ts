import {
  type HostedCallPart,
  type HostedResultPart,
  type JsonObject,
  type MediaPart,
  type NativePart,
  type Notes,
  type Part,
  type ReasoningPart,
  type RefusalPart,
  type Seal,
  targetToolName,
  type TextPart,
  type ToolCallPart,
} from '../../ir/index.ts';
import { carriedPart, carriedSeal, readCarried, writeSignature } from './carried-parts.ts';
import { clientToolId } from './client-tool-id.ts';
import { encodeCitation } from './citations.ts';
import { DIALECT, residueOf, TOOL_NAME_RULE } from './dialect.ts';
import { encodeHostedCall, encodeHostedResult } from './hosted-blocks.ts';
import { toolInput } from './part-encode.ts';

/*
 * Writes parts of a reply as content blocks for a client. A part may become several: what the client must bring back but
 * has no place for follows as `redacted_thinking` (`carried-parts.ts`).
 */

const carrier = (data: string): JsonObject => ({ type: 'redacted_thinking', data });

/** The block that carries a seal which the block before it has no place for. */
export const sealCarrier = (seal: Seal | undefined): readonly JsonObject[] => (seal ? [carrier(carriedSeal(seal))] : []);

/** Whether a block only carries what the text before it was sealed with. */
function isOfText(block: JsonObject): boolean {
  const carried = block['type'] === 'redacted_thinking' ? readCarried(String(block['data'])) : undefined;
  return carried?.type === 'seal' || (carried?.type === 'hidden' && carried.part.kind === 'text');
}

/**
 * Blocks that end in what is to be read: clients take the last block for the answer (Claude Code prints that one). What the
 * text was sealed with is then kept by the gateway (`exchange/seal-keeper`).
 */
export function endingInText(blocks: readonly JsonObject[]): readonly JsonObject[] {
  const last = blocks.findLastIndex((block) => !isOfText(block));
  return blocks[last]?.['type'] === 'text' ? blocks.slice(0, last + 1) : blocks;
}

/** The head of a text block, as the API writes it: `citations` is always there. */
export const textHead = (residue: JsonObject): JsonObject => ({ ...residue, type: 'text', text: '', citations: null });

/** A block of thinking before its first word. */
export const thinkingHead = (residue: JsonObject): JsonObject => ({ ...residue, type: 'thinking', thinking: '', signature: '' });

/** The head of a call: its `caller` is always there. */
export const toolUseHead = (part: Pick<ToolCallPart, 'id' | 'name' | 'namespace' | 'residue'>): JsonObject => ({
  caller: { type: 'direct' },
  ...residueOf(part),
  type: 'tool_use',
  id: clientToolId(part.id),
  name: targetToolName(part, TOOL_NAME_RULE),
  input: {},
});

/** The citations that can be said; offsets into the text cannot. */
export function sayCitations(citations: TextPart['citations'], notes: Notes): readonly JsonObject[] {
  const said = (citations ?? []).map(encodeCitation).filter((citation) => citation !== undefined);
  if (said.length < (citations?.length ?? 0)) notes.add('citations', 'dropped', 'a citation without an address has no form in Messages');
  return said;
}

/** Sources of a part that says nothing: an empty block would be refused when the client sends it back. */
export function noteUncited(citations: TextPart['citations'], notes: Notes): void {
  if (citations && citations.length > 0) notes.add('citations', 'dropped', 'there is no text for them to stand on');
}

/** Text of a part that says nothing but holds a seal: nothing is shown, the part is carried. */
export const silentText = (part: TextPart): readonly JsonObject[] => (part.seal ? [carrier(carriedPart('hidden', part))] : []);

function text(part: TextPart, notes: Notes): readonly JsonObject[] {
  if (part.text === '') {
    noteUncited(part.citations, notes);
    return silentText(part);
  }
  const citations = sayCitations(part.citations, notes);
  const block = { ...textHead(residueOf(part)), text: part.text, citations: citations.length > 0 ? citations : null };
  return [block, ...sealCarrier(part.seal)];
}

/** Thinking that the maker hides: its own data as it is; another dialect's carried whole. */
export function redactedBlock(part: ReasoningPart): JsonObject {
  const { seal } = part;
  if (seal?.by === DIALECT) return { ...residueOf(part), type: 'redacted_thinking', data: seal.value };
  return carrier(carriedPart('hidden', part));
}

function reasoning(part: ReasoningPart): readonly JsonObject[] {
  if (part.redacted) return [redactedBlock(part)];
  return [{ ...thinkingHead(residueOf(part)), thinking: part.text, signature: writeSignature(part.seal) }];
}

const refusal = (part: RefusalPart): readonly JsonObject[] => (part.text === '' ? [] : [{ ...textHead({}), text: part.text }]);

const toolCall = (part: ToolCallPart): readonly JsonObject[] => [
  { ...toolUseHead(part), input: toolInput(part) },
  ...sealCarrier(part.seal),
];

/** A hosted tool's call or result: in this dialect's own words where they are its own, else told in them and carried as it was. */
function hosted(part: HostedCallPart | HostedResultPart, notes: Notes): readonly JsonObject[] {
  const block = part.kind === 'hosted-call' ? encodeHostedCall(part) : encodeHostedResult(part);
  if (part.native?.by === DIALECT && block) return [block];
  if (!block) notes.add(part.kind, 'dropped', `Messages has no block for '${part.tool}'`);
  return block ? [block, carrier(carriedPart('shown', part))] : [carrier(carriedPart('hidden', part))];
}

function media(part: MediaPart, notes: Notes): readonly JsonObject[] {
  const { source } = part;
  if (part.media === 'image' && (source.type === 'base64' || source.type === 'url')) {
    const wire =
      source.type === 'url'
        ? { type: 'url', url: source.url }
        : { type: 'base64', media_type: part.mediaType ?? 'image/png', data: source.data };
    return [{ type: 'image', source: wire }, ...sealCarrier(part.seal)];
  }
  notes.add(part.media, 'dropped', 'a reply of Messages holds text and images only');
  return [];
}

function native(part: NativePart, notes: Notes): readonly JsonObject[] {
  if (part.by === DIALECT) return [part.value];
  notes.add('native', 'dropped', `only ${part.by} has a word for it`);
  return [carrier(carriedPart('hidden', part))];
}

/** Writes a finished part of a reply. */
export function encodeReplyPart(part: Part, notes: Notes): readonly JsonObject[] {
  switch (part.kind) {
    case 'text':
      return text(part, notes);
    case 'refusal':
      return refusal(part);
    case 'reasoning':
      return reasoning(part);
    case 'tool-call':
      return toolCall(part);
    case 'hosted-call':
    case 'hosted-result':
      return hosted(part, notes);
    case 'media':
      return media(part, notes);
    case 'native':
      return native(part, notes);
    case 'tool-result':
      return [];
  }
}
