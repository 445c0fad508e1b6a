import {
  type Citation,
  GatewayError,
  gatewayFault,
  isObject,
  type Json,
  type JsonObject,
  type MediaPart,
  type Part,
  type Reply,
  type Seal,
  type Stop,
  type StopReason,
  type TextPart,
  type Usage,
  wordTable,
} from '../../ir/index.ts';
import type { SourceContext } from '../protocol.ts';
import { DIALECT, SIGNATURE_BY } from './dialect.ts';

/** A member as text, whatever it is. */
export const str = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

const objects = (value: Json | undefined): readonly JsonObject[] =>
  Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : [];

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html#API_runtime_Converse_ResponseSyntax */
const REASONS: Readonly<Record<string, StopReason>> = wordTable({
  end_turn: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  stop_sequence: 'stop-sequence',
  guardrail_intervened: 'content-filter',
  content_filtered: 'content-filter',
  malformed_tool_use: 'malformed-tool-call',
  malformed_model_output: 'other',
  model_context_window_exceeded: 'context-exceeded',
});

/** Reads `stopReason`. Unknown words are `other`, with the word kept. */
export const decodeStop = (reason: Json | undefined): Stop =>
  typeof reason === 'string' ? { reason: REASONS[reason] ?? 'other', raw: reason } : { reason: 'other' };

const count = (value: Json | undefined): number | undefined => (typeof value === 'number' && value >= 0 ? value : undefined);

/** Tokens written for an hour. */
function hourWrites(usage: JsonObject): number | undefined {
  const details = objects(usage['cacheDetails']).filter((detail) => detail['ttl'] === '1h');
  return details.length > 0 ? details.reduce((sum, detail) => sum + (count(detail['inputTokens']) ?? 0), 0) : undefined;
}

/** Reads `usage`. This dialect counts cached input apart from `inputTokens`; the shared language counts all of it as input. */
export function decodeUsage(usage: JsonObject): Usage {
  const cacheRead = count(usage['cacheReadInputTokens']);
  const cacheWrite = count(usage['cacheWriteInputTokens']);
  const cacheWrite1h = hourWrites(usage);
  return {
    input: (count(usage['inputTokens']) ?? 0) + (cacheRead ?? 0) + (cacheWrite ?? 0),
    output: count(usage['outputTokens']) ?? 0,
    ...(cacheRead === undefined ? {} : { cacheRead }),
    ...(cacheWrite === undefined ? {} : { cacheWrite }),
    ...(cacheWrite1h === undefined ? {} : { cacheWrite1h }),
    native: { by: DIALECT, value: usage },
  };
}

/** The seal of signed thinking. */
export const signature = (value: Json | undefined, maker: string): { readonly seal?: Seal } =>
  typeof value === 'string' && value !== '' ? { seal: { by: SIGNATURE_BY, maker, value } } : {};

/** The seal of thinking that is not shown. */
export const redacted = (value: string, maker: string): Part => ({
  kind: 'reasoning',
  text: '',
  redacted: true,
  seal: { by: DIALECT, maker, value },
});

/** Reads a citation, whole or as a stream's delta. */
export function decodeCitation(citation: JsonObject): Citation {
  const location = isObject(citation['location']) ? citation['location'] : {};
  const web = isObject(location['web']) ? location['web'] : {};
  const quote = objects(citation['sourceContent'])
    .map((part) => str(part['text']))
    .join('');
  const url = str(web['url']) || str(citation['source']);
  return {
    ...(url === '' ? {} : { url }),
    ...(str(citation['title']) === '' ? {} : { title: str(citation['title']) }),
    ...(quote === '' ? {} : { quote }),
    native: { by: DIALECT, value: citation },
  };
}

function cited(content: JsonObject): TextPart {
  const text = objects(content['content'])
    .map((part) => str(part['text']))
    .join('');
  return { kind: 'text', text, citations: objects(content['citations']).map(decodeCitation) };
}

/** An image that the model made. */
export function decodeImage(image: JsonObject): MediaPart | undefined {
  const source = isObject(image['source']) ? image['source'] : {};
  const data = str(source['bytes']);
  return data === ''
    ? undefined
    : { kind: 'media', media: 'image', mediaType: `image/${str(image['format']) || 'png'}`, source: { type: 'base64', data } };
}

function reasoning(content: JsonObject, maker: string): Part {
  const hidden = content['redactedContent'];
  if (typeof hidden === 'string') return redacted(hidden, maker);
  const said = isObject(content['reasoningText']) ? content['reasoningText'] : {};
  return { kind: 'reasoning', text: str(said['text']), ...signature(said['signature'], maker) };
}

/** Reads one block of a reply; what is not known is kept as it is. */
function decodeBlock(block: JsonObject, context: SourceContext): readonly Part[] {
  const { text, toolUse, reasoningContent, citationsContent, image } = block;
  if (typeof text === 'string') return text === '' ? [] : [{ kind: 'text', text }];
  if (isObject(toolUse)) {
    const { toolUseId, name, input } = toolUse;
    const id = str(toolUseId) || context.newId('tooluse_');
    return [{ kind: 'tool-call', id, name: str(name), argumentsJson: typeof input === 'string' ? input : JSON.stringify(input ?? {}) }];
  }
  if (isObject(reasoningContent)) return [reasoning(reasoningContent, context.maker)];
  if (isObject(citationsContent)) return [cited(citationsContent)];
  const made = isObject(image) ? decodeImage(image) : undefined;
  return [made ?? { kind: 'native', by: DIALECT, value: block }];
}

/** The tier that was served, in either form. */
export function tierOf(body: JsonObject): { readonly serviceTier?: string } {
  const tier = isObject(body['serviceTier']) ? str(body['serviceTier']['type']) : '';
  return tier === '' ? {} : { serviceTier: tier };
}

/** Reads a whole reply. The wire names neither it nor its model. Throws `GatewayError` when the body is none. */
export function decodeReply(body: JsonObject, context: SourceContext): Reply {
  const message = isObject(body['output']) ? body['output']['message'] : undefined;
  if (!isObject(message) && body['stopReason'] === undefined) {
    const said = str(body['message']) || str(body['Message']);
    throw new GatewayError(
      gatewayFault('upstream', said === '' ? 'The upstream answered with something that is no reply' : said, {
        code: 'upstream_bad_reply',
      }),
    );
  }
  const usage = isObject(body['usage']) ? body['usage'] : undefined;
  return {
    id: context.newId('msg_'),
    model: '',
    parts: isObject(message) ? objects(message['content']).flatMap((block) => decodeBlock(block, context)) : [],
    stop: decodeStop(body['stopReason']),
    ...(usage ? { usage: decodeUsage(usage) } : {}),
    ...tierOf(body),
  };
}
