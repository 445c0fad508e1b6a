import { type Emit, parseObject, type ReplyEvent, type Tool, toolsByTargetName } from '../ir/index.ts';

/** Longest tool names of the dialects: a target's name was made under one of them. */
const NAME_LIMITS = [64, 128];

const isPlain = (tool: Tool): boolean =>
  tool.kind === 'function' && tool.namespace === undefined && tool.name.length <= 64 && /^[a-zA-Z_][a-zA-Z0-9_-]*$/.test(tool.name);

type Start = Extract<ReplyEvent, { type: 'part-start' }>;

/**
 * Gives tool calls the client's own names back, where the target was told of a tool under another one (namespaces, long
 * names), and free-text tools their text, where the target was told of a function with one string `input`.
 */
export function restoreTools(tools: readonly Tool[], emit: Emit): Emit {
  if (tools.every((tool) => tool.kind === 'hosted' || isPlain(tool))) return emit;
  const byName = new Map<string, Tool>();
  for (const max of NAME_LIMITS) for (const [name, tool] of toolsByTargetName(tools, { max })) byName.set(name, tool);
  /** The start of a free-text call whose JSON is still coming. */
  let held: { start: Start; json: string } | undefined;

  const renamed = (event: Start): Start => {
    if (event.part.kind !== 'tool-call') return event;
    const tool = byName.get(event.part.name);
    if (!tool || tool.kind === 'hosted') return event;
    const { namespace } = tool;
    return { ...event, part: { ...event.part, name: tool.name, ...(namespace === undefined ? {} : { namespace }) } };
  };
  const isFreeText = (event: Start): boolean =>
    event.part.kind === 'tool-call' && event.part.input !== 'text' && byName.get(event.part.name)?.kind === 'custom';
  const release = (): void => {
    if (!held) return;
    const { start, json } = held;
    held = undefined;
    const input = parseObject(json)?.['input'];
    const named = renamed(start);
    if (typeof input !== 'string' || named.part.kind !== 'tool-call') {
      emit(named);
      if (json !== '') emit({ type: 'part-delta', text: json });
      return;
    }
    emit({ ...named, part: { ...named.part, input: 'text' } });
    if (input !== '') emit({ type: 'part-delta', text: input });
  };
  return (event) => {
    if (event.type === 'part-start' && isFreeText(event)) {
      held = { start: event, json: '' };
      return;
    }
    if (held && event.type === 'part-delta') {
      held.json += event.text;
      return;
    }
    if (event.type === 'part-end' || event.type === 'fault') release();
    emit(event.type === 'part-start' ? renamed(event) : event);
  };
}
