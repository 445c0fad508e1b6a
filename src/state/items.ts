import { badField, isObject, isSealToken, type Json, type JsonObject, kindOf } from '../ir/index.ts';

/*
 * Items of the Responses API as they are kept: the client's own JSON, with an id on each so that it can be named.
 */

/** Makes an id: `prefix` and something unique. */
export type NewId = (prefix: string) => string;

const PREFIXES: Readonly<Record<string, string>> = {
  message: 'msg_',
  function_call: 'fc_',
  function_call_output: 'fco_',
  custom_tool_call: 'ctc_',
  custom_tool_call_output: 'ctco_',
  reasoning: 'rs_',
  compaction: 'cmp_',
};

const typeOf = (item: JsonObject): string => (typeof item['type'] === 'string' ? item['type'] : 'message');

/** A message's content as a list of parts, as it is read back. */
function partsOf(item: JsonObject): Json | undefined {
  const { content, role } = item;
  if (typeof content !== 'string') return content;
  return role === 'assistant' ? [{ type: 'output_text', text: content, annotations: [] }] : [{ type: 'input_text', text: content }];
}

/** An item in the form in which it is kept and read back: with an id, a type and a status, messages with a list of parts. */
export function keptItem(item: JsonObject, newId: NewId): JsonObject {
  const type = typeOf(item);
  const id = typeof item['id'] === 'string' && item['id'] !== '' ? item['id'] : newId(PREFIXES[type] ?? 'item_');
  const named = { ...item, type, id };
  if (type !== 'message') return named;
  return { ...named, status: item['status'] ?? 'completed', content: partsOf(item) };
}

/** `input` as items: a bare string is one message of the user. Throws the 400 that names what is wrong. */
export function inputItems(input: Json | undefined, param = 'input'): readonly JsonObject[] {
  if (input === undefined || input === null) return [];
  if (typeof input === 'string') return [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: input }] }];
  if (!Array.isArray(input)) throw badField(param, `Invalid request: '${param}' must be a string or an array, found ${kindOf(input)}`);
  return input.map((item: unknown, index) => {
    if (isObject(item)) return item;
    throw badField(`${param}[${index}]`, `Invalid request: '${param}[${index}]' must be an object, found ${kindOf(item)}`);
  });
}

/** Items out of a stored value. */
export const itemsIn = (value: JsonObject, name: string): readonly JsonObject[] => {
  const items = value[name];
  return Array.isArray(items) ? items.filter((item: unknown): item is JsonObject => isObject(item)) : [];
};

/** A message of the user's: what a compaction keeps as it was said. */
export const isUserMessage = (item: JsonObject): boolean => typeOf(item) === 'message' && item['role'] === 'user';

/** Whether sealed state of another dialect is in there: then the items must be read, not passed on as they are. */
export function holdsSealToken(value: Json | undefined): boolean {
  if (typeof value === 'string') return isSealToken(value);
  if (Array.isArray(value)) return value.some((one: Json) => holdsSealToken(one));
  return isObject(value) && Object.values(value).some((one) => holdsSealToken(one));
}

/** Items that mean the same without their id. */
const NAMELESS: ReadonlySet<string> = new Set([
  'message',
  'function_call',
  'function_call_output',
  'custom_tool_call',
  'custom_tool_call_output',
]);

/**
 * Kept items as a provider of this protocol takes them from a client: it did not keep them, so ids of its own making would
 * be looked up in vain. A reasoning item is its encrypted content or its text; with neither it is nothing.
 */
export const itemsForProvider = (items: readonly JsonObject[]): readonly JsonObject[] =>
  items.flatMap((item) => {
    const type = typeOf(item);
    if (type === 'reasoning') {
      const content = item['content'];
      const says = typeof item['encrypted_content'] === 'string' || (Array.isArray(content) && content.length > 0);
      return says ? [item] : [];
    }
    if (!NAMELESS.has(type)) return [item];
    const { id: _id, ...rest } = item;
    return [rest];
  });
