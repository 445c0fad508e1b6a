import { isObject, type Json, type JsonObject, parseObject, type ProtocolId } from '../../src/ir/index.ts';
import type { SseFrame } from '../../src/wire/sse.ts';

/*
 * What a client of each dialect may be sent, by the dialect's own rules and not by our codecs. Each check says the first
 * thing that is wrong, or `undefined`.
 */

type Problem = string | undefined;

const list = (value: Json | undefined): readonly JsonObject[] => (Array.isArray(value) ? (value as readonly Json[]).filter(isObject) : []);
const inside = (value: Json | undefined): JsonObject => (isObject(value) ? value : {});
const isText = (value: Json | undefined): value is string => typeof value === 'string';
const isCount = (value: Json | undefined): boolean => typeof value === 'number' && Number.isInteger(value) && value >= 0;

const firstProblem = <T>(items: readonly T[], check: (item: T, index: number) => Problem): Problem => {
  for (const [index, item] of items.entries()) {
    const problem = check(item, index);
    if (problem !== undefined) return problem;
  }
  return undefined;
};

const isJson = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

// ——— OpenAI Chat ———

const FINISHES: ReadonlySet<unknown> = new Set(['stop', 'length', 'tool_calls', 'content_filter', 'function_call']);

function chatUsage(usage: Json | undefined): Problem {
  if (usage === undefined || usage === null) return undefined;
  const { prompt_tokens, completion_tokens, total_tokens } = inside(usage);
  return isCount(prompt_tokens) && isCount(completion_tokens) && isCount(total_tokens) ? undefined : 'usage lacks a count';
}

function chatCall(call: JsonObject): Problem {
  const fn = inside(call['function'] ?? call['custom']);
  if (!isText(call['id']) || call['id'] === '' || !isText(call['type'])) return 'a call without id or type';
  if (!isText(fn['name'])) return 'a call without a name';
  return isText(fn['arguments'] ?? fn['input']) ? undefined : 'arguments are no string';
}

function chatChoice(choice: JsonObject, index: number): Problem {
  const message = inside(choice['message']);
  if (choice['index'] !== index) return 'a choice out of order';
  if (message['role'] !== 'assistant') return `role ${String(message['role'])}`;
  if (message['content'] !== null && !isText(message['content'])) return 'content is neither text nor null';
  if (message['refusal'] !== null && !isText(message['refusal'])) return 'refusal missing';
  if (!FINISHES.has(choice['finish_reason'])) return `finish_reason ${String(choice['finish_reason'])}`;
  const calls = list(message['tool_calls']);
  if (calls.length > 0 && choice['finish_reason'] === 'stop') return 'calls under finish_reason stop';
  return firstProblem(calls, chatCall);
}

function chatReply(body: JsonObject): Problem {
  if (body['object'] !== 'chat.completion') return `object ${String(body['object'])}`;
  if (!isText(body['id']) || body['id'] === '' || !isText(body['model']) || !isCount(body['created']))
    return 'id, model or created missing';
  const choices = list(body['choices']);
  return choices.length === 0 ? 'no choices' : (firstProblem(choices, chatChoice) ?? chatUsage(body['usage']));
}

/** Follows the calls of one choice: each begins with id and name, in the order of its index. */
function chatCallDeltas(): (delta: JsonObject) => Problem {
  let begun = 0;
  return (delta) =>
    firstProblem(list(delta['tool_calls']), (piece) => {
      const { index } = piece;
      if (typeof index !== 'number' || index > begun) return 'a call out of order';
      const fn = inside(piece['function'] ?? piece['custom']);
      if (index < begun)
        return index === begun - 1 || !isText(fn['arguments']) || fn['arguments'] === '' ? undefined : 'an earlier call goes on';
      begun++;
      return chatCall(piece);
    });
}

function chatStream(objects: readonly JsonObject[], frames: readonly SseFrame[]): Problem {
  if (frames.at(-1)?.data !== '[DONE]') return 'does not end in [DONE]';
  if (frames.some((frame) => frame.event !== undefined)) return 'a frame with an event name';
  const finished = new Set<unknown>();
  const calls = new Map<unknown, (delta: JsonObject) => Problem>();
  const problem = firstProblem(objects, (chunk, at) => {
    if (chunk['object'] !== 'chat.completion.chunk') return `object ${String(chunk['object'])}`;
    if (!isText(chunk['id']) || chunk['id'] === '' || !isCount(chunk['created']) || !isText(chunk['model']))
      return 'id, created or model missing';
    if (chunk['id'] !== objects[0]?.['id']) return 'id changes';
    if (!Array.isArray(chunk['choices'])) return 'choices missing';
    if (chunk['choices'].length === 0 && (at !== objects.length - 1 || !isObject(chunk['usage']))) return 'an empty chunk';
    return (
      firstProblem(list(chunk['choices']), (choice) => {
        const { index, delta, finish_reason } = choice;
        if (finished.has(index)) return 'a choice goes on after its finish';
        if (!isObject(delta)) return 'delta missing';
        if (!calls.has(index) && delta['role'] !== 'assistant') return 'the first delta of a choice has no role';
        const follow = calls.get(index) ?? chatCallDeltas();
        calls.set(index, follow);
        if (finish_reason !== null && finish_reason !== undefined) {
          if (!FINISHES.has(finish_reason)) return `finish_reason ${String(finish_reason)}`;
          finished.add(index);
        }
        return follow(delta);
      }) ?? chatUsage(chunk['usage'])
    );
  });
  return problem ?? (finished.size === calls.size && finished.size > 0 ? undefined : 'no finish_reason');
}

// ——— Anthropic Messages ———

const STOP_REASONS: ReadonlySet<unknown> = new Set([
  'end_turn',
  'max_tokens',
  'stop_sequence',
  'tool_use',
  'pause_turn',
  'compaction',
  'refusal',
  'model_context_window_exceeded',
]);

/** Members of `usage` that the specification requires. */
const USAGE = [
  'input_tokens',
  'output_tokens',
  'cache_creation_input_tokens',
  'cache_read_input_tokens',
  'cache_creation',
  'server_tool_use',
  'service_tier',
  'inference_geo',
];

function anthropicUsage(usage: Json | undefined): Problem {
  const from = inside(usage);
  const missing = USAGE.find((key) => from[key] === undefined);
  if (missing !== undefined) return `usage.${missing} missing`;
  return isCount(from['input_tokens']) && isCount(from['output_tokens']) ? undefined : 'usage is no count';
}

const TOOL_ID = /^[a-zA-Z0-9_-]+$/;

/** `started`: a block at the start of its stream, whose text and input are still empty. */
function anthropicBlock(block: JsonObject, started: boolean): Problem {
  const type = String(block['type']);
  switch (type) {
    case 'text':
      if (!isText(block['text']) || block['citations'] === undefined) return 'a text block without text or citations';
      return started || block['text'] !== '' ? undefined : 'an empty text block';
    case 'thinking':
      return isText(block['thinking']) && isText(block['signature']) && (started || block['signature'] !== '')
        ? undefined
        : 'thinking without a signature';
    case 'redacted_thinking':
      return isText(block['data']) && block['data'] !== '' ? undefined : 'redacted thinking without data';
    case 'tool_use':
      if (!isText(block['id']) || !TOOL_ID.test(block['id'])) return `tool id ${String(block['id'])}`;
      return isText(block['name']) && isObject(block['input']) ? undefined : 'a tool_use without name or input';
    case 'server_tool_use':
    case 'mcp_tool_use':
      return isText(block['id']) && isText(block['name']) && isObject(block['input']) ? undefined : `${type} without id, name or input`;
    default:
      return type.endsWith('_tool_result') && (!isText(block['tool_use_id']) || block['content'] === undefined)
        ? `${type} without tool_use_id or content`
        : undefined;
  }
}

function anthropicReply(body: JsonObject): Problem {
  if (body['type'] !== 'message' || body['role'] !== 'assistant') return 'type or role';
  if (!isText(body['id']) || body['id'] === '' || !isText(body['model'])) return 'id or model missing';
  if (!Array.isArray(body['content'])) return 'content missing';
  if (!STOP_REASONS.has(body['stop_reason'])) return `stop_reason ${String(body['stop_reason'])}`;
  if (body['stop_sequence'] === undefined) return 'stop_sequence missing';
  return firstProblem(list(body['content']), (block) => anthropicBlock(block, false)) ?? anthropicUsage(body['usage']);
}

/** Deltas that a block of a type takes. */
const DELTAS: Readonly<Record<string, readonly string[]>> = {
  text: ['text_delta', 'citations_delta'],
  thinking: ['thinking_delta', 'signature_delta'],
  tool_use: ['input_json_delta'],
  server_tool_use: ['input_json_delta'],
  mcp_tool_use: ['input_json_delta'],
  compaction: ['compaction_delta'],
};

/** Follows the blocks of a message: numbered, one at a time, each with its own kind of deltas. */
function anthropicBlocks() {
  let open: JsonObject | undefined;
  let next = 0;
  let json = '';
  let signed = false;
  return {
    get isOpen() {
      return open !== undefined;
    },
    start(event: JsonObject): Problem {
      if (open) return 'a block in a block';
      if (event['index'] !== next) return `block ${String(event['index'])}, not ${next}`;
      open = inside(event['content_block']);
      json = '';
      signed = false;
      return anthropicBlock(open, true);
    },
    delta(event: JsonObject): Problem {
      if (!open || event['index'] !== next) return 'a delta for a block that is not open';
      const delta = inside(event['delta']);
      const type = String(delta['type']);
      if (!(DELTAS[String(open['type'])] ?? []).includes(type)) return `${type} in a block of ${String(open['type'])}`;
      if (type === 'input_json_delta') json += String(delta['partial_json']);
      signed ||= type === 'signature_delta';
      return undefined;
    },
    stop(event: JsonObject): Problem {
      if (!open || event['index'] !== next) return 'a stop for a block that is not open';
      const type = open['type'];
      open = undefined;
      next++;
      if (type === 'thinking' && !signed) return 'thinking without a signature';
      return json === '' || isJson(json) || type !== 'tool_use' ? undefined : 'input that is no JSON';
    },
  };
}

function anthropicStream(objects: readonly JsonObject[], frames: readonly SseFrame[]): Problem {
  if (frames.some((frame) => frame.event === undefined)) return 'a frame without an event name';
  const blocks = anthropicBlocks();
  let changed = false;
  const problem = firstProblem(objects, (event, at) => {
    const type = String(event['type']);
    if ((at === 0) !== (type === 'message_start')) return `${type} at ${at}`;
    if (changed && type !== 'message_stop') return `${type} after message_delta`;
    switch (type) {
      case 'message_start': {
        const message = inside(event['message']);
        return isText(message['id']) && message['stop_reason'] === null ? anthropicUsage(message['usage']) : 'message_start';
      }
      case 'content_block_start':
        return blocks.start(event);
      case 'content_block_delta':
        return blocks.delta(event);
      case 'content_block_stop':
        return blocks.stop(event);
      case 'message_delta':
        changed = true;
        if (blocks.isOpen) return 'message_delta in a block';
        if (!STOP_REASONS.has(inside(event['delta'])['stop_reason'])) return `stop_reason ${String(inside(event['delta'])['stop_reason'])}`;
        return isCount(inside(event['usage'])['output_tokens']) ? undefined : 'message_delta without usage';
      case 'message_stop':
        return changed && at === objects.length - 1 ? undefined : 'message_stop out of place';
      case 'ping':
        return undefined;
      default:
        return `type ${type}`;
    }
  });
  return problem ?? (objects.at(-1)?.['type'] === 'message_stop' ? undefined : 'no message_stop');
}

// ——— OpenAI Responses ———

function responsesUsage(usage: Json | undefined): Problem {
  if (usage === undefined || usage === null) return undefined;
  const from = inside(usage);
  if (!isCount(from['input_tokens']) || !isCount(from['output_tokens']) || !isCount(from['total_tokens'])) return 'usage lacks a count';
  return isObject(from['input_tokens_details']) && isObject(from['output_tokens_details']) ? undefined : 'usage lacks its details';
}

function responsesItem(item: JsonObject): Problem {
  const type = String(item['type']);
  if (type !== 'compaction' && !isText(item['id'])) return `${type} without id`;
  switch (type) {
    case 'message':
      if (item['role'] !== 'assistant' || !isText(item['status'])) return 'a message without role or status';
      return firstProblem(list(item['content']), (part) => {
        if (part['type'] === 'output_text')
          return isText(part['text']) && Array.isArray(part['annotations']) ? undefined : 'output_text without text or annotations';
        if (part['type'] === 'output_audio')
          return isText(part['data']) && isText(part['transcript']) ? undefined : 'output_audio without data or transcript';
        return part['type'] === 'refusal' && isText(part['refusal']) ? undefined : `content ${String(part['type'])}`;
      });
    case 'function_call':
      return isText(item['call_id']) && item['call_id'] !== '' && isText(item['name']) && isText(item['arguments'])
        ? undefined
        : 'function_call lacks a member';
    case 'custom_tool_call':
      return isText(item['call_id']) && isText(item['name']) && isText(item['input']) ? undefined : 'custom_tool_call lacks a member';
    case 'reasoning':
      return Array.isArray(item['summary']) ? undefined : 'reasoning without summary';
    default:
      return undefined;
  }
}

const STATUSES: ReadonlySet<unknown> = new Set(['completed', 'incomplete', 'failed']);

function responsesReply(body: JsonObject): Problem {
  if (body['object'] !== 'response') return `object ${String(body['object'])}`;
  if (!isText(body['id']) || !isText(body['model']) || typeof body['created_at'] !== 'number') return 'id, model or created_at missing';
  if (!STATUSES.has(body['status'])) return `status ${String(body['status'])}`;
  if (body['status'] === 'incomplete' && !isText(inside(body['incomplete_details'])['reason'])) return 'incomplete without a reason';
  if (!Array.isArray(body['output'])) return 'output missing';
  return firstProblem(list(body['output']), responsesItem) ?? responsesUsage(body['usage']);
}

/** The texts of an item that streams in pieces, by the key of the piece. */
function responsesTexts() {
  const texts = new Map<string, string>();
  const key = (event: JsonObject, what: string): string =>
    [event['output_index'], what, event['content_index'] ?? event['summary_index'] ?? ''].join(' ');
  return (event: JsonObject): Problem => {
    const [, what, step] = /^response\.(\w+)\.(delta|done)$/.exec(String(event['type'])) ?? [];
    if (what === undefined || what === 'output_item' || what === 'content_part') return undefined;
    const at = key(event, what);
    if (step === 'delta') {
      if (!isText(event['delta'])) return undefined;
      texts.set(at, (texts.get(at) ?? '') + event['delta']);
      return undefined;
    }
    const whole = event['text'] ?? event['arguments'] ?? event['refusal'] ?? event['input'] ?? event['code'];
    return !isText(whole) || whole === (texts.get(at) ?? '') || !texts.has(at) ? undefined : `${what}: the pieces are not the whole`;
  };
}

function responsesStream(objects: readonly JsonObject[], frames: readonly SseFrame[]): Problem {
  if (frames.some((frame) => frame.event === undefined && frame.data !== '[DONE]')) return 'a frame without an event name';
  const open = new Map<unknown, unknown>();
  const done: JsonObject[] = [];
  const texts = responsesTexts();
  const problem = firstProblem(objects, (event, at) => {
    const type = String(event['type']);
    if (event['sequence_number'] !== at) return `sequence_number ${String(event['sequence_number'])} at ${at}`;
    if ((at === 0) !== (type === 'response.created')) return `${type} at ${at}`;
    const index = event['output_index'];
    if (type === 'response.output_item.added') {
      if (index !== open.size + done.length) return 'output_index out of order';
      open.set(index, inside(event['item'])['id']);
      return undefined;
    }
    if (index !== undefined && !open.has(index)) return `${type} for an item that is not open`;
    if (type === 'response.output_item.done') {
      open.delete(index);
      done.push(inside(event['item']));
      return responsesItem(inside(event['item']));
    }
    if (event['item_id'] !== undefined && index !== undefined && event['item_id'] !== open.get(index)) return `${type} names another item`;
    if (!/^response\.(completed|incomplete|failed)$/.test(type)) return texts(event);
    if (at !== objects.length - 1) return `${type} is not the last`;
    if (open.size > 0) return 'items left open';
    const response = inside(event['response']);
    if (JSON.stringify(list(response['output']).map((item) => item['type'])) !== JSON.stringify(done.map((item) => item['type'])))
      return 'the last snapshot lacks items';
    return responsesReply(response);
  });
  return problem ?? (/^response\.(completed|incomplete)$/.test(String(objects.at(-1)?.['type'])) ? undefined : 'no terminal event');
}

// ——— Gemini ———

function geminiPart(part: JsonObject): Problem {
  const call = part['functionCall'];
  if (call !== undefined)
    return isText(inside(call)['name']) && (inside(call)['args'] === undefined || isObject(inside(call)['args']))
      ? undefined
      : 'functionCall without name, or args that are no object';
  if (part['inlineData'] !== undefined)
    return isText(inside(part['inlineData'])['mimeType']) && isText(inside(part['inlineData'])['data'])
      ? undefined
      : 'inlineData lacks a member';
  const data = Object.keys(part).filter((key) => key !== 'thought' && key !== 'thoughtSignature');
  return data.length > 0 ? undefined : 'a part that says nothing';
}

function geminiCandidate(candidate: JsonObject): Problem {
  const { content } = candidate;
  if (content === undefined) return undefined;
  if (!isObject(content) || content['role'] !== 'model') return 'content without role model';
  return firstProblem(list(content['parts']), geminiPart);
}

function geminiUsage(usage: Json | undefined): Problem {
  if (usage === undefined) return undefined;
  // Nought is left out.
  const { totalTokenCount = 0, promptTokenCount = 0, candidatesTokenCount = 0 } = inside(usage);
  return isCount(totalTokenCount) && isCount(promptTokenCount) && isCount(candidatesTokenCount) ? undefined : 'usageMetadata is no count';
}

const geminiReason = (candidate: JsonObject): boolean => isText(candidate['finishReason']) && candidate['finishReason'] !== '';

function geminiReply(body: JsonObject): Problem {
  const candidates = list(body['candidates']);
  if (candidates.length === 0) return isText(inside(body['promptFeedback'])['blockReason']) ? undefined : 'no candidates';
  if (!candidates.every(geminiReason)) return 'no finishReason';
  return firstProblem(candidates, geminiCandidate) ?? geminiUsage(body['usageMetadata']);
}

function geminiStream(objects: readonly JsonObject[], frames: readonly SseFrame[]): Problem {
  if (objects.length === 0) return 'empty';
  if (frames.some((frame) => frame.event !== undefined)) return 'a frame with an event name';
  const finished = new Set<unknown>();
  const problem = firstProblem(objects, (object) => {
    if (object['candidates'] !== undefined && !Array.isArray(object['candidates'])) return 'candidates is no array';
    return (
      firstProblem(list(object['candidates']), (candidate) => {
        const index = candidate['index'] ?? 0;
        if (finished.has(index)) return 'a candidate goes on after its finishReason';
        if (geminiReason(candidate)) finished.add(index);
        return geminiCandidate(candidate);
      }) ?? geminiUsage(object['usageMetadata'])
    );
  });
  const blocked = objects.some((object) => isObject(object['promptFeedback']));
  return problem ?? (finished.size > 0 || blocked ? undefined : 'no finishReason');
}

// ——— All ———

/** What is wrong with a whole reply. */
export function replyProblem(protocol: ProtocolId, body: JsonObject): Problem {
  switch (protocol) {
    case 'openai-chat':
      return chatReply(body);
    case 'openai-responses':
      return responsesReply(body);
    case 'anthropic-messages':
      return anthropicReply(body);
    case 'gemini':
      return geminiReply(body);
    default:
      return undefined;
  }
}

/** The objects of frames, or what is wrong with one as a frame. */
function objectsOf(frames: readonly SseFrame[]): readonly JsonObject[] | string {
  const objects: JsonObject[] = [];
  for (const frame of frames) {
    if (frame.data === '[DONE]') continue;
    const object = parseObject(frame.data);
    if (!object) return `not JSON: ${frame.data.slice(0, 80)}`;
    if (frame.event !== undefined && object['type'] !== undefined && frame.event !== object['type'])
      return `event ${frame.event} holds ${String(object['type'])}`;
    objects.push(object);
  }
  return objects;
}

/** What is wrong with the frames of a finished stream. */
export function streamProblem(protocol: ProtocolId, frames: readonly SseFrame[]): Problem {
  const objects = objectsOf(frames);
  if (typeof objects === 'string') return objects;
  switch (protocol) {
    case 'openai-chat':
      return chatStream(objects, frames);
    case 'openai-responses':
      return responsesStream(objects, frames);
    case 'anthropic-messages':
      return anthropicStream(objects, frames);
    case 'gemini':
      return geminiStream(objects, frames);
    default:
      return undefined;
  }
}

/** The dialect's error frame, as its SDK raises it. */
function isErrorFrame(protocol: ProtocolId, object: JsonObject): boolean {
  switch (protocol) {
    case 'anthropic-messages':
      return object['type'] === 'error' && isText(inside(object['error'])['type']) && isText(inside(object['error'])['message']);
    case 'openai-responses':
      return (
        object['type'] === 'error' ||
        (object['type'] === 'response.failed' && isText(inside(inside(object['response'])['error'])['message']))
      );
    case 'gemini':
      return (
        typeof inside(object['error'])['code'] === 'number' &&
        isText(inside(object['error'])['message']) &&
        isText(inside(object['error'])['status'])
      );
    default:
      return isText(inside(object['error'])['message']);
  }
}

/** Whether a frame says that the answer is complete. */
function saysFinished(protocol: ProtocolId, object: JsonObject): boolean {
  switch (protocol) {
    case 'anthropic-messages':
      return object['type'] === 'message_stop' || object['type'] === 'message_delta';
    case 'openai-responses':
      return object['type'] === 'response.completed' || object['type'] === 'response.incomplete';
    case 'gemini':
      return list(object['candidates']).some(geminiReason);
    default:
      return list(object['choices']).some((choice) => choice['finish_reason'] !== null && choice['finish_reason'] !== undefined);
  }
}

/** What is wrong with a stream that failed: it must end in the dialect's error frame, and never look complete. */
export function failedStreamProblem(protocol: ProtocolId, frames: readonly SseFrame[]): Problem {
  if (frames.some((frame) => frame.data === '[DONE]')) return '[DONE] after a failure';
  const objects = objectsOf(frames);
  if (typeof objects === 'string') return objects;
  if (objects.some((object) => saysFinished(protocol, object))) return 'it looks complete';
  const last = objects.at(-1);
  return last && isErrorFrame(protocol, last) ? undefined : `ends in ${JSON.stringify(last).slice(0, 120)}`;
}
