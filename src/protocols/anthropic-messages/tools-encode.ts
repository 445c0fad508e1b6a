import {
  badField,
  type ChatRequest,
  type CustomTool,
  type FunctionTool,
  type HostedToolDefinition,
  type JsonObject,
  type Tool,
  targetToolName,
  toldTools,
  type ToolChoice,
  wordTable,
} from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { cacheControl } from './cache-control.ts';
import { DIALECT, residueOf, TOOL_NAME_RULE } from './dialect.ts';
import { strictSchema } from './strict-schema.ts';

/** `input_schema` must be an object's. */
function inputSchema(parameters: JsonObject | undefined): JsonObject {
  if (!parameters || Object.keys(parameters).length === 0) return { type: 'object', properties: {} };
  return parameters['type'] === 'object' ? parameters : { ...parameters, type: 'object' };
}

function strictness(tool: FunctionTool, context: TargetContext): JsonObject {
  if (tool.strict === undefined) return {};
  if (context.facts.strictTools) return { strict: tool.strict };
  if (tool.strict) context.notes.add(`tools.${tool.name}.strict`, 'dropped', 'the target does not hold tools to their schema');
  return {};
}

function functionTool(tool: FunctionTool, own: boolean, context: TargetContext): JsonObject {
  const schema = inputSchema(tool.parameters);
  const held = tool.strict === true && context.facts.strictTools && !own;
  return {
    ...residueOf(tool),
    name: targetToolName(tool, TOOL_NAME_RULE),
    ...(tool.description === undefined ? {} : { description: tool.description }),
    input_schema: held ? strictSchema(schema, `tools.${tool.name}.parameters`, context.notes) : schema,
    ...strictness(tool, context),
    ...(context.facts.cacheControl ? cacheControl(tool.cache) : {}),
  };
}

/** How a grammar for free text is told to a model that cannot be held to it. */
function grammarHint(format: JsonObject | undefined): string {
  const definition = format?.['definition'];
  if (typeof definition !== 'string') return '';
  return `The input must match this ${String(format?.['syntax'] ?? '')} grammar:\n${definition}`;
}

/** A tool that takes free text, as a function of one string named `input`. */
function customTool(tool: CustomTool, context: TargetContext): JsonObject {
  const name = targetToolName(tool, TOOL_NAME_RULE);
  context.notes.add(`tools.${tool.name}`, 'emulated', 'a custom tool became a function with one string, input');
  const description = [tool.description ?? '', grammarHint(tool.format)].filter((text) => text !== '').join('\n\n');
  return {
    name,
    ...(description === '' ? {} : { description }),
    input_schema: { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] },
  };
}

/** Versions that every model with tools takes. https://docs.claude.com/en/docs/agents-and-tools/tool-use/overview#server-tools */
const HOSTED: Readonly<Record<string, { readonly type: string; readonly name: string }>> = wordTable({
  'web-search': { type: 'web_search_20250305', name: 'web_search' },
  'web-fetch': { type: 'web_fetch_20250910', name: 'web_fetch' },
  'code-execution': { type: 'code_execution_20250825', name: 'code_execution' },
});

function domains(tool: HostedToolDefinition, context: TargetContext): JsonObject {
  if (tool.allowedDomains && tool.allowedDomains.length > 0) {
    if (tool.blockedDomains) context.notes.add('tools', 'dropped', 'blocked domains: only one of the two lists may be sent');
    return { allowed_domains: tool.allowedDomains };
  }
  return tool.blockedDomains && tool.blockedDomains.length > 0 ? { blocked_domains: tool.blockedDomains } : {};
}

function location(of: JsonObject | undefined): JsonObject {
  if (!of) return {};
  const place: Record<string, JsonObject[string]> = { type: 'approximate' };
  for (const key of ['city', 'region', 'country', 'timezone']) if (typeof of[key] === 'string') place[key] = of[key];
  return { user_location: place };
}

function hostedTool(tool: HostedToolDefinition, context: TargetContext): JsonObject {
  if (tool.native.by === DIALECT) return tool.native.value;
  const own = HOSTED[tool.tool];
  if (!own || !context.facts.hostedTools.includes(tool.tool)) {
    throw badField(
      'tools',
      `Invalid request: the tool '${tool.name}' is run by its provider, and this target has none like it`,
      'unsupported_tool',
    );
  }
  const limited = tool.tool === 'code-execution' ? {} : domains(tool, context);
  return {
    ...own,
    ...(tool.maxUses === undefined || tool.tool === 'code-execution' ? {} : { max_uses: tool.maxUses }),
    ...limited,
    ...(tool.tool === 'web-search' ? location(tool.userLocation) : {}),
  };
}

function encodeTool(tool: Tool, own: boolean, context: TargetContext): JsonObject {
  switch (tool.kind) {
    case 'function':
      return functionTool(tool, own, context);
    case 'custom':
      return customTool(tool, context);
    case 'hosted':
      return hostedTool(tool, context);
  }
}

/** A conversation with calls in it must define tools: stand-ins for those that the client left out. */
function standIns(request: ChatRequest, context: TargetContext): readonly JsonObject[] {
  const names = new Set<string>();
  for (const turn of request.turns) {
    for (const part of turn.parts) if (part.kind === 'tool-call') names.add(targetToolName(part, TOOL_NAME_RULE));
  }
  if (names.size > 0) context.notes.add('tools', 'emulated', 'tools of earlier calls were defined anew, not to be called');
  return [...names].map((name) => ({ name, input_schema: { type: 'object', properties: {} } }));
}

/** What a request says of tools. */
export interface EncodedTools {
  readonly tools: readonly JsonObject[];
  readonly choice?: JsonObject;
  /** The choice leaves the model no way around a tool: thinking is not allowed then. */
  readonly forced: boolean;
  /** What the choice says where the target takes no forced one, for `system`. */
  readonly instruction?: string;
}

interface Choice {
  readonly wire?: JsonObject;
  readonly instruction?: string;
  readonly forced?: boolean;
}

function forcedChoice(wire: JsonObject, instruction: string, context: TargetContext): Choice {
  if (context.facts.forcedToolChoice) return { wire, forced: true };
  context.notes.add('tool_choice', 'emulated', 'the target takes no forced choice: an instruction says it');
  return { wire: { type: 'auto' }, instruction };
}

const ANY = 'Answer by calling one of the tools; do not answer in text alone.';
const calling = (name: string): string => `Answer by calling the tool '${name}'; do not answer in text alone.`;

function choiceOf(choice: ToolChoice | undefined, context: TargetContext): Choice {
  switch (choice?.type) {
    case undefined:
      return {};
    case 'auto':
    case 'none':
      return { wire: { type: choice.type } };
    case 'required':
      return forcedChoice({ type: 'any' }, ANY, context);
    case 'tool': {
      const name = targetToolName(choice, TOOL_NAME_RULE);
      return forcedChoice({ type: 'tool', name }, calling(name), context);
    }
    case 'hosted': {
      const name = HOSTED[choice.tool]?.name ?? choice.tool;
      const wire = choice.native?.by === DIALECT ? choice.native.value : { type: 'tool', name };
      return forcedChoice(wire, calling(name), context);
    }
    case 'allowed':
      return choice.mode === 'auto' ? { wire: { type: 'auto' } } : forcedChoice({ type: 'any' }, ANY, context);
  }
}

/** The tools that a choice leaves: this wire cannot allow some of those that it defines. */
function allowedTools(request: ChatRequest, context: TargetContext): readonly Tool[] {
  const { toolChoice: choice } = request;
  const told = toldTools(request.tools, DIALECT, context.notes);
  if (choice?.type !== 'allowed') return told;
  context.notes.add('tool_choice', 'emulated', 'only the allowed tools were defined');
  const names = new Set(choice.names);
  // Gemini's list is of functions alone; OpenAI's, which comes with its own form, is of all tools.
  const isAllowed = (tool: Tool): boolean =>
    names.has(tool.name) || (tool.kind === 'hosted' && (choice.native === undefined || names.has(tool.tool)));
  return told.filter(isAllowed);
}

function withParallel(wire: JsonObject | undefined, request: ChatRequest, context: TargetContext): JsonObject | undefined {
  if (request.parallelToolCalls !== false || wire?.['type'] === 'none') return wire;
  if (!context.facts.parallelToolCalls) {
    context.notes.add('parallel_tool_calls', 'dropped', 'the target does not take it');
    return wire;
  }
  return { ...(wire ?? { type: 'auto' }), disable_parallel_tool_use: true };
}

/** Writes `tools` and `tool_choice`. Throws `GatewayError` for a hosted tool that the target has none of. */
export function encodeTools(request: ChatRequest, own: boolean, context: TargetContext): EncodedTools {
  const tools = allowedTools(request, context).map((tool) => encodeTool(tool, own, context));
  if (tools.length === 0) {
    const stand = own ? [] : standIns(request, context);
    return { tools: stand, forced: false, ...(stand.length > 0 ? { choice: { type: 'none' } } : {}) };
  }
  const { wire, instruction, forced } = choiceOf(request.toolChoice, context);
  const choice = withParallel(wire, request, context);
  return { tools, forced: forced ?? false, ...(choice ? { choice } : {}), ...(instruction === undefined ? {} : { instruction }) };
}
