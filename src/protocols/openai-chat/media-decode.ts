import { badField, isObject, type JsonObject, type MediaPart, type MediaSource, wordTable } from '../../ir/index.ts';
import { given, withResidue } from './dialect.ts';
import { optionalString, requiredObject, unknownMembers, wrongKind } from '../../wire/fields.ts';

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

function dataUri(uri: string, at: string): Read {
  const comma = uri.indexOf(',');
  const head = uri.slice(5, Math.max(comma, 5));
  const data = uri.slice(comma + 1);
  const mediaType = head.split(';')[0] ?? '';
  if (comma < 0 || (head.endsWith(';base64') && !isBase64(data)))
    throw badField(at, `Invalid request: '${at}' is a data URI whose base64 cannot be read`, 'invalid_base64');
  const base64 = head.endsWith(';base64') ? data : Buffer.from(unescapeUri(data), 'utf8').toString('base64');
  const known = mediaType === '' ? sniff(base64) : mediaType;
  return { source: { type: 'base64', data: base64 }, ...given('mediaType', known) };
}

function unescapeUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** Reads an address, a data URI or bare base64. Throws where it is none of them. */
export function readSource(text: string, at: string, name?: string): Read {
  if (text.startsWith('data:')) return dataUri(text, at);
  if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text))
    return { source: { type: 'url', url: text }, ...given('mediaType', byName(name) ?? byName(text)) };
  if (!isBase64(text)) throw badField(at, `Invalid request: '${at}' must be a URL, a data URI or base64`, 'invalid_base64');
  return { source: { type: 'base64', data: text }, ...given('mediaType', sniff(text) ?? byName(name)) };
}

function mediaOf(mediaType: string | undefined): MediaPart['media'] {
  const kind = mediaType?.split('/')[0];
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'document';
}

const IMAGE = new Set(['type', 'image_url', 'text', 'cache_control']);
const IMAGE_URL = new Set(['url', 'detail']);

/** `image_url`, as an object or (Mistral) as the address itself. */
export function imagePart(from: JsonObject, at: string): MediaPart {
  const value = from['image_url'];
  const inner = typeof value === 'string' ? { url: value } : requiredObject(from, 'image_url', at);
  const url = optionalString(inner, 'url', `${at}.image_url`);
  if (url === undefined) throw wrongKind(`${at}.image_url.url`, 'a string', inner['url']);
  const rest = { ...unknownMembers(from, IMAGE), ...unknownMembers(inner, IMAGE_URL) };
  return {
    kind: 'media',
    media: 'image',
    ...readSource(url, `${at}.image_url.url`),
    ...given('detail', optionalString(inner, 'detail', `${at}.image_url`)),
    ...withResidue(rest),
  };
}

const VIDEO = new Set(['type', 'video_url', 'cache_control']);
const VIDEO_URL = new Set(['url']);

/** `video_url`, as several providers take it. */
export function videoPart(from: JsonObject, at: string): MediaPart {
  const value = from['video_url'];
  const inner = typeof value === 'string' ? { url: value } : requiredObject(from, 'video_url', at);
  const url = optionalString(inner, 'url', `${at}.video_url`);
  if (url === undefined) throw wrongKind(`${at}.video_url.url`, 'a string', inner['url']);
  const rest = { ...unknownMembers(from, VIDEO), ...unknownMembers(inner, VIDEO_URL) };
  return { kind: 'media', media: 'video', ...readSource(url, `${at}.video_url.url`), ...withResidue(rest) };
}

const AUDIO = new Set(['type', 'input_audio', 'cache_control']);
const INPUT_AUDIO = new Set(['data', 'format']);

const AUDIO_TYPES: Readonly<Record<string, string>> = wordTable({ mp3: 'audio/mpeg', wav: 'audio/wav' });

/** `input_audio`; some providers take an address there, or leave the format out. */
export function audioPart(from: JsonObject, at: string): MediaPart {
  const value = from['input_audio'];
  const inner = typeof value === 'string' ? { data: value } : requiredObject(from, 'input_audio', at);
  const data = optionalString(inner, 'data', `${at}.input_audio`);
  if (data === undefined) throw wrongKind(`${at}.input_audio.data`, 'a string', inner['data']);
  const format = optionalString(inner, 'format', `${at}.input_audio`);
  const read = readSource(data, `${at}.input_audio.data`);
  const mediaType = format === undefined ? read.mediaType : (AUDIO_TYPES[format] ?? `audio/${format}`);
  const rest = { ...unknownMembers(from, AUDIO), ...unknownMembers(inner, INPUT_AUDIO) };
  return { kind: 'media', media: 'audio', ...read, ...given('mediaType', mediaType), ...withResidue(rest) };
}

const FILE = new Set(['type', 'file', 'cache_control']);
const FILE_INNER = new Set(['file_data', 'file_id', 'filename']);

/** `file`: its bytes, its address, or the id under which the provider keeps it. */
export function filePart(from: JsonObject, at: string): MediaPart {
  const inner = requiredObject(from, 'file', at);
  const path = `${at}.file`;
  const data = optionalString(inner, 'file_data', path);
  const id = optionalString(inner, 'file_id', path);
  const filename = optionalString(inner, 'filename', path);
  const rest = withResidue({ ...unknownMembers(from, FILE), ...unknownMembers(inner, FILE_INNER) });
  if (data !== undefined) {
    const read = readSource(data, `${path}.file_data`, filename);
    return { kind: 'media', media: mediaOf(read.mediaType), ...read, ...given('filename', filename), ...rest };
  }
  if (id === undefined) throw badField(path, `Invalid request: '${path}' must have 'file_data' or 'file_id'`, 'missing_parameter');
  return { kind: 'media', media: 'document', source: { type: 'file', id, by: 'openai-chat' }, ...given('filename', filename), ...rest };
}

/** `document_url` (Mistral): the block itself stays with the part. */
export function documentUrlPart(from: JsonObject, at: string): MediaPart {
  const inner = from['document_url'];
  const value = isObject(inner) ? inner['url'] : inner;
  if (typeof value !== 'string') throw wrongKind(`${at}.document_url`, 'a string', value);
  return { kind: 'media', media: 'document', ...readSource(value, `${at}.document_url`), ...withResidue({ block: from }) };
}
