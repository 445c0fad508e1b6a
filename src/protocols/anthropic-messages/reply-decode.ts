import {
  GatewayError,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  type MediaPart,
  type NativePart,
  type Part,
  type ReasoningPart,
  type Reply,
  type TextPart,
  type ToolCallPart,
} from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeCitations, placed } from './citations.ts';
import { DIALECT, withoutDirectCaller, withResidue } from './dialect.ts';
import { decodeErrorEvent } from './faults.ts';
import { unknownMembers } from '../../wire/fields.ts';
import { decodeHostedCall, decodeHostedResult, isHostedCall, isHostedResult } from './hosted-blocks.ts';
import { decodeStop } from './stops.ts';
import { decodeUsage } from './usage.ts';

/*
 * Reads what providers answer: lenient, since it is not ours to refuse. A block that is not as documented is kept as it is.
 */

const TEXT = new Set(['type', 'text', 'citations']);
const THINKING = new Set(['type', 'thinking', 'signature']);
const REDACTED = new Set(['type', 'data']);
const TOOL_USE = new Set(['type', 'id', 'name', 'input']);
const MESSAGE = new Set(['id', 'type', 'role', 'model', 'content', 'stop_reason', 'stop_sequence', 'usage']);

/** A member as text, whatever it is. */
export const str = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** A seal that this wire's maker made; an empty value is none. */
export const sealed = (value: Json | undefined, maker: string) =>
  typeof value === 'string' && value !== '' ? { seal: { by: DIALECT, maker, value } as const } : {};

/** The unknown members of a block that is opened, by its type. */
export function blockResidue(block: JsonObject) {
  const known = { text: TEXT, thinking: THINKING, redacted_thinking: REDACTED, tool_use: TOOL_USE }[str(block['type'])];
  return withResidue(known ? withoutDirectCaller(unknownMembers(block, known)) : {});
}

function text(block: JsonObject): TextPart {
  const citations = decodeCitations(block['citations']);
  const said = str(block['text']);
  return { kind: 'text', text: said, ...(citations ? { citations: placed(citations, said.length) } : {}), ...blockResidue(block) };
}

const thinking = (block: JsonObject, maker: string): ReasoningPart => ({
  kind: 'reasoning',
  text: str(block['thinking']),
  ...sealed(block['signature'], maker),
  ...blockResidue(block),
});

const redacted = (block: JsonObject, maker: string): ReasoningPart => ({
  kind: 'reasoning',
  text: '',
  redacted: true,
  ...sealed(block['data'], maker),
  ...blockResidue(block),
});

/** The arguments of a call as JSON text. */
export const argumentsOf = (input: Json | undefined): string => (typeof input === 'string' ? input : JSON.stringify(input ?? {}));

const toolUse = (block: JsonObject): ToolCallPart => ({
  kind: 'tool-call',
  id: str(block['id']),
  name: str(block['name']),
  argumentsJson: argumentsOf(block['input']),
  ...blockResidue(block),
});

/** An image in a reply: no model of the maker's makes any, gateways' do. */
function image(block: JsonObject): MediaPart | undefined {
  const source = block['source'];
  if (!isObject(source)) return undefined;
  const mediaType = typeof source['media_type'] === 'string' ? { mediaType: source['media_type'] } : {};
  if (typeof source['data'] === 'string') {
    return { kind: 'media', media: 'image', ...mediaType, source: { type: 'base64', data: source['data'] } };
  }
  if (typeof source['url'] === 'string')
    return { kind: 'media', media: 'image', ...mediaType, source: { type: 'url', url: source['url'] } };
  return undefined;
}

/** Reads one finished block of a reply. */
export function decodeReplyBlock(block: JsonObject, maker: string): Part {
  const type = str(block['type']);
  switch (type) {
    case 'text':
      return text(block);
    case 'thinking':
      return thinking(block, maker);
    case 'redacted_thinking':
      return redacted(block, maker);
    case 'tool_use':
      return toolUse(block);
    case 'image':
      return image(block) ?? native(block);
    default:
      if (isHostedCall(type)) return decodeHostedCall(block);
      return isHostedResult(type) ? decodeHostedResult(block) : native(block);
  }
}

const native = (block: JsonObject): NativePart => ({ kind: 'native', by: DIALECT, value: block });

function contentParts(content: Json | undefined, maker: string): readonly Part[] {
  if (typeof content === 'string') return content === '' ? [] : [{ kind: 'text', text: content }];
  if (!Array.isArray(content)) return [];
  return (content as readonly Json[]).filter(isObject).map((block) => decodeReplyBlock(block, maker));
}

const isTier = (value: Json | undefined): value is string => typeof value === 'string';

/** The tier that a usage report names. */
export const tierOf = (usage: JsonObject) => (isTier(usage['service_tier']) ? { serviceTier: usage['service_tier'] } : {});

/** Members of a message that the shared language has no word for. */
export const messageResidue = (message: JsonObject): JsonObject => unknownMembers(message, MESSAGE);

/** Reads a whole reply. Throws `GatewayError` when the body is an error, or is no message. */
export function decodeReply(body: JsonObject, context: SourceContext): Reply {
  if (body['type'] === 'error' || isObject(body['error'])) throw new GatewayError(decodeErrorEvent(body));
  if (body['content'] === undefined && body['stop_reason'] === undefined) {
    throw new GatewayError(
      gatewayFault('upstream', 'The upstream answered with something that is no message', { code: 'upstream_bad_reply' }),
    );
  }
  const usage = isObject(body['usage']) ? body['usage'] : undefined;
  return {
    id: str(body['id']),
    model: str(body['model']),
    parts: contentParts(body['content'], context.maker),
    stop: decodeStop(body['stop_reason'], body['stop_sequence']),
    ...(usage ? { usage: decodeUsage(usage), ...tierOf(usage) } : {}),
    ...withResidue(messageResidue(body)),
  };
}
