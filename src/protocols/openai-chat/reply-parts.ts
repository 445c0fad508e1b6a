import {
  type Citation,
  isObject,
  type Json,
  type JsonObject,
  type MediaPart,
  type Part,
  type ReasoningPart,
  type TextPart,
  type ToolCallPart,
} from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeAnnotations } from './citations.ts';
import { DIALECT, given, withResidue } from './dialect.ts';
import { unknownMembers } from '../../wire/fields.ts';
import { objects, str } from './fields.ts';
import { decodeLogprobs } from './logprobs.ts';
import { readSource } from '../openai-media.ts';
import { readOwnDetails, sealOfMembers } from './reasoning-details.ts';

/*
 * Reads the parts of a provider's message. Lenient: what is not as documented is left out or kept as it is, never refused.
 */

/** The text of `thinking`, a list of text parts (Mistral) or a string. */
export const thinkingText = (value: Json | undefined): string =>
  typeof value === 'string'
    ? value
    : objects(value)
        .map((piece) => str(piece['text']))
        .join('');

/** Reasoning by whichever name the provider has for it. */
export const reasoningText = (from: JsonObject): string => str(from['reasoning_content']) || str(from['reasoning']);

function reasoning(message: JsonObject, maker: string): ReasoningPart | undefined {
  const text = reasoningText(message);
  const details = objects(message['reasoning_details']);
  if (details.length > 0) return readOwnDetails(details, text, maker);
  return text === '' ? undefined : { kind: 'reasoning', text };
}

/** An image of a reply: `{type: "image_url", image_url: {url}}`. One that cannot be read is kept as it is. */
export function replyImage(image: JsonObject): Part {
  const inner = image['image_url'];
  const url = isObject(inner) ? str(inner['url']) : str(inner);
  try {
    return { kind: 'media', media: 'image', ...readSource(url, 'images') };
  } catch {
    return { kind: 'native', by: DIALECT, value: image };
  }
}

/** Marks text that is the transcript of the audio that follows: in this dialect it stands there. */
export const TRANSCRIPT = { residue: { [DIALECT]: { transcript: true } } } as const;

/** What the first characters of base64 say of a sound. */
const SOUNDS: readonly (readonly [RegExp, string])[] = [
  [/^UklGR/, 'audio/wav'],
  [/^(?:SUQz|\/\/[I-Pk-v])/, 'audio/mpeg'],
  [/^\/\/[E-H]/, 'audio/aac'],
  [/^ZkxhQ/, 'audio/flac'],
  [/^T2dnU/, 'audio/ogg'],
];

/** Raw samples, as streams have them, say nothing of themselves; files begin with a name or a frame. https://platform.openai.com/docs/guides/audio */
const soundType = (data: string): string | undefined =>
  data === '' ? undefined : (SOUNDS.find(([sign]) => sign.test(data))?.[1] ?? 'audio/L16;codec=pcm;rate=24000');

/** Audio of a reply: its transcript as text, for dialects without audio, and its bytes. */
export function replyAudio(audio: JsonObject): readonly Part[] {
  const data = str(audio['data']);
  const transcript = str(audio['transcript']);
  const { expires_at } = audio;
  const text: readonly TextPart[] = transcript === '' ? [] : [{ kind: 'text', text: transcript, ...TRANSCRIPT }];
  const media: MediaPart = {
    kind: 'media',
    media: 'audio',
    ...given('mediaType', soundType(data)),
    source: { type: 'base64', data },
    ...given('id', str(audio['id']) || undefined),
    ...withResidue(typeof expires_at === 'number' ? { expires_at } : {}),
  };
  return [...text, media];
}

/** Whether audio is one, likewise. */
const isAudio = (audio: JsonObject): boolean => str(audio['id']) !== '' || str(audio['data']) !== '' || str(audio['transcript']) !== '';

const CALL = new Set(['id', 'type', 'index', 'function', 'custom', 'extra_content']);

/** The arguments of a call as JSON text; some send an object. */
export const argumentsOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value : isObject(value) ? JSON.stringify(value) : '';

/** Whether a call is one: some send one with every member empty where there is none (Snowflake). */
function isCall(call: JsonObject): boolean {
  const inner = isObject(call['custom']) ? call['custom'] : isObject(call['function']) ? call['function'] : {};
  return str(inner['name']) !== '' || argumentsOf(inner['arguments']) !== '' || str(inner['input']) !== '';
}

/** A tool call; one without an id gets one. */
function toolCall(call: JsonObject, context: SourceContext): ToolCallPart {
  const id = str(call['id']) || context.newId('call_');
  const rest = withResidue(unknownMembers(call, CALL));
  const seal = sealOfMembers(call, context.maker);
  const { custom } = call;
  if (isObject(custom)) {
    return { kind: 'tool-call', id, name: str(custom['name']), argumentsJson: str(custom['input']), input: 'text', ...seal, ...rest };
  }
  const fn = isObject(call['function']) ? call['function'] : {};
  return { kind: 'tool-call', id, name: str(fn['name']), argumentsJson: argumentsOf(fn['arguments']), ...seal, ...rest };
}

/** The call of a provider that still answers in the old way. */
function functionCall(value: Json | undefined, context: SourceContext): readonly ToolCallPart[] {
  if (!isObject(value) || !isCall({ function: value })) return [];
  return [{ kind: 'tool-call', id: context.newId('call_'), name: str(value['name']), argumentsJson: argumentsOf(value['arguments']) }];
}

/** One element of a content that is a list (Mistral). */
export function contentPiece(piece: Json): Part | undefined {
  if (typeof piece === 'string') return piece === '' ? undefined : { kind: 'text', text: piece };
  if (!isObject(piece)) return undefined;
  switch (piece['type']) {
    case undefined:
    case 'text':
    case 'output_text':
      return str(piece['text']) === '' ? undefined : { kind: 'text', text: str(piece['text']) };
    case 'thinking':
      return { kind: 'reasoning', text: thinkingText(piece['thinking']) };
    case 'refusal':
      return { kind: 'refusal', text: str(piece['refusal']) };
    case 'image_url':
      return replyImage(piece);
    default:
      return { kind: 'native', by: DIALECT, value: piece };
  }
}

function content(value: Json | undefined): readonly Part[] {
  if (typeof value === 'string') return value === '' ? [] : [{ kind: 'text', text: value }];
  if (!Array.isArray(value)) return [];
  return joinTexts((value as readonly Json[]).map(contentPiece).filter((part) => part !== undefined));
}

/** Neighbouring plain texts are one: that is how a stream of them reads. */
function joinTexts(parts: readonly Part[]): readonly Part[] {
  const out: Part[] = [];
  for (const part of parts) {
    const last = out.at(-1);
    if (part.kind === 'text' && last?.kind === 'text') out[out.length - 1] = { ...last, text: last.text + part.text };
    else out.push(part);
  }
  return out;
}

interface OnText {
  readonly citations: readonly Citation[];
  readonly logprobs: ReturnType<typeof decodeLogprobs>;
  readonly seal: ReturnType<typeof sealOfMembers>;
}

/** Hangs on the first text what a message says beside it; citations without any text make an empty one. */
function onText(parts: readonly Part[], { citations, logprobs, seal }: OnText): readonly Part[] {
  const more = { ...(citations.length > 0 ? { citations } : {}), ...(logprobs.length > 0 ? { logprobs } : {}), ...seal };
  if (Object.keys(more).length === 0) return parts;
  const at = parts.findIndex((part) => part.kind === 'text');
  const first = parts[at];
  if (first?.kind === 'text') return parts.map((part, index) => (index === at ? { ...first, ...more } : part));
  return citations.length > 0 || seal.seal ? [...parts, { kind: 'text', text: '', ...more }] : parts;
}

/** Reads the parts of a choice. `sources`: what the reply cites as a whole, not yet in its annotations. */
export function decodeChoiceParts(
  choice: JsonObject,
  context: SourceContext,
  sources: (cited: readonly Citation[]) => readonly Citation[],
): readonly Part[] {
  const message = isObject(choice['message']) ? choice['message'] : isObject(choice['delta']) ? choice['delta'] : {};
  const thought = reasoning(message, context.maker);
  const said = content(message['content'] ?? choice['text']);
  const annotated = decodeAnnotations(message['annotations']);
  const citations = [...annotated, ...sources(annotated)];
  const refusal = str(message['refusal']);
  const { audio } = message;
  return [
    ...(thought ? [thought] : []),
    ...onText(said, { citations, logprobs: decodeLogprobs(choice['logprobs']), seal: sealOfMembers(message, context.maker) }),
    ...(refusal === '' ? [] : [{ kind: 'refusal', text: refusal } as const]),
    ...(isObject(audio) && isAudio(audio) ? replyAudio(audio) : []),
    ...objects(message['images']).map(replyImage),
    ...objects(message['tool_calls'])
      .filter(isCall)
      .map((call) => toolCall(call, context)),
    ...functionCall(message['function_call'], context),
  ];
}
