import { type FunctionTool, type HostedToolDefinition, type Json, type JsonObject, type Tool, type ToolChoice } from '../../ir/index.ts';
import { readCacheControl } from './cache-control.ts';
import { DIALECT, withResidue } from './dialect.ts';
import {
  objectAt,
  optionalBoolean,
  optionalCount,
  optionalObject,
  optionalString,
  optionalStrings,
  requiredString,
  unknownMembers,
} from '../../wire/fields.ts';
import { hostedTool } from './hosted-blocks.ts';

const FUNCTION = new Set(['type', 'name', 'description', 'input_schema', 'strict', 'cache_control']);

function functionTool(from: JsonObject, at: string): FunctionTool {
  const description = optionalString(from, 'description', at);
  const parameters = optionalObject(from, 'input_schema', at);
  const strict = optionalBoolean(from, 'strict', at);
  return {
    kind: 'function',
    name: requiredString(from, 'name', at),
    ...(description === undefined ? {} : { description }),
    ...(parameters ? { parameters } : {}),
    ...(strict === undefined ? {} : { strict }),
    ...readCacheControl(from, at),
    ...withResidue(unknownMembers(from, FUNCTION)),
  };
}

/** A tool with a type of its own: run by the provider, or by the client to a schema that the model was trained on. */
function hostedDefinition(from: JsonObject, type: string, at: string): HostedToolDefinition {
  const allowedDomains = optionalStrings(from, 'allowed_domains', at);
  const blockedDomains = optionalStrings(from, 'blocked_domains', at);
  const maxUses = optionalCount(from, 'max_uses', at);
  const userLocation = optionalObject(from, 'user_location', at);
  return {
    kind: 'hosted',
    tool: hostedTool(type),
    name: optionalString(from, 'name', at) ?? type,
    ...(allowedDomains ? { allowedDomains } : {}),
    ...(blockedDomains ? { blockedDomains } : {}),
    ...(maxUses === undefined ? {} : { maxUses }),
    ...(userLocation ? { userLocation } : {}),
    native: { by: DIALECT, value: from },
  };
}

/** Reads one element of `tools`. */
export function decodeTool(value: Json, at: string): Tool {
  const from = objectAt(value, at);
  const type = optionalString(from, 'type', at) ?? 'custom';
  return type === 'custom' ? functionTool(from, at) : hostedDefinition(from, type, at);
}

interface Choice {
  readonly toolChoice?: ToolChoice;
  readonly parallelToolCalls?: boolean;
}

function choiceOf(from: JsonObject, tools: readonly Tool[]): ToolChoice | undefined {
  switch (requiredString(from, 'type', 'tool_choice')) {
    case 'auto':
      return { type: 'auto' };
    case 'any':
      return { type: 'required' };
    case 'none':
      return { type: 'none' };
    case 'tool': {
      const name = requiredString(from, 'name', 'tool_choice');
      const hosted = tools.find((tool) => tool.kind === 'hosted' && tool.name === name);
      return hosted?.kind === 'hosted'
        ? { type: 'hosted', tool: hosted.tool, native: { by: DIALECT, value: { type: 'tool', name } } }
        : { type: 'tool', name };
    }
    default:
      return undefined;
  }
}

/** Reads `tool_choice`, which also says whether calls may be parallel. A kind that is not known here stays residue. */
export function decodeToolChoice(from: JsonObject | undefined, tools: readonly Tool[]): Choice {
  if (!from) return {};
  const toolChoice = choiceOf(from, tools);
  const disabled = optionalBoolean(from, 'disable_parallel_tool_use', 'tool_choice');
  return { ...(toolChoice ? { toolChoice } : {}), ...(disabled ? { parallelToolCalls: false } : {}) };
}
