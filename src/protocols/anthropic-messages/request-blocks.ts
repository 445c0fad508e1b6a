import {
  badField,
  type HostedCallPart,
  type HostedResultPart,
  isObject,
  type Json,
  type JsonObject,
  type MediaPart,
  type MediaSource,
  missingField,
  type NativePart,
  type Part,
  type ReasoningPart,
  type TextPart,
  type ToolCallPart,
  type ToolResultPart,
} from '../../ir/index.ts';
import { readCacheControl } from './cache-control.ts';
import { type Carried, readCarried, readSignature, restoreCarried } from './carried-parts.ts';
import { makersToolId } from './client-tool-id.ts';
import { decodeCitations } from './citations.ts';
import { DIALECT, withoutDirectCaller, withResidue } from './dialect.ts';
import {
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalString,
  requiredObject,
  requiredString,
  unknownMembers,
  wrongKind,
} from '../../wire/fields.ts';
import { decodeHostedCall, decodeHostedResult, isHostedCall, isHostedResult } from './hosted-blocks.ts';

const known = (...keys: readonly string[]): ReadonlySet<string> => new Set(['type', 'cache_control', ...keys]);

const TEXT = known('text', 'citations');
const IMAGE = known('source');
const DOCUMENT = known('source', 'title');
const THINKING = known('thinking', 'signature');
const REDACTED = known('data');
const TOOL_USE = known('id', 'name', 'input');
const TOOL_RESULT = known('tool_use_id', 'content', 'is_error');

const rest = (block: JsonObject, knownHere: ReadonlySet<string>) => withResidue(withoutDirectCaller(unknownMembers(block, knownHere)));

function withoutCache(block: JsonObject): JsonObject {
  if (block['cache_control'] === undefined) return block;
  const { cache_control: _mark, ...bare } = block;
  return bare;
}

function text(block: JsonObject, at: string): TextPart {
  const citations = decodeCitations(optionalArray(block, 'citations', at));
  return {
    kind: 'text',
    text: requiredString(block, 'text', at),
    ...(citations ? { citations } : {}),
    ...readCacheControl(block, at),
    ...rest(block, TEXT),
  };
}

/** A block that only this dialect can say. */
const native = (block: JsonObject, at: string): NativePart => ({
  kind: 'native',
  by: DIALECT,
  value: withoutCache(block),
  ...readCacheControl(block, at),
});

/** A block that other dialects can tell as something plainer, kept whole for this one. */
const withBlock = (block: JsonObject) => ({ residue: { [DIALECT]: { block: withoutCache(block) } } });

interface ReadSource {
  readonly mediaType?: string;
  readonly source: MediaSource;
}

/** `data` that is base64. A plain search: a pattern that backtracks would take long on megabytes. */
function base64(from: JsonObject, at: string): string {
  const data = requiredString(from, 'data', at);
  if (data === '' || /[^A-Za-z0-9+/=_\-\s]/.test(data))
    throw badField(`${at}.data`, `Invalid request: '${at}.data' must be base64`, 'invalid_base64');
  return data;
}

/** Reads a `source`; `undefined` for kinds that the shared language has no word for. */
function sourceOf(from: JsonObject, at: string): ReadSource | undefined {
  const mediaType = optionalString(from, 'media_type', at);
  const typed = mediaType === undefined ? {} : { mediaType };
  switch (requiredString(from, 'type', at)) {
    case 'base64':
      return { ...typed, source: { type: 'base64', data: base64(from, at) } };
    case 'url':
      return { ...typed, source: { type: 'url', url: requiredString(from, 'url', at) } };
    case 'file':
      return { ...typed, source: { type: 'file', id: requiredString(from, 'file_id', at), by: DIALECT } };
    case 'text':
      return { mediaType: mediaType ?? 'text/plain', source: { type: 'text', text: requiredString(from, 'data', at) } };
    default:
      return undefined;
  }
}

function image(block: JsonObject, at: string): MediaPart | NativePart {
  const read = sourceOf(requiredObject(block, 'source', at), `${at}.source`);
  if (!read) return native(block, at);
  return { kind: 'media', media: 'image', ...read, ...readCacheControl(block, at), ...rest(block, IMAGE) };
}

/** The text of a list of blocks when they are all text; `undefined` otherwise. */
function plainText(content: Json | undefined): string | undefined {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return undefined;
  const texts = (content as readonly Json[]).map((item) => (isObject(item) && typeof item['text'] === 'string' ? item['text'] : undefined));
  return texts.every((item) => item !== undefined) ? texts.join('\n') : undefined;
}

/** A document that stands in the request as text blocks: other dialects get their text, this one the blocks. */
function documentOfText(block: JsonObject, content: Json | undefined, at: string): MediaPart | NativePart {
  const told = plainText(content);
  if (told === undefined) return native(block, at);
  const title = optionalString(block, 'title', at);
  return {
    kind: 'media',
    media: 'document',
    mediaType: 'text/plain',
    source: { type: 'text', text: told },
    ...(title === undefined ? {} : { title }),
    ...readCacheControl(block, at),
    ...withBlock(block),
  };
}

function document(block: JsonObject, at: string): MediaPart | NativePart {
  const source = requiredObject(block, 'source', at);
  if (source['type'] === 'content') return documentOfText(block, source['content'], at);
  const read = sourceOf(source, `${at}.source`);
  if (!read) return native(block, at);
  const title = optionalString(block, 'title', at);
  return {
    kind: 'media',
    media: 'document',
    ...read,
    ...(title === undefined ? {} : { title }),
    ...readCacheControl(block, at),
    ...rest(block, DOCUMENT),
  };
}

function thinking(block: JsonObject, at: string): ReasoningPart {
  const seal = readSignature(optionalString(block, 'signature', at));
  return { kind: 'reasoning', text: requiredString(block, 'thinking', at), ...(seal ? { seal } : {}), ...rest(block, THINKING) };
}

function redacted(block: JsonObject, at: string): ReasoningPart | Carried {
  const data = requiredString(block, 'data', at);
  return readCarried(data) ?? { kind: 'reasoning', text: '', redacted: true, seal: { by: DIALECT, value: data }, ...rest(block, REDACTED) };
}

function toolUse(block: JsonObject, at: string): ToolCallPart {
  return {
    kind: 'tool-call',
    id: makersToolId(requiredString(block, 'id', at)),
    name: requiredString(block, 'name', at),
    argumentsJson: JSON.stringify(requiredObject(block, 'input', at)),
    ...readCacheControl(block, at),
    ...rest(block, TOOL_USE),
  };
}

function resultContent(block: JsonObject, at: string): readonly Part[] {
  const content = block['content'];
  if (content === undefined || content === null || content === '') return [];
  return decodeContent(content, `${at}.content`);
}

function toolResult(block: JsonObject, at: string): ToolResultPart {
  return {
    kind: 'tool-result',
    callId: makersToolId(requiredString(block, 'tool_use_id', at)),
    content: resultContent(block, at),
    isError: optionalBoolean(block, 'is_error', at) ?? false,
    ...readCacheControl(block, at),
    ...rest(block, TOOL_RESULT),
  };
}

/** Ids of calls that the maker of this dialect ran begin so; others were told by this gateway, and the block is not the provider's. */
const SERVER_ID = /^(srv|mcp)toolu_/;

function hosted<T extends HostedCallPart | HostedResultPart>(part: T, id: string, block: JsonObject, at: string): T {
  const cache = readCacheControl(block, at);
  if (SERVER_ID.test(id)) return { ...part, ...cache };
  const { native: _native, ...bare } = part;
  return { ...(bare as T), ...cache };
}

/** The summary of a conversation so far: its words for other dialects, the block for this one. */
function compaction(block: JsonObject, at: string): TextPart | NativePart {
  const content = optionalString(block, 'content', at);
  if (content === undefined) return native(block, at);
  return { kind: 'text', text: content, ...readCacheControl(block, at), ...withBlock(block) };
}

function decodeBlock(block: JsonObject, at: string): Part | Carried {
  const type = requiredString(block, 'type', at);
  switch (type) {
    case 'text':
      return text(block, at);
    case 'image':
      return image(block, at);
    case 'document':
      return document(block, at);
    case 'search_result':
      return documentOfText(block, block['content'], at);
    case 'thinking':
      return thinking(block, at);
    case 'redacted_thinking':
      return redacted(block, at);
    case 'tool_use':
      return toolUse(block, at);
    case 'tool_result':
      return toolResult(block, at);
    case 'compaction':
      return compaction(block, at);
    default:
      if (isHostedCall(type)) return hosted(decodeHostedCall(withoutCache(block)), requiredString(block, 'id', at), block, at);
      if (isHostedResult(type)) return hosted(decodeHostedResult(withoutCache(block)), requiredString(block, 'tool_use_id', at), block, at);
      return native(block, at);
  }
}

/**
 * Reads the `content` of a message, of a tool result or of `system`: a string or blocks. Throws a `GatewayError` that
 * names the block. State that the gateway gave the client to carry is put back on its parts.
 */
export function decodeContent(content: Json | undefined, at: string): readonly Part[] {
  if (content === undefined || content === null) throw missingField(at);
  if (typeof content === 'string') return [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) throw wrongKind(at, 'a string or an array of content blocks', content);
  const parts: Part[] = [];
  (content as readonly Json[]).forEach((value, index) => {
    const path = `${at}[${index}]`;
    const read = decodeBlock(objectAt(value, path), path);
    if ('kind' in read) parts.push(read);
    else restoreCarried(parts, read);
  });
  return parts;
}
