import {
  badField,
  type ChatRequest,
  type Effort,
  effortOf,
  foreignFields,
  hoistInstructions,
  isObject,
  type Json,
  type JsonObject,
  nearestEffort,
  type OutputFormat,
  type Part,
  type Reasoning,
  refuseForeignContent,
  textOf,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { encodeAccount } from '../openai-account.ts';
import { DIALECT, isOwn, residueOf } from './dialect.ts';
import { encodeInput } from './input-encode.ts';
import { INCLUDE_LOGPROBS } from './request-decode.ts';
import { encodeTools } from './tools-encode.ts';

const asked = (schema?: JsonObject): string =>
  `Answer with one JSON object only, without any text or code fence around it${schema ? ` that matches this JSON Schema:\n${JSON.stringify(schema)}` : '.'}`;

interface EncodedFormat {
  readonly format?: JsonObject;
  /** What the format says, where the target cannot be held to it. */
  readonly instruction?: string;
}

function schemaFormat(output: Extract<OutputFormat, { type: 'json-schema' }>, own: boolean): JsonObject {
  const { name, description, schema, strict } = output;
  return {
    type: 'json_schema',
    name: name ?? 'response',
    ...(description === undefined ? {} : { description }),
    schema,
    // Without a word the schema is held to, and one that is not made for it refused.
    ...(strict === undefined ? (own ? {} : { strict: false }) : { strict }),
  };
}

const speaksOfJson = (request: ChatRequest): boolean =>
  [...request.instructions, ...request.turns.flatMap((turn) => turn.parts)].some((part) => part.kind === 'text' && /json/i.test(part.text));

function encodeFormat(request: ChatRequest, own: boolean, context: TargetContext): EncodedFormat {
  const { output } = request;
  if (!output) return {};
  if (output.type === 'text') return own ? { format: { type: 'text' } } : {};
  const { facts, notes } = context;
  const schema = output.type === 'json-schema' ? output.schema : undefined;
  if (output.type === 'json-schema' && (facts.output === 'json-schema' || own)) return { format: schemaFormat(output, own) };
  if (facts.output === 'none') {
    notes.add('text.format', 'emulated', 'an instruction asks for JSON');
    return { instruction: asked(schema) };
  }
  const format = { type: 'json_object' };
  if (own) return { format };
  if (schema) notes.add('text.format', 'emulated', 'the target takes no schema: an instruction says it');
  // JSON mode is refused where no message speaks of JSON.
  return { format, ...(schema || !speaksOfJson(request) ? { instruction: asked(schema) } : {}) };
}

function encodeText(
  request: ChatRequest,
  format: JsonObject | undefined,
  own: boolean,
  rest: JsonObject,
  context: TargetContext,
): JsonObject {
  const { verbosity } = request;
  const takes = own || context.facts.chatFields?.includes('verbosity');
  if (verbosity !== undefined && verbosity !== 'medium' && !takes) context.notes.add('verbosity', 'dropped', 'the target does not take it');
  const more = isObject(rest['text']) ? rest['text'] : {};
  const text = { ...more, ...(format ? { format } : {}), ...(verbosity !== undefined && takes ? { verbosity } : {}) };
  return Object.keys(text).length > 0 ? { text } : {};
}

/** The target's word for an effort; `undefined`: the model's default, or the target has no words. */
function effortWord(reasoning: Reasoning, context: TargetContext): Effort | undefined {
  // Switched on without a word of how much: some models do not think by themselves.
  const effort = effortOf(reasoning) ?? (reasoning.enabled || reasoning.adaptive ? 'medium' : undefined);
  if (effort === undefined) return undefined;
  const { efforts } = context.facts;
  // A model that cannot stop is asked for as little as it takes.
  const word = effort === 'none' && !efforts.includes('none') ? nearestEffort('minimal', efforts) : nearestEffort(effort, efforts);
  if (word === undefined) context.notes.add('reasoning.effort', 'dropped', 'the target takes no effort');
  else if (word !== effort) context.notes.add('reasoning.effort', 'approximated', `'${effort}' became '${word}'`);
  return word;
}

function encodeReasoning(request: ChatRequest, own: boolean, rest: JsonObject, context: TargetContext): JsonObject {
  const { reasoning } = request;
  const more = isObject(rest['reasoning']) ? rest['reasoning'] : {};
  const said = reasoning ? saidOf(reasoning, own, context) : {};
  const written = { ...more, ...said };
  return Object.keys(written).length > 0 ? { reasoning: written } : {};
}

function saidOf(reasoning: Reasoning, own: boolean, context: TargetContext): JsonObject {
  const { show } = reasoning;
  const summary = show === undefined || show === 'none' ? {} : { summary: show };
  if (own) return { ...(reasoning.effort === undefined ? {} : { effort: reasoning.effort }), ...summary };
  if (context.facts.reasoningControl === 'none') {
    const word = effortOf(reasoning);
    if (word !== 'none') context.notes.add('reasoning', 'dropped', 'the target does not think when asked');
    return {};
  }
  if ((reasoning.budgetTokens ?? 0) > 0) context.notes.add('reasoning.budget', 'approximated', 'the target takes an effort, not a budget');
  const effort = effortWord(reasoning, context);
  return { ...(effort === undefined ? {} : { effort }), ...summary };
}

function temperatureOf(temperature: number, context: TargetContext): number {
  const max = context.facts.maxTemperature;
  if (temperature <= max) return temperature;
  context.notes.add('temperature', 'approximated', `the highest that the target takes is ${max}`);
  return max;
}

function encodeSampling(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { temperature, topP, topK, frequencyPenalty, presencePenalty, seed, stop } = request;
  const { facts, notes } = context;
  const takes = own || facts.sampling;
  const drop = (field: string, value: unknown, usual?: unknown): void => {
    if (value !== undefined && value !== usual) notes.add(field, 'dropped', 'Responses has none');
  };
  if (!own) {
    drop('frequency_penalty', frequencyPenalty, 0);
    drop('presence_penalty', presencePenalty, 0);
    drop('top_k', topK);
    drop('seed', seed);
    if (stop && stop.length > 0) drop('stop', stop);
  }
  if (!takes && temperature !== undefined && temperature !== 1) notes.add('temperature', 'dropped', 'the target does not take it');
  if (!takes && topP !== undefined && topP !== 1) notes.add('top_p', 'dropped', 'the target does not take it');
  return {
    ...(temperature !== undefined && takes ? { temperature: own ? temperature : temperatureOf(temperature, context) } : {}),
    ...(topP !== undefined && takes ? { top_p: topP } : {}),
    ...(own && topK !== undefined ? { top_k: topK } : {}),
    ...(own && frequencyPenalty !== undefined ? { frequency_penalty: frequencyPenalty } : {}),
    ...(own && presencePenalty !== undefined ? { presence_penalty: presencePenalty } : {}),
  };
}

/** Several answers in one call. Throws where they are asked for: the client would miss the others. */
function refuseCount(request: ChatRequest): void {
  const { n } = request;
  if (n !== undefined && n > 1)
    throw badField('n', `Invalid request: this target gives one answer a call, 'n' asks for ${n}`, 'unsupported_value');
}

/** What the answer is to hold besides: sealed thoughts, log probabilities. */
function encodeInclude(request: ChatRequest, own: boolean, rest: JsonObject, context: TargetContext): JsonObject {
  const kept = Array.isArray(rest['include']) ? (rest['include'] as readonly Json[]) : [];
  const include = new Set(kept);
  const { logprobs } = request;
  const takes = own || context.facts.logprobs;
  if (logprobs && !takes) context.notes.add('logprobs', 'dropped', 'the target does not take it');
  if (logprobs && takes && !(own && kept.length > 0)) include.add(INCLUDE_LOGPROBS);
  // So that thoughts come back sealed, whoever keeps the conversation.
  if (context.facts.encryptedReasoning && !own) include.add('reasoning.encrypted_content');
  return {
    ...(include.size > 0 || Array.isArray(rest['include']) ? { include: [...include] } : {}),
    ...(logprobs?.top !== undefined && takes ? { top_logprobs: logprobs.top } : {}),
  };
}

/** What is said through other dialects is kept by nobody but its client, unless it says otherwise. */
const storeOf = ({ store }: ChatRequest, own: boolean, { facts }: TargetContext): boolean | undefined =>
  own ? store : facts.store ? false : undefined;

/** Fields of other dialects that this one has no word for. */
function noteResidue(request: ChatRequest, context: TargetContext): void {
  refuseForeignContent(request, DIALECT);
  for (const name of foreignFields(request, DIALECT)) context.notes.add(name, 'dropped', 'Responses has none');
}

function noteForm(request: ChatRequest, context: TargetContext): void {
  const more = request.modalities?.filter((modality) => modality !== 'text') ?? [];
  if (more.length > 0) context.notes.add('modalities', 'dropped', 'Responses makes other media by tools only');
  const tools = request.tools.some((tool) => tool.kind === 'function' && tool.cache);
  const marked = [...request.instructions, ...request.turns.flatMap((turn) => turn.parts)].some((part) => part.cache);
  if (marked || tools || request.cache) context.notes.add('cache_control', 'dropped', 'the target caches by itself, or not at all');
}

/** `instructions`, with what the target can only be told in words at their end. Media among them open the conversation. */
function splitInstructions(request: ChatRequest, said: readonly string[], context: TargetContext) {
  const texts = request.instructions.filter((part) => part.kind === 'text').map((part) => part.text);
  const media: readonly Part[] = request.instructions.filter((part) => part.kind === 'media');
  if (media.length > 0) context.notes.add('instructions', 'moved', 'media among the instructions stand in a user message');
  if (textOf(request.instructions) === '' && texts.length === 0 && request.instructions.length > media.length)
    context.notes.add('instructions', 'dropped', 'blocks that only another dialect can say');
  const instructions = [...texts, ...said].filter((text) => text !== '').join('\n\n');
  return { instructions: instructions === '' ? {} : { instructions }, media };
}

/** Leading system messages of other dialects are the instructions: what has to be said besides follows them. */
function hoisted(request: ChatRequest, said: readonly string[], own: boolean): ChatRequest {
  if (own || said.length === 0) return request;
  const { instructions, turns } = hoistInstructions(request);
  return { ...request, instructions, turns };
}

/**
 * Writes a request of `/v1/responses`. What cannot be said becomes a note; lost content, tools and files throw
 * `GatewayError`. The order of members is always the same: providers cache by prefix. A client of this dialect is taken
 * at its word.
 */
export function encodeRequest(given: ChatRequest, context: TargetContext): JsonObject {
  const own = isOwn(given);
  const rest = residueOf(given);
  const tools = encodeTools(given, own, context);
  const { format, instruction } = encodeFormat(given, own, context);
  const said = [tools.instruction, instruction].filter((text) => text !== undefined);
  const request = hoisted(given, said, own);
  const { instructions, media } = splitInstructions(request, said, context);
  const turns = media.length > 0 ? [{ role: 'user' as const, parts: media }, ...request.turns] : request.turns;
  if (!own) {
    noteResidue(request, context);
    noteForm(request, context);
    refuseCount(request);
  }
  const input = encodeInput({ ...request, turns }, context);
  return {
    ...rest,
    model: context.model,
    ...instructions,
    ...(input.length > 0 || !own ? { input } : {}),
    ...tools.members,
    ...encodeText(request, format, own, rest, context),
    ...encodeReasoning(request, own, rest, context),
    ...(request.maxOutputTokens === undefined ? {} : { max_output_tokens: request.maxOutputTokens }),
    ...encodeSampling(request, own, context),
    ...encodeInclude(request, own, rest, context),
    ...(own && request.modalities ? { modalities: request.modalities } : {}),
    ...encodeAccount(request, own, context, { wire: 'Responses', store: storeOf(request, own, context) }),
    ...(request.stream ? { stream: true } : {}),
  };
}
