import {
  type ChatRequest,
  isEffort,
  type Json,
  type JsonObject,
  type OutputFormat,
  type Part,
  type Reasoning,
  type Turn,
} from '../../ir/index.ts';
import { readCacheControl } from './cache-control.ts';
import { DIALECT } from './dialect.ts';
import {
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalCount,
  optionalNumber,
  optionalObject,
  optionalString,
  optionalStrings,
  requiredArray,
  requiredObject,
  requiredString,
  unknownMembers,
  wrongKind,
} from '../../wire/fields.ts';
import { decodeContent } from './request-blocks.ts';
import { decodeTool, decodeToolChoice } from './tools-decode.ts';

const KNOWN = new Set([
  'model',
  'messages',
  'system',
  'max_tokens',
  'stream',
  'temperature',
  'top_p',
  'top_k',
  'stop_sequences',
  'tools',
  'tool_choice',
  'thinking',
  'output_config',
  'output_format',
  'metadata',
  'service_tier',
  'cache_control',
]);
const TURN = new Set(['role', 'content']);
const OUTPUT_CONFIG = new Set(['effort', 'format']);
const METADATA = new Set(['user_id']);

const given = <T>(key: string, value: T | undefined): Record<string, T> => (value === undefined ? {} : { [key]: value });

function roleOf(from: JsonObject, at: string): 'user' | 'assistant' | 'system' {
  const role = requiredString(from, 'role', at);
  if (role === 'user' || role === 'assistant' || role === 'system') return role;
  throw wrongKind(`${at}.role`, `'user', 'assistant' or 'system'`, role);
}

/** Reads a message. A `system` one between the others is legal and marked as this dialect's own by its residue. */
function turn(value: Json, index: number): Turn {
  const at = `messages[${index}]`;
  const from = objectAt(value, at);
  const role = roleOf(from, at);
  const residue = unknownMembers(from, TURN);
  const bare = role === 'system' && (from['content'] === undefined || from['content'] === null);
  return {
    role,
    parts: bare ? [] : decodeContent(from['content'], `${at}.content`),
    ...(role === 'system' || Object.keys(residue).length > 0 ? { residue: { [DIALECT]: residue } } : {}),
  };
}

function instructions(system: Json | undefined): readonly Part[] {
  return system === undefined || system === null ? [] : decodeContent(system, 'system');
}

/** `thinking`, as far as the shared language has words for it; other kinds stay residue. */
function thinking(from: JsonObject | undefined): Reasoning | undefined {
  if (!from) return undefined;
  const display = optionalString(from, 'display', 'thinking');
  const show: Reasoning = display === 'omitted' ? { show: 'none' } : display === undefined ? {} : { show: 'auto' };
  switch (requiredString(from, 'type', 'thinking')) {
    case 'enabled':
      return { enabled: true, ...given('budgetTokens', optionalCount(from, 'budget_tokens', 'thinking')), ...show };
    case 'disabled':
      return { enabled: false };
    case 'adaptive':
      return { adaptive: true, ...show };
    default:
      return undefined;
  }
}

function outputFormat(from: JsonObject | undefined, at: string): OutputFormat | undefined {
  if (from?.['type'] !== 'json_schema') return undefined;
  return { type: 'json-schema', schema: requiredObject(from, 'schema', at) };
}

interface ReadOutput {
  readonly effort?: string;
  readonly output?: OutputFormat;
  /** What the shared language has no word for, by its place on the wire. */
  readonly rest: JsonObject;
}

/** `output_config`, and `output_format` as older clients send it. */
function output(body: JsonObject): ReadOutput {
  const config = optionalObject(body, 'output_config');
  const format = config ? optionalObject(config, 'format', 'output_config') : undefined;
  const older = optionalObject(body, 'output_format');
  const effort = config ? optionalString(config, 'effort', 'output_config') : undefined;
  const read = outputFormat(format, 'output_config.format') ?? outputFormat(older, 'output_format');
  const unread = {
    ...(config ? unknownMembers(config, OUTPUT_CONFIG) : {}),
    ...(effort !== undefined && !isEffort(effort) ? { effort } : {}),
    ...(format && !read ? { format } : {}),
  };
  return {
    ...given('effort', effort),
    ...given('output', read),
    rest: { ...(Object.keys(unread).length > 0 ? { output_config: unread } : {}), ...(older && !read ? { output_format: older } : {}) },
  };
}

function reasoningOf(read: Reasoning | undefined, effort: string | undefined): Reasoning | undefined {
  return isEffort(effort) ? { ...read, effort } : read;
}

/** What of the body has no word in the shared language: unknown fields, and the unknown inside known ones. */
function residueOfBody(body: JsonObject, read: { thinking: boolean; choice: boolean; rest: JsonObject }): JsonObject {
  const metadata = optionalObject(body, 'metadata');
  const meta = metadata ? unknownMembers(metadata, METADATA) : {};
  const unread: Record<string, Json | undefined> = { ...unknownMembers(body, KNOWN), ...read.rest };
  if (!read.thinking && body['thinking']) unread['thinking'] = body['thinking'];
  if (!read.choice && body['tool_choice']) unread['tool_choice'] = body['tool_choice'];
  if (Object.keys(meta).length > 0) unread['metadata'] = meta;
  return unread;
}

/** The API takes -1 for "not used". */
const switchedOn = (value: number | undefined): number | undefined => (value !== undefined && value < 0 ? undefined : value);

function sampling(body: JsonObject) {
  return {
    ...given('maxOutputTokens', optionalCount(body, 'max_tokens')),
    ...given('temperature', optionalNumber(body, 'temperature')),
    ...given('topP', switchedOn(optionalNumber(body, 'top_p'))),
    ...given('topK', switchedOn(optionalNumber(body, 'top_k'))),
    ...given('stop', optionalStrings(body, 'stop_sequences')),
  };
}

function metadataUser(body: JsonObject): string | undefined {
  const metadata = optionalObject(body, 'metadata');
  return metadata ? optionalString(metadata, 'user_id', 'metadata') : undefined;
}

/**
 * Reads a body of `/v1/messages` or `/v1/messages/count_tokens`. `max_tokens` is not asked for: the target's default
 * stands in. Unknown fields become residue under this dialect; a wrong kind of a known one throws `GatewayError`.
 */
export function decodeRequest(body: JsonObject): ChatRequest {
  const tools = (optionalArray(body, 'tools') ?? []).map((tool, index) => decodeTool(tool, `tools[${index}]`));
  const thought = thinking(optionalObject(body, 'thinking'));
  const said = output(body);
  const choice = decodeToolChoice(optionalObject(body, 'tool_choice'), tools);
  const rest = residueOfBody(body, { thinking: thought !== undefined, choice: choice.toolChoice !== undefined, rest: said.rest });
  return {
    model: requiredString(body, 'model'),
    instructions: instructions(body['system']),
    turns: requiredArray(body, 'messages').map(turn),
    tools,
    ...choice,
    ...given('output', said.output),
    ...given('reasoning', reasoningOf(thought, said.effort)),
    ...sampling(body),
    stream: optionalBoolean(body, 'stream') ?? false,
    ...given('user', metadataUser(body)),
    ...given('serviceTier', optionalString(body, 'service_tier')),
    ...readCacheControl(body, ''),
    residue: { [DIALECT]: rest },
  };
}
