import { isObject, type JsonObject, parseObject, type Stop } from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { Tapped, TapRules } from '../protocol.ts';
import { decodeErrorObject } from '../openai-error.ts';
import { objects } from './fields.ts';
import { isError, usageIn } from './reply-decode.ts';
import { brokenOff, decodeStop } from './stops.ts';
import { decodeUsage } from './usage.ts';

const hasCalls = (choice: JsonObject): boolean => {
  const inner = isObject(choice['delta']) ? choice['delta'] : isObject(choice['message']) ? choice['message'] : {};
  return objects(inner['tool_calls']).length > 0 || isObject(inner['function_call']);
};

function stopOf(choices: readonly JsonObject[], soFar: Stop | undefined): Stop | undefined {
  const finished = choices.find((choice) => typeof choice['finish_reason'] === 'string' && choice['finish_reason'] !== '');
  if (!finished || soFar) return soFar;
  return decodeStop(finished['finish_reason'], hasCalls(finished));
}

/** What a chunk or a whole reply says. */
function readObject(value: JsonObject, soFar: Tapped): Tapped {
  const choices = objects(value['choices']);
  const stop = stopOf(choices, soFar.stop);
  const usage = usageIn(value);
  const broken = choices.map((choice) => brokenOff(choice['finish_reason'])).find((fault) => fault !== undefined);
  const inner = choices.find((choice) => isObject(choice['error']));
  const fault = isError(value) ? decodeErrorObject(value) : inner ? decodeErrorObject({ error: inner['error'] }) : broken;
  return {
    ...soFar,
    ...(typeof value['model'] === 'string' && value['model'] !== '' && !soFar.model ? { model: value['model'] } : {}),
    ...(usage ? { usage: decodeUsage(usage) } : {}),
    ...(stop ? { stop, finished: true } : {}),
    ...(fault ? { fault } : {}),
  };
}

function readFrame(frame: SseFrame, soFar: Tapped): Tapped & { readonly finish?: boolean } {
  if (soFar.done || soFar.fault) return soFar;
  if (frame.data.trim() === '[DONE]') return { ...soFar, done: true };
  const value = parseObject(frame.data);
  if (!value) return soFar;
  if (frame.event === 'error' && !isError(value)) return { ...soFar, fault: decodeErrorObject({ error: value }) };
  const read = readObject(value, soFar);
  // The frame that ends the last choice, or an error, is held: with several choices the others go on.
  return read.stop && !soFar.stop ? { ...read, finish: true } : read;
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/** The end of the object that begins at `from`, past its brace; -1 when it does not end. */
function objectEnd(body: Buffer, from: number): number {
  let depth = 0;
  for (let at = from; at < body.length; at++) {
    const byte = body[at];
    if (byte === QUOTE) {
      for (at++; at < body.length && body[at] !== QUOTE; at++) if (body[at] === BACKSLASH) at++;
    } else if (byte === OPEN) depth++;
    else if (byte === CLOSE && --depth === 0) return at + 1;
  }
  return -1;
}

/** Where a member's value begins, past its colon; -1 when what stands there is no member's name. */
function valueAt(body: Buffer, name: number, length: number): number {
  let at = name + length;
  while (isSpace(body[at])) at++;
  if (body[at] !== 58) return -1;
  at++;
  while (isSpace(body[at])) at++;
  return at;
}

/** The usage object nearest the end. A `"usage"` in a text is escaped there; one in a tool's arguments, likewise. */
function lastUsage(body: Buffer): JsonObject | undefined {
  const needle = '"usage"';
  for (let at = body.lastIndexOf(needle); at >= 0; at = at === 0 ? -1 : body.lastIndexOf(needle, at - 1)) {
    const from = body[at - 1] === BACKSLASH ? -1 : valueAt(body, at, needle.length);
    const to = from >= 0 && body[from] === OPEN ? objectEnd(body, from) : -1;
    const value = to < 0 ? undefined : parseObject(body.toString('utf8', from, to));
    const usage = value && usageIn({ usage: value });
    if (usage) return usage;
  }
  return undefined;
}

/** The string member of that name nearest the place; `undefined` when it is none. */
function stringAt(body: Buffer, name: string, at: number): string | undefined {
  if (at < 0 || body[at - 1] === BACKSLASH) return undefined;
  const from = valueAt(body, at, name.length);
  if (from < 0 || body[from] !== QUOTE) return undefined;
  let to = from + 1;
  while (to < body.length && body[to] !== QUOTE) to += body[to] === BACKSLASH ? 2 : 1;
  try {
    const value: unknown = JSON.parse(body.toString('utf8', from, to + 1));
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Whether there is a list of that name with something in it. */
function hasElement(body: Buffer, name: string): boolean {
  const at = body.indexOf(name);
  const from = at < 0 ? -1 : valueAt(body, at, name.length);
  if (from < 0 || body[from] !== 91) return false;
  let next = from + 1;
  while (isSpace(body[next])) next++;
  return body[next] !== 93;
}

/** The whole body read, where searching found no usage: an error, or a provider that reports none. */
function parsed(body: Buffer): Tapped {
  const value = parseObject(body.toString('utf8'));
  return value ? { ...readObject(value, { done: true, finished: true }), done: true, finished: true } : { done: true, finished: true };
}

function readWhole(body: Buffer): Tapped {
  const usage = lastUsage(body);
  if (!usage) return parsed(body);
  const word = stringAt(body, '"finish_reason"', body.indexOf('"finish_reason"'));
  const model = stringAt(body, '"model"', body.indexOf('"model"'));
  const toolCall = hasElement(body, '"tool_calls"');
  return {
    ...(model === undefined ? {} : { model }),
    usage: decodeUsage(usage),
    ...(word === undefined ? {} : { stop: decodeStop(word, toolCall) }),
    done: true,
    finished: true,
  };
}

/** A chunk that only says whose turn it is: one event, with a role and without a text, a thought or a call. */
function isOpening(events: Buffer): boolean {
  if (events.indexOf('"role"') < 0 || events.indexOf('data:') !== events.lastIndexOf('data:')) return false;
  const text = events.toString('latin1');
  return OPENING.test(text) && !text.includes('"finish_reason":"');
}

const OPENING = /"delta": ?\{(?:"\w+": ?(?:"assistant"|""|null|\[\])(?:, ?)?)*\}/;

/**
 * What the raw lane looks for. Quotes in text are escaped there, so a needle is found only where it is meant. Both
 * spacings of printed JSON are seen on wires. Usage is looked for by itself: some never say a finish reason. `"error"` also catches the error events of Groq and OpenRouter.
 */
export const tap: TapRules = {
  opening: isOpening,
  needles: ['"finish_reason":"', '"finish_reason": "', '"usage":{', '"usage": {', '"error"', '[DONE]'],
  first: false,
  finishIsEnd: true,
  read: readFrame,
  whole: readWhole,
};
