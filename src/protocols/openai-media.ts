import { badField, type MediaPart, type MediaSource, wordTable } from '../ir/index.ts';

/** Media as both of OpenAI's protocols name them: an address, a data URI or bare base64 in one string. */

/** The first bytes of files, as Latin-1, by what they are. */
const SIGNS: readonly (readonly [RegExp, string])[] = [
  [/^\x89PNG/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8/, 'image/gif'],
  [/^RIFF[^]{4}WEBP/, 'image/webp'],
  [/^RIFF[^]{4}WAVE/, 'audio/wav'],
  [/^%PDF/, 'application/pdf'],
  [/^ID3|^\xff[\xe2\xe3\xf2\xf3\xfa\xfb]/, 'audio/mpeg'],
];

/** What base64 is by how its bytes begin; `undefined` when that does not show. */
export function sniff(base64: string): string | undefined {
  const bytes = Buffer.from(base64.slice(0, 24), 'base64').toString('latin1');
  return SIGNS.find(([sign]) => sign.test(bytes))?.[1];
}

/** By what a file's name ends in, where neither the client nor the bytes say what it is. */
const EXTENSIONS: Readonly<Record<string, string>> = wordTable({
  pdf: 'application/pdf',
  txt: 'text/plain',
  md: 'text/markdown',
  csv: 'text/csv',
  json: 'application/json',
  html: 'text/html',
  xml: 'application/xml',
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  mp3: 'audio/mpeg',
  wav: 'audio/wav',
  mp4: 'video/mp4',
});

const byName = (name: string | undefined): string | undefined =>
  EXTENSIONS[/\.([a-z0-9]+)(?:[?#].*)?$/i.exec(name ?? '')?.[1]?.toLowerCase() ?? ''];

/** Whether text can be base64 (of either alphabet). Plain searches: a pattern that backtracks would take long on megabytes. */
function isBase64(text: string): boolean {
  const pad = text.indexOf('=');
  const body = pad < 0 ? text : text.slice(0, pad);
  if (body === '' || /[^A-Za-z0-9+/_\-\s]/.test(body) || (pad >= 0 && !/^={1,2}\s*$/.test(text.slice(pad)))) return false;
  return /\s/.test(body) || body.length % 4 !== 1;
}

interface Read {
  readonly source: MediaSource;
  readonly mediaType?: string;
}

const readAs = (source: MediaSource, mediaType: string | undefined): Read => ({
  source,
  ...(mediaType === undefined ? {} : { mediaType }),
});

function unescapeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function dataUri(uri: string, at: string): Read {
  const comma = uri.indexOf(',');
  const head = uri.slice(5, Math.max(comma, 5));
  const data = uri.slice(comma + 1);
  const mediaType = head.split(';')[0] ?? '';
  if (comma < 0 || (head.endsWith(';base64') && !isBase64(data)))
    throw badField(at, `Invalid request: '${at}' is a data URI whose base64 cannot be read`, 'invalid_base64');
  const base64 = head.endsWith(';base64') ? data : Buffer.from(unescapeUri(data), 'utf8').toString('base64');
  return readAs({ type: 'base64', data: base64 }, mediaType === '' ? sniff(base64) : mediaType);
}

/** Reads an address, a data URI or bare base64. Throws where it is none of them. */
export function readSource(text: string, at: string, name?: string): Read {
  if (text.startsWith('data:')) return dataUri(text, at);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) return readAs({ type: 'url', url: text }, byName(name) ?? byName(text));
  if (!isBase64(text)) throw badField(at, `Invalid request: '${at}' must be a URL, a data URI or base64`, 'invalid_base64');
  return readAs({ type: 'base64', data: text }, sniff(text) ?? byName(name));
}

/** The kind of media that a type is; what is no picture, sound or film is a document. */
export function mediaOf(mediaType: string | undefined): MediaPart['media'] {
  const kind = mediaType?.split('/')[0];
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'document';
}
