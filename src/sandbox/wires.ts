import type { ProtocolId } from '../ir/index.ts';
import type { WireWays } from './chat-model.ts';

/** What tells one wire of the sandbox from another, beside its codec. */
export interface WireTraits {
  readonly replyPrefix: string;
  readonly callPrefix: string;
  readonly sealOn: WireWays['sealOn'];
  readonly sealForm: WireWays['sealForm'];
  /** Line end of its server-sent events (Gemini's are CRLF in every recording). */
  readonly lineEnd: '\n' | '\r\n';
}

/** The protocols that the sandbox serves. */
export type ServedProtocol = Exclude<ProtocolId, 'bedrock-converse'>;

/** How the sandbox speaks each of them. */
export const WIRES: Readonly<Record<ServedProtocol, WireTraits>> = {
  'openai-chat': { replyPrefix: 'chatcmpl-', callPrefix: 'call_', sealOn: 'reasoning', sealForm: 'details', lineEnd: '\n' },
  'openai-completions': { replyPrefix: 'cmpl-', callPrefix: 'call_', sealOn: 'nothing', sealForm: 'bare', lineEnd: '\n' },
  'openai-responses': { replyPrefix: 'resp_', callPrefix: 'call_', sealOn: 'reasoning', sealForm: 'bare', lineEnd: '\n' },
  'anthropic-messages': { replyPrefix: 'msg_', callPrefix: 'toolu_', sealOn: 'reasoning', sealForm: 'bare', lineEnd: '\n' },
  gemini: { replyPrefix: '', callPrefix: 'call_', sealOn: 'next', sealForm: 'bare', lineEnd: '\r\n' },
};

/** A sound or a picture that is asked for. */
export interface MediaOperation {
  readonly kind: 'media';
  readonly what: 'speech' | 'transcription' | 'translation' | 'image' | 'image-edit' | 'image-variation';
}

/** Something that is asked of videos. */
export interface VideoOperation {
  readonly kind: 'video';
  readonly action: 'create' | 'list' | 'get' | 'delete' | 'content' | 'remix' | 'edit' | 'extend';
  /** Of one that the path names. */
  readonly id: string;
}

/** What a request asks of the sandbox. `model` and `stream` are there where the path says them. */
export type Operation =
  | {
      readonly kind: 'generate';
      readonly protocol: ServedProtocol;
      readonly model?: string;
      readonly stream?: boolean;
      readonly array?: boolean;
    }
  | { readonly kind: 'count'; readonly protocol: ServedProtocol; readonly model?: string }
  | { readonly kind: 'embed'; readonly protocol: ServedProtocol; readonly model?: string; readonly verb?: string }
  | { readonly kind: 'rerank' }
  | MediaOperation
  | VideoOperation
  | { readonly kind: 'models'; readonly shape: ServedProtocol; readonly id?: string }
  | { readonly kind: 'method'; readonly protocol: ServedProtocol; readonly allow: string }
  | { readonly kind: 'unknown'; readonly protocol: ServedProtocol };

const POSTS: Readonly<Record<string, Operation>> = {
  '/v1/chat/completions': { kind: 'generate', protocol: 'openai-chat' },
  '/v1/completions': { kind: 'generate', protocol: 'openai-completions' },
  '/v1/responses': { kind: 'generate', protocol: 'openai-responses' },
  '/v1/responses/input_tokens': { kind: 'count', protocol: 'openai-responses' },
  '/v1/messages': { kind: 'generate', protocol: 'anthropic-messages' },
  '/v1/messages/count_tokens': { kind: 'count', protocol: 'anthropic-messages' },
  '/v1/embeddings': { kind: 'embed', protocol: 'openai-chat' },
  '/v1/rerank': { kind: 'rerank' },
  '/v1/audio/speech': { kind: 'media', what: 'speech' },
  '/v1/audio/transcriptions': { kind: 'media', what: 'transcription' },
  '/v1/audio/translations': { kind: 'media', what: 'translation' },
  '/v1/images/generations': { kind: 'media', what: 'image' },
  '/v1/images/edits': { kind: 'media', what: 'image-edit' },
  '/v1/images/variations': { kind: 'media', what: 'image-variation' },
};

const GEMINI = /^\/v1(?:beta)?\/models\/(.+):(generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents)$/;
const VIDEOS = /^\/v1\/videos(?:\/([^/]+)(\/content|\/remix)?)?$/;
const LIST = /^\/v1(beta)?\/models(?:\/(.+))?$/;

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function geminiOperation(match: RegExpExecArray, query: string): Operation {
  const model = decoded(match[1] ?? '');
  const verb = match[2] ?? '';
  if (verb.toLowerCase().includes('embed')) return { kind: 'embed', protocol: 'gemini', model, verb };
  if (verb === 'countTokens') return { kind: 'count', protocol: 'gemini', model };
  const stream = match[2] === 'streamGenerateContent';
  return { kind: 'generate', protocol: 'gemini', model, stream, array: stream && new URLSearchParams(query).get('alt') !== 'sse' };
}

/** What may be asked of all videos, of one, of a part of it: by method. */
const VIDEO_ACTIONS: Readonly<Record<string, Readonly<Record<string, VideoOperation['action']>>>> = {
  all: { POST: 'create', GET: 'list' },
  one: { GET: 'get', DELETE: 'delete' },
  '/content': { GET: 'content' },
  '/remix': { POST: 'remix' },
  edits: { POST: 'edit' },
  extensions: { POST: 'extend' },
};

function videoOperation([, id, part]: RegExpExecArray, method: string): Operation {
  const whole = id === undefined ? 'all' : id === 'edits' || id === 'extensions' ? id : 'one';
  const actions = VIDEO_ACTIONS[part ?? whole] ?? {};
  const action = actions[method];
  if (!action) return { kind: 'method', protocol: 'openai-chat', allow: Object.keys(actions).join(', ') };
  return { kind: 'video', action, id: decoded(id ?? '') };
}

/** The shape of a list, and of errors where the path does not say it, by the headers of the vendors' clients. */
function shapeOf(beta: boolean, headers: Readonly<Record<string, string>>): ServedProtocol {
  if (beta || headers['x-goog-api-key'] !== undefined) return 'gemini';
  return headers['anthropic-version'] === undefined ? 'openai-chat' : 'anthropic-messages';
}

/** Reads method and path (with query) of a request. */
export function operationOf(method: string, pathWithQuery: string, headers: Readonly<Record<string, string>>): Operation {
  const [path = '', query = ''] = pathWithQuery.split('?', 2);
  const gemini = GEMINI.exec(path);
  const found = gemini ? geminiOperation(gemini, query) : POSTS[path];
  if (found) {
    const protocol = 'protocol' in found ? found.protocol : 'openai-chat';
    return method === 'POST' ? found : { kind: 'method', protocol, allow: 'POST' };
  }
  const video = VIDEOS.exec(path);
  if (video) return videoOperation(video, method);
  const list = LIST.exec(path);
  const shape = shapeOf(list?.[1] !== undefined || path.startsWith('/v1beta/'), headers);
  if (!list) return { kind: 'unknown', protocol: shape };
  if (method !== 'GET') return { kind: 'method', protocol: shape, allow: 'GET' };
  return { kind: 'models', shape, ...(list[2] === undefined ? {} : { id: decoded(list[2]) }) };
}
