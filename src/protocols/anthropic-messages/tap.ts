import { isObject, type Json, type JsonObject, parseObject, type Usage } from '../../ir/index.ts';
import { firstString, lastObject, lastString } from '../../wire/find-member.ts';
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

/** A `"usage"` in a tool's input has no such count. The API writes its own after the content. */
const isUsage = (value: JsonObject): boolean => typeof value['output_tokens'] === 'number';

/** The whole body read, where searching found no usage: an error, or a shape that is not known. */
function parsed(body: Buffer): Tapped {
  const value = parseObject(body.toString('utf8'));
  if (value?.['type'] === 'error' || isObject(value?.['error'])) return { fault: decodeErrorEvent(value), done: true, finished: true };
  return { done: true, finished: true };
}

function readWhole(body: Buffer): Tapped {
  const usage = lastObject(body, '"usage"', isUsage);
  if (!usage) return parsed(body);
  const model = firstString(body, '"model"');
  const reason = lastString(body, '"stop_reason"');
  const sequence = lastString(body, '"stop_sequence"');
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
