import { type ChatRequest, foreignFields, isObject, type JsonObject, type OutputFormat, refuseForeignContent } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { encodeContents, encodeTexts } from './content-encode.ts';
import { DIALECT, isOwn, residueOf } from './dialect.ts';
import { toGoogleSchema, toPlainSchema } from './json-schema.ts';
import { encodeReasoning } from './reasoning-encode.ts';
import { prepareTurns } from './request-turns.ts';
import { encodeToolChoice, encodeTools } from './tools.ts';

const given = (key: string, value: JsonObject[string]): JsonObject => (value === undefined ? {} : { [key]: value });

/** Whether JSON is asked for by its field. Before Gemini 3, that field does not go with functions. */
function heldByField(request: ChatRequest, own: boolean, { facts }: TargetContext): boolean {
  const functions = request.tools.some((tool) => tool.kind !== 'hosted');
  return own || (facts.output !== 'none' && !(functions && facts.reasoningControl === 'budget'));
}

function encodeOutput(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { output } = request;
  if (!output || output.type === 'text' || !heldByField(request, own, context)) return {};
  if (output.type === 'json' || context.facts.output !== 'json-schema') return { responseMimeType: 'application/json' };
  const schema = context.facts.jsonSchemaFields
    ? { responseJsonSchema: own ? output.schema : toPlainSchema(output.schema, 'response_format', context.notes) }
    : { responseSchema: toGoogleSchema(output.schema, 'response_format', context.notes) };
  return { responseMimeType: 'application/json', ...schema };
}

/** What the target can only be told in words of the form of its answer. */
function outputInstruction(output: OutputFormat | undefined, held: boolean, context: TargetContext): string | undefined {
  if (!output || output.type === 'text') return undefined;
  if (held && (output.type === 'json' || context.facts.output === 'json-schema')) return undefined;
  context.notes.add('response_format', 'emulated', 'an instruction asks for JSON');
  const schema = output.type === 'json-schema' ? ` that matches this JSON Schema:\n${JSON.stringify(output.schema)}` : '.';
  return `Answer with one JSON object only, without any text or code fence around it${schema}`;
}

const MAX_SEED = 2 ** 31;

function encodeSampling(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { facts, notes } = context;
  const { temperature, topP, topK, seed, frequencyPenalty, presencePenalty } = request;
  const keep = <T extends number>(field: string, value: T | undefined, is: boolean): T | undefined => {
    if (value === undefined || is || own) return value;
    if (value !== 0) notes.add(field, 'dropped', 'the target does not take it');
    return undefined;
  };
  if (temperature !== undefined && temperature > facts.maxTemperature) {
    notes.add('temperature', 'approximated', `the highest that the target takes is ${facts.maxTemperature}`);
  }
  const cool = temperature === undefined ? undefined : Math.min(temperature, facts.maxTemperature);
  const fits = seed === undefined || (Number.isInteger(seed) && Math.abs(seed) < MAX_SEED);
  if (!fits) notes.add('seed', 'approximated', 'the target takes 32 bits of it');
  return {
    ...given('temperature', keep('temperature', cool, facts.sampling)),
    ...given('topP', keep('top_p', topP, facts.sampling)),
    ...given('topK', keep('top_k', topK, facts.sampling && facts.topK)),
    ...given('frequencyPenalty', keep('frequency_penalty', frequencyPenalty, facts.penalties)),
    ...given('presencePenalty', keep('presence_penalty', presencePenalty, facts.penalties)),
    ...given('seed', keep('seed', fits ? seed : Math.trunc(seed) % MAX_SEED, facts.seed)),
  };
}

function encodeStop(request: ChatRequest, context: TargetContext): JsonObject {
  const { stop } = request;
  if (!stop || stop.length === 0) return {};
  const { maxStop } = context.facts;
  if (stop.length > maxStop) context.notes.add('stop', 'dropped', `the target takes ${maxStop} stop sequences`);
  return { stopSequences: stop.slice(0, maxStop) };
}

function encodeLogprobs(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  if (!request.logprobs) return {};
  if (!context.facts.logprobs && !own) {
    context.notes.add('logprobs', 'dropped', 'the target does not take it');
    return {};
  }
  return { responseLogprobs: true, ...given('logprobs', request.logprobs.top) };
}

function encodeConfig(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const rest = residueOf(request)['generationConfig'];
  return {
    ...(isObject(rest) ? rest : {}),
    ...encodeSampling(request, own, context),
    ...given('candidateCount', request.n === 1 && !own ? undefined : request.n),
    ...given('maxOutputTokens', request.maxOutputTokens),
    ...encodeStop(request, context),
    ...encodeOutput(request, own, context),
    ...encodeLogprobs(request, own, context),
    ...given(
      'responseModalities',
      request.modalities?.map((modality) => modality.toUpperCase()),
    ),
    ...given('thinkingConfig', encodeReasoning(request.reasoning, own, context)),
  };
}

function encodeToolConfig(request: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  const { toolConfig } = residueOf(request);
  const rest = isObject(toolConfig) ? toolConfig : {};
  const kept = rest['functionCallingConfig'];
  const wanted = request.tools.length > 0 || own ? encodeToolChoice(request.toolChoice, context.notes) : undefined;
  const calling = isObject(kept) ? { ...wanted, ...kept } : wanted;
  const kinds = new Set(request.tools.map((tool) => tool.kind === 'hosted'));
  const config = {
    ...rest,
    ...given('functionCallingConfig', calling),
    // The newest models take functions beside Google's own tools only so.
    ...(kinds.size === 2 && context.facts.geminiToolIds && !own ? { includeServerSideToolInvocations: true } : {}),
  };
  return Object.keys(config).length > 0 ? { toolConfig: config } : {};
}

const hasMarks = (request: ChatRequest): boolean =>
  request.cache !== undefined ||
  request.instructions.some((part) => part.cache) ||
  request.turns.some((turn) => turn.parts.some((part) => part.cache)) ||
  request.tools.some((tool) => tool.kind === 'function' && tool.cache);

/** Fields of other dialects that this one has no word for. */
function noteLosses(request: ChatRequest, context: TargetContext): void {
  const lost: readonly (readonly [string, boolean])[] = [
    ['parallel_tool_calls', request.parallelToolCalls === false && request.tools.length > 0],
    ['verbosity', request.verbosity !== undefined && request.verbosity !== 'medium'],
    ['prompt_cache_key', request.promptCacheKey !== undefined],
    ['cache_control', hasMarks(request)],
    ['metadata', request.metadata !== undefined && Object.keys(request.metadata).length > 0],
    ['user', request.user !== undefined],
    ['service_tier', request.serviceTier !== undefined && request.serviceTier !== 'auto'],
  ];
  for (const [field, is] of lost) if (is) context.notes.add(field, 'dropped', 'generateContent has none');
  for (const name of foreignFields(request, DIALECT)) context.notes.add(name, 'dropped', 'generateContent has none');
}

/**
 * Writes a request of `generateContent`; model and form stand in the path. What cannot be said becomes a note; lost content,
 * tools and files throw `GatewayError`.
 */
export function encodeRequest(request: ChatRequest, context: TargetContext): JsonObject {
  const own = isOwn(request);
  const { toolConfig: _toolConfig, generationConfig: _generationConfig, ...rest } = residueOf(request);
  refuseForeignContent(request, DIALECT);
  if (!own) noteLosses(request, context);
  const { instructions, turns } = prepareTurns(request, context);
  const said = outputInstruction(request.output, heldByField(request, own, context), context);
  const system = [...encodeTexts(instructions, context), ...(said === undefined ? [] : [{ text: said }])];
  const tools = encodeTools(request.tools, own, context.facts, context.notes);
  const generationConfig = encodeConfig(request, own, context);
  return {
    ...rest,
    ...(system.length > 0 ? { systemInstruction: { parts: system } } : {}),
    contents: encodeContents(turns, own, context),
    ...(tools.length > 0 ? { tools } : {}),
    ...encodeToolConfig(request, own, context),
    ...(Object.keys(generationConfig).length > 0 ? { generationConfig } : {}),
  };
}
