import { badField, type ChatRequest, isEffort, type JsonObject, type OutputFormat } from '../../ir/index.ts';
import { DIALECT, given } from './dialect.ts';
import {
  optionalBoolean,
  optionalCount,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalStrings,
  requiredObject,
  requiredString,
  unknownMembers,
} from '../../wire/fields.ts';
import { decodeMessages } from './message-decode.ts';
import { decodeReasoning } from './reasoning-decode.ts';
import { readCache } from './cache-control.ts';
import { decodeToolChoice, decodeTools, stringOrStrings, WEB_SEARCH_OPTIONS } from './tools-decode.ts';

const KNOWN = new Set([
  'model',
  'messages',
  'tools',
  'functions',
  'tool_choice',
  'function_call',
  'parallel_tool_calls',
  'response_format',
  'verbosity',
  'reasoning_effort',
  'max_tokens',
  'max_completion_tokens',
  'temperature',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'random_seed',
  'stop',
  'n',
  'logprobs',
  'top_logprobs',
  'modalities',
  'stream',
  'stream_options',
  'user',
  'metadata',
  'service_tier',
  'store',
  'prompt_cache_key',
  'cache_control',
  WEB_SEARCH_OPTIONS,
]);
const STREAM_OPTIONS = new Set(['include_usage']);

/** `response_format`; a kind that is not known here (grammars of open servers) stays residue. */
function outputFormat(body: JsonObject): OutputFormat | undefined {
  const from = optionalObject(body, 'response_format');
  if (!from) return undefined;
  const at = 'response_format';
  switch (requiredString(from, 'type', at)) {
    case 'text':
      return { type: 'text' };
    case 'json_object':
      return { type: 'json' };
    case 'json_schema': {
      const inner = requiredObject(from, 'json_schema', at);
      const path = `${at}.json_schema`;
      return {
        type: 'json-schema',
        schema: requiredObject(inner, 'schema', path),
        ...given('name', optionalString(inner, 'name', path)),
        ...given('description', optionalString(inner, 'description', path)),
        ...given('strict', optionalBoolean(inner, 'strict', path)),
      };
    }
    default:
      return undefined;
  }
}

function logprobs(body: JsonObject): { readonly logprobs?: { readonly top?: number } } {
  const top = optionalCount(body, 'top_logprobs');
  return optionalBoolean(body, 'logprobs') ? { logprobs: given('top', top) } : {};
}

function sampling(body: JsonObject) {
  const stop = stringOrStrings(body, 'stop');
  return {
    ...given('maxOutputTokens', optionalCount(body, 'max_completion_tokens') ?? optionalCount(body, 'max_tokens')),
    ...given('temperature', optionalNumber(body, 'temperature')),
    ...given('topP', optionalNumber(body, 'top_p')),
    ...given('topK', optionalNumber(body, 'top_k')),
    ...given('frequencyPenalty', optionalNumber(body, 'frequency_penalty')),
    ...given('presencePenalty', optionalNumber(body, 'presence_penalty')),
    // Mistral's word for it.
    ...given('seed', optionalNumber(body, 'seed') ?? optionalNumber(body, 'random_seed')),
    ...(stop && stop.length > 0 ? { stop } : {}),
    ...given('n', optionalCount(body, 'n', '', 1)),
    ...logprobs(body),
  };
}

function account(body: JsonObject) {
  return {
    ...given('user', optionalString(body, 'user')),
    ...given('metadata', optionalObject(body, 'metadata')),
    ...given('serviceTier', optionalString(body, 'service_tier')),
    ...given('store', optionalBoolean(body, 'store')),
    ...given('promptCacheKey', optionalString(body, 'prompt_cache_key')),
  };
}

/** What of the body has no word in the shared language: unknown fields, and the unknown inside known ones. */
function residueOfBody(body: JsonObject, output: OutputFormat | undefined): JsonObject {
  const options = optionalObject(body, 'stream_options');
  const more = options ? unknownMembers(options, STREAM_OPTIONS) : {};
  const effort = body['reasoning_effort'];
  return {
    ...unknownMembers(body, KNOWN),
    ...(Object.keys(more).length > 0 ? { stream_options: more } : {}),
    ...(typeof effort === 'string' && !isEffort(effort) ? { reasoning_effort: effort } : {}),
    ...(body['response_format'] && !output ? { response_format: body['response_format'] } : {}),
  };
}

/** Reads a body of `/v1/chat/completions`. Unknown fields become residue; a wrong kind of a known one throws `GatewayError`. */
export function decodeRequest(body: JsonObject): ChatRequest {
  const model = requiredString(body, 'model');
  if (model === '') throw badField('model', "Invalid request: 'model' must not be empty");
  const options = optionalObject(body, 'stream_options');
  const output = outputFormat(body);
  return {
    model,
    instructions: [],
    turns: decodeMessages(body),
    tools: decodeTools(body),
    ...given('toolChoice', decodeToolChoice(body)),
    ...given('parallelToolCalls', optionalBoolean(body, 'parallel_tool_calls')),
    ...given('output', output),
    ...given('verbosity', optionalString(body, 'verbosity')),
    ...given('reasoning', decodeReasoning(body)),
    ...sampling(body),
    ...given('modalities', optionalStrings(body, 'modalities')),
    stream: optionalBoolean(body, 'stream') ?? false,
    ...given('includeUsage', options && optionalBoolean(options, 'include_usage', 'stream_options')),
    ...account(body),
    ...given('cache', readCache(body, '')),
    residue: { [DIALECT]: residueOfBody(body, output) },
  };
}
