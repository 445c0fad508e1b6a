import {
  badField,
  type ChatRequest,
  type CustomTool,
  type GatewayError,
  type HostedToolDefinition,
  type JsonObject,
  type ToolChoice,
  wordTable,
} from '../ir/index.ts';
import type { TargetContext } from './protocol.ts';

/** Tools as both of OpenAI's protocols speak of them. */

/** What a request says of its tools. */
export interface EncodedTools {
  /** `tools`, `tool_choice` and what stands beside them. */
  readonly members: JsonObject;
  /** What is to be said to the model, since the target cannot be told. */
  readonly instruction?: string;
}

/** What a request says of which tool is to be called. */
export interface EncodedChoice {
  readonly wire?: string | JsonObject;
  /** What the choice says, where the target takes no forced one. */
  readonly instruction?: string;
}

/** A choice that leaves the model none, as the wire says it; where the target takes no such, in words. */
export function forcedChoice(wire: string | JsonObject, instruction: string, own: boolean, context: TargetContext): EncodedChoice {
  if (context.facts.forcedToolChoice || own) return { wire };
  context.notes.add('tool_choice', 'emulated', 'the target takes no forced choice: an instruction says it');
  return { wire: 'auto', instruction };
}

/** The choice of any tool, but of one. */
export const requiredChoice = (own: boolean, context: TargetContext): EncodedChoice =>
  forcedChoice('required', 'Answer by calling one of the tools; do not answer in text alone.', own, context);

/** The choice of the tool of that name. */
export const namedChoice = (wire: JsonObject, name: string, own: boolean, context: TargetContext): EncodedChoice =>
  forcedChoice(wire, `Answer by calling the tool '${name}'; do not answer in text alone.`, own, context);

/** `parallel_tool_calls`, where the request says something of it and the target takes it. */
export function encodeParallel({ parallelToolCalls }: ChatRequest, own: boolean, context: TargetContext): JsonObject {
  if (parallelToolCalls === undefined) return {};
  if (own || context.facts.parallelToolCalls) return { parallel_tool_calls: parallelToolCalls };
  if (!parallelToolCalls) context.notes.add('parallel_tool_calls', 'dropped', 'the target does not take it');
  return {};
}

/** How a grammar for free text is told to a model that cannot be held to it. */
function grammarHint(format: JsonObject | undefined): string {
  const definition = format?.['definition'];
  return typeof definition === 'string' ? `The input must match this ${String(format?.['syntax'] ?? '')} grammar:\n${definition}` : '';
}

/** A tool that takes free text, as a function with one string, `input`: its name, description and parameters. */
export function customAsFunction({ name: own, description, format }: CustomTool, name: string, context: TargetContext): JsonObject {
  context.notes.add(`tools.${own}`, 'emulated', 'a custom tool became a function with one string, input');
  const said = [description ?? '', grammarHint(format)].filter((text) => text !== '').join('\n\n');
  const parameters = { type: 'object', properties: { input: { type: 'string' } }, required: ['input'] };
  return { name, ...(said === '' ? {} : { description: said }), parameters };
}

const LOCATION = ['city', 'country', 'region', 'timezone'];

/** Where a web search is to think that its user is; `undefined` where that is not said. */
export function searchPlace({ userLocation }: HostedToolDefinition): JsonObject | undefined {
  const place = LOCATION.flatMap((key) => (typeof userLocation?.[key] === 'string' ? [[key, userLocation[key]] as const] : []));
  return place.length > 0 ? Object.fromEntries(place) : undefined;
}

/** The refusal of a tool that another provider would run: without it the answer would be another. */
export const noSuchTool = (tool: HostedToolDefinition): GatewayError =>
  badField(
    'tools',
    `Invalid request: the tool '${tool.name}' is run by its provider, and this target has none like it`,
    'unsupported_tool',
  );

const WORDS: Readonly<Record<string, 'auto' | 'none' | 'required'>> = wordTable({
  auto: 'auto',
  none: 'none',
  required: 'required',
  any: 'required',
});

/** Reads a choice that is one word. Throws `GatewayError` that names the field `at` for other words. */
export function choiceWord(word: string, at: string): ToolChoice {
  const type = WORDS[word];
  if (type === undefined)
    throw badField(at, `Invalid request: '${at}' must be 'auto', 'none', 'required' or a tool, found '${word.slice(0, 64)}'`);
  return { type };
}
