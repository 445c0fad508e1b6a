import type { ChatRequest, ToolCallPart } from '../ir/index.ts';
import { callable, chooseTool, type ClientTool } from './choose-tools.ts';
import type { Conversation } from './conversation.ts';
import type { AskedCall, Directives } from './directives.ts';
import { type Hints, readHints } from './hints.ts';
import { schemaInstance } from './schema-instance.ts';

/** More than this many calls at once are not made of one prompt. */
const MAX_PLACES = 8;

function argumentsFor(tool: ClientTool, hints: Hints): string {
  if (tool.kind === 'custom') return hints.text;
  const made = schemaInstance(tool.parameters ?? { type: 'object' }, hints, 'needed');
  return JSON.stringify(typeof made === 'object' && made !== null && !Array.isArray(made) ? made : {});
}

const asPart = (tool: ClientTool, input: string, newId: NewId): ToolCallPart => ({
  kind: 'tool-call',
  id: newId(),
  name: tool.name,
  argumentsJson: input,
  ...(tool.kind === 'custom' ? { input: 'text' as const } : {}),
  ...(tool.namespace === undefined ? {} : { namespace: tool.namespace }),
});

type NewId = () => string;

const isNamed = (tool: ClientTool, name: string): boolean =>
  tool.name === name ||
  (tool.namespace !== undefined && (`${tool.namespace}__${tool.name}` === name || `${tool.namespace}.${tool.name}` === name));

/** A call as the prompt words it; an unknown name is called too, as a model may do that. */
function askedPart(asked: AskedCall, tools: readonly ClientTool[], hints: Hints, newId: NewId): ToolCallPart {
  const tool = tools.find((one) => isNamed(one, asked.name)) ?? { kind: 'function', name: asked.name };
  return asPart(tool, asked.input ?? argumentsFor(tool, hints), newId);
}

/** The calls that one tool is to make: one, or one for each place that the prompt names when its arguments differ by that. */
function callsOf(tool: ClientTool, hints: Hints, parallel: boolean, newId: NewId): readonly ToolCallPart[] {
  const places = parallel && hints.places.length > 1 ? hints.places.slice(0, MAX_PLACES) : [];
  const each = [...new Set(places.map((place) => argumentsFor(tool, { ...hints, places: [place] })))];
  const inputs = each.length > 1 && each.length === places.length ? each : [argumentsFor(tool, hints)];
  return inputs.map((input) => asPart(tool, input, newId));
}

/**
 * The calls to make now: those that the prompt asks for in brackets, else of the tool that fits it. Results that have just
 * come are answered, not called for again, unless a call is forced.
 */
export function makeCalls(request: ChatRequest, conversation: Conversation, directives: Directives, newId: NewId): readonly ToolCallPart[] {
  const choice = request.toolChoice;
  const { tools, must } = callable(request);
  const parallel = request.parallelToolCalls !== false;
  const hints = readHints(directives.text);
  if (directives.calls.length > 0 && choice?.type !== 'none') {
    const calls = directives.calls.map((asked) => askedPart(asked, tools, hints, newId));
    return parallel ? calls : calls.slice(0, 1);
  }
  if (conversation.results.length > 0 && !must) return [];
  const tool = chooseTool(tools, directives.text, must);
  return tool ? callsOf(tool, hints, parallel, newId) : [];
}
