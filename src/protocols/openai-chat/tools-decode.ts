import {
  type CustomTool,
  type FunctionTool,
  type HostedTool,
  type HostedToolDefinition,
  isObject,
  type Json,
  type JsonObject,
  type Tool,
  type ToolChoice,
} from '../../ir/index.ts';
import { choiceWord } from '../openai-tools.ts';
import { readCache } from './cache-control.ts';
import { DIALECT, given, withResidue } from './dialect.ts';
import {
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalObject,
  optionalString,
  optionalStrings,
  requiredObject,
  requiredString,
  unknownMembers,
  wrongKind,
} from '../../wire/fields.ts';
import { objects, str } from './fields.ts';

const TOOL = new Set(['type', 'function', 'cache_control']);
const FUNCTION = new Set(['name', 'description', 'parameters', 'strict']);
const CUSTOM = new Set(['name', 'description', 'format']);

function functionTool(fn: JsonObject, at: string): Omit<FunctionTool, 'cache' | 'residue'> {
  return {
    kind: 'function',
    name: requiredString(fn, 'name', at),
    ...given('description', optionalString(fn, 'description', at)),
    ...given('parameters', optionalObject(fn, 'parameters', at)),
    ...given('strict', optionalBoolean(fn, 'strict', at)),
  };
}

function customTool(from: JsonObject, at: string): CustomTool {
  const path = `${at}.custom`;
  const custom = requiredObject(from, 'custom', at);
  const format = optionalObject(custom, 'format', path);
  const grammar = format?.['grammar'];
  // The shared language has a grammar's words beside its type, as Responses does.
  const flat = format && isObject(grammar) ? { type: format['type'] ?? 'grammar', ...grammar } : format;
  return {
    kind: 'custom',
    name: requiredString(custom, 'name', path),
    ...given('description', optionalString(custom, 'description', path)),
    ...given('format', flat),
    ...withResidue(unknownMembers(custom, CUSTOM)),
  };
}

/** Tools that providers of this dialect run themselves, by words in their `type` or name. */
const HOSTED: readonly (readonly [RegExp, HostedTool])[] = [
  [/web_?search|browser_search|google_search|live_search/, 'web-search'],
  [/web_?fetch|url_context|visit_website|browser_automation/, 'web-fetch'],
  [/code_?(interpreter|execution|runner)/, 'code-execution'],
  [/retrieval|file_?search/, 'file-search'],
  [/image_generation/, 'image-generation'],
  [/mcp/, 'mcp'],
];

const hostedKind = (word: string): HostedTool => HOSTED.find(([pattern]) => pattern.test(word))?.[1] ?? 'other';

/** A tool with a type of its own: `web_search` (Z.ai), `builtin_function` (Moonshot), `openrouter:web_search` … */
function hostedTool(from: JsonObject, type: string, at: string): HostedToolDefinition {
  const fn = isObject(from['function']) ? from['function'] : {};
  const name = str(fn['name']) || type;
  const settings = optionalObject(from, 'parameters', at) ?? {};
  const [allowed, blocked] = [settings['allowed_domains'], settings['excluded_domains'] ?? settings['blocked_domains']];
  const strings = (value: Json | undefined): readonly string[] | undefined =>
    Array.isArray(value) ? (value as readonly Json[]).filter((one) => typeof one === 'string') : undefined;
  return {
    kind: 'hosted',
    tool: hostedKind(`${type} ${name}`),
    name,
    ...given('allowedDomains', strings(allowed)),
    ...given('blockedDomains', strings(blocked)),
    ...given('maxUses', typeof settings['max_uses'] === 'number' ? settings['max_uses'] : undefined),
    ...given('userLocation', isObject(settings['user_location']) ? settings['user_location'] : undefined),
    native: { by: DIALECT, value: from },
  };
}

/** Reads one element of `tools`. Without a `type` it is a function; one that stands without `function` around it (Responses) too. */
function decodeTool(value: Json, at: string): Tool {
  const from = objectAt(value, at);
  const type = optionalString(from, 'type', at) ?? 'function';
  if (type === 'custom') return customTool(from, at);
  if (type !== 'function') return hostedTool(from, type, at);
  const flat = from['function'] === undefined && typeof from['name'] === 'string';
  const fn = flat ? from : requiredObject(from, 'function', at);
  const rest = flat ? {} : { ...unknownMembers(from, TOOL), ...unknownMembers(fn, FUNCTION) };
  return { ...functionTool(fn, flat ? at : `${at}.function`), ...given('cache', readCache(from, at)), ...withResidue(rest) };
}

/** The name of the hosted tool that `web_search_options` is. */
export const WEB_SEARCH_OPTIONS = 'web_search_options';

function webSearch(options: JsonObject): HostedToolDefinition {
  const location = optionalObject(options, 'user_location', WEB_SEARCH_OPTIONS);
  const approximate = location && optionalObject(location, 'approximate', `${WEB_SEARCH_OPTIONS}.user_location`);
  return {
    kind: 'hosted',
    tool: 'web-search',
    name: WEB_SEARCH_OPTIONS,
    ...given('userLocation', approximate ?? location),
    native: { by: DIALECT, value: options },
  };
}

/** Reads `tools`, the older `functions`, and `web_search_options`. */
export function decodeTools(body: JsonObject): readonly Tool[] {
  const tools = (optionalArray(body, 'tools') ?? []).map((tool, index) => decodeTool(tool, `tools[${index}]`));
  const functions = (optionalArray(body, 'functions') ?? []).map((fn, index) =>
    functionTool(objectAt(fn, `functions[${index}]`), `functions[${index}]`),
  );
  const search = optionalObject(body, WEB_SEARCH_OPTIONS);
  return [...tools, ...functions, ...(search ? [webSearch(search)] : [])];
}

function namedChoice(from: JsonObject, key: string, at: string): ToolChoice {
  // Some clients put the name beside the type, as Responses does.
  const inner = from[key] === undefined && typeof from['name'] === 'string' ? from : requiredObject(from, key, at);
  return { type: 'tool', name: requiredString(inner, 'name', inner === from ? at : `${at}.${key}`) };
}

function allowedChoice(from: JsonObject): ToolChoice {
  const at = 'tool_choice.allowed_tools';
  const inner = isObject(from['allowed_tools']) ? from['allowed_tools'] : from;
  const names = objects(inner['tools']).map((tool) => {
    const fn = isObject(tool['function']) ? tool['function'] : isObject(tool['custom']) ? tool['custom'] : tool;
    return str(fn['name']) || str(tool['type']);
  });
  const mode = optionalString(inner, 'mode', at) === 'required' ? 'required' : 'auto';
  return { type: 'allowed', mode, names, native: { by: DIALECT, value: from } };
}

function choiceObject(from: JsonObject, at: string): ToolChoice {
  const type = optionalString(from, 'type', at) ?? (from['custom'] ? 'custom' : 'function');
  switch (type) {
    case 'function':
    case 'tool':
      return namedChoice(from, 'function', at);
    case 'custom':
      return namedChoice(from, 'custom', at);
    case 'allowed_tools':
      return allowedChoice(from);
    case 'auto':
    case 'none':
    case 'required':
    case 'any':
      return choiceWord(type, at);
    default:
      return { type: 'hosted', tool: hostedKind(type), native: { by: DIALECT, value: from } };
  }
}

/** Reads `tool_choice`, or the older `function_call`. */
export function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const at = body['tool_choice'] === undefined || body['tool_choice'] === null ? 'function_call' : 'tool_choice';
  const value = body[at];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return choiceWord(value, at);
  if (!isObject(value)) throw wrongKind(at, 'a string or an object', value);
  return at === 'function_call' ? { type: 'tool', name: requiredString(value, 'name', at) } : choiceObject(value, at);
}

/** The strings of a field that is one string or a list of them. */
export function stringOrStrings(from: JsonObject, key: string): readonly string[] | undefined {
  return typeof from[key] === 'string' ? [from[key]] : optionalStrings(from, key);
}
