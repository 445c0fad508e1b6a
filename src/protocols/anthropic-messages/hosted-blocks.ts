import {
  type HostedCallPart,
  type HostedResultPart,
  type HostedTool,
  isObject,
  type Json,
  type JsonObject,
  wordTable,
} from '../../ir/index.ts';
import { DIALECT } from './dialect.ts';

/** Tools that the provider runs, by the words of `server_tool_use` and of tool definitions without their date. */
const TOOLS: Readonly<Record<string, HostedTool>> = wordTable({
  web_search: 'web-search',
  web_fetch: 'web-fetch',
  code_execution: 'code-execution',
  bash_code_execution: 'code-execution',
  text_editor_code_execution: 'code-execution',
  computer: 'computer',
  computer_toolset: 'computer',
  bash: 'shell',
  mcp: 'mcp',
  mcp_toolset: 'mcp',
  tool_search_tool: 'tool-search',
  tool_search_tool_bm25: 'tool-search',
  tool_search_tool_regex: 'tool-search',
});

/** The shared word for a tool's name or a definition's type (`web_search_20250305`). */
export const hostedTool = (word: string): HostedTool => TOOLS[word.replace(/_\d{8}$/, '')] ?? 'other';

/** Whether a block is a call of a tool that the provider runs. */
export const isHostedCall = (type: Json | undefined): boolean => type === 'server_tool_use' || type === 'mcp_tool_use';

/** Whether a block is what such a call came to. */
export const isHostedResult = (type: Json | undefined): boolean =>
  typeof type === 'string' && type !== 'tool_result' && type.endsWith('_tool_result');

const str = (value: Json | undefined): string => (typeof value === 'string' ? value : '');

/** Reads a call of a hosted tool; the block itself stays with it. */
export function decodeHostedCall(block: JsonObject): HostedCallPart {
  const name = str(block['name']);
  return {
    kind: 'hosted-call',
    id: str(block['id']),
    tool: block['type'] === 'mcp_tool_use' ? 'mcp' : hostedTool(name),
    name,
    inputJson: JSON.stringify(block['input'] ?? {}),
    native: { by: DIALECT, value: block },
  };
}

interface Told {
  readonly text: string;
  readonly isError?: boolean;
  readonly sources?: readonly { readonly url: string; readonly title?: string }[];
}

const lines = (...texts: readonly string[]): string => texts.filter((text) => text !== '').join('\n');

function sourceOf(from: JsonObject): { readonly url: string; readonly title?: string } | undefined {
  const url = str(from['url']);
  const title = str(from['title']) || (isObject(from['content']) ? str(from['content']['title']) : '');
  return url === '' ? undefined : { url, ...(title === '' ? {} : { title }) };
}

/** A list: found pages, or the blocks of an MCP answer. */
function tellList(items: readonly Json[]): Told {
  const sources = items.filter(isObject).flatMap((item) => sourceOf(item) ?? []);
  if (sources.length > 0) return { text: lines(...sources.map((source) => lines(`${source.title ?? ''} ${source.url}`.trim()))), sources };
  return { text: lines(...items.map((item) => (isObject(item) ? str(item['text']) : str(item)))) };
}

/** A fetched page: its text where it is text. */
function tellPage(page: JsonObject): Told {
  const source = sourceOf(page);
  const document = isObject(page['content']) ? page['content'] : {};
  const inner = isObject(document['source']) ? document['source'] : {};
  const text = inner['type'] === 'text' ? str(inner['data']) : '';
  return { text: text || source?.url || '', ...(source ? { sources: [source] } : {}) };
}

function tellObject(content: JsonObject): Told {
  const type = str(content['type']);
  if (type.endsWith('_error')) return { text: lines(str(content['error_code']), str(content['error_message'])), isError: true };
  if (type === 'web_fetch_result') return tellPage(content);
  if ('stdout' in content || 'stderr' in content) {
    const failed = typeof content['return_code'] === 'number' && content['return_code'] !== 0;
    return { text: lines(str(content['stdout']), str(content['stderr'])), isError: failed };
  }
  const references = content['tool_references'];
  if (Array.isArray(references)) return { text: lines(...references.filter(isObject).map((item) => str(item['tool_name']))) };
  return { text: str(content['text']) || str(content['content']) };
}

function tell(content: Json | undefined): Told {
  if (Array.isArray(content)) return tellList(content);
  return isObject(content) ? tellObject(content) : { text: str(content) };
}

/** Reads what a hosted tool gave; the block itself stays with it. */
export function decodeHostedResult(block: JsonObject): HostedResultPart {
  const { text, isError, sources } = tell(block['content']);
  return {
    kind: 'hosted-result',
    callId: str(block['tool_use_id']),
    tool: hostedTool(str(block['type']).replace(/_tool_result$/, '')),
    text,
    isError: isError === true || block['is_error'] === true,
    ...(sources && sources.length > 0 ? { sources } : {}),
    native: { by: DIALECT, value: block },
  };
}

const DIRECT = { type: 'direct' } as const;

function inputOf(part: HostedCallPart): JsonObject {
  try {
    const value: unknown = JSON.parse(part.inputJson);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

/** Another dialect's call in this one's words, for a client's eyes; `undefined` where there are none. */
export function encodeHostedCall(part: HostedCallPart): JsonObject | undefined {
  if (part.native?.by === DIALECT) return part.native.value;
  const input = inputOf(part);
  const { id } = part;
  switch (part.tool) {
    case 'web-search':
      return { type: 'server_tool_use', id, name: 'web_search', input, caller: DIRECT };
    case 'web-fetch':
      return { type: 'server_tool_use', id, name: 'web_fetch', input, caller: DIRECT };
    case 'code-execution':
      return { type: 'server_tool_use', id, name: 'code_execution', input, caller: DIRECT };
    case 'mcp':
      return { type: 'mcp_tool_use', id, name: part.name, server_name: '', input };
    default:
      return undefined;
  }
}

function searchContent(part: HostedResultPart): Json {
  if (part.isError) return { type: 'web_search_tool_result_error', error_code: 'unavailable' };
  const found = part.sources ?? [];
  return found.map(({ url, title }) => ({ type: 'web_search_result', url, title: title ?? url, encrypted_content: '', page_age: null }));
}

function fetchContent(part: HostedResultPart): Json {
  const url = part.sources?.[0]?.url;
  if (part.isError || url === undefined) return { type: 'web_fetch_tool_result_error', error_code: 'unavailable' };
  const source = { type: 'text', media_type: 'text/plain', data: part.text };
  const document = { type: 'document', source, title: part.sources?.[0]?.title ?? null, citations: null };
  return { type: 'web_fetch_result', url, retrieved_at: null, content: document };
}

/** Another dialect's result in this one's words, for a client's eyes; `undefined` where there are none. */
export function encodeHostedResult(part: HostedResultPart): JsonObject | undefined {
  if (part.native?.by === DIALECT) return part.native.value;
  const tool_use_id = part.callId;
  switch (part.tool) {
    case 'web-search':
      return { type: 'web_search_tool_result', tool_use_id, caller: DIRECT, content: searchContent(part) };
    case 'web-fetch':
      return { type: 'web_fetch_tool_result', tool_use_id, caller: DIRECT, content: fetchContent(part) };
    case 'code-execution': {
      const content = { type: 'code_execution_result', stdout: part.text, stderr: '', return_code: part.isError ? 1 : 0, content: [] };
      return { type: 'code_execution_tool_result', tool_use_id, content };
    }
    case 'mcp':
      return { type: 'mcp_tool_result', tool_use_id, is_error: part.isError, content: [{ type: 'text', text: part.text }] };
    default:
      return undefined;
  }
}
