import { isObject, type JsonObject, parseObject, type Stop } from '../../ir/index.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { Tapped, TapRules } from '../protocol.ts';
import { normal, objects, str } from './dialect.ts';
import { decodeErrorObject, isError } from './faults.ts';
import { finishWord, stopOf } from './stops.ts';
import { decodeUsage } from './usage.ts';

/** Whether a candidate has a part of that name. */
const holds = (candidate: JsonObject, name: string): boolean => {
  const content = isObject(candidate['content']) ? candidate['content'] : {};
  return objects(content['parts']).some((part) => normal(part)[name] !== undefined);
};

function stopIn(value: JsonObject, calls: boolean): Stop | undefined {
  for (const raw of objects(value['candidates'])) {
    const word = finishWord(normal(raw)['finishReason']);
    if (word !== undefined) return stopOf(word, calls);
  }
  const feedback = value['promptFeedback'];
  const reason = isObject(feedback) ? normal(feedback)['blockReason'] : undefined;
  return reason === undefined ? undefined : { reason: 'content-filter', raw: String(reason) };
}

/** What was found so far; calls may come in chunks before the finish. */
interface Found extends Tapped {
  readonly calls?: boolean;
}

/** What a chunk or a whole reply says. The last finish reason counts. */
function readObject(raw: JsonObject, soFar: Found): Found {
  const value = normal(raw);
  const candidates = objects(value['candidates']);
  // A call that the server answers itself is not the client's.
  const calls =
    (soFar.calls === true || candidates.some((one) => holds(one, 'functionCall'))) &&
    !candidates.some((one) => holds(one, 'functionResponse'));
  const model = str(value['modelVersion']);
  const usage = value['usageMetadata'];
  const stop = stopIn(value, calls) ?? soFar.stop;
  return {
    ...soFar,
    calls,
    ...(model === '' ? {} : { model }),
    ...(isObject(usage) ? { usage: decodeUsage(usage) } : {}),
    ...(stop ? { stop, finished: true } : {}),
    ...(isError(value) ? { fault: decodeErrorObject(value) } : {}),
  };
}

function readFrame(frame: SseFrame, soFar: Tapped): Tapped & { readonly finish?: boolean } {
  if (soFar.fault) return soFar;
  const value = parseObject(frame.data);
  if (!value) return soFar;
  const read = readObject(value, soFar);
  return read.stop && !soFar.stop ? { ...read, finish: true } : read;
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

const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9;

/** Where the value of the member begins whose name stands at `at`; -1 when none does. */
function valueAt(body: Buffer, name: string, at: number): number {
  if (at < 0 || body[at - 1] === BACKSLASH) return -1;
  let from = at + name.length;
  while (isSpace(body[from])) from++;
  if (body[from] !== 58) return -1;
  from++;
  while (isSpace(body[from])) from++;
  return from;
}

/** The usage report nearest the end; one of that name in a tool's arguments has no counts. */
function lastUsage(body: Buffer): JsonObject | undefined {
  const name = '"usageMetadata"';
  for (let at = body.lastIndexOf(name); at >= 0; at = at === 0 ? -1 : body.lastIndexOf(name, at - 1)) {
    const from = valueAt(body, name, at);
    const to = from >= 0 && body[from] === OPEN ? objectEnd(body, from) : -1;
    const value = to < 0 ? undefined : parseObject(body.toString('utf8', from, to));
    if (value && (typeof value['promptTokenCount'] === 'number' || typeof value['totalTokenCount'] === 'number')) return value;
  }
  return undefined;
}

/** The plain word of the member whose name stands at `at`. */
function wordAt(body: Buffer, name: string, at: number): string | undefined {
  const from = valueAt(body, name, at);
  if (from < 0 || body[from] !== QUOTE) return undefined;
  const to = body.indexOf(QUOTE, from + 1);
  const word = to < 0 ? '' : body.toString('utf8', from + 1, to);
  return word === '' || word.includes('\\') ? undefined : word;
}

/** The whole body read, where searching found too little: an error, a blocked prompt, numbers for words. */
function parsed(body: Buffer): Tapped {
  const value = parseObject(body.toString('utf8'));
  return { ...(value ? readObject(value, { done: true, finished: true }) : {}), done: true, finished: true };
}

function readWhole(body: Buffer): Tapped {
  const usage = lastUsage(body);
  const word = wordAt(body, '"finishReason"', body.indexOf('"finishReason"'));
  if (!usage || word === undefined) return parsed(body);
  const model = wordAt(body, '"modelVersion"', body.lastIndexOf('"modelVersion"'));
  return {
    ...(model === undefined ? {} : { model }),
    usage: decodeUsage(usage),
    stop: stopOf(word, body.includes('"functionCall"') && !body.includes('"functionResponse"')),
    done: true,
    finished: true,
  };
}

/**
 * What the raw lane looks for. Quotes in text are escaped there, so a needle is found only where it is meant. The dialect has
 * no last word: a clean end after the finish is the end.
 */
export const tap: TapRules = {
  needles: [
    '"functionCall"',
    '"functionResponse"',
    '"finishReason"',
    '"finish_reason"',
    '"error"',
    '"promptFeedback"',
    '"prompt_feedback"',
  ],
  first: false,
  finishIsEnd: true,
  read: readFrame,
  whole: readWhole,
};
