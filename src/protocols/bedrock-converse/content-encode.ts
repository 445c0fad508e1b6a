import {
  badField,
  type CacheMark,
  type JsonObject,
  MEDIA_NAMES,
  type MediaPart,
  parseObject,
  type Part,
  type ReasoningPart,
  targetToolName,
  type ToolCallPart,
  type ToolResultPart,
  wordTable,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { DIALECT, SIGNATURE_BY, TOOL_NAME_RULE, UNPARSED_ARGUMENTS } from './dialect.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ContentBlock.html */

const refused = (what: string): never => {
  throw badField('messages', `Invalid request: ${what} cannot be sent to this model`, 'unsupported_content');
};

const IMAGES: Readonly<Record<string, string>> = wordTable({
  'image/png': 'png',
  'image/jpeg': 'jpeg',
  'image/jpg': 'jpeg',
  'image/gif': 'gif',
  'image/webp': 'webp',
});
const DOCUMENTS: Readonly<Record<string, string>> = wordTable({
  'application/pdf': 'pdf',
  'text/csv': 'csv',
  'application/msword': 'doc',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'docx',
  'application/vnd.ms-excel': 'xls',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'xlsx',
  'text/html': 'html',
  'text/plain': 'txt',
  'text/markdown': 'md',
});
const VIDEOS: Readonly<Record<string, string>> = wordTable({
  'video/mp4': 'mp4',
  'video/quicktime': 'mov',
  'video/x-matroska': 'mkv',
  'video/webm': 'webm',
  'video/x-flv': 'flv',
  'video/mpeg': 'mpeg',
  'video/x-ms-wmv': 'wmv',
  'video/3gpp': 'three_gp',
});
const AUDIO: Readonly<Record<string, string>> = wordTable({
  'audio/mpeg': 'mp3',
  'audio/mp3': 'mp3',
  'audio/wav': 'wav',
  'audio/x-wav': 'wav',
  'audio/ogg': 'ogg',
  'audio/opus': 'opus',
  'audio/flac': 'flac',
  'audio/aac': 'aac',
  'audio/mp4': 'm4a',
  'audio/webm': 'webm',
});

/** What bytes are by how their base64 begins. */
const SIGNS: readonly (readonly [string, string])[] = [
  ['/9j/', 'image/jpeg'],
  ['iVBORw', 'image/png'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
  ['JVBERi', 'application/pdf'],
];

interface Bytes {
  readonly mediaType: string;
  readonly base64: string;
}

const bareType = (mediaType: string | undefined): string => (mediaType ?? '').split(';')[0]?.trim().toLowerCase() ?? '';

function sniffed(base64: string, mediaType: string | undefined): Bytes {
  const known = bareType(mediaType);
  return { base64, mediaType: known !== '' ? known : (SIGNS.find(([sign]) => base64.startsWith(sign))?.[1] ?? '') };
}

/** The bytes of a part; the wire takes no address but S3's. */
function bytesOf(part: MediaPart): Bytes {
  const { source } = part;
  switch (source.type) {
    case 'base64':
      return sniffed(source.data, part.mediaType);
    case 'text':
      return { base64: Buffer.from(source.text).toString('base64'), mediaType: 'text/plain' };
    case 'url': {
      const inside = /^data:([^;,]*)(?:;[^,]*)?;base64,/.exec(source.url);
      return inside ? sniffed(source.url.slice(inside[0].length), inside[1]) : refused(`${MEDIA_NAMES[part.media]} by its address`);
    }
    case 'file':
      return refused(`a file that another provider keeps ('${source.id}')`);
  }
}

const isTextual = (mediaType: string): boolean => /^text\/|[/+](json|xml|yaml|x-yaml|toml|javascript|x-sh)$/.test(mediaType);

/** Names may hold letters, digits, single spaces, hyphens and brackets. */
function documentName(part: MediaPart): string {
  const name = (part.title ?? part.filename ?? '')
    .replace(/\.[a-zA-Z0-9]{1,5}$/, '')
    .replaceAll(/[^a-zA-Z0-9 ()[\]-]+/g, ' ')
    .replaceAll(/ {2,}/g, ' ')
    .trim()
    .slice(0, 200);
  return name === '' ? 'document' : name;
}

function document(part: MediaPart, bytes: Bytes): JsonObject {
  const format = DOCUMENTS[bytes.mediaType] ?? (isTextual(bytes.mediaType) ? 'txt' : undefined);
  if (format === undefined) return refused(`a document of type '${bytes.mediaType}'`);
  return { document: { format, name: documentName(part), source: { bytes: bytes.base64 } } };
}

function encodeMedia(part: MediaPart, context: TargetContext): JsonObject {
  if (part.detail !== undefined && part.detail !== 'auto') context.notes.add('detail', 'dropped', 'Converse has no image detail');
  const bytes = bytesOf(part);
  const isImage = part.media === 'image' || bytes.mediaType.startsWith('image/');
  const kind = isImage ? 'image' : part.media;
  if (context.facts.media[kind] === 'none') return refused(MEDIA_NAMES[kind]);
  if (kind === 'document') return document(part, bytes);
  const formats = { image: IMAGES, video: VIDEOS, audio: AUDIO }[kind];
  const format = formats[bytes.mediaType] ?? (isImage && bytes.mediaType === '' ? 'png' : undefined);
  if (format === undefined) return refused(`${kind} of type '${bytes.mediaType}'`);
  return { [kind]: { format, source: { bytes: bytes.base64 } } };
}

/** The `input` of a call: its arguments as an object; what is none under a key that says so. */
function toolInput(part: ToolCallPart): JsonObject {
  if (part.input === 'text') return { input: part.argumentsJson };
  if (part.argumentsJson.trim() === '') return {};
  return parseObject(part.argumentsJson) ?? { [UNPARSED_ARGUMENTS]: part.argumentsJson };
}

/** What a tool gave in another dialect's words is told as the JSON that it is. */
function toldAsJson(part: Part, context: TargetContext): Part {
  if (part.kind !== 'native') return part;
  context.notes.add('messages', 'approximated', 'a block of a tool result that only another dialect can say was sent as JSON');
  return { kind: 'text', text: JSON.stringify(part.value) };
}

function toolResult(part: ToolResultPart, context: TargetContext): JsonObject {
  const content = part.content.map((inner) => encodePart(toldAsJson(inner, context), context)).filter((block) => block !== undefined);
  // A result without content is refused.
  const filled: readonly JsonObject[] = content.length > 0 ? content : [{ text: '(empty)' }];
  return { toolResult: { toolUseId: part.callId, content: filled, ...(part.isError ? { status: 'error' } : {}) } };
}

/** Thinking goes back only with a seal of this maker: models refuse what they did not sign. */
function reasoning(part: ReasoningPart, context: TargetContext): JsonObject | undefined {
  const { seal } = part;
  const isOurs = seal !== undefined && (seal.maker === undefined || seal.maker === context.maker);
  if (isOurs && seal.by === DIALECT && part.redacted) return { reasoningContent: { redactedContent: seal.value } };
  if (isOurs && seal.by === SIGNATURE_BY && !part.redacted)
    return { reasoningContent: { reasoningText: { text: part.text, signature: seal.value } } };
  context.notes.add('reasoning', 'dropped', 'the thinking of another maker is not taken back');
  return undefined;
}

/** Writes one part; `undefined` when it has no block (blank text, another maker's thinking). Throws `GatewayError` for content that the model cannot take. */
function encodePart(part: Part, context: TargetContext): JsonObject | undefined {
  switch (part.kind) {
    case 'text':
    case 'refusal':
      return part.text.trim() === '' ? undefined : { text: part.text };
    case 'media':
      return encodeMedia(part, context);
    case 'reasoning':
      return reasoning(part, context);
    case 'tool-call':
      return { toolUse: { toolUseId: part.id, name: targetToolName(part, TOOL_NAME_RULE), input: toolInput(part) } };
    case 'tool-result':
      return toolResult(part, context);
    case 'hosted-call':
    case 'hosted-result':
    case 'native':
      context.notes.add(part.kind, 'dropped', 'only the provider that made it takes it back');
      return undefined;
  }
}

/** A mark after which the provider may cache the prefix. https://docs.aws.amazon.com/bedrock/latest/userguide/prompt-caching.html */
export function cachePoint(cache: CacheMark | undefined, context: TargetContext): readonly JsonObject[] {
  if (!cache) return [];
  if (!context.facts.cacheControl) {
    context.notes.add('cache_control', 'dropped', 'the model has no prompt cache to mark');
    return [];
  }
  return [{ cachePoint: { type: 'default', ...(cache.ttl === undefined ? {} : { ttl: cache.ttl }) } }];
}

/** Writes the parts that have a block, with cache points after those that ask for one. */
export const encodeParts = (parts: readonly Part[], context: TargetContext): readonly JsonObject[] =>
  parts.flatMap((part) => {
    const block = encodePart(part, context);
    return block ? [block, ...('cache' in part ? cachePoint(part.cache, context) : [])] : [];
  });
