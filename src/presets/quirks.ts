import { isObject, type Json, type JsonObject } from '../ir/index.ts';
import { matchesAny } from '../policy/glob.ts';
import type { Quirk } from './preset.ts';

const WHY = 'the provider refuses it';

const without = (body: JsonObject, field: string): JsonObject => {
  const { [field]: _gone, ...rest } = body;
  return rest;
};

const isGiven = (value: Json | undefined): boolean => value !== undefined && value !== null;

/** Takes fields out. A field that is `null` goes without a note: `null` is absent. */
export const drop = (...fields: readonly string[]): Quirk => ({
  fields,
  apply(body, notes) {
    let out = body;
    for (const field of fields) {
      if (!(field in out)) continue;
      if (isGiven(out[field])) notes.add(field, 'dropped', WHY);
      out = without(out, field);
    }
    return out;
  },
});

/** Takes out fields whose value is `null`, for wires that refuse it. */
export const dropNull = (...fields: readonly string[]): Quirk => ({
  fields,
  apply(body) {
    let out = body;
    for (const field of fields) if (out[field] === null) out = without(out, field);
    return out;
  },
});

/** Another name for a field of the same meaning: no note. Where both are there, the one that the provider knows stays. */
export const rename = (from: string, to: string): Quirk => ({
  fields: [from],
  apply(body) {
    if (!(from in body)) return body;
    const rest = without(body, from);
    return isGiven(rest[to]) || !isGiven(body[from]) ? rest : { ...rest, [to]: body[from] };
  },
});

/** Brings a number between bounds. */
export const clamp = (field: string, min: number, max: number): Quirk => ({
  fields: [field],
  apply(body, notes) {
    const value = body[field];
    if (typeof value !== 'number' || (value >= min && value <= max)) return body;
    const near = Math.min(max, Math.max(min, value));
    notes.add(field, 'approximated', `the provider takes ${min} to ${max}`);
    return { ...body, [field]: near };
  },
});

/** Only where a number of the body is above a bound. */
export const whereAbove = (field: string, bound: number, quirk: Quirk): Quirk => ({
  fields: quirk.fields,
  apply(body, notes, model) {
    const value = body[field];
    return typeof value === 'number' && value > bound ? quirk.apply(body, notes, model) : body;
  },
});

/** Takes out a field that says one of these words, which the provider refuses. */
export const dropWord = (field: string, ...words: readonly string[]): Quirk => ({
  fields: [field],
  apply(body, notes, model) {
    const value = body[field];
    return typeof value === 'string' && words.includes(value) ? drop(field).apply(body, notes, model) : body;
  },
});

/** Other words for a field's values: `to[old]`. */
export const renameValue = (field: string, to: Readonly<Record<string, string>>): Quirk => ({
  fields: [field],
  apply(body, notes) {
    const value = body[field];
    const word = typeof value === 'string' ? to[value] : undefined;
    if (word === undefined) return body;
    notes.add(field, 'approximated', `the provider takes '${word}', not '${String(value)}'`);
    return { ...body, [field]: word };
  },
});

/** Only for some models. */
export const onlyFor = (globs: readonly string[], quirk: Quirk): Quirk => ({
  fields: quirk.fields,
  apply: (body, notes, model) => (matchesAny(globs, model) ? quirk.apply(body, notes, model) : body),
});

/** Changes each message; the same array when nothing changed. */
function eachMessage(body: JsonObject, change: (message: JsonObject) => JsonObject): JsonObject {
  const messages = body['messages'];
  if (!Array.isArray(messages)) return body;
  const changed = (messages as readonly Json[]).map((message) => (isObject(message) ? change(message) : message));
  return changed.every((message, index) => message === (messages as readonly Json[])[index]) ? body : { ...body, messages: changed };
}

/** Chat: `developer` messages are sent as `system`, its older word. Looks for the role's bytes, so that other bodies pass unread. */
export const developerAsSystem: Quirk = {
  fields: ['developer'],
  apply: (body) => eachMessage(body, (message) => (message['role'] === 'developer' ? { ...message, role: 'system' } : message)),
};

/** Chat: takes a member out of every function tool (`strict`). */
export const dropInTools = (member: string): Quirk => ({
  fields: [member],
  apply(body, notes) {
    const { tools } = body;
    if (!Array.isArray(tools)) return body;
    const changed = (tools as readonly Json[]).map((tool) => {
      const fn = isObject(tool) ? tool['function'] : undefined;
      if (!isObject(tool) || !isObject(fn) || !(member in fn)) return tool;
      if (fn[member] === true) notes.add(`tools[].${member}`, 'dropped', WHY);
      return { ...tool, function: without(fn, member) };
    });
    return changed.every((tool, index) => tool === (tools as readonly Json[])[index]) ? body : { ...body, tools: changed };
  },
});

/** Chat: sound goes as a data URI, not as bare base64. */
export const audioAsUri: Quirk = {
  fields: ['input_audio'],
  apply: (body) =>
    eachMessage(body, (message) => {
      const { content } = message;
      if (!Array.isArray(content)) return message;
      const changed = (content as readonly Json[]).map((part) => {
        const audio = isObject(part) ? part['input_audio'] : undefined;
        if (!isObject(part) || !isObject(audio) || typeof audio['data'] !== 'string' || /^[a-z]+:/i.test(audio['data'])) return part;
        return { ...part, input_audio: { ...audio, data: `data:;base64,${audio['data']}` } };
      });
      return changed.every((part, index) => part === (content as readonly Json[])[index]) ? message : { ...message, content: changed };
    }),
};

/** Chat: thoughts go back between tags before what was said, from the field that clients have them in. */
export const thoughtsInTags = (field: string): Quirk => ({
  fields: [field],
  apply: (body) =>
    eachMessage(body, (message) => {
      const { [field]: thought, content } = message;
      if (message['role'] !== 'assistant' || typeof thought !== 'string' || (isGiven(content) && typeof content !== 'string'))
        return message;
      return { ...without(message, field), content: `<think>${thought}</think>${typeof content === 'string' ? content : ''}` };
    }),
});

const isCall = (item: Json | undefined): boolean => isObject(item) && item['type'] === 'function_call';
const isAssistants = (item: Json | undefined): boolean => isObject(item) && item['role'] === 'assistant';

/** Responses: what the model said between two calls of one turn stands before them. */
export const callsTogether: Quirk = {
  fields: ['function_call'],
  apply(body) {
    const { input } = body;
    if (!Array.isArray(input)) return body;
    const items = input as readonly Json[];
    const out: Json[] = [];
    let isMoved = false;
    for (let at = 0; at < items.length;) {
      let end = at;
      let lastCall = at;
      while (isCall(items[at]) && (isCall(items[end]) || isAssistants(items[end]))) {
        if (isCall(items[end])) lastCall = end;
        end++;
      }
      const run = items.slice(at, lastCall + 1);
      const said = isCall(items[at]) ? run.filter(isAssistants) : [];
      isMoved ||= said.length > 0;
      out.push(...said, ...(said.length > 0 ? run.filter(isCall) : run));
      at = lastCall + 1;
    }
    return isMoved ? { ...body, input: out } : body;
  },
};
