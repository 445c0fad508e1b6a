import {
  badField,
  type ChatRequest,
  foreignFields,
  type JsonObject,
  type OutputFormat,
  refuseForeignContent,
  type Turn,
  wordTable,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { cachePoint, encodeParts } from './content-encode.ts';
import { DIALECT } from './dialect.ts';
import { encodeReasoning } from './reasoning-encode.ts';
import { prepareTurns } from './request-turns.ts';
import { encodeTools } from './tools-encode.ts';

type Blocks = readonly JsonObject[];

interface Message {
  readonly role: string;
  readonly content: Blocks;
}

/** Messages without content are refused: they go, and their neighbours join. */
function joinMessages(messages: readonly Message[]): readonly Message[] {
  const out: Message[] = [];
  for (const message of messages) {
    const last = out.at(-1);
    if (message.content.length === 0) continue;
    if (last?.role === message.role) out[out.length - 1] = { ...last, content: [...last.content, ...message.content] };
    else out.push(message);
  }
  return out;
}

const has = (message: Message, kind: string): boolean => message.content.some((block) => kind in block);

/** A message with a document must also hold text. */
function withText(message: Message): Message {
  return has(message, 'document') && !has(message, 'text') && !has(message, 'toolResult')
    ? { ...message, content: [...message.content, { text: 'See the document.' }] }
    : message;
}

function encodeMessages(turns: readonly Turn[], context: TargetContext): readonly Message[] {
  const messages = joinMessages(turns.map((turn) => ({ role: turn.role, content: encodeParts(turn.parts, context) }))).map(withText);
  if (messages[0]?.role !== 'assistant') return messages;
  context.notes.add('messages', 'emulated', 'a first user message that says that the assistant begins');
  return [{ role: 'user', content: [{ text: '(The conversation begins with the assistant.)' }] }, ...messages];
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/structured-output.html */
function encodeOutput(
  output: OutputFormat | undefined,
  context: TargetContext,
): { readonly config?: JsonObject; readonly instruction?: string } {
  if (!output || output.type === 'text') return {};
  if (output.type === 'json-schema' && context.facts.output === 'json-schema') {
    const { schema, name, description } = output;
    const jsonSchema = { schema: JSON.stringify(schema), ...(name ? { name } : {}), ...(description ? { description } : {}) };
    return { config: { textFormat: { type: 'json_schema', structure: { jsonSchema } } } };
  }
  context.notes.add('response_format', 'emulated', 'an instruction asks for JSON');
  const shape = output.type === 'json-schema' ? ` that matches this JSON Schema:\n${JSON.stringify(output.schema)}` : '.';
  return { instruction: `Answer with one JSON object only, without any text or code fence around it${shape}` };
}

/** A conversation without a word: the API wants a message that says something. */
function nothingSaid(context: TargetContext): readonly Message[] {
  context.notes.add('messages', 'emulated', 'an empty message says so');
  return [{ role: 'user', content: [{ text: '(The message is empty.)' }] }];
}

interface Sampling {
  readonly common: JsonObject;
  readonly topK?: number;
}

function encodeSampling(request: ChatRequest, thinking: boolean, context: TargetContext): Sampling {
  const { facts, notes } = context;
  const { temperature, topP, topK } = request;
  const takes = facts.sampling && !thinking;
  const why = facts.sampling ? 'it does not go with thinking' : 'the model does not take it';
  const both = temperature !== undefined && topP !== undefined && facts.temperatureWithTopP === false;
  const near = temperature === undefined ? undefined : Math.min(temperature, facts.maxTemperature);
  if (takes && near !== temperature)
    notes.add('temperature', 'approximated', `the highest that the model takes is ${facts.maxTemperature}`);
  if (!takes && temperature !== undefined && temperature !== 1) notes.add('temperature', 'dropped', why);
  if (topP !== undefined && topP !== 1 && (!takes || both))
    notes.add('top_p', 'dropped', takes ? 'it does not go with a temperature' : why);
  if (topK !== undefined && (!takes || !facts.topK)) notes.add('top_k', 'dropped', takes ? 'the model does not take it' : why);
  return {
    common: {
      ...(takes && near !== undefined ? { temperature: near } : {}),
      ...(takes && topP !== undefined && !both ? { topP } : {}),
    },
    ...(takes && facts.topK && topK !== undefined ? { topK } : {}),
  };
}

function encodeStop(request: ChatRequest, context: TargetContext): JsonObject {
  const told = request.stop?.filter((sequence) => sequence !== '') ?? [];
  if (told.length > context.facts.maxStop) context.notes.add('stop', 'dropped', `the model takes ${context.facts.maxStop} stop sequences`);
  const kept = told.slice(0, context.facts.maxStop);
  return kept.length > 0 ? { stopSequences: kept } : {};
}

/** Fields of other dialects that this one has no word for. */
function noteLosses(request: ChatRequest, context: TargetContext): void {
  const lost: readonly (readonly [string, boolean])[] = [
    ['seed', request.seed !== undefined],
    ['frequency_penalty', (request.frequencyPenalty ?? 0) !== 0],
    ['presence_penalty', (request.presencePenalty ?? 0) !== 0],
    ['logprobs', request.logprobs !== undefined],
    ['verbosity', request.verbosity !== undefined && request.verbosity !== 'medium'],
    ['prompt_cache_key', request.promptCacheKey !== undefined],
    ['user', request.user !== undefined],
    ['modalities', request.modalities?.some((modality) => modality !== 'text') ?? false],
  ];
  for (const [field, is] of lost) if (is) context.notes.add(field, 'dropped', 'Converse has none');
  for (const field of foreignFields(request, DIALECT)) context.notes.add(field, 'dropped', 'Converse has none');
}

/** Several answers cannot be had in one call. Throws, since the client would miss the others. */
function refuseSeveral({ n }: ChatRequest): void {
  if (n !== undefined && n > 1)
    throw badField('n', `Invalid request: this target gives one answer a call, 'n' asks for ${n}`, 'unsupported_value');
}

/** At most 16 short texts. https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
function encodeMetadata(request: ChatRequest, context: TargetContext): JsonObject {
  const given = Object.entries(request.metadata ?? {});
  const fits = ([key, value]: readonly [string, unknown]): boolean =>
    typeof value === 'string' && /^[\w\s:@$#=/+,.-]{1,256}$/.test(key) && /^[\w\s:@$#=/+,.-]{0,256}$/.test(value);
  const kept = given.filter(fits).slice(0, 16);
  if (kept.length < given.length) context.notes.add('metadata', 'dropped', 'Converse takes 16 texts of 256 plain characters');
  return kept.length > 0 ? { requestMetadata: Object.fromEntries(kept) } : {};
}

/** https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html */
const TIERS: Readonly<Record<string, string>> = wordTable({ default: 'default', standard: 'default', priority: 'priority', flex: 'flex' });

function encodeTier(request: ChatRequest, context: TargetContext): JsonObject {
  const { serviceTier } = request;
  if (serviceTier === undefined || serviceTier === 'auto') return {};
  const type = TIERS[serviceTier];
  if (type === undefined) context.notes.add('service_tier', 'dropped', `Converse has no tier '${serviceTier}'`);
  return type === undefined ? {} : { serviceTier: { type } };
}

const filled = (key: string, value: JsonObject): JsonObject => (Object.keys(value).length > 0 ? { [key]: value } : {});

/**
 * Writes a request of Converse and ConverseStream, which have the same body; the model is in the path. What cannot be said
 * becomes a note; lost content, tools and files throw `GatewayError`.
 */
export function encodeRequest(request: ChatRequest, context: TargetContext): JsonObject {
  refuseForeignContent(request, DIALECT);
  refuseSeveral(request);
  const { instructions, turns } = prepareTurns(request, context);
  const tools = encodeTools(request, context);
  const output = encodeOutput(request.output, context);
  const reasoning = encodeReasoning(request, context);
  const sampling = encodeSampling(request, reasoning.thinking, context);
  noteLosses(request, context);
  const maxTokens = request.maxOutputTokens ?? reasoning.maxTokens;
  const said = [tools.instruction, output.instruction].flatMap((text) => (text === undefined ? [] : [{ text }]));
  const system = [...encodeParts(instructions, context), ...said, ...cachePoint(request.cache, context)];
  const written = encodeMessages(turns, context);
  const messages = written.length === 0 && system.length === 0 ? nothingSaid(context) : written;
  const alone = messages.length === 0 && system.length > 0;
  if (alone) context.notes.add('system', 'moved', 'the instructions stand in a user message, since there was no other');
  return {
    ...(system.length > 0 && !alone ? { system } : {}),
    messages: alone ? [{ role: 'user', content: system }] : messages.map(({ role, content }) => ({ role, content })),
    ...(tools.toolConfig ? { toolConfig: tools.toolConfig } : {}),
    ...filled('inferenceConfig', {
      ...(maxTokens === undefined ? {} : { maxTokens }),
      ...sampling.common,
      ...encodeStop(request, context),
    }),
    ...filled('additionalModelRequestFields', { ...reasoning.fields, ...(sampling.topK === undefined ? {} : { top_k: sampling.topK }) }),
    ...(output.config ? { outputConfig: output.config } : {}),
    ...encodeMetadata(request, context),
    ...encodeTier(request, context),
    ...request.residue?.[DIALECT],
  };
}
