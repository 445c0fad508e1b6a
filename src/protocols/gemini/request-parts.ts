import {
  badField,
  isObject,
  type Json,
  type JsonObject,
  type MediaPart,
  type Part,
  readSeal,
  type Residue,
  type Seal,
} from '../../ir/index.ts';
import { objectAt, optionalObject, optionalString, requiredString, unknownMembers } from '../../wire/fields.ts';
import { readCarried } from './carried-parts.ts';
import { DIALECT, normal, withResidue } from './dialect.ts';
import { decodeHosted } from './hosted-parts.ts';
import { createPartialArgs } from './partial-args.ts';

/** Calls that wait for their results: results without an id belong to the first of their name. */
export interface CallIds {
  /** The id of a call: its own, or one that is the same each time the conversation is sent. */
  call(name: string, id: string | undefined): string;
  result(name: string, id: string | undefined): string;
}

export function createCallIds(): CallIds {
  const open: { readonly id: string; readonly name: string; readonly made: boolean }[] = [];
  let serial = 0;
  return {
    call(name, id) {
      const given = id ?? `call_${serial}_${name}`.slice(0, 64);
      serial++;
      open.push({ id: given, name, made: id === undefined });
      return given;
    },
    result(name, id) {
      const known = id === undefined ? -1 : open.findIndex((one) => one.id === id);
      // Some servers name results that answer nameless calls.
      const at = known >= 0 ? known : open.findIndex((one) => one.name === name && (id === undefined || one.made));
      const found = at < 0 ? undefined : open.splice(at, 1)[0];
      return found?.id ?? id ?? `call_${serial++}_${name}`.slice(0, 64);
    },
  };
}

interface Common {
  readonly seal?: Seal;
  readonly residue?: Residue;
}

const BASE64 = /^[A-Za-z0-9+/_=\s-]*$/;

/** What a file is by its type. */
export function mediaKind(mediaType: string | undefined): MediaPart['media'] {
  const kind = mediaType?.split('/')[0];
  return kind === 'image' || kind === 'audio' || kind === 'video' ? kind : 'document';
}

function decodeInline(raw: JsonObject, at: string, common: Common): MediaPart {
  const inline = normal(raw);
  const mediaType = optionalString(inline, 'mimeType', at);
  const data = requiredString(inline, 'data', at);
  if (!BASE64.test(data.slice(0, 4096))) throw badField(`${at}.data`, `Invalid request: '${at}.data' is not base64`);
  const filename = optionalString(inline, 'displayName', at);
  return {
    kind: 'media',
    media: mediaKind(mediaType),
    ...(mediaType === undefined ? {} : { mediaType }),
    source: { type: 'base64', data },
    ...(filename === undefined ? {} : { filename }),
    ...common,
  };
}

/** Files of Google's own store, and films that it knows, are known by their address there. */
const OWN_FILE = /\/(?:v1(?:beta|alpha)?\/)?files\/[\w-]+$|^gs:\/\/|^https:\/\/(?:(?:www\.)?youtube\.com|youtu\.be)\//;

function decodeFile(raw: JsonObject, at: string, common: Common): MediaPart {
  const file = normal(raw);
  const mediaType = optionalString(file, 'mimeType', at);
  const uri = requiredString(file, 'fileUri', at);
  return {
    kind: 'media',
    media: mediaKind(mediaType),
    ...(mediaType === undefined ? {} : { mediaType }),
    source: OWN_FILE.test(uri) ? { type: 'file', id: uri, by: DIALECT } : { type: 'url', url: uri },
    ...common,
  };
}

/** The text that stands for a function's response, and whether it is an error. */
function responseText(response: JsonObject): { readonly text: string; readonly isError: boolean } {
  const keys = Object.keys(response);
  const [key] = keys;
  const value = key === undefined ? undefined : response[key];
  if (keys.length === 1 && typeof value === 'string') {
    if (key === 'result' || key === 'output') return { text: value, isError: false };
    if (key === 'error') return { text: value, isError: true };
  }
  return { text: JSON.stringify(response), isError: key === 'error' && keys.length === 1 };
}

function decodeResponse(raw: JsonObject, at: string, ids: CallIds, common: Common): Part {
  const { id, name, response, parts, ...rest } = normal(raw);
  const called = typeof name === 'string' ? name : '';
  const body = response === undefined ? {} : objectAt(response, `${at}.response`);
  const { text, isError } = responseText(body);
  const media = (Array.isArray(parts) ? parts : []).flatMap((one: Json, index): Part[] => {
    const part = normal(objectAt(one, `${at}.parts[${index}]`));
    const inline = optionalObject(part, 'inlineData', `${at}.parts[${index}]`);
    const file = optionalObject(part, 'fileData', `${at}.parts[${index}]`);
    if (inline) return [decodeInline(inline, `${at}.parts[${index}].inlineData`, {})];
    return file ? [decodeFile(file, `${at}.parts[${index}].fileData`, {})] : [];
  });
  return {
    kind: 'tool-result',
    callId: ids.result(called, typeof id === 'string' && id !== '' ? id : undefined),
    ...(called === '' ? {} : { name: called }),
    content: [{ kind: 'text', text }, ...media],
    isError,
    json: body,
    ...common,
    ...(Object.keys(rest).length > 0 ? { residue: { [DIALECT]: { ...common.residue?.[DIALECT], functionResponse: rest } } } : {}),
  };
}

/** Arguments that the client kept as they came, in pieces. */
function pieced(pieces: Json | undefined): JsonObject | undefined {
  if (pieces === undefined) return undefined;
  const args = createPartialArgs();
  args.add(pieces);
  return args.value;
}

function decodeCall(raw: JsonObject, at: string, ids: CallIds, common: Common): Part {
  const { id, name, partialArgs, args = pieced(partialArgs) } = normal(raw);
  if (typeof name !== 'string' || name === '') throw badField(`${at}.name`, `Invalid request: '${at}.name' must be a string`);
  if (args !== undefined && !isObject(args)) throw badField(`${at}.args`, `Invalid request: '${at}.args' must be an object`);
  return {
    kind: 'tool-call',
    id: ids.call(name, typeof id === 'string' && id !== '' ? id : undefined),
    name,
    argumentsJson: JSON.stringify(args ?? {}),
    ...common,
  };
}

const KNOWN: ReadonlySet<string> = new Set(
  'text thought thoughtSignature inlineData fileData functionCall functionResponse executableCode codeExecutionResult toolCall toolResponse'.split(
    ' ',
  ),
);

/** Reads one part of a client's content. */
export function decodePart(raw: Json, at: string, ids: CallIds): Part {
  const part = normal(objectAt(raw, at));
  const signed = optionalString(part, 'thoughtSignature', at);
  const common: Common = {
    ...(signed === undefined || signed === '' ? {} : { seal: readSeal(signed, DIALECT) }),
    ...withResidue(unknownMembers(part, KNOWN)),
  };
  const carried = readCarried(common.seal);
  if (carried) return carried;
  const inner = (key: string): JsonObject | undefined => optionalObject(part, key, at);
  const call = inner('functionCall');
  if (call) return decodeCall(call, `${at}.functionCall`, ids, common);
  const response = inner('functionResponse');
  if (response) return decodeResponse(response, `${at}.functionResponse`, ids, common);
  const inline = inner('inlineData');
  if (inline) return decodeInline(inline, `${at}.inlineData`, common);
  const file = inner('fileData');
  if (file) return decodeFile(file, `${at}.fileData`, common);
  const text = optionalString(part, 'text', at);
  if (text !== undefined) return part['thought'] === true ? { kind: 'reasoning', text, ...common } : { kind: 'text', text, ...common };
  if (common.seal && Object.keys(part).length === 1) return { kind: 'text', text: '', ...common };
  return decodeHosted(part, common) ?? { kind: 'native', by: DIALECT, value: part };
}
