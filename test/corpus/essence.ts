import type { ChatRequest, Part, Reply, StopReason, Usage } from '../../src/ir/index.ts';

/** JSON text as a comparable string: parsed and printed with sorted keys; text that is no JSON as it is. */
export function canonical(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text === '' ? '{}' : text)));
  } catch {
    return text;
  }
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** What a reply says, whatever the dialect: what must survive every client protocol. */
export interface ReplyEssence {
  readonly text: string;
  readonly reasoning: string;
  readonly calls: readonly string[];
  readonly stop: StopReason;
  readonly input: number | undefined;
  readonly output: number | undefined;
  readonly cacheRead: number | undefined;
}

const textsOf = (parts: readonly Part[]): string =>
  parts.map((part) => (part.kind === 'text' || part.kind === 'refusal' ? part.text : '')).join('');

export function replyEssence(reply: Reply): ReplyEssence {
  const { parts, usage } = reply;
  return {
    text: textsOf(parts),
    reasoning: squeeze(parts.map((part) => (part.kind === 'reasoning' ? part.text : '')).join(' ')),
    calls: parts.flatMap((part) =>
      part.kind === 'tool-call' ? [`${part.name} ${part.input === 'text' ? part.argumentsJson : canonical(part.argumentsJson)}`] : [],
    ),
    stop: reply.stop.reason,
    input: usage?.input,
    output: usage?.output,
    cacheRead: usage?.cacheRead || undefined,
  };
}

export const usageEssence = (usage: Usage | undefined): string =>
  usage ? `${usage.input}/${usage.output}/${usage.cacheRead ?? 0}` : 'none';

/** What a request asks, part by part, as lines that can be compared between dialects. */
export function requestEssence(request: ChatRequest): Map<string, string> {
  const lines = new Map<string, string>();
  const put = (field: string, value: unknown): void => {
    if (value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0))
      lines.set(field, typeof value === 'string' ? value : JSON.stringify(sorted(value)));
  };
  const system = [
    ...request.instructions,
    ...request.turns.filter((turn) => turn.role === 'system' || turn.role === 'developer').flatMap((turn) => turn.parts),
  ];
  put('system', squeeze(system.map((part) => (part.kind === 'text' ? part.text : '')).join(' ')));
  const user = request.turns.filter((turn) => turn.role === 'user').flatMap((turn) => turn.parts);
  const assistant = request.turns.filter((turn) => turn.role === 'assistant').flatMap((turn) => turn.parts);
  put('user.text', squeeze(textsOf(user)));
  put('assistant.text', squeeze(textsOf(assistant)));
  put(
    'calls',
    assistant.flatMap((part) =>
      part.kind === 'tool-call' ? [`${part.name} ${part.input === 'text' ? part.argumentsJson : canonical(part.argumentsJson)}`] : [],
    ),
  );
  put(
    'results',
    user.flatMap((part) => (part.kind === 'tool-result' ? [squeeze(canonical(textsOf(part.content)))] : [])),
  );
  put(
    'media',
    [...user, ...user.flatMap((part) => (part.kind === 'tool-result' ? part.content : []))]
      .filter((part) => part.kind === 'media')
      .map((part) => part.media),
  );
  put(
    'tools',
    request.tools.flatMap((tool) => (tool.kind === 'hosted' ? [] : [tool.name])),
  );
  put(
    'tools.hosted',
    request.tools.flatMap((tool) => (tool.kind === 'hosted' ? [tool.tool] : [])),
  );
  put('tool_choice', request.toolChoice && request.toolChoice.type !== 'auto' ? request.toolChoice.type : undefined);
  put('output', request.output && request.output.type !== 'text' ? request.output.type : undefined);
  put('max_tokens', request.maxOutputTokens);
  put('temperature', request.temperature);
  put('top_p', request.topP);
  put('stop', request.stop);
  return lines;
}
