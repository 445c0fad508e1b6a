import { isObject, type Json, type JsonObject, parseObject, type Usage } from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { Tapped, TapRules } from '../protocol.ts';
import { decodeErrorEvent } from './faults.ts';
import { str } from './reply-decode.ts';
import { decodeStop } from './stops.ts';
import { decodeUsage, mergeUsage } from './usage.ts';

/** The later usage report over the earlier, which stays with it in its own words. */
function addUsage(soFar: Usage | undefined, report: Json | undefined): { readonly usage?: Usage } {
  if (!isObject(report)) return soFar ? { usage: soFar } : {};
  return { usage: decodeUsage(mergeUsage(soFar?.native?.value ?? {}, report)) };
}

const modelOf = (message: JsonObject): { readonly model?: string } =>
  typeof message['model'] === 'string' ? { model: message['model'] } : {};

function readFrame(frame: SseFrame, soFar: Tapped): Tapped & { readonly finish?: boolean } {
  const event = soFar.done ? undefined : parseObject(frame.data);
  if (!event) return soFar;
  switch (str(event['type']) || (frame.event ?? '')) {
    case 'message_start': {
      const message = isObject(event['message']) ? event['message'] : {};
      return { ...soFar, ...modelOf(message), ...addUsage(soFar.usage, message['usage']) };
    }
    case 'message_delta': {
      const delta = isObject(event['delta']) ? event['delta'] : {};
      const usage = addUsage(soFar.usage, event['usage']);
      if (typeof delta['stop_reason'] !== 'string') return { ...soFar, ...usage };
      return { ...soFar, ...usage, stop: decodeStop(delta['stop_reason'], delta['stop_sequence']), finished: true, finish: true };
    }
    case 'message_stop':
      return { ...soFar, done: true };
    case 'error':
      return { ...soFar, fault: decodeErrorEvent(event) };
    default:
      return soFar;
  }
}

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 123;
const CLOSE = 125;

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

/** Past a member's name, colon and white space: where its value begins. */
function valueAt(body: Buffer, name: number, length: number): number {
  let at = name + length;
  while (at < body.length && /[\s:]/.test(String.fromCharCode(body[at] ?? 0))) at++;
  return at;
}

/** The last object member of that name for which `fits` holds. The API writes it after the content; one in a tool's input does not fit. */
function lastObject(body: Buffer, name: string, fits: (value: JsonObject) => boolean): JsonObject | undefined {
  const needle = `"${name}"`;
  for (let at = body.lastIndexOf(needle); at >= 0; at = at === 0 ? -1 : body.lastIndexOf(needle, at - 1)) {
    const from = valueAt(body, at, needle.length);
    const to = body[from] === OPEN ? objectEnd(body, from) : -1;
    const value = to < 0 ? undefined : parseObject(body.toString('utf8', from, to));
    if (value && fits(value)) return value;
  }
  return undefined;
}

/** The string member of that name at `at`; `undefined` when it is none. */
function stringAt(body: Buffer, name: string, at: number): string | undefined {
  if (at < 0) return undefined;
  const from = valueAt(body, at, name.length + 2);
  if (body[from] !== QUOTE) return undefined;
  let to = from + 1;
  while (to < body.length && body[to] !== QUOTE) to += body[to] === BACKSLASH ? 2 : 1;
  try {
    const value: unknown = JSON.parse(body.toString('utf8', from, to + 1));
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

const isUsage = (value: JsonObject): boolean => typeof value['output_tokens'] === 'number';

/** The whole body read, where searching found no usage: an error, or a shape that is not known. */
function parsed(body: Buffer): Tapped {
  const value = parseObject(body.toString('utf8'));
  if (value?.['type'] === 'error' || isObject(value?.['error'])) return { fault: decodeErrorEvent(value), done: true, finished: true };
  return { done: true, finished: true };
}

function readWhole(body: Buffer): Tapped {
  const usage = lastObject(body, 'usage', isUsage);
  if (!usage) return parsed(body);
  const model = stringAt(body, 'model', body.indexOf('"model"'));
  const reason = stringAt(body, 'stop_reason', body.lastIndexOf('"stop_reason"'));
  const sequence = stringAt(body, 'stop_sequence', body.lastIndexOf('"stop_sequence"'));
  return {
    ...(model === undefined ? {} : { model }),
    usage: decodeUsage(usage),
    ...(reason === undefined ? {} : { stop: decodeStop(reason, sequence) }),
    done: true,
    finished: true,
  };
}

/** What the raw lane looks for. A needle in text is escaped there, so it is found only where it is meant. */
export const tap: TapRules = {
  opening: (events) => events.indexOf('"message_start"') >= 0 && events.indexOf('"content_block_') < 0,
  needles: ['"message_delta"', '"message_stop"', '"error"'],
  first: true,
  read: readFrame,
  whole: readWhole,
};
