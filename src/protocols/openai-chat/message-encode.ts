import {
  type Citation,
  type Json,
  type JsonObject,
  type MediaPart,
  type Notes,
  type Part,
  type Seal,
  type TextPart,
  type TokenLogprob,
  type ToolCallPart,
} from '../../ir/index.ts';
import { encodeCitations } from './citations.ts';
import { DIALECT, residueOf } from './dialect.ts';
import { encodeLogprobs } from './logprobs.ts';
import { membersOfSeal, reasoningDetails, sealDetail } from './reasoning-details.ts';

/*
 * The projection of a reply's parts onto one message: text into `content`, thoughts into `reasoning_content`, calls into
 * `tool_calls`, and what must come back with its place into `reasoning_details`.
 */

/** Between pieces of thinking. */
export const BETWEEN_THOUGHTS = '\n\n';

/** An image in `message.images` and `delta.images`. */
export function encodeImage(part: MediaPart): JsonObject {
  const { source } = part;
  const url =
    source.type === 'url' ? source.url : source.type === 'base64' ? `data:${part.mediaType ?? 'image/png'};base64,${source.data}` : '';
  return { type: 'image_url', image_url: { url } };
}

/** `message.audio`. */
export function encodeAudio(part: MediaPart, transcript: string, id: string): JsonObject {
  const { expires_at } = residueOf(part);
  const data = part.source.type === 'base64' ? part.source.data : '';
  return { id: part.id ?? id, data, transcript, ...(expires_at === undefined ? {} : { expires_at }) };
}

/** One tool call as it stands in a message. */
function encodeToolCall(part: ToolCallPart): JsonObject {
  const { id, name, argumentsJson } = part;
  const more = { ...residueOf(part), ...membersOfSeal(part.seal) };
  if (part.input === 'text') return { ...more, id, type: 'custom', custom: { name, input: argumentsJson } };
  return { ...more, id, type: 'function', function: { name, arguments: argumentsJson === '' ? '{}' : argumentsJson } };
}

/** Whether a text is what the model’s own sound says. */
const isTranscript = (part: TextPart): boolean => residueOf(part)['transcript'] === true;

/** Where the parts of a message stand, when all its text is one: the `index` of `reasoning_details`. */
export function createPlaces() {
  let next = 0;
  let text: number | undefined;
  return {
    /** The place of a part that is beginning. */
    of(kind: Part['kind']): number {
      if (kind === 'text') return (text ??= next++);
      return next++;
    },
  };
}

interface Gathered {
  content: string;
  refusal: string;
  readonly thoughts: string[];
  readonly details: Json[];
  sealed: boolean;
  readonly calls: JsonObject[];
  readonly annotations: JsonObject[];
  readonly logprobs: TokenLogprob[];
  readonly images: JsonObject[];
  transcript: string;
  audio: MediaPart | undefined;
  hasText: boolean;
  extra: JsonObject;
}

function foreign(seal: Seal | undefined): Seal | undefined {
  return seal === undefined || seal.by === DIALECT ? undefined : seal;
}

function text(part: TextPart, index: number, into: Gathered, notes: Notes): void {
  if (isTranscript(part)) {
    into.transcript += part.text;
    return;
  }
  const start = into.content.length;
  into.hasText = true;
  into.content += part.text;
  into.annotations.push(...encodeCitations(part.citations ?? ([] as readonly Citation[]), start, notes));
  into.logprobs.push(...(part.logprobs ?? []));
  into.extra = { ...into.extra, ...membersOfSeal(part.seal) };
  const seal = foreign(part.seal);
  if (seal) into.details.push(sealDetail(seal, `content:${start}-${into.content.length}`, index));
  if (seal) into.sealed = true;
}

function media(part: MediaPart, index: number, into: Gathered, notes: Notes): void {
  if (part.media === 'audio') {
    into.audio = part;
    return;
  }
  if (part.media !== 'image') {
    notes.add('choices[].message', 'dropped', `a message of this dialect holds no ${part.media}`);
    return;
  }
  const seal = foreign(part.seal);
  if (seal) {
    into.details.push(sealDetail(seal, `image:${into.images.length}`, index));
    into.sealed = true;
  }
  into.images.push(encodeImage(part));
}

function gather(part: Part, index: number, into: Gathered, notes: Notes): void {
  switch (part.kind) {
    case 'text':
      return text(part, index, into, notes);
    case 'refusal':
      into.refusal += part.text;
      return;
    case 'reasoning':
      if (part.text !== '') into.thoughts.push(part.text);
      into.details.push(...reasoningDetails(part, index));
      into.sealed ||= part.seal !== undefined;
      return;
    case 'tool-call': {
      const seal = foreign(part.seal);
      if (seal) into.details.push(sealDetail(seal, part.id, index));
      into.sealed ||= seal !== undefined;
      into.calls.push(encodeToolCall(part));
      return;
    }
    case 'media':
      return media(part, index, into, notes);
    default:
      notes.add(part.kind, 'dropped', 'a chat message has no place for it');
  }
}

/** One message, with what stands beside it in a choice. */
export interface EncodedMessage {
  readonly message: JsonObject;
  readonly logprobs: JsonObject | null;
  readonly toolCall: boolean;
}

function calls(into: Gathered, legacy: boolean): JsonObject {
  const [first] = into.calls;
  if (!first) return {};
  return legacy && first['function'] ? { function_call: first['function'] } : { tool_calls: into.calls };
}

/** Writes a choice's message. `legacy`: the client asked with `functions`. `newId` names audio that has no id. */
export function encodeMessage(parts: readonly Part[], legacy: boolean, notes: Notes, newId: (prefix: string) => string): EncodedMessage {
  const into: Gathered = {
    content: '',
    refusal: '',
    thoughts: [],
    details: [],
    sealed: false,
    calls: [],
    annotations: [],
    logprobs: [],
    images: [],
    transcript: '',
    audio: undefined,
    hasText: false,
    extra: {},
  };
  const places = createPlaces();
  for (const part of parts) gather(part, places.of(part.kind), into, notes);
  const silent = into.calls.length > 0 || into.refusal !== '' || into.audio !== undefined;
  const message: JsonObject = {
    ...into.extra,
    role: 'assistant',
    content: into.content === '' && silent ? null : into.content,
    refusal: into.refusal === '' ? null : into.refusal,
    ...(into.thoughts.length > 0 ? { reasoning_content: into.thoughts.join(BETWEEN_THOUGHTS) } : {}),
    ...(into.sealed ? { reasoning_details: into.details } : {}),
    ...calls(into, legacy),
    ...(into.annotations.length > 0 ? { annotations: into.annotations } : {}),
    ...(into.images.length > 0 ? { images: into.images } : {}),
    ...(into.audio ? { audio: encodeAudio(into.audio, into.transcript, newId('audio_')) } : {}),
  };
  return { message, logprobs: into.logprobs.length > 0 ? encodeLogprobs(into.logprobs) : null, toolCall: into.calls.length > 0 };
}
