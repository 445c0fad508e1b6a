import {
  type ChatRequest,
  type CustomTool,
  type FunctionTool,
  type HostedToolDefinition,
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
  namedChoice,
  noSuchTool,
  requiredChoice,
  searchPlace,
} from '../openai-tools.ts';
import { cacheControl } from './cache-control.ts';
import { DIALECT, residueOf, TOOL_NAME_RULE } from './dialect.ts';
import { WEB_SEARCH_OPTIONS } from './tools-decode.ts';

const nameOf = (tool: { readonly name: string; readonly namespace?: string }, own: boolean): string =>
  own ? tool.name : targetToolName(tool, TOOL_NAME_RULE);

function strictness(tool: FunctionTool, own: boolean, context: TargetContext): JsonObject {
  if (tool.strict === undefined) return {};
  if (context.facts.strictTools || own) return { strict: tool.strict };
  if (tool.strict) context.notes.add(`tools.${tool.name}.strict`, 'dropped', 'the target does not hold tools to their schema');
  return {};
}

function functionTool(tool: FunctionTool, own: boolean, context: TargetContext): JsonObject {
  const { description, parameters } = tool;
  // Some servers want a schema also where there is nothing to say.
  const schema = parameters ?? (own ? undefined : { type: 'object', properties: {} });
  return {
    type: 'function',
    function: {
      ...residueOf(tool),
      name: nameOf(tool, own),
      ...(description === undefined ? {} : { description }),
      ...(schema ? { parameters: schema } : {}),
      ...strictness(tool, own, context),
    },
    ...(tool.cache && (context.facts.cacheControl || own) ? cacheControl(tool.cache) : {}),
  };
}

function customFormat(format: JsonObject): JsonObject {
  const { type, ...grammar } = format;
  return type === 'grammar' ? { type, grammar } : format;
}

/** A tool that takes free text: as it is where the target has such, else a function of one string named `input`. */
function customTool(tool: CustomTool, own: boolean, context: TargetContext): JsonObject {
  const { description, format } = tool;
  if (own || context.facts.chatFields?.includes('custom_tools')) {
    const custom = {
      ...residueOf(tool),
      name: nameOf(tool, own),
      ...(description === undefined ? {} : { description }),
      ...(format ? { format: customFormat(format) } : {}),
    };
    return { type: 'custom', custom };
  }
  return { type: 'function', function: customAsFunction(tool, nameOf(tool, own), context) };
}

const isOptions = (tool: HostedToolDefinition): boolean => tool.native.by === DIALECT && tool.name === WEB_SEARCH_OPTIONS;

/** A hosted tool as an element of `tools`; `undefined` for web search, which has a member of its own. */
function hostedTool(tool: HostedToolDefinition, context: TargetContext): JsonObject | undefined {
  if (isOptions(tool)) return undefined;
  if (tool.native.by === DIALECT) return tool.native.value;
  if (tool.tool === 'web-search' && takesSearch(context)) return undefined;
  throw noSuchTool(tool);
}

const takesSearch = ({ facts }: TargetContext): boolean =>
  facts.hostedTools.includes(WEB_SEARCH_OPTIONS) || facts.hostedTools.includes('web-search');

/** `web_search_options` for another dialect's tool. https://platform.openai.com/docs/api-reference/chat/create#chat_create-web_search_options */
function searchOptions(tool: HostedToolDefinition, context: TargetContext): JsonObject {
  if (isOptions(tool)) return tool.native.value;
  for (const [field, value] of Object.entries({
    allowed_domains: tool.allowedDomains,
    blocked_domains: tool.blockedDomains,
    max_uses: tool.maxUses,
  })) {
    if (value !== undefined) context.notes.add(`tools.${tool.name}.${field}`, 'dropped', 'web_search_options has none');
  }
  const place = searchPlace(tool);
  return place ? { user_location: { type: 'approximate', approximate: place } } : {};
}

function encodeTool(tool: Tool, own: boolean, context: TargetContext): JsonObject | undefined {
  switch (tool.kind) {
    case 'function':
      return functionTool(tool, own, context);
    case 'custom':
      return customTool(tool, own, context);
    case 'hosted':
      return hostedTool(tool, context);
  }
}

function choiceOf(choice: ToolChoice, request: ChatRequest, own: boolean, context: TargetContext): EncodedChoice {
  switch (choice.type) {
    case 'auto':
    case 'none':
      return { wire: choice.type };
    case 'required':
      return requiredChoice(own, context);
    case 'tool': {
      const name = nameOf(choice, own);
      const custom =
        request.tools.some((tool) => tool.kind === 'custom' && tool.name === choice.name) &&
        (own || context.facts.chatFields?.includes('custom_tools'));
      const wire = custom ? { type: 'custom', custom: { name } } : { type: 'function', function: { name } };
      return namedChoice(wire, name, own, context);
    }
    case 'hosted':
      if (choice.native?.by === DIALECT) return { wire: choice.native.value };
      context.notes.add('tool_choice', 'approximated', 'the target searches when it sees fit');
      return { wire: 'auto' };
    case 'allowed':
      if (own && choice.native?.by === DIALECT) return { wire: choice.native.value };
      return choice.mode === 'auto' ? { wire: 'auto' } : requiredChoice(own, context);
  }
}

/** The tools that a choice leaves: most servers of this wire cannot allow some of those that it defines. */
function allowedTools(request: ChatRequest, own: boolean, context: TargetContext): readonly Tool[] {
  const { toolChoice: choice } = request;
  const told = toldTools(request.tools, DIALECT, context.notes);
  if (choice?.type !== 'allowed' || own) return told;
  context.notes.add('tool_choice', 'emulated', 'only the allowed tools were defined');
  const names = new Set(choice.names);
  // Gemini's list is of functions alone; OpenAI's, which comes with its own form, is of all tools.
  const isAllowed = (tool: Tool): boolean =>
    names.has(tool.name) || (tool.kind === 'hosted' && (choice.native === undefined || names.has(tool.tool)));
  return told.filter(isAllowed);
}

/** Writes the tools. Throws `GatewayError` for a hosted tool that the target has none of. */
export function encodeTools(request: ChatRequest, own: boolean, context: TargetContext): EncodedTools {
  const allowed = allowedTools(request, own, context);
  const tools = allowed.map((tool) => encodeTool(tool, own, context)).filter((tool) => tool !== undefined);
  const search = allowed.find(
    (tool) => tool.kind === 'hosted' && (isOptions(tool) || (tool.native.by !== DIALECT && tool.tool === 'web-search')),
  );
  const options = search?.kind === 'hosted' ? { [WEB_SEARCH_OPTIONS]: searchOptions(search, context) } : {};
  // A choice or its kin without tools is refused.
  if (tools.length === 0 && !own) {
    const { type } = request.toolChoice ?? { type: 'auto' };
    if (search && type !== 'auto') context.notes.add('tool_choice', 'dropped', 'the target searches when it sees fit');
    return { members: options };
  }
  const choice: EncodedChoice = request.toolChoice ? choiceOf(request.toolChoice, request, own, context) : {};
  const members = {
    ...(tools.length > 0 ? { tools } : {}),
    ...(choice.wire === undefined ? {} : { tool_choice: choice.wire }),
    ...encodeParallel(request, own, context),
    ...options,
  };
  return { members, ...(choice.instruction === undefined ? {} : { instruction: choice.instruction }) };
}
