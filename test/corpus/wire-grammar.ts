import { isObject, type JsonObject, parseObject, type ProtocolId } from '../../src/ir/index.ts';
import type { SseFrame } from '../../src/wire/sse.ts';

/** Says what is wrong with the frames of a finished stream by one dialect's own rules; `undefined` when nothing is. */
export function streamProblem(protocol: ProtocolId, frames: readonly SseFrame[]): string | undefined {
  const objects: JsonObject[] = [];
  for (const frame of frames) {
    if (frame.data === '[DONE]') continue;
    const object = parseObject(frame.data);
    if (!object) return `not JSON: ${frame.data.slice(0, 80)}`;
    if (frame.event !== undefined && object['type'] !== undefined && frame.event !== object['type'])
      return `event ${frame.event} holds ${String(object['type'])}`;
    objects.push(object);
  }
  switch (protocol) {
    case 'openai-chat':
      return chatProblem(objects, frames);
    case 'openai-responses':
      return responsesProblem(objects);
    case 'anthropic-messages':
      return anthropicProblem(objects, frames);
    case 'gemini':
      return geminiProblem(objects);
    default:
      return undefined;
  }
}

function chatProblem(objects: readonly JsonObject[], frames: readonly SseFrame[]): string | undefined {
  if (frames.at(-1)?.data !== '[DONE]') return 'does not end in [DONE]';
  const finished = new Set<unknown>();
  for (const chunk of objects) {
    if (chunk['object'] !== 'chat.completion.chunk') return `object ${String(chunk['object'])}`;
    if (typeof chunk['id'] !== 'string' || typeof chunk['created'] !== 'number') return 'id or created missing';
    if (chunk['id'] !== objects[0]?.['id']) return 'id changes';
    const choices = chunk['choices'];
    if (!Array.isArray(choices)) return 'choices missing';
    for (const choice of choices as JsonObject[]) {
      if (finished.has(choice['index'])) return 'a choice goes on after its finish';
      if (!isObject(choice['delta'])) return 'delta missing';
      if (choice['finish_reason'] !== null && choice['finish_reason'] !== undefined) finished.add(choice['index']);
    }
  }
  return finished.size === 0 ? 'no finish_reason' : undefined;
}

function anthropicProblem(objects: readonly JsonObject[], frames: readonly SseFrame[]): string | undefined {
  if (frames.some((frame) => frame.event === undefined)) return 'a frame without an event name';
  let open: number | undefined;
  let next = 0;
  const state = { started: false, delta: false };
  for (const [at, object] of objects.entries()) {
    const type = object['type'];
    if (at === 0 && type !== 'message_start') return `begins with ${String(type)}`;
    if (type === 'message_start') {
      if (state.started) return 'a second message_start';
      state.started = true;
    } else if (type === 'content_block_start') {
      if (open !== undefined) return 'a block in a block';
      if (object['index'] !== next) return `block ${String(object['index'])}, not ${next}`;
      open = next++;
    } else if (type === 'content_block_delta') {
      if (object['index'] !== open) return 'a delta for a block that is not open';
    } else if (type === 'content_block_stop') {
      if (object['index'] !== open) return 'a stop for a block that is not open';
      open = undefined;
    } else if (type === 'message_delta') {
      if (open !== undefined) return 'message_delta in a block';
      state.delta = true;
    } else if (type === 'message_stop') return at === objects.length - 1 && state.delta ? undefined : 'message_stop out of place';
    else if (type !== 'ping') return `type ${String(type)}`;
  }
  return 'no message_stop';
}

function responsesProblem(objects: readonly JsonObject[]): string | undefined {
  const open = new Set<unknown>();
  let added = 0;
  for (const [at, object] of objects.entries()) {
    const type = String(object['type']);
    if (object['sequence_number'] !== at) return `sequence_number ${String(object['sequence_number'])} at ${at}`;
    if (at === 0 && type !== 'response.created') return `begins with ${type}`;
    if (type === 'response.output_item.added') {
      if (object['output_index'] !== added) return 'output_index out of order';
      open.add(object['output_index']);
      added++;
    } else if (type === 'response.output_item.done') {
      if (!open.delete(object['output_index'])) return 'an item done that was not added';
    } else if (object['output_index'] !== undefined && !open.has(object['output_index'])) return `${type} for an item that is not open`;
    if (/^response\.(completed|incomplete|failed)$/.test(type)) {
      if (at !== objects.length - 1) return `${type} is not the last`;
      if (open.size > 0) return 'items left open';
      const response = object['response'];
      return isObject(response) && Array.isArray(response['output']) && response['output'].length === added
        ? undefined
        : 'the last snapshot lacks items';
    }
  }
  return 'no terminal event';
}

function geminiProblem(objects: readonly JsonObject[]): string | undefined {
  const last = objects.at(-1);
  if (!last) return 'empty';
  for (const object of objects) {
    if (object['candidates'] !== undefined && !Array.isArray(object['candidates'])) return 'candidates is no array';
  }
  const blocked = objects.some((object) => isObject(object['promptFeedback']));
  const reasons = objects
    .flatMap((object) => (Array.isArray(object['candidates']) ? (object['candidates'] as JsonObject[]) : []))
    .filter((one) => typeof one['finishReason'] === 'string');
  return reasons.length === 0 && !blocked ? 'no finishReason' : undefined;
}
