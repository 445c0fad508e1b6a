import type { JsonObject } from '../../ir/index.ts';
import { str } from './dialect.ts';

interface ItemEvents {
  /** The item as it is when it is added. */
  readonly head: JsonObject;
  /** What is told of it before it is done. */
  readonly between: readonly (readonly [string, JsonObject])[];
}

const steps = (kind: string, ...names: readonly string[]): ItemEvents['between'] =>
  names.map((name) => [`response.${kind}.${name}`, {}] as const);

function codeSteps(item: JsonObject): ItemEvents['between'] {
  const code = str(item['code']);
  return [
    ...steps('code_interpreter_call', 'in_progress'),
    ...(code === '' ? [] : ([['response.code_interpreter_call_code.delta', { delta: code }]] as const)),
    ['response.code_interpreter_call_code.done', { code }],
    ...steps('code_interpreter_call', 'interpreting', 'completed'),
  ];
}

function mcpSteps(item: JsonObject): ItemEvents['between'] {
  const args = str(item['arguments']);
  return [
    ...steps('mcp_call', 'in_progress'),
    ['response.mcp_call_arguments.delta', { delta: args }],
    ['response.mcp_call_arguments.done', { arguments: args }],
    ...steps('mcp_call', item['error'] ? 'failed' : 'completed'),
  ];
}

/** How an item that is known whole is told in a stream. */
export function itemEvents(item: JsonObject): ItemEvents {
  const begun = item['status'] === undefined ? item : { ...item, status: 'in_progress' };
  switch (item['type']) {
    case 'web_search_call':
      return { head: begun, between: steps('web_search_call', 'in_progress', 'searching', 'completed') };
    case 'file_search_call':
      return { head: { ...begun, results: null }, between: steps('file_search_call', 'in_progress', 'searching', 'completed') };
    case 'image_generation_call':
      return { head: { ...begun, result: null }, between: steps('image_generation_call', 'in_progress', 'generating', 'completed') };
    case 'code_interpreter_call':
      return { head: { ...begun, code: '', outputs: null }, between: codeSteps(item) };
    case 'mcp_call':
      return { head: { ...begun, arguments: '', output: null }, between: mcpSteps(item) };
    case 'mcp_list_tools':
      return { head: { ...item, tools: [] }, between: steps('mcp_list_tools', 'in_progress', 'completed') };
    default:
      return { head: begun, between: [] };
  }
}
