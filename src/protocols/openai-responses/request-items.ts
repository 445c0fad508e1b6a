import {
  badField,
  type Json,
  type JsonObject,
  type MediaPart,
  missingField,
  type Part,
  type ReasoningPart,
  type ToolCallPart,
  type ToolResultPart,
  type Turn,
} from '../../ir/index.ts';
import { memberPath, objectAt, optionalArray, optionalString, requiredString, unknownMembers, wrongKind } from '../../wire/fields.ts';
import { readCarried, readSealed, restoreCarried } from './carried.ts';
import { decodeContent } from './content-decode.ts';
import { DIALECT, given, objects, residueOf, str, withResidue } from './dialect.ts';
import { decodeHosted, isHostedCall } from './hosted-items.ts';

const MESSAGE = new Set(['type', 'role', 'content', 'status', 'name']);
const ANSWER = new Set([...MESSAGE, 'id']);
const CALL = new Set(['type', 'id', 'call_id', 'name', 'arguments', 'input', 'namespace', 'status']);
const OUTPUT = new Set(['type', 'id', 'call_id', 'output', 'status']);
const REASONING = new Set(['type', 'id', 'summary', 'content', 'encrypted_content', 'status']);
const IMAGE = new Set(['type', 'id', 'result', 'status']);

/** Members of an item that the shared language has no word for: they stay on its first part. */
const ofItem = (rest: JsonObject): JsonObject => (Object.keys(rest).length > 0 ? { item: rest } : {});

/** Gives every text of an answer the id of its item, and what else the item says. */
export function asAnswer(parts: readonly Part[], item: JsonObject): readonly Part[] {
  const id = str(item['id']);
  const rest = ofItem(unknownMembers(item, ANSWER));
  return parts.map((part) => {
    if (part.kind !== 'text' && part.kind !== 'refusal') return part;
    return { ...part, ...given('id', id || undefined), ...withResidue({ ...residueOf(part), ...rest }) };
  });
}

/** Segments of a reasoning item that has no id are told from those of the next by this mark. */
const JOINED = { joined: true } as const;

/** Reads a reasoning item: a part for each piece of its thoughts and of their summary; the seal is on the last. */
export function decodeReasoning(item: JsonObject, maker?: string): readonly ReasoningPart[] {
  const seal = readSealed(str(item['encrypted_content']), maker);
  const id = str(item['id']) || undefined;
  const rest = ofItem(unknownMembers(item, REASONING));
  const told: ReasoningPart[] = [
    ...objects(item['content']).map((piece): ReasoningPart => ({ kind: 'reasoning', text: str(piece['text']) })),
    ...objects(item['summary']).map((piece): ReasoningPart => ({ kind: 'reasoning', text: str(piece['text']), form: 'summary' })),
  ];
  const parts: readonly ReasoningPart[] = told.length > 0 ? told : [{ kind: 'reasoning', text: '' }];
  return parts.map((part, index) => ({
    ...part,
    ...given('id', id),
    ...(seal && index === parts.length - 1 ? { seal } : {}),
    ...withResidue({ ...(index === 0 ? rest : {}), ...(index > 0 && id === undefined ? JOINED : {}) }),
  }));
}

function toolCall(item: JsonObject, at: string): ToolCallPart {
  const custom = item['type'] === 'custom_tool_call';
  const callId = optionalString(item, 'call_id', at) ?? optionalString(item, 'id', at);
  if (callId === undefined) throw missingField(memberPath(at, 'call_id'));
  const args = item['arguments'];
  // Some clients send the arguments as the object that they are.
  const text = custom
    ? (optionalString(item, 'input', at) ?? '')
    : typeof args === 'object' && args !== null
      ? JSON.stringify(args)
      : (optionalString(item, 'arguments', at) ?? '');
  return {
    kind: 'tool-call',
    id: callId,
    name: requiredString(item, 'name', at),
    argumentsJson: text,
    ...(custom ? { input: 'text' } : {}),
    ...given('namespace', optionalString(item, 'namespace', at)),
    ...given('itemId', optionalString(item, 'id', at)),
    ...withResidue(unknownMembers(item, CALL)),
  };
}

function toolResult(item: JsonObject, at: string): ToolResultPart {
  return {
    kind: 'tool-result',
    callId: requiredString(item, 'call_id', at),
    content: decodeContent(item['output'], memberPath(at, 'output')),
    isError: false,
    ...(item['type'] === 'custom_tool_call_output' ? { input: 'text' } : {}),
    ...given('itemId', optionalString(item, 'id', at)),
    ...withResidue(unknownMembers(item, OUTPUT)),
  };
}

/** A picture that the model made; `undefined` where only its id came. */
export function madeImage(item: JsonObject): MediaPart | undefined {
  const data = str(item['result']);
  if (data === '') return undefined;
  const format = str(item['output_format']) || 'png';
  // Some give a data URI, where OpenAI gives bare base64.
  const bare = data.startsWith('data:') ? data.slice(data.indexOf(',') + 1) : data;
  return {
    kind: 'media',
    media: 'image',
    mediaType: `image/${format}`,
    source: /^https?:\/\//.test(data) ? { type: 'url', url: data } : { type: 'base64', data: bare },
    ...given('id', str(item['id']) || undefined),
    ...withResidue(unknownMembers(item, IMAGE)),
  };
}

/** Items that say what someone else than the model did: where they cannot be said, something of the conversation is missing. */
const SAID_TO_MODEL = new Set([
  'item_reference',
  'compaction',
  'computer_call_output',
  'local_shell_call_output',
  'shell_call_output',
  'apply_patch_call_output',
  'mcp_approval_response',
]);

/** Puts items together as turns: what the model made in one turn, up to its next message. */
function createTurns() {
  const turns: Turn[] = [];
  const isJoined = (turn: Turn | undefined, role: Turn['role'], kind: 'made' | 'results'): turn is Turn =>
    turn?.role === role &&
    turn.residue === undefined &&
    (kind === 'made' || (turn.parts.length > 0 && turn.parts.every((part) => part.kind === 'tool-result')));
  return {
    turns,
    message(turn: Turn): void {
      turns.push(turn);
    },
    /** More of what the model made; a message, or thoughts after what they led to, begin a turn. */
    made(parts: readonly Part[], isMessage = false): void {
      const last = turns.at(-1);
      const thinks = parts[0]?.kind === 'reasoning';
      const said = last?.parts.some((part) => part.kind === 'text' || part.kind === 'refusal' || (thinks && part.kind === 'tool-call'));
      const full = (isMessage && parts.length === 0) || ((isMessage || thinks) && said);
      if (!full && isJoined(last, 'assistant', 'made')) turns[turns.length - 1] = { ...last, parts: [...last.parts, ...parts] };
      else turns.push({ role: 'assistant', parts });
    },
    carried(carried: Parameters<typeof restoreCarried>[1]): void {
      const last = turns.at(-1);
      if (last?.role === 'assistant') turns[turns.length - 1] = { ...last, parts: restoreCarried(last.parts, carried) };
      else if (carried.type !== 'seal') turns.push({ role: 'assistant', parts: [carried.part] });
    },
    result(part: ToolResultPart): void {
      const last = turns.at(-1);
      if (isJoined(last, 'user', 'results')) turns[turns.length - 1] = { ...last, parts: [...last.parts, part] };
      else turns.push({ role: 'user', parts: [part] });
    },
  };
}

type Turns = ReturnType<typeof createTurns>;

function message(item: JsonObject, at: string, into: Turns): void {
  const role = requiredString(item, 'role', at);
  const { content } = item;
  if (content === undefined || content === null) throw missingField(memberPath(at, 'content'));
  const parts = decodeContent(content, memberPath(at, 'content'));
  switch (role) {
    case 'assistant':
      return into.made(asAnswer(parts, item), true);
    case 'user':
    case 'system':
    case 'developer':
      return into.message({
        role,
        parts,
        ...given('name', optionalString(item, 'name', at)),
        ...withResidue(unknownMembers(item, MESSAGE)),
      });
    default:
      throw badField(
        memberPath(at, 'role'),
        `Invalid request: '${at}.role' must be 'user', 'assistant', 'system' or 'developer', found '${role.slice(0, 64)}'`,
      );
  }
}

function reasoning(item: JsonObject, at: string, into: Turns): void {
  optionalArray(item, 'summary', at);
  optionalArray(item, 'content', at);
  optionalString(item, 'encrypted_content', at);
  const carried = readCarried(item);
  if (carried) into.carried(carried);
  else into.made(decodeReasoning(item));
}

function decodeItem(value: Json, at: string, into: Turns): void {
  const item = objectAt(value, at);
  const type = optionalString(item, 'type', at) ?? (item['role'] === undefined ? 'item_reference' : 'message');
  switch (type) {
    case 'message':
      return message(item, at, into);
    case 'reasoning':
      return reasoning(item, at, into);
    case 'function_call':
    case 'custom_tool_call':
      return into.made([toolCall(item, at)]);
    case 'function_call_output':
    case 'custom_tool_call_output':
      return into.result(toolResult(item, at));
    case 'image_generation_call':
      return into.made([madeImage(item) ?? { kind: 'native', by: DIALECT, value: item }]);
    default: {
      if (isHostedCall(type)) return into.made(decodeHosted(item));
      const native: Part = { kind: 'native', by: DIALECT, value: item };
      return SAID_TO_MODEL.has(type) ? into.message({ role: 'user', parts: [native] }) : into.made([native]);
    }
  }
}

/** Reads `input`: a string, or items. */
export function decodeInput(input: Json | undefined): readonly Turn[] {
  if (input === undefined || input === null) return [];
  if (typeof input === 'string') return [{ role: 'user', parts: [{ kind: 'text', text: input }] }];
  if (!Array.isArray(input)) throw wrongKind('input', 'a string or an array of items', input);
  const into = createTurns();
  (input as readonly Json[]).forEach((item, index) => decodeItem(item, `input[${index}]`, into));
  return into.turns;
}
