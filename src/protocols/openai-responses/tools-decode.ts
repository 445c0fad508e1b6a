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
import {
  memberPath,
  objectAt,
  optionalArray,
  optionalBoolean,
  optionalObject,
  optionalString,
  requiredArray,
  requiredString,
  unknownMembers,
  wrongKind,
} from '../../wire/fields.ts';
import { DIALECT, given, objects, str, withResidue } from './dialect.ts';

const FUNCTION = new Set(['type', 'name', 'description', 'parameters', 'strict', 'function']);
const CUSTOM = new Set(['type', 'name', 'description', 'format']);
const GROUP = new Set(['type', 'name', 'tools']);

/** Where a tool stands: in a group, or told by an item of the input, which then says it again. */
interface Place {
  readonly namespace?: string;
  /** What the group says of itself. */
  readonly group?: JsonObject;
  readonly inItem?: boolean;
}

const placed = ({ namespace, group, inItem }: Place, rest: JsonObject) => ({
  ...given('namespace', namespace),
  ...withResidue({
    ...rest,
    ...(group && Object.keys(group).length > 0 ? { namespace: group } : {}),
    ...(inItem ? { in_item: true } : {}),
  }),
});

function functionTool(from: JsonObject, place: Place, at: string): FunctionTool {
  // Clients of chat put the definition one level down.
  const inner = typeof from['name'] !== 'string' && isObject(from['function']) ? from['function'] : from;
  return {
    kind: 'function',
    name: requiredString(inner, 'name', at),
    ...given('description', optionalString(inner, 'description', at)),
    ...given('parameters', optionalObject(inner, 'parameters', at)),
    ...given('strict', optionalBoolean(inner, 'strict', at)),
    ...placed(place, unknownMembers(from, FUNCTION)),
  };
}

function customTool(from: JsonObject, place: Place, at: string): CustomTool {
  return {
    kind: 'custom',
    name: requiredString(from, 'name', at),
    ...given('description', optionalString(from, 'description', at)),
    ...given('format', optionalObject(from, 'format', at)),
    ...placed(place, unknownMembers(from, CUSTOM)),
  };
}

/** Tools that the provider runs, by how their type begins. */
const HOSTED: readonly (readonly [string, HostedTool])[] = [
  ['web_search', 'web-search'],
  ['x_search', 'web-search'],
  ['file_search', 'file-search'],
  ['code_interpreter', 'code-execution'],
  ['image_generation', 'image-generation'],
  ['computer', 'computer'],
  ['local_shell', 'shell'],
  ['shell', 'shell'],
  ['mcp', 'mcp'],
  ['tool_search', 'tool-search'],
];

const hostedKind = (type: string): HostedTool => HOSTED.find(([start]) => type.startsWith(start))?.[1] ?? 'other';

const strings = (value: Json | undefined): readonly string[] | undefined =>
  Array.isArray(value) ? (value as readonly Json[]).filter((one) => typeof one === 'string') : undefined;

function hostedTool(from: JsonObject, type: string, at: string): HostedToolDefinition {
  const filters = type.startsWith('web_search') ? optionalObject(from, 'filters', at) : undefined;
  return {
    kind: 'hosted',
    tool: hostedKind(type),
    name: type,
    ...given('allowedDomains', strings(filters?.['allowed_domains'])),
    ...given('blockedDomains', strings(filters?.['excluded_domains'] ?? filters?.['blocked_domains'])),
    ...given('userLocation', optionalObject(from, 'user_location', at)),
    native: { by: DIALECT, value: from },
  };
}

function namespaceTools(from: JsonObject, inItem: boolean, at: string): readonly Tool[] {
  const namespace = requiredString(from, 'name', at);
  const group = unknownMembers(from, GROUP);
  return requiredArray(from, 'tools', at).flatMap((tool, index) =>
    decodeTool(tool, { namespace, group, inItem }, `${memberPath(at, 'tools')}[${index}]`),
  );
}

function decodeTool(value: Json, place: Place, at: string): readonly Tool[] {
  const from = objectAt(value, at);
  const type = optionalString(from, 'type', at) ?? 'function';
  switch (type) {
    case 'function':
      return [functionTool(from, place, at)];
    case 'custom':
      return [customTool(from, place, at)];
    case 'namespace':
      return namespaceTools(from, place.inItem ?? false, at);
    default:
      return place.inItem ? [] : [hostedTool(from, type, at)];
  }
}

/** Functions that items of the input bring along: what a search for tools found, and what is added on the way. */
function toolsOfItems(input: Json | undefined): readonly Tool[] {
  if (!Array.isArray(input)) return [];
  return (input as readonly Json[]).flatMap((item, at) => {
    if (!isObject(item) || (item['type'] !== 'tool_search_output' && item['type'] !== 'additional_tools')) return [];
    return objects(item['tools']).flatMap((tool, index) => decodeTool(tool, { inItem: true }, `input[${at}].tools[${index}]`));
  });
}

/** Reads `tools`, and those that the input brings along. Of two with one name the first is kept. */
export function decodeTools(body: JsonObject): readonly Tool[] {
  const tools = (optionalArray(body, 'tools') ?? []).flatMap((tool, index) => decodeTool(tool, {}, `tools[${index}]`));
  const nameOf = (tool: Tool): string => (tool.kind === 'hosted' ? '' : `${tool.namespace ?? ''}/${tool.name}`);
  const known = new Set(tools.map(nameOf));
  const more = toolsOfItems(body['input']).filter((tool) => {
    const name = nameOf(tool);
    if (known.has(name)) return false;
    known.add(name);
    return true;
  });
  return [...tools, ...more];
}

function namedChoice(from: JsonObject, at: string): ToolChoice {
  const inner = typeof from['name'] !== 'string' && isObject(from['function']) ? from['function'] : from;
  return { type: 'tool', name: requiredString(inner, 'name', at), ...given('namespace', optionalString(from, 'namespace', at)) };
}

function allowedChoice(from: JsonObject, at: string): ToolChoice {
  // Chat's form has the choice one level down.
  const inner = isObject(from['allowed_tools']) ? from['allowed_tools'] : from;
  const names = objects(inner['tools']).map((tool) => {
    const type = str(tool['type']);
    const hosted = hostedKind(type);
    return str(tool['name']) || (isObject(tool['function']) ? str(tool['function']['name']) : '') || (hosted === 'other' ? type : hosted);
  });
  const mode = optionalString(inner, 'mode', at) === 'required' ? 'required' : 'auto';
  return { type: 'allowed', mode, names, native: { by: DIALECT, value: from } };
}

/** Reads `tool_choice`. */
export function decodeToolChoice(body: JsonObject): ToolChoice | undefined {
  const at = 'tool_choice';
  const value = body[at];
  if (value === undefined || value === null) return undefined;
  if (typeof value === 'string') return choiceWord(value, at);
  if (!isObject(value)) throw wrongKind(at, 'a string or an object', value);
  const type = optionalString(value, 'type', at) ?? 'function';
  switch (type) {
    case 'function':
    case 'custom':
    case 'tool':
      return namedChoice(value, at);
    case 'allowed_tools':
      return allowedChoice(value, at);
    case 'auto':
    case 'none':
    case 'required':
    case 'any':
      return choiceWord(type, at);
    default:
      return { type: 'hosted', tool: hostedKind(type), native: { by: DIALECT, value } };
  }
}
