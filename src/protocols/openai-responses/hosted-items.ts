import {
  type HostedCallPart,
  type HostedResultPart,
  type HostedTool,
  isObject,
  type Json,
  type JsonObject,
  parseObject,
  type Residue,
  wordTable,
} from '../../ir/index.ts';
import { DIALECT, objects, residueOf, str } from './dialect.ts';

/** Calls of tools that the provider runs, by the type of their item. */
const CALLS: Readonly<Record<string, HostedTool>> = wordTable({
  web_search_call: 'web-search',
  x_search_call: 'web-search',
  file_search_call: 'file-search',
  code_interpreter_call: 'code-execution',
  computer_call: 'computer',
  shell_call: 'shell',
  local_shell_call: 'shell',
  mcp_call: 'mcp',
});

/** Whether an item of that type is a call of a tool that the provider runs. */
export const isHostedCall = (type: string): boolean => CALLS[type] !== undefined;

/** A call of a hosted tool as it begins: what it was asked comes later, with the item. */
export const hostedHead = (item: JsonObject): HostedCallPart => ({
  kind: 'hosted-call',
  id: str(item['id']),
  tool: CALLS[str(item['type'])] ?? 'other',
  name: str(item['name']) || str(item['type']),
  inputJson: '',
});

function searchInput(action: JsonObject): JsonObject {
  const queries = Array.isArray(action['queries']) ? (action['queries'] as readonly Json[]) : [];
  const query = str(action['query']) || str(queries[0]);
  const url = str(action['url']);
  if (url !== '') return { urls: [url], ...(str(action['pattern']) === '' ? {} : { pattern: str(action['pattern']) }) };
  return query === '' ? {} : { query };
}

/** What the tool was asked, as JSON text. */
export function hostedInput(item: JsonObject): string {
  const { action } = item;
  switch (item['type']) {
    case 'code_interpreter_call':
      // Some say it as the arguments of a call.
      return JSON.stringify({ code: str(item['code']) || str(parseObject(str(item['arguments']))?.['code']), language: 'python' });
    case 'file_search_call':
      return JSON.stringify({ query: Array.isArray(item['queries']) ? (item['queries'] as readonly Json[]).map(str).join('\n') : '' });
    case 'mcp_call':
      return str(item['arguments']) || '{}';
    case 'web_search_call':
    case 'x_search_call':
      return JSON.stringify(isObject(action) ? searchInput(action) : {});
    default:
      return JSON.stringify(isObject(action) ? action : isObject(item['actions']) ? item['actions'] : {});
  }
}

/** Marks a result that stands in its call's item: this dialect writes it with the call. */
const IN_CALL: Residue = { [DIALECT]: { in_call: true } };

/** Whether a result stands in its call's item. */
export const isInCall = (part: HostedResultPart): boolean => residueOf(part)['in_call'] === true;

const lines = (texts: readonly string[]): string => texts.filter((text) => text !== '').join('\n');

type Told = Pick<HostedResultPart, 'text' | 'sources'> & { readonly isError?: boolean };

function tellPages(action: Json | undefined): Told | undefined {
  const sources = objects(isObject(action) ? action['sources'] : undefined).flatMap((source) => {
    const [url, title] = [str(source['url']), str(source['title'])];
    return url === '' ? [] : [{ url, ...(title === '' ? {} : { title }) }];
  });
  return sources.length === 0 ? undefined : { text: lines(sources.map(({ url, title }) => `${title ?? ''} ${url}`.trim())), sources };
}

function tell(item: JsonObject): Told | undefined {
  switch (item['type']) {
    case 'web_search_call':
      return tellPages(item['action']);
    case 'code_interpreter_call': {
      const text = lines(objects(item['outputs']).map((output) => str(output['logs'])));
      return text === '' ? undefined : { text, isError: item['status'] === 'failed' };
    }
    case 'file_search_call': {
      const text = lines(objects(item['results']).map((result) => lines([str(result['filename']), str(result['text'])])));
      return text === '' ? undefined : { text };
    }
    case 'mcp_call': {
      const { error, output } = item;
      if (error) return { text: typeof error === 'string' ? error : isObject(error) ? str(error['message']) : '', isError: true };
      return str(output) === '' ? undefined : { text: str(output) };
    }
    default:
      return undefined;
  }
}

/** What the tool gave, where the item says it. */
export function hostedResult(item: JsonObject): HostedResultPart | undefined {
  const told = tell(item);
  if (!told) return undefined;
  const { text, sources, isError = false } = told;
  return {
    kind: 'hosted-result',
    callId: str(item['id']),
    tool: CALLS[str(item['type'])] ?? 'other',
    text,
    isError,
    ...(sources ? { sources } : {}),
    residue: IN_CALL,
  };
}

/** Reads a call of a hosted tool, and what it gave; the item itself stays with the call. */
export function decodeHosted(item: JsonObject): readonly (HostedCallPart | HostedResultPart)[] {
  const call: HostedCallPart = { ...hostedHead(item), inputJson: hostedInput(item), native: { by: DIALECT, value: item } };
  const result = hostedResult(item);
  return result ? [call, result] : [call];
}

/** What a call of another dialect gave, as members of its item. */
function resultMembers(tool: HostedTool, result: HostedResultPart | undefined): JsonObject {
  if (!result) return {};
  const { text, isError, sources } = result;
  switch (tool) {
    case 'code-execution':
      return { outputs: text === '' ? [] : [{ type: 'logs', logs: text }], ...(isError ? { status: 'failed' } : {}) };
    case 'mcp':
      return isError
        ? { error: { type: 'mcp_tool_execution_error', content: [{ type: 'text', text }] }, status: 'failed' }
        : { output: text };
    default:
      return sources && sources.length > 0 ? { sources: sources.map(({ url }) => ({ type: 'url', url })) } : {};
  }
}

/** Another dialect's call, with what it gave, as an item for a client's eyes; `undefined` where there is none. */
export function encodeHostedCall(part: HostedCallPart, id: string, result?: HostedResultPart): JsonObject | undefined {
  if (part.native?.by === DIALECT) return part.native.value;
  const given = resultMembers(part.tool, result);
  const input = parseObject(part.inputJson) ?? {};
  const urls = input['urls'];
  const url = str(input['url']) || (Array.isArray(urls) ? str((urls as readonly Json[])[0]) : '');
  switch (part.tool) {
    case 'web-search': {
      const query = str(input['query']);
      return {
        id,
        type: 'web_search_call',
        status: 'completed',
        action: { type: 'search', query, queries: query === '' ? [] : [query], ...given },
      };
    }
    case 'web-fetch':
      return { id, type: 'web_search_call', status: 'completed', action: { type: 'open_page', url: url === '' ? null : url } };
    case 'code-execution':
      return {
        id,
        type: 'code_interpreter_call',
        status: 'completed',
        code: str(input['code']) || str(input['command']) || part.inputJson,
        container_id: '',
        outputs: null,
        ...given,
      };
    case 'file-search':
      return { id, type: 'file_search_call', status: 'completed', queries: [str(input['query'])], results: null };
    case 'mcp':
      return {
        id,
        type: 'mcp_call',
        status: 'completed',
        name: part.name,
        server_label: '',
        arguments: part.inputJson,
        output: null,
        error: null,
        ...given,
      };
    default:
      return undefined;
  }
}

/** Item ids begin so, by the kind of tool. */
export const HOSTED_PREFIX: Readonly<Partial<Record<HostedTool, string>>> = {
  'web-search': 'ws_',
  'web-fetch': 'ws_',
  'code-execution': 'ci_',
  'file-search': 'fs_',
  mcp: 'mcp_',
};
