import {
  badField,
  type ChatRequest,
  type JsonObject,
  type Part,
  type ReasoningPart,
  type Seal,
  targetToolId,
  targetToolName,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart,
  type Turn,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { cacheControl } from './cache-control.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT, isOwn, residueOf, TOOL_NAME_RULE } from './dialect.ts';
import { encodeMedia } from './media-encode.ts';
import { BETWEEN_THOUGHTS, encodeImage } from './message-encode.ts';
import { detailsOfSeal, membersOfSeal } from './reasoning-details.ts';
import { orderTurns } from './turn-order.ts';

/** What the writers of messages work with. `own`: the client speaks this dialect, and is taken at its word. */
interface Writing {
  readonly context: TargetContext;
  readonly own: boolean;
  /** Whose turn it is: what a user says is content, what a model did besides its answer can go. */
  readonly role: Turn['role'] | 'tool';
}

/** Whether a seal may go back to this target: made on this dialect, and by this maker where that is known. */
const isOurs = (seal: Seal | undefined, { context }: Writing): seal is Seal =>
  seal?.by === DIALECT && (seal.maker === undefined || seal.maker === context.maker);

function marks(part: Part, { context, own }: Writing): JsonObject {
  if (!part.cache) return {};
  if (context.facts.cacheControl || own) return cacheControl(part.cache);
  context.notes.add('cache_control', 'dropped', 'the target caches by itself, or not at all');
  return {};
}

/**
 * A block in another dialect's words. What a tool gave is told as the JSON that it is (references to tools found, as Claude
 * Code's search returns them); what a user said and this wire cannot throws.
 */
function foreignBlock(part: Extract<Part, { kind: 'native' }>, { context, role }: Writing): JsonObject | undefined {
  if (role === 'user') {
    const type = typeof part.value['type'] === 'string' ? part.value['type'].slice(0, 64) : 'unknown';
    throw badField('messages', `Invalid request: a block of type '${type}' cannot be sent to this model`, 'unsupported_content');
  }
  if (role === 'tool') {
    context.notes.add('messages', 'approximated', 'a block of a tool result that only another dialect can say was sent as JSON');
    return { type: 'text', text: JSON.stringify(part.value) };
  }
  context.notes.add('messages', 'dropped', 'a block that only another dialect can say');
  return undefined;
}

/** One part as an element of a content; `undefined` where it has none. */
function contentPart(part: Part, writing: Writing): JsonObject | undefined {
  const { context, own } = writing;
  switch (part.kind) {
    case 'text':
      return { ...residueOf(part), type: 'text', text: part.text, ...marks(part, writing) };
    case 'refusal':
      return own ? { type: 'refusal', refusal: part.text } : { type: 'text', text: part.text };
    case 'media':
      return { ...encodeMedia(part, context, own), ...marks(part, writing) };
    case 'native':
      return part.by === DIALECT ? part.value : foreignBlock(part, writing);
    default:
      context.notes.add(part.kind, 'dropped', 'only the provider that made it takes it back');
      return undefined;
  }
}

const isPlainText = (part: JsonObject): boolean => part['type'] === 'text' && Object.keys(part).length === 2;

/** A content: a string where one plain text, or a target that takes nothing else, allows it. `joint`: between texts made one. */
function contentOf(parts: readonly Part[], joint: string | undefined, writing: Writing): string | readonly JsonObject[] {
  const { context, own } = writing;
  const written = parts.map((part) => contentPart(part, writing)).filter((part) => part !== undefined);
  const plain = written.every(isPlainText);
  const string = (between: string): string => written.map((part) => String(part['text'])).join(between);
  if (written.length === 0) return '';
  if (plain && (written.length === 1 || (joint !== undefined && !own))) return string(joint ?? '');
  if (context.facts.stringContent && written.every((part) => part['type'] === 'text')) return string(joint ?? '\n');
  return written;
}

const named = (turn: Turn): JsonObject => (turn.name === undefined ? {} : { name: turn.name });

function roleOf(turn: Turn, { context, own }: Writing): string {
  return turn.role === 'developer' && !context.facts.developerRole && !own ? 'system' : turn.role;
}

/** Thoughts as the target takes them back. A foreign seal is left out; its text goes where there is a field for it. */
function reasoningMembers(thoughts: readonly ReasoningPart[], writing: Writing): JsonObject {
  if (thoughts.length === 0) return {};
  const { reasoningField } = writing.context.facts;
  const ours = thoughts.filter((part) => isOurs(part.seal, writing));
  const details = ours.flatMap((part) => (part.seal && detailsOfSeal(part.seal)) ?? []);
  const texts = thoughts.filter((part) => !ours.includes(part) && part.text !== '').map((part) => part.text);
  const sealed: JsonObject = details.length > 0 ? { reasoning_details: details } : {};
  if (texts.length === 0) return sealed;
  if (reasoningField === 'none') {
    writing.context.notes.add('reasoning', 'dropped', 'the target takes no thoughts back');
    return sealed;
  }
  const field = reasoningField === 'reasoning_details' ? 'reasoning' : reasoningField;
  return { [field]: texts.join(BETWEEN_THOUGHTS), ...sealed };
}

function functionArguments(part: ToolCallPart, own: boolean): string {
  if (part.input === 'text') return JSON.stringify({ input: part.argumentsJson });
  return part.argumentsJson.trim() === '' && !own ? '{}' : part.argumentsJson;
}

function toolCall(part: ToolCallPart, writing: Writing): JsonObject {
  const { context, own } = writing;
  const more = { ...residueOf(part), ...(isOurs(part.seal, writing) ? membersOfSeal(part.seal) : {}) };
  const id = targetToolId(part.id, context.facts.toolId);
  const name = own ? part.name : targetToolName(part, TOOL_NAME_RULE);
  const custom = part.input === 'text' && (own || context.facts.chatFields?.includes('custom_tools'));
  const called = custom
    ? { type: 'custom', custom: { name, input: part.argumentsJson } }
    : { type: 'function', function: { name, arguments: functionArguments(part, own) } };
  return { ...more, id, ...called, ...marks(part, writing) };
}

function citationsOf(texts: readonly TextPart[]): JsonObject {
  let offset = 0;
  const annotations: JsonObject[] = [];
  for (const part of texts) {
    annotations.push(...encodeCitations(part.citations ?? [], offset));
    offset += part.text.length;
  }
  return annotations.length > 0 ? { annotations } : {};
}

/** Members of a message that natives of this dialect are (`audio`). */
function nativeMembers(parts: readonly Part[]): JsonObject {
  let members: JsonObject = {};
  for (const part of parts)
    if (part.kind === 'native' && part.by === DIALECT && part.value['audio']) members = { ...members, ...part.value };
  return members;
}

/** What stands in an assistant's `content`: all that has no member of its own. */
const isSaid = (part: Part): boolean =>
  part.kind === 'text' ||
  (part.kind === 'native' && !(part.by === DIALECT && part.value['audio'])) ||
  part.kind === 'hosted-call' ||
  part.kind === 'hosted-result';

function assistant(turn: Turn, writing: Writing): readonly JsonObject[] {
  const { parts } = turn;
  const { own, context } = writing;
  const calls = parts.filter((part) => part.kind === 'tool-call');
  const refusals = parts.filter((part) => part.kind === 'refusal');
  const images = parts.filter((part) => part.kind === 'media');
  const texts = parts.filter((part) => part.kind === 'text');
  const said = parts.filter((part) => isSaid(part) || (part.kind === 'refusal' && !own));
  const content = contentOf(said, '', writing);
  const members = {
    ...reasoningMembers(
      parts.filter((part) => part.kind === 'reasoning'),
      writing,
    ),
    ...(own && refusals.length > 0 ? { refusal: refusals.map((part) => part.text).join('') } : {}),
    ...(calls.length > 0 ? { tool_calls: calls.map((part) => toolCall(part, writing)) } : {}),
    ...(own ? citationsOf(texts) : {}),
    ...(images.length > 0 ? { images: images.map(encodeImage) } : {}),
    ...nativeMembers(parts),
    ...(isOurs(texts[0]?.seal, writing) ? membersOfSeal(texts[0]?.seal) : {}),
  };
  const empty = content === '';
  if (empty && Object.keys(members).length === 0 && !own) return [];
  const silent = empty && (calls.length > 0 || (own && refusals.length > 0)) && !context.facts.stringContent;
  return [{ ...residueOf(turn), role: 'assistant', content: silent ? null : content, ...named(turn), ...members }];
}

function toolResult(part: ToolResultPart, turn: Turn, writing: Writing): JsonObject {
  const { context, own } = writing;
  if (part.isError && !own) context.notes.add('tool_result.is_error', 'dropped', 'chat cannot say that a call failed; its text does');
  const failed = part.isError && part.content.length === 0;
  const inner: readonly Part[] = failed ? [{ kind: 'text', text: 'The call failed.' }] : part.content;
  const last = inner.at(-1);
  const marked: readonly Part[] = part.cache && last ? [...inner.slice(0, -1), { ...last, cache: last.cache ?? part.cache }] : inner;
  return {
    ...residueOf(turn),
    role: 'tool',
    tool_call_id: targetToolId(part.callId, context.facts.toolId),
    ...(own && part.name !== undefined ? { name: part.name } : {}),
    content: contentOf(marked, undefined, { ...writing, role: 'tool' }),
  };
}

/** A user's turn: results of tools first, each a message, then the rest. */
function user(turn: Turn, writing: Writing): readonly JsonObject[] {
  const results = turn.parts.filter((part) => part.kind === 'tool-result');
  const rest = turn.parts.filter((part) => part.kind !== 'tool-result');
  const messages = results.map((part) => toolResult(part, turn, writing));
  if (rest.length === 0 && results.length > 0) return messages;
  return [
    ...messages,
    { ...(results.length > 0 ? {} : residueOf(turn)), role: 'user', content: contentOf(rest, undefined, writing), ...named(turn) },
  ];
}

function encodeTurn(turn: Turn, writing: Writing): readonly JsonObject[] {
  switch (turn.role) {
    case 'user':
      return user(turn, writing);
    case 'assistant':
      return assistant(turn, writing);
    default: {
      const content = contentOf(turn.parts, '\n\n', writing);
      return [{ ...residueOf(turn), role: roleOf(turn, writing), content, ...named(turn) }];
    }
  }
}

/** Adds what the target can only be told in words to the instructions, at their end. */
function instruct(messages: readonly JsonObject[], said: readonly string[]): readonly JsonObject[] {
  if (said.length === 0) return messages;
  const text = said.join('\n\n');
  const [first, ...rest] = messages;
  if (!first || (first['role'] !== 'system' && first['role'] !== 'developer')) return [{ role: 'system', content: text }, ...messages];
  const { content } = first;
  const more = Array.isArray(content) ? [...(content as readonly JsonObject[]), { type: 'text', text }] : `${String(content)}\n\n${text}`;
  return [{ ...first, content: more }, ...rest];
}

/** Writes `messages`. `said`: what the target can only be told in words. */
export function encodeMessages(request: ChatRequest, said: readonly string[], context: TargetContext): readonly JsonObject[] {
  const own = isOwn(request);
  const opening: readonly Turn[] = request.instructions.length > 0 ? [{ role: 'system', parts: request.instructions }] : [];
  const turns = [...opening, ...request.turns];
  const ordered = own ? turns : orderTurns(turns, context);
  return instruct(
    ordered.flatMap((turn) => encodeTurn(turn, { context, own, role: turn.role })),
    said,
  );
}
