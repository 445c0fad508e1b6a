import {
  type HostedCallPart,
  type HostedResultPart,
  type HostedTool,
  isObject,
  type Json,
  type JsonObject,
  type NativePart,
  type Part,
  parseObject,
  type Residue,
  type Seal,
  type ToolCallPart,
  wordTable,
} from '../../ir/index.ts';
import { DIALECT, normal, str } from './dialect.ts';

/*
 * Tools that Google runs, where the answer shows that they ran: code, and calls of the server side.
 */

interface Common {
  readonly seal?: Seal;
  readonly residue?: Residue;
}

/** `toolType` of a call that the server made. https://ai.google.dev/gemini-api/docs/tool-combination */
const TOOL_TYPES: Readonly<Record<string, HostedTool>> = wordTable({
  GOOGLE_SEARCH_WEB: 'web-search',
  GOOGLE_SEARCH_IMAGE: 'web-search',
  URL_CONTEXT: 'web-fetch',
  FILE_SEARCH: 'file-search',
});

/** The part in this dialect's own words; its signature stands beside it. */
function nativeOf(part: JsonObject): { readonly by: typeof DIALECT; readonly value: JsonObject } {
  const { thoughtSignature: _signature, ...value } = part;
  return { by: DIALECT, value };
}

function decodeCode(code: JsonObject, part: JsonObject, common: Common): HostedCallPart {
  const { language } = code;
  const word = typeof language === 'string' ? language.toLowerCase() : 'python';
  return {
    kind: 'hosted-call',
    id: str(code['id']) || 'code',
    tool: 'code-execution',
    name: 'code_execution',
    inputJson: JSON.stringify({ code: str(code['code']), language: word }),
    native: nativeOf(part),
    ...common,
  };
}

function decodeOutcome(result: JsonObject, part: JsonObject, common: Common): HostedResultPart {
  const { outcome } = result;
  return {
    kind: 'hosted-result',
    callId: str(result['id']) || 'code',
    tool: 'code-execution',
    text: str(result['output']),
    isError: outcome !== 'OUTCOME_OK' && outcome !== 1,
    native: nativeOf(part),
    ...common,
  };
}

const toolOf = (word: string): HostedTool => TOOL_TYPES[word] ?? 'other';

function decodeServerCall(call: JsonObject, part: JsonObject, common: Common): HostedCallPart {
  const type = str(call['toolType']);
  return {
    kind: 'hosted-call',
    id: str(call['id']) || 'tool',
    tool: toolOf(type),
    name: type.toLowerCase() || 'tool',
    inputJson: JSON.stringify(call['args'] ?? {}),
    native: nativeOf(part),
    ...common,
  };
}

function decodeServerResult(result: JsonObject, part: JsonObject, common: Common): HostedResultPart {
  return {
    kind: 'hosted-result',
    callId: str(result['id']) || 'tool',
    tool: toolOf(str(result['toolType'])),
    text: '',
    isError: false,
    native: nativeOf(part),
    ...common,
  };
}

/** Reads a part of a tool that Google ran; `undefined` when it is another. */
export function decodeHosted(part: JsonObject, common: Common): Part | undefined {
  const { executableCode, codeExecutionResult, toolCall, toolResponse } = part;
  if (isObject(executableCode)) return decodeCode(normal(executableCode), part, common);
  if (isObject(codeExecutionResult)) return decodeOutcome(normal(codeExecutionResult), part, common);
  if (isObject(toolCall)) return decodeServerCall(normal(toolCall), part, common);
  return isObject(toolResponse) ? decodeServerResult(normal(toolResponse), part, common) : undefined;
}

/** The text that stands for a function's response. */
const responseText = (response: Json | undefined): string => {
  if (!isObject(response)) return '';
  const only = Object.values(response);
  return only.length === 1 && typeof only[0] === 'string' ? only[0] : JSON.stringify(response);
};

/** Which of the parts is the call that a part with a function's response answers; -1 when none is. */
export function answeredBy(parts: readonly Part[], answer: NativePart): number {
  const response = answer.value['functionResponse'];
  if (!isObject(response)) return -1;
  const { id, name } = normal(response);
  return parts.findIndex((part) => part.kind === 'tool-call' && (part.id === id || part.name === name));
}

/** A call that the server answered itself in the same reply (MCP), and the part of its answer, as what they are: nobody else need answer it. */
export function answeredCall(call: ToolCallPart, response: JsonObject): readonly [HostedCallPart, HostedResultPart] {
  const { id, name, argumentsJson, seal } = call;
  const functionCall = { name, args: parseObject(argumentsJson) ?? {} };
  const told = normal(isObject(response['functionResponse']) ? response['functionResponse'] : {});
  return [
    {
      kind: 'hosted-call',
      id,
      tool: 'mcp',
      name,
      inputJson: argumentsJson,
      native: { by: DIALECT, value: { functionCall } },
      ...(seal ? { seal } : {}),
    },
    {
      kind: 'hosted-result',
      callId: id,
      tool: 'mcp',
      text: responseText(told['response']),
      isError: isObject(told['response']) && told['response']['error'] !== undefined,
      native: { by: DIALECT, value: response },
    },
  ];
}

/** Another dialect's code as this one shows it; `undefined` for other tools. */
export function encodeHosted(part: HostedCallPart | HostedResultPart): JsonObject | undefined {
  if (part.native?.by === DIALECT) return part.native.value;
  if (part.tool !== 'code-execution') return undefined;
  if (part.kind === 'hosted-result') {
    return { codeExecutionResult: { outcome: part.isError ? 'OUTCOME_FAILED' : 'OUTCOME_OK', output: part.text } };
  }
  const input = parseObject(part.inputJson) ?? {};
  // A command is code; what else a tool may be asked, as to view a file, is shown as it is.
  const code = str(input['code']) || (Object.keys(input).length === 1 ? str(input['command']) : '');
  return { executableCode: { language: 'PYTHON', code: code === '' ? part.inputJson : code } };
}
