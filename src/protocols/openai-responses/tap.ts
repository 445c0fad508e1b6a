import { isObject, type JsonObject, parseObject } from '../../ir/index.ts';
import { firstString, hasString, lastObject } from '../../wire/find-member.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { Tapped, TapRules } from '../protocol.ts';
import { objects, str } from './dialect.ts';
import { decodeErrorObject } from '../openai-error.ts';
import { isError } from './reply-decode.ts';
import { decodeStop } from './stops.ts';
import { decodeUsage, isUsage } from './usage.ts';

const CALLS = new Set(['function_call', 'custom_tool_call']);

/** What a response says at its end. */
function readResponse(response: JsonObject, soFar: Tapped): Tapped {
  const { usage, model } = response;
  const call = objects(response['output']).some((item) => CALLS.has(str(item['type'])));
  const failed = isError(response) || response['status'] === 'cancelled';
  return {
    ...soFar,
    ...(typeof model === 'string' && model !== '' ? { model } : {}),
    ...(isUsage(usage) ? { usage: decodeUsage(usage) } : {}),
    ...(failed ? { fault: soFar.fault ?? decodeErrorObject(response) } : { stop: decodeStop(response, call) }),
    done: true,
    finished: true,
  };
}

const LAST = /^response\.(completed|incomplete|failed|cancelled|done)$/;

function readFrame(frame: SseFrame, soFar: Tapped): Tapped & { readonly finish?: boolean } {
  if (soFar.done) return soFar;
  const value = parseObject(frame.data);
  if (!value) return soFar;
  const type = str(value['type']) || (frame.event ?? '');
  // The last word: nothing of the answer follows, whatever some append.
  if (LAST.test(type)) return { ...readResponse(isObject(value['response']) ? value['response'] : {}, soFar), finish: true };
  const failed = type === 'error' || frame.event === 'error' || (type === '' && isError(value));
  // `response.failed` may follow, and is what some clients understand.
  return failed && !soFar.fault ? { ...soFar, fault: decodeErrorObject(value), finish: true } : soFar;
}

/** The whole body read, where searching found no usage: an error, or a provider that reports none. */
function parsed(body: Buffer): Tapped {
  const value = parseObject(body.toString('utf8'));
  return value ? readResponse(value, { done: true, finished: true }) : { done: true, finished: true };
}

function readWhole(body: Buffer): Tapped {
  const usage = lastObject(body, '"usage"', isUsage);
  if (!usage) return parsed(body);
  const details = lastObject(body, '"incomplete_details"', (value) => typeof value['reason'] === 'string');
  const call = hasString(body, '"type"', '"function_call"') || hasString(body, '"type"', '"custom_tool_call"');
  const model = firstString(body, '"model"');
  const status = details ? 'incomplete' : 'completed';
  return {
    ...(model === undefined ? {} : { model }),
    usage: decodeUsage(usage),
    stop: decodeStop({ status, incomplete_details: details ?? null }, call),
    done: true,
    finished: true,
  };
}

/** Instructions and tools. */
const QUESTION = /"type"\s*:\s*"response\.(?:created|queued|in_progress)"/;
/** What has come in pieces: each part of it whole, and at last all. */
const ANSWER = /"type"\s*:\s*"(?:[\w.]+\.done|response\.(?:completed|incomplete|failed))"/;

const repeats = (event: string): 'question' | 'answer' | undefined =>
  QUESTION.test(event) ? 'question' : ANSWER.test(event) ? 'answer' : undefined;

/**
 * What the raw lane looks for. Quotes in text are escaped there, so a needle is found only where it is meant. Every
 * response that begins says `"error":null`: only errors that are something are looked for.
 */
export const tap: TapRules = {
  opening: (events) =>
    (events.indexOf('"response.created"') >= 0 || events.indexOf('"response.in_progress"') >= 0) &&
    events.indexOf('"response.output_') < 0 &&
    events.indexOf('"response.reasoning_') < 0 &&
    events.indexOf('"response.queued"') < 0,
  needles: [
    '"response.completed"',
    '"response.incomplete"',
    '"response.failed"',
    '"response.cancelled"',
    '"response.done"',
    '"type":"error"',
    '"type": "error"',
    'event: error',
    'event:error',
    '"error":{',
    '"error": {',
    '"error":"',
    '"error": "',
  ],
  first: false,
  read: readFrame,
  repeats,
  whole: readWhole,
};
