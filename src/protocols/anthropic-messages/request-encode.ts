import {
  badField,
  type ChatRequest,
  type Conversation,
  foreignFields,
  refuseForeignContent,
  isObject,
  type Json,
  type JsonObject,
  type OutputFormat,
  type Turn,
  wordTable,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { cacheControl, limitCacheMarks, MAX_CACHE_MARKS } from './cache-control.ts';
import { DIALECT, isOwn, residueOf } from './dialect.ts';
import { encodeParts } from './part-encode.ts';
import { cycleWithoutThinking, encodeReasoning } from './reasoning-encode.ts';
import { prepareTurns } from './request-turns.ts';
import { strictSchema } from './strict-schema.ts';
import { type EncodedTools, encodeTools } from './tools-encode.ts';

type Blocks = readonly JsonObject[];

interface Message {
  readonly role: string;
  readonly content: Blocks;
  readonly residue: JsonObject;
}

/** A lone plain text as a string, which servers of this dialect all take. */
function contentOf(blocks: Blocks): Json {
  const [only] = blocks;
  const isPlain = blocks.length === 1 && only !== undefined && only['type'] === 'text' && Object.keys(only).length === 2;
  return isPlain ? (only['text'] ?? '') : blocks;
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

/** The assistant's last words must not end in white space. */
function trimEnd(messages: readonly Message[], context: TargetContext): readonly Message[] {
  const last = messages.at(-1);
  const block = last?.content.at(-1);
  const text = block?.['text'];
  if (!last || last.role !== 'assistant' || block?.['type'] !== 'text' || typeof text !== 'string') return messages;
  const trimmed = text.trimEnd();
  if (trimmed === text) return messages;
  context.notes.add('messages', 'approximated', 'white space at the end of the last assistant message was taken off');
  return [...messages.slice(0, -1), { ...last, content: [...last.content.slice(0, -1), { ...block, text: trimmed }] }];
}

const OPENING = '(The conversation begins with the assistant.)';

/** The first message must be the user's. */
function openWithUser(messages: readonly Message[], context: TargetContext): readonly Message[] {
  if (messages[0]?.role !== 'assistant') return messages;
  context.notes.add('messages', 'emulated', 'a first user message that says that the assistant begins');
  return [{ role: 'user', content: [{ type: 'text', text: OPENING }], residue: {} }, ...messages];
}

const encodeTurn = (turn: Turn, context: TargetContext): Message => ({
  role: turn.role,
  content: encodeParts(turn.parts, context),
  residue: residueOf(turn),
});

function encodeMessages(turns: readonly Turn[], own: boolean, context: TargetContext): readonly Message[] {
  const messages = turns.map((turn) => encodeTurn(turn, context));
  if (own) return messages.filter((message) => message.content.length > 0 || message.role === 'system');
  return trimEnd(openWithUser(joinMessages(messages), context), context);
}

function outputInstruction(output: OutputFormat | undefined, context: TargetContext): string | undefined {
  if (!output || output.type === 'text') return undefined;
  if (output.type === 'json-schema' && context.facts.output === 'json-schema') return undefined;
  context.notes.add('response_format', 'emulated', 'an instruction asks for JSON');
  const schema = output.type === 'json-schema' ? ` that matches this JSON Schema:\n${JSON.stringify(output.schema)}` : '.';
  return `Answer with one JSON object only, without any text or code fence around it${schema}`;
}

/** What `system` says: the instructions, and what this target can only be told in words. */
function encodeSystem(prepared: Conversation, request: ChatRequest, tools: EncodedTools, context: TargetContext): Blocks {
  const said = [tools.instruction, outputInstruction(request.output, context)].filter((text) => text !== undefined);
  return [...encodeParts(prepared.instructions, context), ...said.map((text): JsonObject => ({ type: 'text', text }))];
}

/** What an empty message says, where there is no other: the API wants one that says something. */
const NOTHING_SAID = '(The message is empty.)';

/** A request of instructions alone: the API wants a message, so they are it. */
function atLeastOne(
  system: Blocks,
  messages: readonly Message[],
  context: TargetContext,
): { system: Blocks; messages: readonly Message[] } {
  if (messages.length > 0) return { system, messages };
  if (system.length === 0) {
    context.notes.add('messages', 'emulated', 'an empty message says so');
    return { system, messages: [{ role: 'user', content: [{ type: 'text', text: NOTHING_SAID }], residue: {} }] };
  }
  context.notes.add('system', 'moved', 'the instructions stand in a user message, since there was no other');
  return { system: [], messages: [{ role: 'user', content: system, residue: {} }] };
}

interface Sampling {
  readonly temperature?: number;
  readonly top_p?: number;
  readonly top_k?: number;
}

function temperatureOf(request: ChatRequest, context: TargetContext): number | undefined {
  const { temperature } = request;
  const max = context.facts.maxTemperature;
  if (temperature === undefined || temperature <= max) return temperature;
  context.notes.add('temperature', 'approximated', `the highest that the target takes is ${max}`);
  return max;
}

/** Sampling that the target takes; `thinking` narrows it. This dialect's own client is taken at its word. */
function encodeSampling(request: ChatRequest, own: boolean, thinking: boolean, context: TargetContext): Sampling {
  const { facts, notes } = context;
  const temperature = temperatureOf(request, context);
  const drop = (field: string, why: string): void => notes.add(field, 'dropped', why);
  const keep = { temperature: facts.sampling, topP: facts.sampling, topK: facts.sampling && facts.topK };
  if (thinking && !own) {
    keep.temperature &&= temperature === 1;
    keep.topP &&= (request.topP ?? 1) >= 0.95;
    keep.topK = false;
  }
  const both = temperature !== undefined && keep.temperature && request.topP !== undefined;
  if (both && facts.temperatureWithTopP === false && !own) keep.topP = false;
  const why = thinking && facts.sampling ? 'it does not go with thinking' : 'the target does not take it';
  if (temperature !== undefined && temperature !== 1 && !keep.temperature) drop('temperature', why);
  if (request.topP !== undefined && request.topP !== 1 && !keep.topP) drop('top_p', both ? 'it does not go with a temperature' : why);
  if (request.topK !== undefined && !keep.topK) drop('top_k', why);
  return {
    ...(temperature !== undefined && keep.temperature ? { temperature } : {}),
    ...(request.topP !== undefined && keep.topP ? { top_p: request.topP } : {}),
    ...(request.topK !== undefined && keep.topK ? { top_k: request.topK } : {}),
  };
}

function encodeStop(request: ChatRequest, context: TargetContext): JsonObject {
  if (!request.stop) return {};
  const told = request.stop.filter((sequence) => sequence.trim() !== '');
  if (told.length < request.stop.length) context.notes.add('stop', 'dropped', 'a stop sequence of white space is not taken');
  if (told.length > context.facts.maxStop) context.notes.add('stop', 'dropped', `the target takes ${context.facts.maxStop} stop sequences`);
  return told.length > 0 ? { stop_sequences: told.slice(0, context.facts.maxStop) } : {};
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
    ['metadata', request.metadata !== undefined && Object.keys(request.metadata).length > 0],
    ['modalities', request.modalities?.some((modality) => modality !== 'text') ?? false],
  ];
  for (const [field, is] of lost) if (is) context.notes.add(field, 'dropped', 'Messages has none');
  for (const field of foreignFields(request, DIALECT)) context.notes.add(field, 'dropped', 'Messages has none');
}

/** Several answers cannot be had in one call. Throws, since the client would miss the others. */
function refuseSeveral({ n }: ChatRequest, context: TargetContext): void {
  if (n === undefined || n === 1 || context.facts.n) return;
  throw badField('n', `Invalid request: this target gives one answer a call, 'n' asks for ${n}`, 'unsupported_value');
}

/** Other dialects' words for tiers. https://docs.claude.com/en/api/service-tiers */
const TIERS: Readonly<Record<string, string>> = wordTable({
  auto: 'auto',
  priority: 'auto',
  default: 'standard_only',
  standard: 'standard_only',
});

function encodeTier(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { serviceTier } = request;
  if (serviceTier === undefined) return {};
  const tier = own ? serviceTier : TIERS[serviceTier];
  if (tier === undefined) context.notes.add('service_tier', 'dropped', `Messages has no tier '${serviceTier}'`);
  return tier === undefined ? {} : { service_tier: tier };
}

function encodeMetadata(request: ChatRequest, rest: JsonObject, context: TargetContext): JsonObject {
  const more = isObject(rest['metadata']) ? rest['metadata'] : {};
  if (request.user !== undefined && !context.facts.metadata) context.notes.add('user', 'dropped', 'the target takes no metadata');
  const metadata = { ...more, ...(request.user === undefined || !context.facts.metadata ? {} : { user_id: request.user }) };
  return Object.keys(metadata).length > 0 ? { metadata } : {};
}

function encodeOutput(
  request: ChatRequest,
  own: boolean,
  effort: string | undefined,
  rest: JsonObject,
  context: TargetContext,
): JsonObject {
  const more = isObject(rest['output_config']) ? rest['output_config'] : {};
  const { output } = request;
  const isHeld = output?.type === 'json-schema' && context.facts.output === 'json-schema';
  const schema = isHeld && !own ? strictSchema(output.schema, 'response_format', context.notes) : isHeld ? output.schema : undefined;
  const config = {
    ...more,
    ...(effort === undefined ? {} : { effort }),
    ...(schema ? { format: { type: 'json_schema', schema } } : {}),
  };
  return Object.keys(config).length > 0 ? { output_config: config } : {};
}

/** `thinking` where the rest of the request allows it. */
function allowedThinking(
  thinking: JsonObject | undefined,
  tools: EncodedTools,
  messages: readonly JsonObject[],
  own: boolean,
  context: TargetContext,
): JsonObject | undefined {
  if (!thinking || thinking['type'] === 'disabled') return thinking;
  if (tools.forced && !own) {
    context.notes.add('reasoning', 'dropped', 'thinking does not go with a forced choice of tools');
    return context.facts.reasoningControl === 'adaptive' && context.facts.efforts.includes('none') ? { type: 'disabled' } : undefined;
  }
  if (thinking['type'] === 'enabled' && cycleWithoutThinking(messages)) {
    context.notes.add('reasoning', 'dropped', 'the calls of this turn were made without thinking of this maker');
    return undefined;
  }
  return thinking;
}

/** The model's own thinking must not stand in an unfinished last message while thinking is off. */
function withoutLastThinking(messages: readonly Message[], thinking: boolean): readonly Message[] {
  const last = messages.at(-1);
  if (thinking || last?.role !== 'assistant') return messages;
  const content = last.content.filter((block) => block['type'] !== 'thinking' && block['type'] !== 'redacted_thinking');
  return content.length === last.content.length
    ? messages
    : [...messages.slice(0, -1), { ...last, content }].filter((message) => message.content.length > 0);
}

const written = (messages: readonly Message[]): readonly JsonObject[] =>
  messages.map(({ role, content, residue }) => ({ ...residue, role, content: contentOf(content) }));

function limited(body: JsonObject, own: boolean, context: TargetContext): JsonObject {
  if (own) return body;
  const { body: out, stripped } = limitCacheMarks(body, MAX_CACHE_MARKS);
  if (stripped > 0)
    context.notes.add('cache_control', 'dropped', `a request has ${MAX_CACHE_MARKS} cache marks at most: the earliest went`);
  return out;
}

const marksOf = (request: ChatRequest): boolean =>
  request.cache !== undefined ||
  request.instructions.some((part) => part.cache) ||
  request.turns.some((turn) => turn.parts.some((part) => part.cache)) ||
  request.tools.some((tool) => tool.kind === 'function' && tool.cache);

/**
 * Writes a request of `/v1/messages`. What cannot be said becomes a note; lost content, tools and files throw
 * `GatewayError`. The order of members is always the same: the provider caches by prefix.
 */
export function encodeRequest(request: ChatRequest, context: TargetContext): JsonObject {
  const own = isOwn(request);
  const rest = residueOf(request);
  refuseSeveral(request, context);
  if (!own) refuseForeignContent(request, DIALECT);
  const prepared = prepareTurns(request, context);
  const tools = encodeTools(request, own, context);
  const wanted = encodeReasoning(request, own, context);
  const plain = atLeastOne(encodeSystem(prepared, request, tools, context), encodeMessages(prepared.turns, own, context), context);
  const thinking = allowedThinking(
    wanted.thinking,
    tools,
    plain.messages.map(({ role, content }) => ({ role, content })),
    own,
    context,
  );
  const isThinking = thinking !== undefined && thinking['type'] !== 'disabled';
  if (!own) noteLosses(request, context);
  if (!context.facts.cacheControl && marksOf(request))
    context.notes.add('cache_control', 'dropped', 'the target has no prompt cache to mark');
  const body: JsonObject = {
    ...rest,
    model: context.model,
    max_tokens: wanted.maxTokens,
    ...(plain.system.length > 0 ? { system: contentOf(plain.system) } : {}),
    messages: written(own ? plain.messages : withoutLastThinking(plain.messages, isThinking)),
    ...(tools.tools.length > 0 ? { tools: tools.tools } : {}),
    ...(tools.choice ? { tool_choice: tools.choice } : {}),
    ...(thinking ? { thinking } : {}),
    ...encodeOutput(request, own, wanted.effort, rest, context),
    ...encodeSampling(request, own, isThinking, context),
    ...encodeStop(request, context),
    ...encodeMetadata(request, rest, context),
    ...encodeTier(request, own, context),
    ...(context.facts.cacheControl ? cacheControl(request.cache) : {}),
    ...(request.stream ? { stream: true } : {}),
  };
  return limited(body, own, context);
}
