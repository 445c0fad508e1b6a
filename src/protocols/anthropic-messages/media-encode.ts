import { badField, type JsonObject, MEDIA_NAMES, type MediaPart } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { DIALECT } from './dialect.ts';

/** The first characters of base64 by what they are the base64 of. */
const SIGNS: readonly (readonly [string, string])[] = [
  ['/9j/', 'image/jpeg'],
  ['iVBORw', 'image/png'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
  ['JVBERi', 'application/pdf'],
];

/** What bytes are by how they begin; `undefined` when that does not show. */
const sniff = (base64: string): string | undefined => SIGNS.find(([sign]) => base64.startsWith(sign))?.[1];

const refused = (what: string): never => {
  throw badField('messages', `Invalid request: ${what} cannot be sent to this model`, 'unsupported_content');
};

/** An address whose bytes are in it. */
function dataUri(url: string): { readonly mediaType: string; readonly data: string } | undefined {
  const match = /^data:([^;,]*)(?:;[^,]*)?;base64,/.exec(url);
  return match ? { mediaType: match[1] ?? '', data: url.slice(match[0].length) } : undefined;
}

/** The part with bytes where its address held them. */
function opened(part: MediaPart): MediaPart {
  const inside = part.source.type === 'url' ? dataUri(part.source.url) : undefined;
  if (!inside) return part;
  return { ...part, mediaType: inside.mediaType || (part.mediaType ?? ''), source: { type: 'base64', data: inside.data } };
}

function remote(part: MediaPart, context: TargetContext): JsonObject | undefined {
  const { source } = part;
  if (source.type === 'url') {
    const takes = context.facts.media[part.media];
    return takes === 'bytes' || takes === 'none' ? refused(`${MEDIA_NAMES[part.media]} by its address`) : { type: 'url', url: source.url };
  }
  if (source.type !== 'file') return undefined;
  return source.by === DIALECT ? { type: 'file', file_id: source.id } : refused(`a file that another provider keeps ('${source.id}')`);
}

function image(part: MediaPart, context: TargetContext): JsonObject {
  if (context.facts.media.image === 'none') refused('an image');
  const { source } = part;
  if (source.type !== 'base64') return { type: 'image', source: remote(part, context) ?? refused('an image that is text') };
  const media_type = part.mediaType || sniff(source.data) || 'image/png';
  return { type: 'image', source: { type: 'base64', media_type, data: source.data } };
}

const isTextual = (mediaType: string): boolean => /^text\/|[/+](json|xml|yaml|x-yaml|toml|javascript|x-sh|csv)$/.test(mediaType);

const textSource = (data: string): JsonObject => ({ type: 'text', media_type: 'text/plain', data });

function documentSource(part: MediaPart, context: TargetContext): JsonObject {
  const { source } = part;
  if (source.type === 'text') return textSource(source.text);
  if (source.type !== 'base64') return remote(part, context) ?? refused('this document');
  const mediaType = (part.mediaType ?? sniff(source.data) ?? 'application/pdf').split(';')[0] ?? '';
  if (mediaType === 'application/pdf') return { type: 'base64', media_type: 'application/pdf', data: source.data };
  if (isTextual(mediaType)) return textSource(Buffer.from(source.data, 'base64').toString('utf8'));
  return sniff(source.data) === 'application/pdf'
    ? { type: 'base64', media_type: 'application/pdf', data: source.data }
    : refused(`a document of type '${mediaType}' (PDF and text can be)`);
}

function document(part: MediaPart, context: TargetContext): JsonObject {
  if (context.facts.media.document === 'none') refused('a document');
  const title = part.title ?? part.filename;
  return { type: 'document', source: documentSource(part, context), ...(title === undefined ? {} : { title }) };
}

/**
 * Writes an image or a document. Throws `GatewayError` for what this wire has no block for (audio, video, other files):
 * content is never left out in silence.
 */
export function encodeMedia(given: MediaPart, context: TargetContext): JsonObject {
  const part = opened(given);
  if (part.detail !== undefined && part.detail !== 'auto') context.notes.add('detail', 'dropped', 'Messages has no image detail');
  if (part.media === 'image' || (part.media === 'document' && part.mediaType?.startsWith('image/'))) return image(part, context);
  if (part.media === 'document') return document(part, context);
  return refused(part.media);
}
