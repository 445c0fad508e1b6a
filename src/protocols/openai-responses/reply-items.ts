import type { Json, JsonObject, MediaPart, Part, ToolCallPart } from '../../ir/index.ts';
import { unknownMembers } from '../../wire/fields.ts';
import type { SourceContext } from '../protocol.ts';
import { decodeAnnotations } from './citations.ts';
import { DIALECT, given, objects, str, withResidue } from './dialect.ts';
import { decodeHosted, isHostedCall } from './hosted-items.ts';
import { decodeLogprobs } from './logprobs.ts';
import { asAnswer, decodeReasoning, madeImage } from './request-items.ts';

/*
 * Reads the items of a provider's `output`. Lenient: what is not as documented is left out or kept as it is, never refused.
 */

/** Sound that the model made, in a message's content. */
function sound(part: JsonObject): MediaPart {
  return {
    kind: 'media',
    media: 'audio',
    source: { type: 'base64', data: str(part['data']) },
    ...withResidue(str(part['transcript']) === '' ? {} : { transcript: str(part['transcript']) }),
  };
}

/** One part of a message. */
function decodeAnswerPart(part: JsonObject): Part {
  switch (part['type']) {
    case 'output_text':
    case 'text':
    case 'input_text': {
      const citations = decodeAnnotations(part['annotations']);
      const logprobs = decodeLogprobs(part['logprobs']);
      return {
        kind: 'text',
        text: str(part['text']),
        ...(citations.length > 0 ? { citations } : {}),
        ...(logprobs.length > 0 ? { logprobs } : {}),
      };
    }
    case 'refusal':
      return { kind: 'refusal', text: str(part['refusal']) };
    case 'output_audio':
      return sound(part);
    default:
      return { kind: 'native', by: DIALECT, value: part };
  }
}

const CALL = new Set(['type', 'id', 'call_id', 'name', 'arguments', 'input', 'namespace', 'status']);

const argumentsOf = (value: Json | undefined): string =>
  typeof value === 'string' ? value : value !== null && typeof value === 'object' ? JSON.stringify(value) : '';

/** What of a call is known when it begins. */
export function callHead(item: JsonObject, context: SourceContext): Omit<ToolCallPart, 'argumentsJson'> {
  return {
    kind: 'tool-call',
    id: str(item['call_id']) || str(item['id']) || context.newId('call_'),
    name: str(item['name']),
    ...(item['type'] === 'custom_tool_call' ? { input: 'text' } : {}),
    ...given('namespace', str(item['namespace']) || undefined),
    ...given('itemId', str(item['id']) || undefined),
    ...withResidue(unknownMembers(item, CALL)),
  };
}

/** The arguments of a call's item. */
export const callText = (item: JsonObject): string =>
  item['type'] === 'custom_tool_call' ? str(item['input']) : argumentsOf(item['arguments']);

/** The item with an id: some servers send none, or an empty one. */
const named = (item: JsonObject, prefix: string, context: SourceContext): JsonObject =>
  str(item['id']) === '' ? { ...item, id: context.newId(prefix) } : item;

/** Reads one item. Thoughts of which nothing came, neither words nor a seal, are none. */
export function decodeItem(item: JsonObject, context: SourceContext): readonly Part[] {
  const type = str(item['type']);
  switch (type) {
    case 'message': {
      const content = item['content'];
      const parts = typeof content === 'string' ? [{ kind: 'text' as const, text: content }] : objects(content).map(decodeAnswerPart);
      return asAnswer(parts, named(item, 'msg_', context));
    }
    case 'reasoning':
      return decodeReasoning(named(item, 'rs_', context), context.maker).filter((part) => part.text !== '' || part.seal);
    case 'function_call':
    case 'custom_tool_call':
      return [{ ...callHead(item, context), argumentsJson: callText(item) }];
    case 'image_generation_call':
      return [madeImage(item) ?? { kind: 'native', by: DIALECT, value: item }];
    default:
      return isHostedCall(type) ? decodeHosted(item) : [{ kind: 'native', by: DIALECT, value: item }];
  }
}
