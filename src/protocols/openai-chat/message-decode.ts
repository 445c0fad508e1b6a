import {
  badField,
  isObject,
  type Json,
  type JsonObject,
  missingField,
  type Part,
  type RefusalPart,
  type TextPart,
  type ToolCallPart,
  type Turn,
} from '../../ir/index.ts';
import { readCache } from './cache-control.ts';
import { decodeAnnotations } from './citations.ts';
import { DIALECT, given, withResidue } from './dialect.ts';
import {
  objectAt,
  optionalArray,
  optionalObject,
  optionalString,
  requiredArray,
  requiredObject,
  requiredString,
  unknownMembers,
  wrongKind,
} from '../../wire/fields.ts';
import { audioPart, documentUrlPart, filePart, imagePart, videoPart } from './media-decode.ts';
import { holdsTokens, place, readCarried, readOwnDetails, sealContent, sealOfMembers } from './reasoning-details.ts';
import { argumentsOf, reasoningText, thinkingText } from './reply-parts.ts';

const MESSAGE = new Set(['role', 'content', 'name', 'cache_control']);
const USER = new Set([...MESSAGE, 'images']);
const ASSISTANT = new Set([
  ...MESSAGE,
  'refusal',
  'tool_calls',
  'function_call',
  'reasoning_content',
  'reasoning',
  'reasoning_details',
  'annotations',
  'images',
  'audio',
  'extra_content',
]);
const TOOL = new Set([...MESSAGE, 'tool_call_id']);
const TEXT = new Set(['type', 'text', 'cache_control']);
const CALL = new Set(['id', 'type', 'index', 'function', 'custom', 'cache_control', 'extra_content']);

function text(from: JsonObject, at: string): TextPart {
  return { kind: 'text', text: requiredString(from, 'text', at), ...withResidue(unknownMembers(from, TEXT)) };
}

/** One element of a content that is a list. A type that is not known here stays as it is. */
function contentPart(value: Json, at: string): Part {
  const from = objectAt(value, at);
  const type = optionalString(from, 'type', at) ?? (typeof from['text'] === 'string' ? 'text' : requiredString(from, 'type', at));
  switch (type) {
    case 'text':
    case 'input_text':
    case 'output_text':
      return text(from, at);
    case 'image_url':
      return imagePart(from, at);
    case 'file':
      return filePart(from, at);
    case 'input_audio':
      return audioPart(from, at);
    case 'video_url':
      return videoPart(from, at);
    case 'document_url':
      return documentUrlPart(from, at);
    case 'refusal':
      return { kind: 'refusal', text: requiredString(from, 'refusal', at) };
    case 'thinking':
      return { kind: 'reasoning', text: thinkingText(from['thinking']) };
    default:
      return { kind: 'native', by: DIALECT, value: from };
  }
}

function contentParts(value: Json | undefined, at: string): readonly Part[] {
  if (value === undefined || value === null) return [];
  if (typeof value === 'string') return value === '' ? [] : [{ kind: 'text', text: value }];
  if (!Array.isArray(value)) throw wrongKind(at, 'a string or an array', value);
  return (value as readonly Json[]).map((part, index) => {
    const path = `${at}[${index}]`;
    const cache = isObject(part) ? readCache(part, path) : undefined;
    return { ...contentPart(part, path), ...given('cache', cache) };
  });
}

/** A mark on a message is one on its last part. */
function withMark(parts: readonly Part[], message: JsonObject, at: string): readonly Part[] {
  const cache = readCache(message, at);
  const last = parts.at(-1);
  return cache && last ? [...parts.slice(0, -1), { ...last, cache }] : parts;
}

function toolCall(value: Json, at: string): ToolCallPart {
  const from = objectAt(value, at);
  const common = { ...given('cache', readCache(from, at)), ...sealOfMembers(from), ...withResidue(unknownMembers(from, CALL)) };
  const id = requiredString(from, 'id', at);
  const custom = optionalObject(from, 'custom', at);
  if (custom) {
    const path = `${at}.custom`;
    const input = optionalString(custom, 'input', path) ?? '';
    return { kind: 'tool-call', id, name: requiredString(custom, 'name', path), argumentsJson: input, input: 'text', ...common };
  }
  const fn = requiredObject(from, 'function', at);
  const path = `${at}.function`;
  // Some clients send the arguments as the object that they are.
  const args = isObject(fn['arguments']) ? argumentsOf(fn['arguments']) : (optionalString(fn, 'arguments', path) ?? '');
  return { kind: 'tool-call', id, name: requiredString(fn, 'name', path), argumentsJson: args, ...common };
}

/** Ids for calls in the older form, which has none: the result that follows belongs to the last call of its name. */
interface LegacyIds {
  call(name: string): string;
  result(name: string): string;
}

function createLegacyIds(): LegacyIds {
  let serial = 0;
  const last = new Map<string, string>();
  return {
    call(name) {
      const id = `call_function_${serial++}`;
      last.set(name, id);
      return id;
    },
    result: (name) => last.get(name) ?? `call_function_${name}`,
  };
}

function functionCall(message: JsonObject, at: string, ids: LegacyIds): readonly ToolCallPart[] {
  const from = optionalObject(message, 'function_call', at);
  if (!from) return [];
  const path = `${at}.function_call`;
  const name = requiredString(from, 'name', path);
  return [{ kind: 'tool-call', id: ids.call(name), name, argumentsJson: optionalString(from, 'arguments', path) ?? '' }];
}

function refusal(message: JsonObject, at: string): readonly RefusalPart[] {
  const said = optionalString(message, 'refusal', at);
  return said === undefined || said === '' ? [] : [{ kind: 'refusal', text: said }];
}

/** Images that the model made, as `message.images` holds them. */
function images(message: JsonObject, at: string): readonly Part[] {
  return (optionalArray(message, 'images', at) ?? []).map((image, index) => {
    const path = `${at}.images[${index}]`;
    return imagePart(typeof image === 'string' ? { image_url: image } : objectAt(image, path), path);
  });
}

/** Audio that the provider keeps and knows by its id. */
function audio(message: JsonObject, at: string): readonly Part[] {
  const from = optionalObject(message, 'audio', at);
  return from ? [{ kind: 'native', by: DIALECT, value: { audio: from } }] : [];
}

/** Hangs annotations and a seal on the text. */
function onText(parts: readonly Part[], message: JsonObject): readonly Part[] {
  const citations = decodeAnnotations(message['annotations']);
  const more: Omit<TextPart, 'kind' | 'text'> = { ...(citations.length > 0 ? { citations } : {}), ...sealOfMembers(message) };
  if (Object.keys(more).length === 0) return parts;
  const at = parts.findIndex((part) => part.kind === 'text');
  const first = parts[at];
  // A seal without any text is one on an empty text, as in a reply.
  if (first?.kind !== 'text') return more.seal ? [...parts, { kind: 'text', text: '', ...more }] : parts;
  return parts.map((part, index) => (index === at ? { ...first, ...more } : part));
}

/** Splits texts where seals of other dialects stood on pieces of them. */
function sealedContent(content: readonly Part[], spans: ReturnType<typeof readCarried>['content']): readonly Part[] {
  if (spans.length === 0) return content;
  const said = content.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  const texts = sealContent(said, spans).map((piece): TextPart => ({ kind: 'text', ...piece }));
  const first = content.find((part) => part.kind === 'text');
  const citations = first?.citations ? { citations: first.citations } : {};
  return [
    ...texts.map((part, index) => (index === 0 ? { ...part, ...citations } : part)),
    ...content.filter((part) => part.kind !== 'text'),
  ];
}

interface Pieces {
  readonly content: readonly Part[];
  readonly refusal: readonly Part[];
  readonly media: readonly Part[];
  readonly calls: readonly ToolCallPart[];
}

/** Parts of a message whose `reasoning_details` hold state of other dialects: each goes back where it stood. */
function carriedParts(details: readonly JsonObject[], thought: string, pieces: Pieces): readonly Part[] {
  const carried = readCarried(details, new Set(pieces.calls.map((call) => call.id)));
  const calls = pieces.calls.map((call) => ({ ...call, ...given('seal', call.seal ?? carried.calls.get(call.id)) }));
  let image = 0;
  const media = pieces.media.map((part) => {
    const seal = part.kind === 'media' ? carried.images.get(image++) : undefined;
    return seal && part.kind === 'media' ? { ...part, seal } : part;
  });
  const others = [...sealedContent(pieces.content, carried.content), ...pieces.refusal, ...media, ...calls];
  if (carried.reasoning.length > 0) return place(carried.reasoning, others);
  return thought === '' ? others : [{ kind: 'reasoning', text: thought }, ...others];
}

function assistantParts(message: JsonObject, at: string, ids: LegacyIds): readonly Part[] {
  optionalString(message, 'reasoning_content', at);
  const details = (optionalArray(message, 'reasoning_details', at) ?? []).filter(isObject);
  const thought = reasoningText(message);
  const calls = (optionalArray(message, 'tool_calls', at) ?? []).map((call, index) => toolCall(call, `${at}.tool_calls[${index}]`));
  const pieces: Pieces = {
    content: onText(contentParts(message['content'], `${at}.content`), message),
    refusal: refusal(message, at),
    media: [...images(message, at), ...audio(message, at)],
    calls: [...calls, ...functionCall(message, at, ids)],
  };
  if (holdsTokens(details)) return carriedParts(details, thought, pieces);
  const reasoning = details.length > 0 ? readOwnDetails(details, thought) : undefined;
  const plain: readonly Part[] = thought === '' ? [] : [{ kind: 'reasoning', text: thought }];
  return [...(reasoning ? [reasoning] : plain), ...pieces.content, ...pieces.refusal, ...pieces.media, ...pieces.calls];
}

const named = (message: JsonObject, at: string): { readonly name?: string } => given('name', optionalString(message, 'name', at));

function assistant(message: JsonObject, at: string, ids: LegacyIds): Turn {
  const rest = withResidue(unknownMembers(message, ASSISTANT));
  return { role: 'assistant', parts: withMark(assistantParts(message, at, ids), message, at), ...named(message, at), ...rest };
}

function speaker(message: JsonObject, role: 'system' | 'developer' | 'user', at: string): Turn {
  const { content } = message;
  if (content === undefined || content === null) throw missingField(`${at}.content`);
  // Ollama's clients put what the user shows beside the text.
  const shown = role === 'user' ? images(message, at) : [];
  const parts = withMark([...contentParts(content, `${at}.content`), ...shown], message, at);
  return { role, parts, ...named(message, at), ...withResidue(unknownMembers(message, role === 'user' ? USER : MESSAGE)) };
}

function toolResult(message: JsonObject, callId: string, known: ReadonlySet<string>, at: string): Turn {
  const cache = readCache(message, at);
  const content = contentParts(message['content'], `${at}.content`);
  return {
    role: 'user',
    parts: [{ kind: 'tool-result', callId, ...named(message, at), content, isError: false, ...given('cache', cache) }],
    ...withResidue(unknownMembers(message, known)),
  };
}

function decodeMessage(value: Json, index: number, ids: LegacyIds): Turn {
  const at = `messages[${index}]`;
  const message = objectAt(value, at);
  const role = requiredString(message, 'role', at);
  switch (role) {
    case 'system':
    case 'developer':
    case 'user':
      return speaker(message, role, at);
    case 'assistant':
      return assistant(message, at, ids);
    case 'tool':
      return toolResult(message, requiredString(message, 'tool_call_id', at), TOOL, at);
    case 'function':
      return toolResult(message, ids.result(requiredString(message, 'name', at)), MESSAGE, at);
    default:
      throw badField(
        `${at}.role`,
        `Invalid request: '${at}.role' must be 'system', 'developer', 'user', 'assistant', 'tool' or 'function', found '${role.slice(0, 64)}'`,
      );
  }
}

/** Reads `messages`, of which there must be one. */
export function decodeMessages(body: JsonObject): readonly Turn[] {
  const messages = requiredArray(body, 'messages');
  if (messages.length === 0)
    throw badField('messages', "Invalid request: 'messages' must have at least one message, found none", 'empty_array');
  const ids = createLegacyIds();
  return messages.map((message, index) => decodeMessage(message, index, ids));
}
