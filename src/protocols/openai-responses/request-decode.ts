import {
  badField,
  type ChatRequest,
  isEffort,
  type JsonObject,
  missingField,
  type OutputFormat,
  type Reasoning,
  wordTable,
} from '../../ir/index.ts';
import {
  optionalArray,
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
import { DIALECT, given } from './dialect.ts';
import { decodeInput } from './request-items.ts';
import { decodeToolChoice, decodeTools } from './tools-decode.ts';

const KNOWN = new Set([
  'model',
  'input',
  'instructions',
  'tools',
  'tool_choice',
  'parallel_tool_calls',
  'text',
  'reasoning',
  'max_output_tokens',
  'temperature',
  'top_p',
  'top_k',
  'frequency_penalty',
  'presence_penalty',
  'top_logprobs',
  'stream',
  'user',
  'metadata',
  'service_tier',
  'store',
  'prompt_cache_key',
  'modalities',
]);
const TEXT = new Set(['format', 'verbosity']);
const REASONING = new Set(['effort', 'summary', 'generate_summary']);

/** With it in `include`, the answer's log probabilities come back. */
export const INCLUDE_LOGPROBS = 'message.output_text.logprobs';

/** `text.format`; a kind that is not known here (grammars) stays residue. Clients of chat send `response_format`'s form. */
function outputFormat(text: JsonObject | undefined): OutputFormat | undefined {
  const from = text && optionalObject(text, 'format', 'text');
  if (!from) return undefined;
  const at = 'text.format';
  switch (requiredString(from, 'type', at)) {
    case 'text':
      return { type: 'text' };
    case 'json_object':
      return { type: 'json' };
    case 'json_schema': {
      const inner = optionalObject(from, 'json_schema', at) ?? from;
      return {
        type: 'json-schema',
        schema: requiredObject(inner, 'schema', at),
        ...given('name', optionalString(inner, 'name', at)),
        ...given('description', optionalString(inner, 'description', at)),
        ...given('strict', optionalBoolean(inner, 'strict', at)),
      };
    }
    default:
      return undefined;
  }
}

const SHOW: Readonly<Record<string, NonNullable<Reasoning['show']>>> = wordTable({
  auto: 'auto',
  concise: 'concise',
  detailed: 'detailed',
});

function decodeReasoning(from: JsonObject | undefined): Reasoning | undefined {
  if (!from) return undefined;
  const effort = optionalString(from, 'effort', 'reasoning');
  const summary = optionalString(from, 'summary', 'reasoning') ?? optionalString(from, 'generate_summary', 'reasoning');
  const said: Reasoning = {
    ...(isEffort(effort) ? { effort } : {}),
    ...given('show', summary === undefined ? undefined : SHOW[summary]),
  };
  return Object.keys(said).length > 0 ? said : undefined;
}

function sampling(body: JsonObject, include: readonly string[]) {
  const top = optionalCount(body, 'top_logprobs');
  return {
    ...given('maxOutputTokens', optionalCount(body, 'max_output_tokens')),
    ...given('temperature', optionalNumber(body, 'temperature')),
    ...given('topP', optionalNumber(body, 'top_p')),
    ...given('topK', optionalNumber(body, 'top_k')),
    ...given('frequencyPenalty', optionalNumber(body, 'frequency_penalty')),
    ...given('presencePenalty', optionalNumber(body, 'presence_penalty')),
    ...(include.includes(INCLUDE_LOGPROBS) || (top ?? 0) > 0 ? { logprobs: given('top', top) } : {}),
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

const some = (key: string, rest: JsonObject): JsonObject => (Object.keys(rest).length > 0 ? { [key]: rest } : {});

/** What of the body has no word in the shared language: unknown fields, and the unknown inside known ones. */
function residueOfBody(
  body: JsonObject,
  text: JsonObject | undefined,
  reasoning: JsonObject | undefined,
  output?: OutputFormat,
): JsonObject {
  const effort = reasoning?.['effort'];
  const unknownEffort = typeof effort === 'string' && !isEffort(effort) ? { effort } : {};
  const format = text?.['format'] && !output ? { format: text['format'] } : {};
  return {
    ...unknownMembers(body, KNOWN),
    ...some('text', { ...(text ? unknownMembers(text, TEXT) : {}), ...format }),
    ...some('reasoning', { ...(reasoning ? unknownMembers(reasoning, REASONING) : {}), ...unknownEffort }),
  };
}

/** Whether something else than `input` says what to answer: state that the provider keeps, or a prompt that it stores. */
const continues = (body: JsonObject): boolean =>
  ['previous_response_id', 'conversation', 'prompt'].some((key) => body[key] !== undefined && body[key] !== null);

/** Reads a body of `/v1/responses`. Unknown fields become residue; a wrong kind of a known one throws `GatewayError`. */
export function decodeRequest(body: JsonObject): ChatRequest {
  const model = requiredString(body, 'model');
  if (model === '') throw badField('model', "Invalid request: 'model' must not be empty");
  const { input } = body;
  if ((input === undefined || input === null) && !continues(body)) throw missingField('input');
  const text = optionalObject(body, 'text');
  const reasoning = optionalObject(body, 'reasoning');
  const output = outputFormat(text);
  const include = optionalStrings(body, 'include') ?? [];
  const { instructions } = body;
  const said = Array.isArray(instructions) ? decodeInput(optionalArray(body, 'instructions')) : [];
  const instruction = Array.isArray(instructions) ? undefined : optionalString(body, 'instructions');
  return {
    model,
    instructions: instruction === undefined || instruction === '' ? [] : [{ kind: 'text', text: instruction }],
    turns: [...said, ...decodeInput(input)],
    tools: decodeTools(body),
    ...given('toolChoice', decodeToolChoice(body)),
    ...given('parallelToolCalls', optionalBoolean(body, 'parallel_tool_calls')),
    ...given('output', output),
    ...given('verbosity', text && optionalString(text, 'verbosity', 'text')),
    ...given('reasoning', decodeReasoning(reasoning)),
    ...sampling(body, include),
    ...given('modalities', optionalStrings(body, 'modalities')),
    stream: optionalBoolean(body, 'stream') ?? false,
    ...account(body),
    residue: { [DIALECT]: residueOfBody(body, text, reasoning, output) },
  };
}
