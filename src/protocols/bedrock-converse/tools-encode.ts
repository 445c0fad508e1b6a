import { badField, type ChatRequest, type JsonObject, type Tool, targetToolName, toldTools } from '../../ir/index.ts';
import type { TargetContext } from '../protocol.ts';
import { cachePoint } from './content-encode.ts';
import { DIALECT, TOOL_NAME_RULE } from './dialect.ts';

/** https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ToolConfiguration.html */

export interface EncodedTools {
  readonly toolConfig?: JsonObject;
  /** What a choice of tools says where the model cannot be held to it, for `system`. */
  readonly instruction?: string;
}

function functionTool(tool: Extract<Tool, { kind: 'function' }>, context: TargetContext): readonly JsonObject[] {
  const name = targetToolName(tool, TOOL_NAME_RULE);
  if (tool.strict && !context.facts.strictTools)
    context.notes.add(`tools.${tool.name}.strict`, 'dropped', 'the model does not hold tools to their schema');
  const schema = tool.parameters && Object.keys(tool.parameters).length > 0 ? tool.parameters : { type: 'object', properties: {} };
  const spec = {
    name,
    // An empty description is refused.
    ...(tool.description ? { description: tool.description } : {}),
    inputSchema: { json: schema['type'] === 'object' ? schema : { ...schema, type: 'object' } },
    ...(tool.strict && context.facts.strictTools ? { strict: true } : {}),
  };
  return [{ toolSpec: spec }, ...cachePoint(tool.cache, context)];
}

/** A tool that takes free text, as a function of one string named `input`. */
function customTool(tool: Extract<Tool, { kind: 'custom' }>, context: TargetContext): readonly JsonObject[] {
  context.notes.add(`tools.${tool.name}`, 'emulated', 'a custom tool became a function with one string, input');
  const json = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };
  const description = tool.description ? { description: tool.description } : {};
  return [{ toolSpec: { name: targetToolName(tool, TOOL_NAME_RULE), ...description, inputSchema: { json } } }];
}

function encodeTool(tool: Tool, context: TargetContext): readonly JsonObject[] {
  switch (tool.kind) {
    case 'function':
      return functionTool(tool, context);
    case 'custom':
      return customTool(tool, context);
    case 'hosted':
      throw badField('tools', `Invalid request: the target has no tool of its own like '${tool.name}'`, 'unsupported_tool');
  }
}

/** Names of the tools that the conversation has calls of: Converse wants tools defined where there are any. */
function calledTools(request: ChatRequest): readonly string[] {
  const names = new Set<string>();
  for (const turn of request.turns)
    for (const part of turn.parts) if (part.kind === 'tool-call') names.add(targetToolName(part, TOOL_NAME_RULE));
  return [...names];
}

const standIn = (name: string): JsonObject => ({ toolSpec: { name, inputSchema: { json: { type: 'object', properties: {} } } } });

interface Choice {
  readonly wire?: JsonObject;
  readonly instruction?: string;
}

function forced(wire: JsonObject, instruction: string, context: TargetContext): Choice {
  if (context.facts.forcedToolChoice) return { wire };
  context.notes.add('tool_choice', 'emulated', 'the model takes no forced choice: an instruction says it');
  return { instruction };
}

const ANY = 'Answer by calling one of the tools; do not answer in text alone.';

function choiceOf(request: ChatRequest, context: TargetContext): Choice {
  const { toolChoice: choice } = request;
  switch (choice?.type) {
    case undefined:
    case 'auto':
      return {};
    case 'none':
      context.notes.add('tool_choice', 'emulated', 'Converse has no choice of none: an instruction says it');
      return { instruction: 'Do not call any tool; answer in text.' };
    case 'required':
      return forced({ any: {} }, ANY, context);
    case 'tool': {
      const name = targetToolName(choice, TOOL_NAME_RULE);
      return forced({ tool: { name } }, `Answer by calling the tool '${name}'; do not answer in text alone.`, context);
    }
    case 'allowed':
      return choice.mode === 'auto' ? {} : forced({ any: {} }, ANY, context);
    case 'hosted':
      throw badField('tool_choice', `Invalid request: the target has no tool of its own like '${choice.tool}'`, 'unsupported_tool');
  }
}

/** The tools that a choice leaves: this wire cannot allow some of those that it defines. */
function allowedTools(request: ChatRequest, context: TargetContext): readonly Tool[] {
  const { toolChoice: choice } = request;
  const told = toldTools(request.tools, DIALECT, context.notes);
  if (choice?.type !== 'allowed') return told;
  context.notes.add('tool_choice', 'emulated', 'only the allowed tools were defined');
  return told.filter((tool) => choice.names.includes(tool.name) || tool.kind === 'hosted');
}

/** Writes `toolConfig`. Throws `GatewayError` for a tool that the provider would have to run. */
export function encodeTools(request: ChatRequest, context: TargetContext): EncodedTools {
  const called = calledTools(request);
  if (request.parallelToolCalls === false && request.tools.length > 0)
    context.notes.add('parallel_tool_calls', 'dropped', 'Converse has no word for it');
  // Without calls in the conversation the tools can simply be left out.
  if (request.toolChoice?.type === 'none' && called.length === 0) return {};
  const tools = allowedTools(request, context).flatMap((tool) => encodeTool(tool, context));
  if (tools.length === 0) {
    if (called.length === 0) return {};
    context.notes.add('tools', 'emulated', 'tools of earlier calls were defined anew, not to be called');
    return { toolConfig: { tools: called.map(standIn) }, instruction: 'Do not call any tool; answer in text.' };
  }
  const { wire, instruction } = choiceOf(request, context);
  return {
    toolConfig: { tools, ...(wire ? { toolChoice: wire } : {}) },
    ...(instruction === undefined ? {} : { instruction }),
  };
}
