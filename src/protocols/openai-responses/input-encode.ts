import {
  badField,
  type ChatRequest,
  isObject,
  type Json,
  type JsonObject,
  type Part,
  type ReasoningPart,
  type RefusalPart,
  type Seal,
  targetToolId,
  targetToolName,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT, isOwn, residueOf, TOOL_NAME_RULE } from './dialect.ts';
import { isInCall } from './hosted-items.ts';
import { encodeMedia } from './media-encode.ts';
import { groupParts, type PartGroup } from './part-groups.ts';
import { orderTurns } from './turn-order.ts';

/** What the writers of items work with. `own`: the client speaks this dialect, and is taken at its word. */
interface Writing {
  readonly context: TargetContext;
  readonly own: boolean;
}

/** Whether a seal may go back to this target: made on this dialect, and by this maker where that is known. */
const isOurs = (seal: Seal | undefined, { context }: Writing): seal is Seal =>
  seal?.by === DIALECT && (seal.maker === undefined || seal.maker === context.maker);

const itemOf = (parts: readonly Part[]): JsonObject => {
  const item = parts[0] && residueOf(parts[0])['item'];
  return isObject(item) ? item : {};
};

const withoutItem = (rest: JsonObject): JsonObject => {
  const { item: _item, joined: _joined, ...kept } = rest;
  return kept;
};

function foreignNative(
  part: Extract<Part, { kind: 'native' }>,
  where: 'user' | 'tool' | 'assistant',
  { context }: Writing,
): JsonObject | undefined {
  if (where === 'user') {
    const type = typeof part.value['type'] === 'string' ? part.value['type'].slice(0, 64) : 'unknown';
    throw badField('input', `Invalid request: a block of type '${type}' cannot be sent to this model`, 'unsupported_content');
  }
  if (where === 'tool') {
    context.notes.add('input', 'approximated', 'a block of a tool result that only another dialect can say was sent as JSON');
    return { type: 'input_text', text: JSON.stringify(part.value) };
  }
  context.notes.add('input', 'dropped', 'a block that only another dialect can say');
  return undefined;
}

/** One part of what a user, a system or a tool said; `undefined` where it has none. */
function inputPart(part: Part, where: 'user' | 'tool', writing: Writing): JsonObject | undefined {
  const { context, own } = writing;
  switch (part.kind) {
    case 'text':
      return { ...withoutItem(residueOf(part)), type: 'input_text', text: part.text };
    case 'refusal':
      return { type: 'input_text', text: part.text };
    case 'media':
      return encodeMedia(part, context, own);
    case 'native':
      return part.by === DIALECT ? part.value : foreignNative(part, where, writing);
    default:
      context.notes.add(part.kind, 'dropped', 'only the provider that made it takes it back');
      return undefined;
  }
}

const isPlain = (part: JsonObject): boolean => part['type'] === 'input_text' && Object.keys(part).length === 2;

/** A content: a string where it is one plain text. */
function contentOf(parts: readonly Part[], where: 'user' | 'tool', writing: Writing): Json {
  const written = parts.map((part) => inputPart(part, where, writing)).filter((part) => part !== undefined);
  const [only] = written;
  if (!only) return '';
  if (written.length === 1 && isPlain(only)) return only['text'] ?? '';
  if (writing.context.facts.stringContent && written.every((part) => part['type'] === 'input_text'))
    return written.map((part) => String(part['text'])).join('\n');
  return written;
}

function saidPart(part: TextPart | RefusalPart, { own }: Writing): JsonObject {
  const rest = withoutItem(residueOf(part));
  if (part.kind === 'refusal')
    return own ? { ...rest, type: 'refusal', refusal: part.text } : { type: 'output_text', text: part.text, annotations: [] };
  return { ...rest, type: 'output_text', text: part.text, annotations: own ? encodeCitations(part.citations ?? []) : [] };
}

/** Something that the model said. Without an item's id it is an easy message, which every server of this dialect takes. */
function answer(parts: readonly (TextPart | RefusalPart)[], writing: Writing): readonly JsonObject[] {
  const id = writing.own ? parts[0]?.id : undefined;
  const item = writing.own ? itemOf(parts) : {};
  const said = writing.own ? parts : parts.filter((part) => part.text !== '');
  const [first] = said;
  if (!first) return [];
  const plain = id === undefined && said.length === 1 && first.kind === 'text' && !first.citations && Object.keys(item).length === 0;
  if (plain && Object.keys(residueOf(first)).length === 0) return [{ type: 'message', role: 'assistant', content: first.text }];
  const content = said.map((part) => saidPart(part, writing));
  return [{ ...item, ...(id === undefined ? {} : { id, status: 'completed' }), type: 'message', role: 'assistant', content }];
}

const segments = (parts: readonly ReasoningPart[], summary: boolean, type: string): readonly JsonObject[] =>
  parts.filter((part) => (part.form === 'summary') === summary && part.text !== '').map((part) => ({ type, text: part.text }));

/** Thoughts as the target takes them back: sealed by it, or, where it seals nothing, as text. */
function thoughts(parts: readonly ReasoningPart[], writing: Writing): readonly JsonObject[] {
  const { context, own } = writing;
  const last = parts.at(-1);
  const ours = isOurs(last?.seal, writing) ? last.seal : undefined;
  const foreign = last?.seal !== undefined && !ours;
  const id = parts[0]?.id ?? last?.id;
  const asItCame = own && !foreign;
  if (ours || asItCame) {
    const content = segments(parts, false, 'reasoning_text');
    return [
      {
        ...itemOf(parts),
        type: 'reasoning',
        ...(id === undefined ? {} : { id }),
        summary: segments(parts, true, 'summary_text'),
        ...(content.length > 0 ? { content } : {}),
        ...(ours ? { encrypted_content: ours.value } : {}),
      },
    ];
  }
  const content = parts.filter((part) => part.text !== '').map((part) => ({ type: 'reasoning_text', text: part.text }));
  if (context.facts.encryptedReasoning || context.facts.reasoningField === 'none' || content.length === 0) {
    context.notes.add('reasoning', 'dropped', 'the thoughts of another maker are not taken back');
    return [];
  }
  return [{ type: 'reasoning', summary: [], content }];
}

function toolCall(part: ToolCallPart, { context, own }: Writing): JsonObject {
  const call_id = targetToolId(part.id, context.facts.toolId);
  const rest = {
    ...residueOf(part),
    ...(own && part.itemId !== undefined ? { id: part.itemId } : {}),
  };
  const name = own ? part.name : targetToolName(part, TOOL_NAME_RULE);
  const namespace = own && part.namespace !== undefined ? { namespace: part.namespace } : {};
  if (part.input === 'text') {
    if (takesCustom(own, context)) return { ...rest, type: 'custom_tool_call', call_id, name, ...namespace, input: part.argumentsJson };
    return { ...rest, type: 'function_call', call_id, name, ...namespace, arguments: JSON.stringify({ input: part.argumentsJson }) };
  }
  const args = part.argumentsJson.trim() === '' && !own ? '{}' : part.argumentsJson;
  return { ...rest, type: 'function_call', call_id, name, ...namespace, arguments: args };
}

/** Whether the target has custom tools. */
export const takesCustom = (own: boolean, { facts }: TargetContext): boolean => own || facts.chatFields?.includes('custom_tools') === true;

function toolResult(part: ToolResultPart, customCalls: ReadonlySet<string>, writing: Writing): JsonObject {
  const { context, own } = writing;
  const custom = takesCustom(own, context) && (part.input === 'text' || customCalls.has(part.callId));
  if (part.isError && !own) context.notes.add('tool_result.is_error', 'dropped', 'Responses cannot say that a call failed; its text does');
  const content: readonly Part[] = part.isError && part.content.length === 0 ? [{ kind: 'text', text: 'The call failed.' }] : part.content;
  return {
    ...residueOf(part),
    ...(own && part.itemId !== undefined ? { id: part.itemId } : {}),
    type: custom ? 'custom_tool_call_output' : 'function_call_output',
    call_id: targetToolId(part.callId, context.facts.toolId),
    output: contentOf(content, 'tool', writing),
  };
}

/** A part of the model's that is an item of its own. */
function madeItem(part: Extract<PartGroup, { kind: 'single' }>['part'], writing: Writing): readonly JsonObject[] {
  const { context } = writing;
  switch (part.kind) {
    case 'tool-call':
      return [toolCall(part, writing)];
    case 'media':
      // Media of the model have moved to a user's message, but for pictures that this dialect made.
      return [
        {
          ...residueOf(part),
          type: 'image_generation_call',
          ...(part.id === undefined ? {} : { id: part.id }),
          status: 'completed',
          result: part.source.type === 'base64' ? part.source.data : part.source.type === 'url' ? part.source.url : null,
        },
      ];
    case 'hosted-call':
      if (part.native?.by === DIALECT) return [part.native.value];
      context.notes.add(part.kind, 'dropped', 'only the provider that made it takes it back');
      return [];
    case 'hosted-result':
      if (!isInCall(part)) context.notes.add(part.kind, 'dropped', 'only the provider that made it takes it back');
      return [];
    case 'native': {
      const value = part.by === DIALECT ? part.value : foreignNative(part, 'assistant', writing);
      return value ? [value] : [];
    }
    case 'tool-result':
      return [toolResult(part, new Set(), writing)];
  }
}

/** Pieces of thoughts whose seal is on the last: other dialects' clients do not keep the id that says so. */
function joinSealed(groups: readonly PartGroup[], writing: Writing): readonly PartGroup[] {
  const out: PartGroup[] = [];
  for (const group of groups) {
    const last = out.at(-1);
    const open = last?.kind === 'reasoning' && last.parts.every((part) => part.seal === undefined);
    if (open && group.kind === 'reasoning' && isOurs(group.parts.at(-1)?.seal, writing))
      out[out.length - 1] = { ...group, parts: [...last.parts, ...group.parts] };
    else out.push(group);
  }
  return out;
}

function made(turn: Turn, writing: Writing): readonly JsonObject[] {
  if (turn.parts.length === 0 && writing.own) return [{ type: 'message', role: 'assistant', content: [] }];
  const groups = groupParts(turn.parts);
  return (writing.own ? groups : joinSealed(groups, writing)).flatMap((group): readonly JsonObject[] => {
    if (group.kind === 'message') return answer(group.parts, writing);
    if (group.kind === 'reasoning') return thoughts(group.parts, writing);
    return madeItem(group.part, writing);
  });
}

/** Items of this dialect that stand by themselves where a message would. */
const isItem = (part: Part): part is Extract<Part, { kind: 'native' }> => part.kind === 'native' && part.by === DIALECT;

function user(turn: Turn, customCalls: ReadonlySet<string>, writing: Writing): readonly JsonObject[] {
  const results = turn.parts.filter((part) => part.kind === 'tool-result').map((part) => toolResult(part, customCalls, writing));
  const rest = turn.parts.filter((part) => part.kind !== 'tool-result');
  const [only] = rest;
  // An item is a native of this dialect that stands alone in its turn; a content part stands among others, or has a text.
  if (rest.length === 1 && only && isItem(only) && !String(only.value['type']).startsWith('input_')) return [...results, only.value];
  if (rest.length === 0 && (results.length > 0 || !writing.own)) return results;
  return [...results, speech({ ...turn, parts: rest }, turn.role, writing)];
}

function speech(turn: Turn, role: string, writing: Writing): JsonObject {
  if (turn.name !== undefined && !writing.own) writing.context.notes.add('name', 'dropped', 'Responses has no names of participants');
  return {
    ...residueOf(turn),
    ...(turn.name !== undefined && writing.own ? { name: turn.name } : {}),
    type: 'message',
    role,
    content: contentOf(turn.parts, 'user', writing),
  };
}

function encodeTurn(turn: Turn, customCalls: ReadonlySet<string>, writing: Writing): readonly JsonObject[] {
  switch (turn.role) {
    case 'user':
      return user(turn, customCalls, writing);
    case 'assistant':
      return made(turn, writing);
    case 'developer':
      return [speech(turn, writing.context.facts.developerRole || writing.own ? 'developer' : 'system', writing)];
    case 'system':
      return [speech(turn, 'system', writing)];
  }
}

/** Writes `input`. */
export function encodeInput(request: ChatRequest, context: TargetContext): readonly JsonObject[] {
  const own = isOwn(request);
  const turns = own ? request.turns : orderTurns(request.turns, context);
  const customCalls = new Set(
    turns.flatMap((turn) => turn.parts.flatMap((part) => (part.kind === 'tool-call' && part.input === 'text' ? [part.id] : []))),
  );
  return turns.flatMap((turn) => encodeTurn(turn, customCalls, { context, own }));
}
