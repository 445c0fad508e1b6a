import { badField, type JsonObject, type MediaPart } from '../../ir/index.ts';
import { DIALECT, residueOf } from './dialect.ts';

/** The first characters of base64 by what they are the base64 of. */
const SIGNS: readonly (readonly [string, string])[] = [
  ['/9j/', 'image/jpeg'],
  ['iVBORw', 'image/png'],
  ['R0lGOD', 'image/gif'],
  ['UklGR', 'image/webp'],
  ['JVBERi', 'application/pdf'],
  ['SUQz', 'audio/mp3'],
];

/** What to call bytes of which nothing is known but what they are for. */
const USUAL: Readonly<Record<MediaPart['media'], string>> = {
  image: 'image/png',
  audio: 'audio/wav',
  video: 'video/mp4',
  document: 'application/pdf',
};

/** The API insists on a type: the client's, or the one that the bytes show. */
const typeOf = (part: MediaPart, data: string): string =>
  part.mediaType || (SIGNS.find(([sign]) => data.startsWith(sign))?.[1] ?? USUAL[part.media]);

const inline = (mimeType: string, data: string): JsonObject => ({ inlineData: { mimeType, data } });

/** An address whose bytes are in it. */
function dataUri(url: string): { readonly mediaType: string; readonly data: string } | undefined {
  const match = /^data:([^;,]*)(?:;[^,]*)?;base64,/.exec(url);
  return match ? { mediaType: match[1] ?? '', data: url.slice(match[0].length) } : undefined;
}

function remote(part: MediaPart, url: string): JsonObject {
  const inside = dataUri(url);
  if (inside) return inline(inside.mediaType || typeOf(part, inside.data), inside.data);
  return { fileData: { ...(part.mediaType === undefined ? {} : { mimeType: part.mediaType }), fileUri: url } };
}

/** Writes media as a part, in a request or a reply. Throws `GatewayError` for a file of another provider's store. */
export function encodeMedia(part: MediaPart): JsonObject {
  const { source } = part;
  const more = residueOf(part);
  switch (source.type) {
    case 'base64':
      return { ...more, ...inline(typeOf(part, source.data), source.data) };
    case 'text':
      return { ...more, ...inline('text/plain', Buffer.from(source.text).toString('base64')) };
    case 'url':
      return { ...more, ...remote(part, source.url) };
    case 'file':
      if (source.by !== DIALECT) {
        throw badField('messages', 'Invalid request: a file of another provider cannot be sent to this model', 'unsupported_content');
      }
      return { ...more, ...remote(part, source.id) };
  }
}
