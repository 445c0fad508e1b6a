import {
  isObject,
  type JsonObject,
  parseObject,
  type Part,
  type ReasoningPart,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart,
  targetToolName,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { cacheControl } from './cache-control.ts';
import { nativeCitation } from './citations.ts';
import { DIALECT, residueOf, TOOL_NAME_RULE, UNPARSED_ARGUMENTS } from './dialect.ts';
import { encodeMedia } from './media-encode.ts';

/** The `input` of a call: its arguments as an object; free text under `input`; what is no JSON object under a key that says so. */
export function toolInput(part: Pick<ToolCallPart, 'argumentsJson' | 'input'>): JsonObject {
  if (part.input === 'text') return { input: part.argumentsJson };
  if (part.argumentsJson.trim() === '') return {};
  return parseObject(part.argumentsJson) ?? { [UNPARSED_ARGUMENTS]: part.argumentsJson };
}

const marks = (part: Part, context: TargetContext): JsonObject => (context.facts.cacheControl ? cacheControl(part.cache) : {});

/** The block that a part was read off, where other dialects were told something plainer. */
function keptBlock(part: Part): JsonObject | undefined {
  const block = residueOf(part)['block'];
  return isObject(block) ? block : undefined;
}

function citationsOf(part: TextPart, context: TargetContext): JsonObject {
  if (!part.citations) return {};
  const citations = part.citations.map(nativeCitation).filter((citation) => citation !== undefined);
  if (citations.length < part.citations.length) {
    context.notes.add('citations', 'dropped', 'Messages takes back only citations that it made');
  }
  return citations.length > 0 ? { citations } : {};
}

function text(part: TextPart, context: TargetContext): JsonObject | undefined {
  // An empty block is refused, and so is one of white space alone.
  if (part.text.trim() === '') return undefined;
  return { ...residueOf(part), type: 'text', text: part.text, ...citationsOf(part, context), ...marks(part, context) };
}

/** Whether thinking may go back to this target: sealed by this dialect, and by this maker where that is known. */
const isOurs = (part: ReasoningPart, maker: string): boolean =>
  part.seal?.by === DIALECT && (part.seal.maker === undefined || part.seal.maker === maker);

function reasoning(part: ReasoningPart, context: TargetContext): JsonObject | undefined {
  if (!part.seal || !isOurs(part, context.maker)) {
    context.notes.add('reasoning', 'dropped', 'the thinking of another maker is not taken back');
    return undefined;
  }
  if (part.redacted) return { ...residueOf(part), type: 'redacted_thinking', data: part.seal.value };
  return { ...residueOf(part), type: 'thinking', thinking: part.text, signature: part.seal.value };
}

const toolUse = (part: ToolCallPart, context: TargetContext): JsonObject => ({
  ...residueOf(part),
  type: 'tool_use',
  id: part.id,
  name: targetToolName(part, TOOL_NAME_RULE),
  input: toolInput(part),
  ...marks(part, context),
});

/** What a tool gave in another dialect's words is told as the JSON that it is. */
function toldAsJson(part: Part, context: TargetContext): Part {
  if (part.kind !== 'native' || part.by === DIALECT) return part;
  context.notes.add('messages', 'approximated', 'a block of a tool result that only another dialect can say was sent as JSON');
  return { kind: 'text', text: JSON.stringify(part.value) };
}

/** The content of a tool result: a string where it is one plain text. */
function resultContent(part: ToolResultPart, context: TargetContext): JsonObject {
  const blocks = encodeParts(
    part.content.map((inner) => toldAsJson(inner, context)),
    context,
  );
  if (blocks.length === 0) return {};
  const [only] = blocks;
  const isPlain = blocks.length === 1 && only !== undefined && only['type'] === 'text' && Object.keys(only).length === 2;
  return { content: isPlain ? only['text'] : blocks };
}

const toolResult = (part: ToolResultPart, context: TargetContext): JsonObject => ({
  ...residueOf(part),
  type: 'tool_result',
  tool_use_id: part.callId,
  ...resultContent(part, context),
  ...(part.isError ? { is_error: true } : {}),
  ...marks(part, context),
});

/** A block in this dialect's own words, or nothing with a note: what one provider's tools did means nothing to another. */
function ownWords(part: Part, native: JsonObject | undefined, context: TargetContext): JsonObject | undefined {
  if (native) return { ...native, ...marks(part, context) };
  context.notes.add(part.kind, 'dropped', 'only the provider that made it takes it back');
  return undefined;
}

/**
 * Writes one part of a request as a content block; `undefined` when it has none (empty text, another maker's thinking).
 * Ids of calls and results are the target's already. Throws `GatewayError` for content that the wire cannot hold.
 */
function encodePart(part: Part, context: TargetContext): JsonObject | undefined {
  const kept = keptBlock(part);
  if (kept) return { ...kept, ...marks(part, context) };
  switch (part.kind) {
    case 'text':
      return text(part, context);
    case 'refusal':
      return part.text.trim() === '' ? undefined : { type: 'text', text: part.text, ...marks(part, context) };
    case 'media':
      return { ...residueOf(part), ...encodeMedia(part, context), ...marks(part, context) };
    case 'reasoning':
      return reasoning(part, context);
    case 'tool-call':
      return toolUse(part, context);
    case 'tool-result':
      return toolResult(part, context);
    case 'hosted-call':
    case 'hosted-result':
      return ownWords(part, part.native?.by === DIALECT ? part.native.value : undefined, context);
    case 'native':
      return ownWords(part, part.by === DIALECT ? part.value : undefined, context);
  }
}

/** Writes the parts that have a block. */
export const encodeParts = (parts: readonly Part[], context: TargetContext): readonly JsonObject[] =>
  parts.map((part) => encodePart(part, context)).filter((block) => block !== undefined);
