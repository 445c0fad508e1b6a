import { GatewayError, gatewayFault, isObject, type JsonObject, missingField, parseObject } from '../ir/index.ts';
import type { Call } from '../exchange/call.ts';
import { runExchange } from '../exchange/exchange.ts';
import type { Visit } from '../http/gateway/handle.ts';
import type { ClientCodec } from '../protocols/protocol.ts';
import { optionalString, requiredString } from '../wire/fields.ts';
import { answerJson, bodyOf } from './answer.ts';
import { compactionItem } from './compaction-item.ts';
import { itemsIn, keptItem } from './items.ts';
import { createReplySink, type ReplyHandler } from './reply-handler.ts';
import { readyResponse, readWishes } from './response-request.ts';
import type { TurnPorts } from './turns.ts';

const TASK =
  'Sum up this conversation so that another assistant can go on with it without having seen it. Keep: what the user wants, ' +
  'decisions and their reasons, facts, names, numbers, code and file names that still matter, what tools found, what was ' +
  'done and what remains to be done. Answer with the summary alone.';

/** Fields of a compaction that its call has too. */
const PASSED = ['instructions', 'service_tier', 'prompt_cache_key'] as const;

/** The window, then the task. Calls without a result would be refused: they are told as they are, as text. */
function askFor(body: JsonObject, model: string, window: readonly JsonObject[]): JsonObject {
  const passed = Object.fromEntries(PASSED.flatMap((name) => (body[name] == null ? [] : [[name, body[name]]])));
  const answered = new Set(window.flatMap((item) => (String(item['type']).endsWith('_output') ? [item['call_id']] : [])));
  const told = window.map((item) => {
    const isOpen = (item['type'] === 'function_call' || item['type'] === 'custom_tool_call') && !answered.has(item['call_id']);
    if (!isOpen) return item;
    const text = `Called ${String(item['name'])} with ${String(item['arguments'] ?? item['input'])}; no result yet.`;
    return { type: 'message', role: 'assistant', content: [{ type: 'output_text', text, annotations: [] }] };
  });
  return { ...passed, model, input: [...told, { type: 'message', role: 'user', content: [{ type: 'input_text', text: TASK }] }] };
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

/** A client that only waits for the whole answer. */
function waiting(visit: Visit, then: (answer: Answer) => void): ReplyHandler {
  return {
    begun: false,
    get closed() {
      return visit.sink.closed;
    },
    begin: () => undefined,
    frame: () => true,
    end: () => undefined,
    whole: (status, _headers, body) => then({ status, body }),
    abort: () => then({ status: 502, body: Buffer.alloc(0) }),
    onGone: (listener) => visit.sink.onGone(listener),
    onDrain: () => undefined,
  };
}

async function ask(
  visit: Visit,
  client: ClientCodec,
  body: JsonObject,
  raw: boolean,
  onRaw: CallPrepared['onRaw'],
  ports: TurnPorts,
): Promise<Answer | undefined> {
  const { id, at, started, key, headers, snapshot, label, path } = visit;
  const call: Call = {
    id,
    at,
    started,
    key,
    client,
    operation: 'generate',
    model: String(body['model']),
    stream: false,
    form: 'sse',
    strict: false,
    body: Buffer.alloc(0),
    scan: { values: new Map(), inside: 1, empty: true, depth: 1 },
    headers,
    snapshot,
    ...(label === undefined ? {} : { label }),
    ...(path.platform === undefined ? {} : { platform: path.platform }),
    prepared: { body, raw, ...(onRaw ? { onRaw } : {}) },
  };
  let answer: Answer | undefined;
  await runExchange(call, createReplySink(waiting(visit, (given) => (answer = given))), ports.exchange);
  return answer;
}

type CallPrepared = NonNullable<Call['prepared']>;

/** The text of a response's answer. */
const textOf = (response: JsonObject): string =>
  itemsIn(response, 'output')
    .filter((item) => item['type'] === 'message')
    .flatMap((item) => itemsIn(item, 'content'))
    .map((part) => (typeof part['text'] === 'string' ? part['text'] : ''))
    .join('')
    .trim();

const isUserMessage = (item: JsonObject): boolean => (item['type'] ?? 'message') === 'message' && item['role'] === 'user';

/**
 * POST /responses/compact: the model sums the window up; what comes back is every message of the user and one compaction
 * item that holds the summary, sealed. It is the gateway's own work on every provider.
 */
export async function compact(visit: Visit, bytes: Buffer, client: ClientCodec, ports: TurnPorts): Promise<void> {
  const { exchange, sealer } = ports;
  const asked = bodyOf(visit, bytes);
  const model = requiredString(asked, 'model');
  if (model === '') throw missingField('model');
  const previous = optionalString(asked, 'previous_response_id');
  const window = { input: asked['input'], ...(previous === undefined ? {} : { previous_response_id: previous }) };
  const owner = visit.key.id;
  const { prepared, history, input } = await readyResponse(window, readWishes(window, true), owner, ports);
  const items = itemsIn(prepared.body, 'input');
  const answer = await ask(visit, client, askFor(asked, model, items), prepared.raw, prepared.onRaw, ports);
  if (!answer) return;
  if (answer.status !== 200) {
    visit.sink.begin(answer.status, { 'content-type': 'application/json' }, answer.body.length);
    visit.sink.end(answer.body);
    return;
  }
  const response = parseObject(answer.body.toString('utf8')) ?? {};
  const summary = textOf(response);
  if (summary === '') {
    throw new GatewayError(gatewayFault('upstream', 'The model gave no summary of the conversation', { code: 'compaction_empty' }));
  }
  const kept = [...history.items, ...input].filter(isUserMessage).map((item) => keptItem(item, exchange.newId));
  answerJson(visit, {
    id: exchange.newId('resp_'),
    object: 'response.compaction',
    created_at: Math.floor(visit.at / 1000),
    output: [...kept, compactionItem(summary, owner, exchange.newId('cmp_'), await sealer())],
    usage: isObject(response['usage']) ? response['usage'] : null,
  });
}
