import { isObject, type JsonObject, parseObject, type Stop } from '../../ir/index.ts';
import { firstString, hasElement, lastObject } from '../../wire/find-member.ts';
import type { SseFrame } from '../../wire/sse.ts';
import type { Tapped, TapRules } from '../protocol.ts';
import { decodeErrorObject } from '../openai-error.ts';
import { objects } from './fields.ts';
import { isError, usageIn } from './reply-decode.ts';
import { brokenOff, decodeStop } from './stops.ts';
import { decodeUsage, isUsage } from './usage.ts';

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

/** The whole body read, where searching found no usage: an error, or a provider that reports none. */
function parsed(body: Buffer): Tapped {
  const value = parseObject(body.toString('utf8'));
  return value ? { ...readObject(value, { done: true, finished: true }), done: true, finished: true } : { done: true, finished: true };
}

function readWhole(body: Buffer): Tapped {
  const usage = lastObject(body, '"usage"', isUsage);
  if (!usage) return parsed(body);
  const word = firstString(body, '"finish_reason"');
  const model = firstString(body, '"model"');
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
