import { badField, isObject, type Json, type JsonObject, type MediaPart, type Part, type TextPart, wordTable } from '../../ir/index.ts';
import {
  memberPath,
  objectAt,
  optionalArray,
  optionalString,
  requiredObject,
  requiredString,
  unknownMembers,
  wrongKind,
} from '../../wire/fields.ts';
import { decodeAnnotations } from './citations.ts';
import { DIALECT, given, withResidue } from './dialect.ts';
import { decodeLogprobs } from './logprobs.ts';
import { mediaOf, readSource } from '../openai-media.ts';

/*
 * Reads the parts of a message's `content` and of a tool's `output`, as clients send them. Wrong kinds throw a
 * `GatewayError` that names the field.
 */

const TEXT = new Set(['type', 'text', 'annotations', 'logprobs']);
const IMAGE = new Set(['type', 'image_url', 'file_id', 'detail']);
const FILE = new Set(['type', 'file_data', 'file_url', 'file_id', 'filename']);
const AUDIO = new Set(['type', 'input_audio']);

function text(from: JsonObject, at: string): TextPart {
  const citations = decodeAnnotations(optionalArray(from, 'annotations', at));
  const logprobs = decodeLogprobs(optionalArray(from, 'logprobs', at));
  return {
    kind: 'text',
    text: requiredString(from, 'text', at),
    ...(citations.length > 0 ? { citations } : {}),
    ...(logprobs.length > 0 ? { logprobs } : {}),
    ...withResidue(unknownMembers(from, TEXT)),
  };
}

function stored(id: string): MediaPart['source'] {
  return { type: 'file', id, by: DIALECT };
}

/** `input_image`: an address or a data URI, as a string or (as chat has it) in an object; or the id of a file. */
function image(from: JsonObject, at: string): MediaPart {
  const value = from['image_url'];
  const url =
    typeof value === 'object' && value !== null
      ? requiredString(requiredObject(from, 'image_url', at), 'url', memberPath(at, 'image_url'))
      : optionalString(from, 'image_url', at);
  const id = optionalString(from, 'file_id', at);
  const rest = { ...given('detail', optionalString(from, 'detail', at)), ...withResidue(unknownMembers(from, IMAGE)) };
  if (url !== undefined) return { kind: 'media', media: 'image', ...readSource(url, memberPath(at, 'image_url')), ...rest };
  if (id === undefined) throw badField(at, `Invalid request: '${at}' must have 'image_url' or 'file_id'`, 'missing_parameter');
  return { kind: 'media', media: 'image', source: stored(id), ...rest };
}

/** Marks media that came as a file, where its type says that it is something plainer. */
const AS_FILE = 'as_file';

/** Whether the part is to be written as a file again. */
export const cameAsFile = (rest: JsonObject): boolean => rest[AS_FILE] === true;

/** The residue without that mark. */
export function withoutMark(rest: JsonObject): JsonObject {
  const { [AS_FILE]: _mark, ...kept } = rest;
  return kept;
}

function file(from: JsonObject, at: string): MediaPart {
  const data = optionalString(from, 'file_data', at);
  const url = optionalString(from, 'file_url', at);
  const id = optionalString(from, 'file_id', at);
  const filename = optionalString(from, 'filename', at);
  const rest = unknownMembers(from, FILE);
  const key = data === undefined ? 'file_url' : 'file_data';
  const value = data ?? url;
  if (value !== undefined) {
    const read = readSource(value, memberPath(at, key), filename);
    const media = mediaOf(read.mediaType);
    return {
      kind: 'media',
      media,
      ...read,
      ...given('filename', filename),
      ...withResidue(media === 'document' ? rest : { ...rest, [AS_FILE]: true }),
    };
  }
  if (id === undefined) throw badField(at, `Invalid request: '${at}' must have 'file_data', 'file_url' or 'file_id'`, 'missing_parameter');
  return { kind: 'media', media: 'document', source: stored(id), ...given('filename', filename), ...withResidue(rest) };
}

const AUDIO_TYPES: Readonly<Record<string, string>> = wordTable({ mp3: 'audio/mpeg', wav: 'audio/wav' });

function audio(from: JsonObject, at: string): MediaPart {
  const path = memberPath(at, 'input_audio');
  const inner = requiredObject(from, 'input_audio', at);
  const format = optionalString(inner, 'format', path);
  const read = readSource(requiredString(inner, 'data', path), memberPath(path, 'data'));
  const mediaType = format === undefined ? read.mediaType : (AUDIO_TYPES[format] ?? `audio/${format}`);
  return { kind: 'media', media: 'audio', ...read, ...given('mediaType', mediaType), ...withResidue(unknownMembers(from, AUDIO)) };
}

/** One element of a content. A type that is not known here stays as it is. */
function contentPart(value: Json, at: string): Part {
  const from = objectAt(value, at);
  const type = optionalString(from, 'type', at) ?? (typeof from['text'] === 'string' ? 'input_text' : requiredString(from, 'type', at));
  switch (type) {
    case 'input_text':
    case 'output_text':
    case 'text':
    case 'summary_text':
      return text(from, at);
    case 'refusal':
      return { kind: 'refusal', text: requiredString(from, 'refusal', at) };
    case 'input_image':
    case 'image_url':
    case 'computer_screenshot':
      return image(from, at);
    case 'input_file':
      return file(from, at);
    case 'input_audio':
      return audio(from, at);
    default:
      return { kind: 'native', by: DIALECT, value: from };
  }
}

/** Reads a content or an output: a string or a list of parts. */
export function decodeContent(value: Json | undefined, at: string): readonly Part[] {
  if (value === undefined || value === null || value === '') return [];
  if (typeof value === 'string') return [{ kind: 'text', text: value }];
  if (!Array.isArray(value)) throw wrongKind(at, 'a string or an array of content parts', value);
  return (value as readonly Json[]).map((part, index) => {
    const read = contentPart(part, `${at}[${index}]`);
    // A breakpoint is a cache mark by another name; it stays with the part for this dialect.
    return isObject(part) && isObject(part['prompt_cache_breakpoint']) ? { ...read, cache: {} } : read;
  });
}
