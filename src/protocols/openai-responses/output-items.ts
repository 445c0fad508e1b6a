import {
  type HostedCallPart,
  type HostedResultPart,
  isObject,
  type JsonObject,
  type MediaPart,
  type Part,
  type ReasoningPart,
  type RefusalPart,
  type Seal,
  type TextPart,
  type ToolCallPart,
} from '../../ir/index.ts';
import type { ReplyContext } from '../protocol.ts';
import { carriedPart, carriedSeal, writeSealed } from './carried.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT, residueOf } from './dialect.ts';
import { encodeHostedCall, HOSTED_PREFIX, isInCall } from './hosted-items.ts';
import { encodeLogprobs } from './logprobs.ts';
import { groupParts } from './part-groups.ts';

/*
 * Writes the parts of a reply as items of `output`. The heads of items and parts are what a stream begins them with.
 */

type ItemStatus = 'in_progress' | 'completed' | 'incomplete';

const itemResidue = (part: { readonly residue?: Part['residue'] }): JsonObject => {
  const { item } = residueOf(part as Part);
  return isObject(item) ? item : {};
};

/** A message, as far as it has come. */
export const messageItem = (
  id: string,
  first: { readonly residue?: Part['residue'] },
  content: readonly JsonObject[],
  status: ItemStatus,
): JsonObject => ({ ...itemResidue(first), id, type: 'message', status, content, role: 'assistant' });

/** A part of a message. */
export const textContent = (part: Pick<TextPart, 'text' | 'citations' | 'logprobs'>): JsonObject => ({
  type: 'output_text',
  annotations: encodeCitations(part.citations ?? []),
  logprobs: encodeLogprobs(part.logprobs ?? []),
  text: part.text,
});

/** A refusal in a message. */
export const refusalContent = (refusal: string): JsonObject => ({ type: 'refusal', refusal });

const saidContent = (part: TextPart | RefusalPart): JsonObject => (part.kind === 'text' ? textContent(part) : refusalContent(part.text));

/**
 * Whether thoughts are told as a summary. Those of other dialects are, for a client that asked for one: there it looks for
 * what it may show.
 */
export const isSummary = (part: Pick<ReasoningPart, 'form' | 'id'>, { request }: ReplyContext): boolean => {
  const show = request.reasoning?.show;
  return part.form === 'summary' || (part.id === undefined && show !== undefined && show !== 'none');
};

/** The pieces of a reasoning item. */
export interface Thoughts {
  readonly summary: readonly string[];
  readonly content: readonly string[];
}

/** A reasoning item. `own`: it came from a provider of this dialect. */
export function reasoningItem(
  id: string,
  first: { readonly residue?: Part['residue'] },
  { summary, content }: Thoughts,
  sealed: string | undefined,
): JsonObject {
  return {
    ...itemResidue(first),
    id,
    type: 'reasoning',
    summary: summary.map((text) => ({ type: 'summary_text', text })),
    ...(content.length > 0 ? { content: content.map((text) => ({ type: 'reasoning_text', text })) } : {}),
    ...(sealed === undefined ? {} : { encrypted_content: sealed }),
  };
}

/** An item that holds nothing but what the client is to bring back. */
const carrier = (encrypted_content: string, context: ReplyContext): JsonObject => ({
  id: context.newId('rs_'),
  type: 'reasoning',
  summary: [],
  encrypted_content,
});

/** The item that carries the seal of the part before it; this dialect's own stand in no other place than thoughts. */
export const sealCarrier = (seal: Seal | undefined, context: ReplyContext): readonly JsonObject[] =>
  seal === undefined ? [] : [carrier(carriedSeal(seal), context)];

/** Thinking that its maker hides, as an item; a foreign one's is carried whole. */
export function hiddenThought(part: ReasoningPart, context: ReplyContext): JsonObject {
  const { seal } = part;
  if (seal?.by === DIALECT) return reasoningItem(part.id ?? context.newId('rs_'), part, { summary: [], content: [] }, seal.value);
  return carrier(carriedPart('hidden', part), context);
}

/** A call of a function or a custom tool, as far as it has come. */
export function callItem(part: Omit<ToolCallPart, 'argumentsJson'>, id: string, text: string, status: ItemStatus): JsonObject {
  const common = { ...residueOf(part as Part), id, status, call_id: part.id, name: part.name };
  const namespace = part.namespace === undefined ? {} : { namespace: part.namespace };
  if (part.input === 'text') return { ...common, type: 'custom_tool_call', ...namespace, input: text };
  return { ...common, type: 'function_call', ...namespace, arguments: text };
}

/** The id of a call's item. */
export const callItemId = (part: Pick<ToolCallPart, 'itemId' | 'input'>, context: ReplyContext): string =>
  part.itemId ?? context.newId(part.input === 'text' ? 'ctc_' : 'fc_');

/** What a call's arguments are when nothing came: clients parse them, and nothing at all is no JSON. */
export const wholeArguments = (text: string, input: ToolCallPart['input']): string => (text === '' && input !== 'text' ? '{}' : text);

function image(part: MediaPart, context: ReplyContext): JsonObject {
  const { source, mediaType } = part;
  const format = mediaType?.startsWith('image/') ? mediaType.slice('image/'.length) : undefined;
  return {
    ...(format === undefined ? {} : { output_format: format }),
    ...residueOf(part),
    id: part.id ?? context.newId('ig_'),
    type: 'image_generation_call',
    status: 'completed',
    result: source.type === 'base64' ? source.data : source.type === 'url' ? source.url : null,
  };
}

function media(part: MediaPart, context: ReplyContext): readonly JsonObject[] {
  if (part.media === 'image') return [image(part, context), ...sealCarrier(part.seal, context)];
  if (part.media === 'audio' && part.source.type === 'base64') {
    const { transcript } = residueOf(part);
    const content = { type: 'output_audio', data: part.source.data, transcript: transcript ?? '' };
    return [messageItem(part.id ?? context.newId('msg_'), {}, [content], 'completed'), ...sealCarrier(part.seal, context)];
  }
  context.notes.add(part.media, 'dropped', `an output of Responses holds no ${part.media}`);
  return [];
}

const hostedResult = (part: HostedResultPart, context: ReplyContext): readonly JsonObject[] =>
  isInCall(part) ? [] : [carrier(carriedPart('hidden', part), context)];

/** A call of a hosted tool. `result`: what it gave, which follows it: both stand in one item. */
export function hostedCall(part: HostedCallPart, result: HostedResultPart | undefined, context: ReplyContext): readonly JsonObject[] {
  const item = encodeHostedCall(part, context.newId(HOSTED_PREFIX[part.tool] ?? 'ws_'), result);
  if (part.native?.by === DIALECT && item) return [item];
  if (!item) context.notes.add(part.kind, 'dropped', `Responses has no item for '${part.tool}'`);
  const carried = carrier(carriedPart(item ? 'shown' : 'hidden', part), context);
  return [...(item ? [item] : []), carried, ...(result ? hostedResult(result, context) : [])];
}

/** Whether a result is that of the call before it, of another dialect. */
export const isResultOf = (part: Pick<Part, 'kind'>, call: HostedCallPart | undefined): part is HostedResultPart =>
  part.kind === 'hosted-result' && call !== undefined && call.native?.by !== DIALECT && (part as HostedResultPart).callId === call.id;

/** Writes a part that is known whole when it comes: media, what hosted tools did, blocks of one dialect. */
export function wholeItems(part: Part, context: ReplyContext): readonly JsonObject[] {
  switch (part.kind) {
    case 'media':
      return media(part, context);
    case 'hosted-call':
      return hostedCall(part, undefined, context);
    case 'hosted-result':
      return hostedResult(part, context);
    case 'native':
      if (part.by === DIALECT) return [part.value];
      context.notes.add('native', 'dropped', `only ${part.by} has a word for it`);
      return [carrier(carriedPart('hidden', part), context)];
    default:
      return [];
  }
}

function message(parts: readonly (TextPart | RefusalPart)[], context: ReplyContext): readonly JsonObject[] {
  const [first] = parts;
  if (!first) return [];
  const last = parts.at(-1);
  const item = messageItem(first.id ?? context.newId('msg_'), first, parts.map(saidContent), 'completed');
  return [item, ...sealCarrier(last?.kind === 'text' ? last.seal : undefined, context)];
}

function thoughts(parts: readonly ReasoningPart[], context: ReplyContext): readonly JsonObject[] {
  const [first] = parts;
  if (!first) return [];
  if (first.redacted || parts.every((part) => part.text === '')) {
    const last = parts.at(-1) ?? first;
    return last.seal ? [hiddenThought(last, context)] : [];
  }
  const texts = (summary: boolean): readonly string[] =>
    parts.filter((part) => isSummary(part, context) === summary).map((part) => part.text);
  const sealed = writeSealed(parts.at(-1)?.seal, first.id !== undefined);
  return [reasoningItem(first.id ?? context.newId('rs_'), first, { summary: texts(true), content: texts(false) }, sealed)];
}

function toolCall(part: ToolCallPart, context: ReplyContext): readonly JsonObject[] {
  const text = wholeArguments(part.argumentsJson, part.input);
  return [callItem(part, callItemId(part, context), text, 'completed'), ...sealCarrier(part.seal, context)];
}

/** Writes the parts of a reply. */
export function outputItems(parts: readonly Part[], context: ReplyContext): readonly JsonObject[] {
  const groups = groupParts(parts);
  const singleAt = (at: number): Part | undefined => {
    const group = groups[at];
    return group?.kind === 'single' ? group.part : undefined;
  };
  const callAt = (at: number): HostedCallPart | undefined => {
    const part = singleAt(at);
    return part?.kind === 'hosted-call' ? part : undefined;
  };
  return groups.flatMap((group, at): readonly JsonObject[] => {
    if (group.kind === 'message') return message(group.parts, context);
    if (group.kind === 'reasoning') return thoughts(group.parts, context);
    if (isResultOf(group.part, callAt(at - 1))) return [];
    const next = singleAt(at + 1);
    if (group.part.kind === 'hosted-call') return hostedCall(group.part, next && isResultOf(next, group.part) ? next : undefined, context);
    return group.part.kind === 'tool-call' ? toolCall(group.part, context) : wholeItems(group.part, context);
  });
}
