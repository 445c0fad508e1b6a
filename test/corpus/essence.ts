import { createHash } from 'node:crypto';
import {
  type ChatRequest,
  effortOf,
  isOff,
  type Json,
  type MediaPart,
  type Part,
  type Reply,
  type Residue,
  type StopReason,
  type Tool,
  toolsByTargetName,
  type Turn,
  type Usage,
} from '../../src/ir/index.ts';

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, member]) => member !== undefined)
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, member]) => [key, sorted(member)]),
  );
}

/** JSON text as a comparable string: parsed and printed with sorted keys; text that is no JSON as it is. */
function canonical(text: string): string {
  try {
    return JSON.stringify(sorted(JSON.parse(text === '' ? '{}' : text)));
  } catch {
    return text;
  }
}

const squeeze = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

const shortOf = (text: string): string => {
  const held = text.replaceAll(/\s+/g, '');
  return held.length > 80 ? createHash('sha1').update(held).digest('hex').slice(0, 12) : held;
};

/** What a hosted tool was asked, without the language of its code. */
function hostedInput(json: string): string {
  const { language: _language, queries, ...rest } = JSON.parse(json === '' ? '{}' : json) as Record<string, unknown>;
  const [query] = Array.isArray(queries) ? (queries as readonly unknown[]) : [];
  const input = query === undefined ? rest : { ...rest, query };
  // A command is code where a dialect has code only; what is no command alone is shown there as it is.
  if ('command' in input) return canonical(JSON.stringify({ code: Object.keys(input).length === 1 ? input['command'] : json }));
  return canonical(JSON.stringify(input));
}

/** Media by what they are and what they hold; the same bytes are the same, wherever they stand. */
function mediaLine(part: MediaPart): string {
  const { source } = part;
  const isText = source.type === 'base64' && /^text\/|json$/.test(part.mediaType ?? '');
  if (isText) return `${part.media} ${shortOf(Buffer.from(source.data, 'base64').toString('utf8'))}`;
  // What an address holds shows when it is fetched.
  if (source.type === 'url') return `media ${source.url}`;
  return `${part.media} ${shortOf(source.type === 'base64' ? source.data.replaceAll(/[\s=]/g, '') : source.type === 'file' ? source.id : source.text)}`;
}

/** A call's name, without the namespace before it, and arguments; free text as the one member `input` of what a function is given. */
const callText = (part: Extract<Part, { kind: 'tool-call' }>, name = part.name): string =>
  `${name.replace(/^.+?__(?=[a-z])/, '')} ${canonical(part.input === 'text' ? JSON.stringify({ input: part.argumentsJson }) : part.argumentsJson)}`;

const textsOf = (parts: readonly Part[], kind: 'text' | 'refusal' | 'reasoning', joint = ''): string =>
  parts.flatMap((part) => (part.kind === kind ? [part.text] : [])).join(joint);

/** Tokens by class, as far as a report told them. */
const usageLine = (usage: Usage | undefined): Readonly<Record<string, number>> => {
  const { input, output, cacheRead, cacheWrite, reasoning } = usage ?? {};
  return Object.fromEntries(
    Object.entries({ input, output, cacheRead, cacheWrite, reasoning }).filter(
      (entry): entry is [string, number] => typeof entry[1] === 'number' && (entry[1] > 0 || entry[0] === 'input' || entry[0] === 'output'),
    ),
  );
};

/** What a reply says, whatever the dialect: what must survive every client protocol. */
export interface ReplyEssence {
  readonly model: string;
  readonly text: string;
  readonly refusal: string;
  readonly reasoning: string;
  /** Name and arguments. */
  readonly calls: readonly string[];
  /** Kinds of parts in their order, neighbours of one kind as one. */
  readonly order: readonly string[];
  /** Address, title, and after a tab the words that they stand on. */
  readonly citations: readonly string[];
  readonly media: readonly string[];
  /** Calls of hosted tools, and their inputs. */
  readonly hosted: readonly string[];
  /** Answers after the first. */
  readonly others: readonly string[];
  /** Tokens with log probabilities. */
  readonly logprobs: number;
  readonly stop: StopReason;
  readonly sequence: string;
  readonly usage: Readonly<Record<string, number>>;
  /** Sealed state, by its dialect. */
  readonly seals: readonly string[];
}

/** Kinds of parts in their order, neighbours of one kind as one; what says nothing is no part. */
function orderOf(parts: readonly Part[]): readonly string[] {
  const order: string[] = [];
  for (const part of parts) {
    if ((part.kind === 'text' || part.kind === 'reasoning') && part.text === '') continue;
    if (part.kind === 'native') continue;
    if (order.at(-1) !== part.kind) order.push(part.kind);
  }
  return order;
}

/** Ids of calls; such as codecs make for what came without one differ from time to time. */
export const callIdsOf = (parts: readonly Part[]): readonly string[] =>
  parts.flatMap((part) => (part.kind === 'tool-call' ? [part.id.replace(/^(\w+_)(0000\w{4}|function_\d+)$/, '$1new')] : []));

/** Sealed state on parts. */
export const sealsOf = (parts: readonly Part[]): readonly string[] =>
  parts.flatMap((part) => ('seal' in part && part.seal ? [`${part.seal.by} ${part.seal.value}`] : [])).toSorted();

export function replyEssence(reply: Reply): ReplyEssence {
  const { parts } = reply;
  return {
    model: reply.model,
    text: textsOf(parts, 'text'),
    refusal: textsOf(parts, 'refusal'),
    reasoning: textsOf(parts, 'reasoning').replaceAll(/\s+/g, ''),
    calls: parts.flatMap((part) => (part.kind === 'tool-call' ? [callText(part)] : [])),
    order: orderOf(parts),
    citations: parts
      .flatMap((part) => (part.kind === 'text' ? (part.citations ?? []).map((one) => ({ ...one, text: part.text })) : []))
      .flatMap(({ url, title, text, start, end }) =>
        url === undefined ? [] : [`${url} ${title ?? ''}\t${start === undefined || end === undefined ? '' : text.slice(start, end)}`],
      )
      .toSorted(),
    media: parts.flatMap((part) => (part.kind === 'media' ? [mediaLine(part)] : [])),
    hosted: parts.flatMap((part) => (part.kind === 'hosted-call' ? [`${part.tool} ${hostedInput(part.inputJson)}`] : [])),
    others: (reply.others ?? []).map((other) => `${textsOf(other.parts, 'text')}|${other.stop.reason}`),
    logprobs: parts.reduce((sum, part) => sum + (part.kind === 'text' ? (part.logprobs?.length ?? 0) : 0), 0),
    stop: reply.stop.reason,
    sequence: reply.stop.sequence ?? '',
    usage: usageLine(reply.usage),
    seals: sealsOf(parts),
  };
}

/** Words of a schema that say nothing that is not said anyway. */
function plainSchema(value: Json | undefined): unknown {
  if (Array.isArray(value)) return value.map((item: Json) => plainSchema(item));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(
    ([key, member]) => member !== undefined && key !== '$schema' && !(key === 'additionalProperties' && member === false),
  );
  return Object.fromEntries(kept.map(([key, member]) => [key, plainSchema(member)]));
}

function schemaLine(schema: Json | undefined): string {
  const line = JSON.stringify(sorted(plainSchema(schema ?? {})));
  return line === '{"properties":{},"type":"object"}' || line === '{"type":"object"}' ? '{}' : line;
}

/** A request's names of tools as the client has them, where a target was told others. */
type Naming = (name: string) => string;

function namingOf(tools: readonly Tool[]): Naming {
  const names = new Map<string, string>();
  for (const max of [64, 128]) for (const [told, tool] of toolsByTargetName(tools, { max })) names.set(told, tool.name);
  return (name) => names.get(name) ?? name;
}

interface Lines {
  readonly conversation: string[];
  readonly reasoning: string[];
  readonly hosted: string[];
}

/** The conversation as lines, one for each thing said; neighbouring texts of one role are one. */
function conversationOf(turns: readonly Turn[], named: Naming): Lines {
  const lines: Lines = { conversation: [], reasoning: [], hosted: [] };
  const calls = new Map<string, number>();
  const say = (role: string, text: string): void => {
    const last = lines.conversation.length - 1;
    const bare = text.replaceAll(/\s+/g, '');
    if (bare === '') return;
    if (lines.conversation[last]?.startsWith(`${role} says `)) lines.conversation[last] += bare;
    else lines.conversation.push(`${role} says ${bare}`);
  };
  const part = (role: string, one: Part): void => {
    switch (one.kind) {
      case 'text':
      case 'refusal':
        return say(role, one.text);
      case 'media':
        lines.conversation.push(`${role} shows ${mediaLine(one)}`);
        return;
      case 'reasoning':
        lines.reasoning.push(one.text.replaceAll(/\s+/g, ''));
        return;
      case 'tool-call':
        calls.set(one.id, calls.size);
        lines.conversation.push(`calls ${callText(one, named(one.name))}`);
        return;
      case 'tool-result': {
        const said = textsOf(one.content, 'text');
        const text = said === '' ? '' : squeeze(canonical(said));
        lines.conversation.push(`result of ${calls.get(one.callId) ?? 'nothing'}${one.isError ? ', an error' : ''}: ${text}`);
        for (const inner of one.content) if (inner.kind === 'media') lines.conversation.push(`result shows ${mediaLine(inner)}`);
        return;
      }
      case 'hosted-call':
        lines.hosted.push(`${one.tool} ${canonical(one.inputJson)}`);
        return;
      case 'hosted-result':
        lines.hosted.push(`${one.tool} said ${squeeze(one.text)}`);
        return;
      case 'native':
        lines.conversation.push(`${role} ${one.by} ${canonical(JSON.stringify(one.value))}`);
    }
  };
  for (const turn of turns) for (const one of turn.parts) part(turn.role === 'developer' ? 'system' : turn.role, one);
  return lines;
}

/** Where marks for the cache stand: their number in each place. */
function marksOf(request: ChatRequest): string {
  const count = (parts: readonly Part[]): number => parts.filter((part) => 'cache' in part && part.cache).length;
  const tools = request.tools.filter((tool) => tool.kind === 'function' && tool.cache).length;
  const said = request.turns.reduce((sum, turn) => sum + count(turn.parts), count(request.instructions));
  return tools + said === 0 && !request.cache ? '' : `${tools} on tools, ${said} on content${request.cache ? ', whole' : ''}`;
}

/** A choice of tools with what it names; of an allowed one that must be called it is a choice of that one. */
function choiceLine({ toolChoice: choice, tools }: ChatRequest, named: Naming): string | undefined {
  switch (choice?.type) {
    case 'tool':
      return `tool ${named(choice.name)}`;
    case 'hosted':
      return `hosted ${choice.tool}`;
    case 'allowed': {
      const names = choice.names.filter((name) =>
        tools.some((tool) => tool.name === name || (tool.kind === 'hosted' && tool.tool === name)),
      );
      return choice.mode === 'required' && names.length === 1
        ? `tool ${named(names[0] ?? '')}`
        : `${choice.mode} of ${names.map(named).toSorted().join(', ')}`;
    }
    default:
      return choice?.type;
  }
}

/** Tiers that are the same by other words; `auto` is what holds anyway. */
const TIERS: Readonly<Record<string, string>> = { auto: '', priority: '', default: 'standard', standard_only: 'standard' };

/** Members of residue that are read already, or are the codec's own. */
const UNSAID: ReadonlySet<string> = new Set([
  'anthropic_version',
  'echo',
  'include',
  'item',
  'in_item',
  'in_call',
  'joined',
  'as_file',
  'block',
  'caller',
  'transcript',
  'reasoning',
  'thinking',
  'enable_thinking',
  'thinking_budget',
  'chat_template_kwargs',
]);

type Put = (field: string, value: unknown) => void;

/** Fields that the shared language has no word for, by their names. */
function putResidue(request: ChatRequest, put: Put): void {
  const each = (of: { readonly residue?: Residue }, prefix: string): void => {
    for (const rest of Object.values(of.residue ?? {}))
      for (const [name, value] of Object.entries(rest))
        if (!UNSAID.has(name) && value !== false) put(prefix + name, canonical(JSON.stringify(value)));
  };
  each(request, 'residue.');
  for (const tool of request.tools) if (tool.kind !== 'hosted') each(tool, 'residue.tools.');
  for (const turn of request.turns) each(turn, 'residue.messages.');
  for (const turn of request.turns) for (const part of turn.parts) each(part, 'residue.messages.');
}

const isSystem = (turn: Turn | undefined): boolean => turn?.role === 'system' || turn?.role === 'developer';

function putTurns(request: ChatRequest, named: Naming, put: Put): void {
  const first = request.turns.findIndex((turn) => !isSystem(turn));
  const leading = request.turns.slice(0, first < 0 ? request.turns.length : first);
  put(
    'system',
    squeeze(
      [...request.instructions, ...leading.flatMap((turn) => turn.parts)].map((part) => (part.kind === 'text' ? part.text : '')).join(' '),
    ),
  );
  const { conversation, reasoning, hosted } = conversationOf(request.turns.slice(leading.length), named);
  put('conversation', conversation.join('\n'));
  put('reasoning.replayed', reasoning.join(''));
  put('hosted.replayed', hosted);
}

function putTools(request: ChatRequest, named: Naming, put: Put): void {
  for (const tool of request.tools) {
    if (tool.kind === 'hosted')
      put(`hosted.${tool.tool}`, { allowed: tool.allowedDomains, blocked: tool.blockedDomains, uses: tool.maxUses });
    else if (tool.kind === 'custom') put(`tool.${named(tool.name)}`, `custom ${squeeze(tool.description ?? '')}`);
    else {
      put(`tool.${named(tool.name)}`, `${squeeze(tool.description ?? '')} ${schemaLine(tool.parameters)}`);
      put(`tool.${named(tool.name)}.strict`, tool.strict ? true : undefined);
    }
  }
  const chosen = choiceLine(request, named);
  put('tool_choice', request.tools.length === 0 || chosen === 'auto' ? undefined : chosen);
  put('parallel', request.parallelToolCalls === false && request.tools.length > 0 ? false : undefined);
}

function putReasoning(request: ChatRequest, put: Put): void {
  put('effort', request.reasoning && effortOf(request.reasoning));
  const { enabled, effort, budgetTokens } = request.reasoning ?? {};
  // Left to the model: that is no wish that could be lost.
  const lets = request.reasoning?.adaptive === true || (budgetTokens ?? 0) < 0;
  const thinks = enabled === true || (effort ?? 'none') !== 'none' || (budgetTokens ?? 0) !== 0;
  put('thinks', request.reasoning && isOff(request.reasoning) ? false : lets ? 'as it likes' : thinks || undefined);
}

function putSampling(request: ChatRequest, put: Put): void {
  put('max_tokens', request.maxOutputTokens);
  put('temperature', request.temperature === 1 ? undefined : request.temperature);
  put('top_p', request.topP === 1 ? undefined : request.topP);
  put('top_k', request.topK);
  put('frequency_penalty', request.frequencyPenalty || undefined);
  put('presence_penalty', request.presencePenalty || undefined);
  put('seed', request.seed);
  put('logprobs', request.logprobs);
  put('n', request.n === 1 ? undefined : request.n);
  put('stop', request.stop?.toSorted());
}

/** What a request asks, as lines that can be compared between dialects. `tools`: whose names the target was told in its own way. */
export function requestEssence(request: ChatRequest, tools: readonly Tool[] = request.tools): Map<string, string> {
  const lines = new Map<string, string>();
  const named = namingOf(tools);
  const put = (field: string, value: unknown): void => {
    if (value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0))
      lines.set(field, typeof value === 'string' ? value : JSON.stringify(sorted(value)));
  };
  putTurns(request, named, put);
  putTools(request, named, put);
  const { output } = request;
  put('output', output?.type === 'json-schema' ? `json-schema ${schemaLine(output.schema)}` : output?.type === 'json' ? 'json' : undefined);
  putReasoning(request, put);
  putSampling(request, put);
  put(
    'modalities',
    request.modalities?.filter((modality) => modality.toLowerCase() !== 'text'),
  );
  put('verbosity', request.verbosity === 'medium' ? undefined : request.verbosity);
  put('user', request.user);
  put('metadata', request.metadata && Object.keys(request.metadata).length > 0 ? request.metadata : undefined);
  put('tier', TIERS[request.serviceTier ?? 'auto'] ?? request.serviceTier);
  put('prompt_cache_key', request.promptCacheKey);
  put('cache', marksOf(request));
  put('stream', request.stream || undefined);
  putResidue(request, put);
  return lines;
}
