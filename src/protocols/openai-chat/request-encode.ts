import {
  badField,
  type ChatRequest,
  foreignFields,
  refuseForeignContent,
  textOf,
  type JsonObject,
  type OutputFormat,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { encodeAccount } from '../openai-account.ts';
import { cacheControl } from './cache-control.ts';
import { DIALECT, isOwn, residueOf } from './dialect.ts';
import { encodeMessages } from './messages-encode.ts';
import { encodeReasoning } from './reasoning-encode.ts';
import { encodeTools } from './tools-encode.ts';

interface EncodedOutput {
  readonly members: JsonObject;
  /** What the format says, where the target cannot be held to it. */
  readonly instruction?: string;
}

const asked = (schema?: JsonObject): string =>
  `Answer with one JSON object only, without any text or code fence around it${schema ? ` that matches this JSON Schema:\n${JSON.stringify(schema)}` : '.'}`;

function schemaFormat(output: Extract<OutputFormat, { type: 'json-schema' }>): JsonObject {
  const { name, description, schema, strict } = output;
  const json_schema = {
    name: name ?? 'response',
    ...(description === undefined ? {} : { description }),
    schema,
    ...(strict === undefined ? {} : { strict }),
  };
  return { response_format: { type: 'json_schema', json_schema } };
}

const speaksOfJson = ({ instructions, turns }: ChatRequest): boolean =>
  [instructions, ...turns.map((turn) => turn.parts)].some((parts) => /json/i.test(textOf(parts)));

function encodeOutput(request: ChatRequest, own: boolean, context: TargetContext): EncodedOutput {
  const { output } = request;
  if (!output) return { members: {} };
  if (output.type === 'text') return { members: own ? { response_format: { type: 'text' } } : {} };
  const { facts, notes } = context;
  const schema = output.type === 'json-schema' ? output.schema : undefined;
  if (output.type === 'json-schema' && (facts.output === 'json-schema' || own)) return { members: schemaFormat(output) };
  if (facts.output === 'none') {
    notes.add('response_format', 'emulated', 'an instruction asks for JSON');
    return { members: {}, instruction: asked(schema) };
  }
  const members = { response_format: { type: 'json_object' } };
  if (own) return { members };
  if (schema) notes.add('response_format', 'emulated', 'the target takes no schema: an instruction says it');
  // JSON mode is refused where no message speaks of JSON.
  return schema || !speaksOfJson(request) ? { members, instruction: asked(schema) } : { members };
}

function temperatureOf(temperature: number | undefined, context: TargetContext): number | undefined {
  const max = context.facts.maxTemperature;
  if (temperature === undefined || temperature <= max) return temperature;
  context.notes.add('temperature', 'approximated', `the highest that the target takes is ${max}`);
  return max;
}

/** A member that goes where the target takes it, else a note unless it asks for what holds anyway. */
function field(name: string, value: number | undefined, takes: boolean, usual: number | undefined, context: TargetContext): JsonObject {
  if (value === undefined) return {};
  if (takes) return { [name]: value };
  if (value !== usual) context.notes.add(name, 'dropped', 'the target does not take it');
  return {};
}

function encodeSampling(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { facts } = context;
  const { frequencyPenalty, presencePenalty, seed, topP, topK } = request;
  const both = request.temperature !== undefined && topP !== undefined && facts.temperatureWithTopP === false;
  return {
    ...field('temperature', own ? request.temperature : temperatureOf(request.temperature, context), own || facts.sampling, 1, context),
    ...field('top_p', topP, own || (facts.sampling && !both), 1, context),
    ...field('top_k', topK, own || (facts.sampling && facts.topK), undefined, context),
    ...field('frequency_penalty', frequencyPenalty, own || facts.penalties, 0, context),
    ...field('presence_penalty', presencePenalty, own || facts.penalties, 0, context),
    ...field('seed', seed, own || facts.seed, undefined, context),
  };
}

function encodeStop(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { stop } = request;
  if (!stop || stop.length === 0) return {};
  const { maxStop } = context.facts;
  if (own || stop.length <= maxStop) return { stop };
  context.notes.add('stop', 'dropped', maxStop === 0 ? 'the target takes no stop sequences' : `the target takes ${maxStop} stop sequences`);
  return maxStop === 0 ? {} : { stop: stop.slice(0, maxStop) };
}

function encodeLogprobs(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  if (!request.logprobs) return {};
  if (own || context.facts.logprobs) {
    const { top } = request.logprobs;
    return { logprobs: true, ...(top === undefined ? {} : { top_logprobs: top }) };
  }
  context.notes.add('logprobs', 'dropped', 'the target does not take it');
  return {};
}

/** Several answers in one call. Throws where the target gives only one: the client would miss the others. */
function encodeCount(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { n } = request;
  if (n === undefined || (n === 1 && !own)) return {};
  if (n > 1 && !context.facts.n && !own)
    throw badField('n', `Invalid request: this target gives one answer a call, 'n' asks for ${n}`, 'unsupported_value');
  return { n };
}

/**
 * What may come back besides text. Sound never comes alone here, and its form must be said; a stream has raw samples only.
 * https://platform.openai.com/docs/guides/audio
 */
function encodeModalities({ modalities, stream }: ChatRequest, own: boolean): JsonObject {
  if (!modalities || (!own && !modalities.some((modality) => modality !== 'text'))) return {};
  if (own || !modalities.includes('audio')) return { modalities };
  return { modalities: [...new Set(['text', ...modalities])], audio: { voice: 'alloy', format: stream ? 'pcm16' : 'wav' } };
}

function encodeForm(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { verbosity } = request;
  const takes = own || context.facts.chatFields?.includes('verbosity');
  if (verbosity !== undefined && verbosity !== 'medium' && !takes) context.notes.add('verbosity', 'dropped', 'the target does not take it');
  return {
    ...(verbosity !== undefined && takes ? { verbosity } : {}),
    ...encodeModalities(request, own),
  };
}

function encodeStream(request: ChatRequest, rest: JsonObject, context: TargetContext): JsonObject {
  if (!request.stream) return rest['stream_options'] === undefined ? {} : { stream_options: rest['stream_options'] };
  // Without it the stream has no usage, and a streamed call would be free.
  const usage = context.facts.includeUsage || request.includeUsage === true;
  const more = (rest['stream_options'] ?? {}) as JsonObject;
  const options = { ...(usage ? { include_usage: true } : {}), ...more };
  return { stream: true, ...(Object.keys(options).length > 0 ? { stream_options: options } : {}) };
}

/** The mark on the whole request; those on tools are left out with the same note. */
function encodeCache(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const onTools = request.tools.some((tool) => tool.kind === 'function' && tool.cache);
  if (own || context.facts.cacheControl) return request.cache ? cacheControl(request.cache) : {};
  if (request.cache || onTools) context.notes.add('cache_control', 'dropped', 'the target caches by itself, or not at all');
  return {};
}

/** Fields of other dialects that this one has no word for. */
function noteResidue(request: ChatRequest, context: TargetContext): void {
  refuseForeignContent(request, DIALECT);
  for (const name of foreignFields(request, DIALECT)) context.notes.add(name, 'dropped', 'chat has none');
}

/**
 * Writes a request of `/v1/chat/completions`. What cannot be said becomes a note; lost content, tools and files throw
 * `GatewayError`. The order of members is always the same: providers cache by prefix. A client of this dialect is taken
 * at its word.
 */
export function encodeRequest(request: ChatRequest, context: TargetContext): JsonObject {
  const own = isOwn(request);
  const rest = residueOf(request);
  const tools = encodeTools(request, own, context);
  const output = encodeOutput(request, own, context);
  const said = [tools.instruction, output.instruction].filter((text) => text !== undefined);
  if (!own) noteResidue(request, context);
  return {
    ...rest,
    model: context.model,
    messages: encodeMessages(request, said, context),
    ...tools.members,
    ...output.members,
    ...encodeReasoning(request, own, context),
    ...(request.maxOutputTokens === undefined ? {} : { [context.facts.maxTokensField]: request.maxOutputTokens }),
    ...encodeSampling(request, own, context),
    ...encodeStop(request, own, context),
    ...encodeLogprobs(request, own, context),
    ...encodeCount(request, own, context),
    ...encodeForm(request, own, context),
    ...encodeAccount(request, own, context, { wire: 'chat', store: own ? request.store : undefined }),
    ...encodeCache(request, own, context),
    ...encodeStream(request, rest, context),
  };
}
