import { isObject, type JsonObject, parseObject, type Stop, type Usage } from '../../ir/index.ts';
import { firstString, lastObject, lastString } from '../../wire/find-member.ts';
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

/** A member of that name in a tool's arguments has no counts. */
const isUsage = (value: JsonObject): boolean =>
  typeof value['promptTokenCount'] === 'number' || typeof value['totalTokenCount'] === 'number';

/** The whole body read, where searching found too little: an error, a blocked prompt, numbers for words. */
function parsed(body: Buffer): Tapped {
  const value = parseObject(body.toString('utf8'));
  return { ...(value ? readObject(value, { done: true, finished: true }) : {}), done: true, finished: true };
}

function reported(bytes: Buffer): Usage | undefined {
  const usage = lastObject(bytes, '"usageMetadata"', isUsage);
  return usage && decodeUsage(usage);
}

function readWhole(body: Buffer): Tapped {
  const usage = lastObject(body, '"usageMetadata"', isUsage);
  const word = firstString(body, '"finishReason"');
  if (!usage || !word) return parsed(body);
  const model = lastString(body, '"modelVersion"');
  return {
    ...(model ? { model } : {}),
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
  reported,
  whole: readWhole,
};
