import { badField, isObject, type JsonObject, type MediaPart, wordTable } from '../../ir/index.ts';
import { mediaOf, readSource } from '../openai-media.ts';
import { given, withResidue } from './dialect.ts';
import { optionalString, requiredObject, unknownMembers, wrongKind } from '../../wire/fields.ts';

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
