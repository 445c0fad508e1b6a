import { badField, type ChatRequest, type Json, type JsonObject, missingField } from '../../ir/index.ts';
import { given } from '../openai-chat/dialect.ts';
import {
  optionalBoolean,
  optionalCount,
  optionalNumber,
  optionalObject,
  optionalString,
  requiredString,
  unknownMembers,
  wrongKind,
} from '../../wire/fields.ts';
import { stringOrStrings } from '../openai-chat/tools-decode.ts';
import { DIALECT } from './dialect.ts';

const KNOWN = new Set([
  'model',
  'prompt',
  'max_tokens',
  'temperature',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'seed',
  'stop',
  'n',
  'logprobs',
  'stream',
  'stream_options',
  'user',
]);

const refused = (message: string): never => {
  throw badField('prompt', `Invalid request: ${message}`, 'unsupported_prompt');
};

/** The prompt's text: a string, or a list of one. Tokens, and several prompts, mean something only to the provider's own endpoint. */
function promptText(value: Json | undefined): string {
  if (value === undefined || value === null) throw missingField('prompt');
  if (typeof value === 'string') return value;
  if (!Array.isArray(value)) throw wrongKind('prompt', 'a string or an array of one', value);
  const [first, ...more] = value as readonly Json[];
  if (first === undefined) return refused("'prompt' must not be an empty array");
  if (typeof first === 'number' || Array.isArray(first)) {
    return refused("'prompt' holds tokens: these can be sent only to a provider that has a completions endpoint of its own");
  }
  if (typeof first !== 'string') throw wrongKind('prompt[0]', 'a string', first);
  return more.length > 0 ? refused(`'prompt' holds ${more.length + 1} prompts: this model takes one a call`) : first;
}

/** Reads a body of `/v1/completions`: one user message. Throws `GatewayError` for prompts that no chat can be asked. */
export function decodeRequest(body: JsonObject): ChatRequest {
  const options = optionalObject(body, 'stream_options');
  const top = optionalCount(body, 'logprobs');
  const stop = stringOrStrings(body, 'stop');
  return {
    model: requiredString(body, 'model'),
    instructions: [],
    turns: [{ role: 'user', parts: [{ kind: 'text', text: promptText(body['prompt']) }] }],
    tools: [],
    ...given('maxOutputTokens', optionalCount(body, 'max_tokens')),
    ...given('temperature', optionalNumber(body, 'temperature')),
    ...given('topP', optionalNumber(body, 'top_p')),
    ...given('topK', optionalNumber(body, 'top_k')),
    ...given('frequencyPenalty', optionalNumber(body, 'frequency_penalty')),
    ...given('presencePenalty', optionalNumber(body, 'presence_penalty')),
    ...given('seed', optionalNumber(body, 'seed')),
    ...(stop && stop.length > 0 ? { stop } : {}),
    ...given('n', optionalCount(body, 'n', '', 1)),
    ...(top === undefined ? {} : { logprobs: { top } }),
    stream: optionalBoolean(body, 'stream') ?? false,
    ...given('includeUsage', options && optionalBoolean(options, 'include_usage', 'stream_options')),
    ...given('user', optionalString(body, 'user')),
    residue: { [DIALECT]: unknownMembers(body, KNOWN) },
  };
}
