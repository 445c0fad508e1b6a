import {
  badField,
  type ChatRequest,
  type CustomTool,
  type FunctionTool,
  type HostedToolDefinition,
  isObject,
  type JsonObject,
  type Tool,
  type ToolChoice,
  targetToolName,
  toldTools,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import {
  customAsFunction,
  encodeParallel,
  type EncodedChoice,
  type EncodedTools,
  forcedChoice,
  namedChoice,
  noSuchTool,
  requiredChoice,
  searchPlace,
} from '../openai-tools.ts';
import { DIALECT, residueOf, TOOL_NAME_RULE } from './dialect.ts';
import { takesCustom } from './input-encode.ts';

const nameOf = (tool: { readonly name: string; readonly namespace?: string }, own: boolean): string =>
  own ? tool.name : targetToolName(tool, TOOL_NAME_RULE);

function withoutPlace(rest: JsonObject): JsonObject {
  const { namespace: _namespace, in_item: _inItem, ...kept } = rest;
  return kept;
}

/** Without a word, OpenAI holds functions of this dialect to their schema: what other dialects mean is said. */
function strictness(tool: FunctionTool, own: boolean, context: TargetContext): JsonObject {
  if (own) return tool.strict === undefined ? {} : { strict: tool.strict };
  if (context.facts.strictTools) return { strict: tool.strict ?? false };
  if (tool.strict) context.notes.add(`tools.${tool.name}.strict`, 'dropped', 'the target does not hold tools to their schema');
  return {};
}

function functionTool(tool: FunctionTool, own: boolean, context: TargetContext): JsonObject {
  const { description, parameters } = tool;
  const schema = parameters ?? (own ? undefined : { type: 'object', properties: {} });
  return {
    ...withoutPlace(residueOf(tool)),
    type: 'function',
    name: nameOf(tool, own),
    ...(description === undefined ? {} : { description }),
    ...(schema ? { parameters: schema } : {}),
    ...strictness(tool, own, context),
  };
}

/** A tool that takes free text: as it is where the target has such, else a function of one string named `input`. */
function customTool(tool: CustomTool, own: boolean, context: TargetContext): JsonObject {
  const { description, format } = tool;
  if (takesCustom(own, context)) {
    return {
      ...withoutPlace(residueOf(tool)),
      type: 'custom',
      name: nameOf(tool, own),
      ...(description === undefined ? {} : { description }),
      ...(format ? { format } : {}),
    };
  }
  return { type: 'function', ...customAsFunction(tool, nameOf(tool, own), context) };
}

/** https://platform.openai.com/docs/guides/tools-web-search?api-mode=responses */
function webSearch(tool: HostedToolDefinition, context: TargetContext): JsonObject {
  if (tool.blockedDomains) context.notes.add('tools.web_search.blocked_domains', 'dropped', 'web_search has none');
  if (tool.maxUses !== undefined) context.notes.add('tools.web_search.max_uses', 'dropped', 'web_search has none');
  const place = searchPlace(tool);
  return {
    type: 'web_search',
    ...(tool.allowedDomains ? { filters: { allowed_domains: tool.allowedDomains } } : {}),
    ...(place ? { user_location: { type: 'approximate', ...place } } : {}),
  };
}

function hostedTool(tool: HostedToolDefinition, context: TargetContext): JsonObject {
  if (tool.native.by === DIALECT) return tool.native.value;
  if (context.facts.hostedTools.includes(tool.tool)) {
    if (tool.tool === 'web-search') return webSearch(tool, context);
    if (tool.tool === 'code-execution') return { type: 'code_interpreter', container: { type: 'auto' } };
    if (tool.tool === 'image-generation') return { type: 'image_generation' };
  }
  throw noSuchTool(tool);
}

function encodeTool(tool: Tool, own: boolean, context: TargetContext): JsonObject {
  switch (tool.kind) {
    case 'function':
      return functionTool(tool, own, context);
    case 'custom':
      return customTool(tool, own, context);
    case 'hosted':
      return hostedTool(tool, context);
  }
}

/** Puts the tools of each group under it, where the first of them stands. */
function grouped(tools: readonly Tool[], own: boolean, context: TargetContext): readonly JsonObject[] {
  const out: JsonObject[] = [];
  const groups = new Map<string, JsonObject[]>();
  for (const tool of tools) {
    const written = encodeTool(tool, own, context);
    const namespace = tool.kind === 'hosted' || !own ? undefined : tool.namespace;
    if (namespace === undefined || tool.kind === 'hosted') {
      out.push(written);
      continue;
    }
    const members = groups.get(namespace);
    if (members) {
      members.push(written);
      continue;
    }
    const begun = [written];
    groups.set(namespace, begun);
    const { namespace: group } = residueOf(tool);
    out.push({ ...(isObject(group) ? group : {}), type: 'namespace', name: namespace, tools: begun });
  }
  return out;
}

function named(choice: Extract<ToolChoice, { type: 'tool' }>, request: ChatRequest, own: boolean, context: TargetContext): EncodedChoice {
  const name = nameOf(choice, own);
  const isCustom = request.tools.some((tool) => tool.kind === 'custom' && tool.name === choice.name) && takesCustom(own, context);
  const namespace = own && choice.namespace !== undefined ? { namespace: choice.namespace } : {};
  const wire = { type: isCustom ? 'custom' : 'function', name, ...namespace };
  return namedChoice(wire, name, own, context);
}

function hostedChoice(
  choice: Extract<ToolChoice, { type: 'hosted' }>,
  request: ChatRequest,
  own: boolean,
  context: TargetContext,
): EncodedChoice {
  if (choice.native?.by === DIALECT) return { wire: choice.native.value };
  const tool = request.tools.find((one) => one.kind === 'hosted' && one.tool === choice.tool);
  const type = tool?.kind === 'hosted' ? String(hostedTool(tool, context)['type']) : undefined;
  if (type === undefined)
    throw badField('tool_choice', `Invalid request: this target has no tool like '${choice.tool}' to be chosen`, 'unsupported_tool');
  return forcedChoice({ type }, `Answer by using ${choice.tool}.`, own, context);
}

/** https://platform.openai.com/docs/guides/function-calling#tool-choice */
function allowedChoice(
  choice: Extract<ToolChoice, { type: 'allowed' }>,
  request: ChatRequest,
  own: boolean,
  context: TargetContext,
): EncodedChoice {
  if (choice.native?.by === DIALECT && own) return { wire: choice.native.value };
  const tools = request.tools
    .filter((tool) => choice.names.includes(tool.name) || (tool.kind === 'hosted' && choice.names.includes(tool.tool)))
    .map((tool): JsonObject => {
      if (tool.kind === 'hosted') return { type: hostedTool(tool, context)['type'] ?? '' };
      return { type: tool.kind === 'custom' && takesCustom(own, context) ? 'custom' : 'function', name: nameOf(tool, own) };
    });
  return { wire: { type: 'allowed_tools', mode: choice.mode, tools } };
}

function choiceOf(choice: ToolChoice, request: ChatRequest, own: boolean, context: TargetContext): EncodedChoice {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return { wire: choice.type };
    case 'required':
      return requiredChoice(own, context);
    case 'tool':
      return named(choice, request, own, context);
    case 'hosted':
      return hostedChoice(choice, request, own, context);
    case 'allowed':
      return allowedChoice(choice, request, own, context);
  }
}

/** Writes `tools`, `tool_choice` and `parallel_tool_calls`. Throws `GatewayError` for a hosted tool that the target has none of. */
export function encodeTools(request: ChatRequest, own: boolean, context: TargetContext): EncodedTools {
  const listed = own
    ? request.tools.filter((tool) => tool.kind === 'hosted' || residueOf(tool)['in_item'] !== true)
    : toldTools(request.tools, DIALECT, context.notes);
  const tools = grouped(listed, own, context);
  if (tools.length === 0 && !own) return { members: {} };
  const { wire, instruction } = request.toolChoice ? choiceOf(request.toolChoice, request, own, context) : {};
  return {
    members: {
      ...(tools.length > 0 ? { tools } : {}),
      ...(wire === undefined ? {} : { tool_choice: wire }),
      ...encodeParallel(request, own, context),
    },
    ...(instruction === undefined ? {} : { instruction }),
  };
}
