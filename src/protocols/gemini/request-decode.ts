import {
  badField,
  type ChatRequest,
  compact,
  isEffort,
  isObject,
  type Json,
  type JsonObject,
  missingField,
  type OutputFormat,
  type Part,
  type Reasoning,
  type Turn,
} from '../../ir/index.ts';
import {
  objectAt,
  optionalBoolean,
  optionalCount,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalStrings,
  requiredString,
  unknownMembers,
} from '../../wire/fields.ts';
import { DIALECT, normal } from './dialect.ts';
import { fromGoogleSchema } from './json-schema.ts';
import { type CallIds, createCallIds, decodePart } from './request-parts.ts';
import { joinModelTurns } from './streamed-turns.ts';
import { decodeToolChoice, decodeTools } from './tools.ts';

const BODY: ReadonlySet<string> = new Set(['model', 'stream', 'contents', 'systemInstruction', 'generationConfig', 'tools', 'toolConfig']);
const CONFIG: ReadonlySet<string> = new Set(
  'temperature topP topK candidateCount maxOutputTokens stopSequences responseMimeType responseSchema responseJsonSchema presencePenalty frequencyPenalty seed responseLogprobs logprobs responseModalities thinkingConfig'.split(
    ' ',
  ),
);

/** A list that lenient clients send as its only element. */
const asList = (value: Json | undefined, at: string): readonly Json[] => {
  if (value === undefined || value === null) return [];
  if (Array.isArray(value)) return value;
  if (isObject(value) || typeof value === 'string') return [value as Json];
  throw badField(at, `Invalid request: '${at}' must be an array`);
};

const asContent = (value: Json, at: string): JsonObject =>
  typeof value === 'string' ? { parts: [{ text: value }] } : normal(objectAt(value, at));

const decodeParts = (content: JsonObject, at: string, ids: CallIds): readonly Part[] =>
  asList(content['parts'], `${at}.parts`).map((part, index) =>
    decodePart(typeof part === 'string' ? { text: part } : part, `${at}.parts[${index}]`, ids),
  );

const nativeOf = (raw: Json | undefined): Part => ({ kind: 'native', by: DIALECT, value: isObject(raw) ? normal(raw) : {} });

function decodeTurn(raw: Json, at: string, ids: CallIds): Turn {
  const content = asContent(raw, at);
  const role = optionalString(content, 'role', at);
  const parts = decodeParts(content, at, ids);
  if (role !== 'model') return { role: role === 'system' ? 'system' : 'user', parts };
  const raws = asList(content['parts'], at);
  // What the model's own content answers, its server did.
  return { role: 'assistant', parts: parts.map((part, index) => (part.kind === 'tool-result' ? nativeOf(raws[index]) : part)) };
}

function decodeOutput(config: JsonObject): OutputFormat | undefined {
  const at = 'generationConfig';
  const type = optionalString(config, 'responseMimeType', at);
  const plain = optionalObject(config, 'responseJsonSchema', at);
  const google = optionalObject(config, 'responseSchema', at);
  const schema = plain ?? (google && fromGoogleSchema(google));
  if (schema && type !== 'text/plain') return { type: 'json-schema', schema };
  return type === 'application/json' ? { type: 'json' } : undefined;
}

function decodeReasoning(config: JsonObject): Reasoning | undefined {
  const raw = optionalObject(config, 'thinkingConfig', 'generationConfig');
  if (!raw) return undefined;
  const thinking = normal(raw);
  const at = 'generationConfig.thinkingConfig';
  const budget = optionalNumber(thinking, 'thinkingBudget', at);
  const level = optionalString(thinking, 'thinkingLevel', at)?.toLowerCase();
  const show = optionalBoolean(thinking, 'includeThoughts', at);
  return {
    ...(budget === undefined ? {} : { budgetTokens: budget }),
    ...(isEffort(level) ? { effort: level } : {}),
    ...(show === undefined ? {} : { show: show ? ('auto' as const) : ('none' as const) }),
  };
}

function decodeConfig(config: JsonObject): Partial<ChatRequest> {
  const at = 'generationConfig';
  const n = optionalCount(config, 'candidateCount', at);
  const top = optionalCount(config, 'logprobs', at);
  const wanted = optionalBoolean(config, 'responseLogprobs', at);
  return compact({
    temperature: optionalNumber(config, 'temperature', at),
    topP: optionalNumber(config, 'topP', at),
    topK: optionalNumber(config, 'topK', at),
    n,
    maxOutputTokens: optionalCount(config, 'maxOutputTokens', at),
    stop: optionalStrings(config, 'stopSequences', at),
    output: decodeOutput(config),
    presencePenalty: optionalNumber(config, 'presencePenalty', at),
    frequencyPenalty: optionalNumber(config, 'frequencyPenalty', at),
    seed: optionalNumber(config, 'seed', at),
    logprobs: wanted === true ? compact({ top }) : undefined,
    modalities: optionalStrings(config, 'responseModalities', at)?.map((one) => one.toLowerCase()),
    reasoning: decodeReasoning(config),
  } as Partial<ChatRequest>);
}

/** Reads a request; the exchange has put the path's model and form into `model` and `stream`. */
export function decodeRequest(raw: JsonObject): ChatRequest {
  const body = normal(raw);
  const contents = asList(body['contents'], 'contents');
  if (contents.length === 0) throw missingField('contents');
  const ids = createCallIds();
  const system = body['systemInstruction'];
  const config = normal(optionalObject(body, 'generationConfig') ?? {});
  const { toolChoice, rest } = decodeToolChoice(body);
  const restConfig = unknownMembers(config, CONFIG);
  return {
    model: requiredString(body, 'model'),
    stream: optionalBoolean(body, 'stream') ?? false,
    instructions: system === undefined ? [] : decodeParts(asContent(system, 'systemInstruction'), 'systemInstruction', ids),
    turns: joinModelTurns(contents.map((content, index) => decodeTurn(content, `contents[${index}]`, ids))),
    tools: decodeTools(body),
    ...(toolChoice ? { toolChoice } : {}),
    ...decodeConfig(config),
    // Also when it is empty: by it, a request of this dialect is known.
    residue: {
      [DIALECT]: {
        ...unknownMembers(body, BODY),
        ...rest,
        ...(Object.keys(restConfig).length > 0 ? { generationConfig: restConfig } : {}),
      },
    },
  };
}
